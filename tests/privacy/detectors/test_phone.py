"""Telephone numbers of the world."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("write to +44 20 7946 0958 please", "+44 20 7946 0958"),
        ("is +1-786-555-0987.", "+1-786-555-0987"),
        ("Call 212-555-0198", "212-555-0198"),
        ("(415) 555-0134 is the desk", "(415) 555-0134"),
        ("座 010-64265344", "010-64265344"),
        ("+49 30 98765432", "+49 30 98765432"),
        ("010-9876-5432", "010-9876-5432"),
        ("call me at 0494 92 82 32", "0494 92 82 32"),
        ("phone: 2025550134", "2025550134"),
    ],
)
def test_a_telephone_number_is_found(text: str, number: str) -> None:
    assert values(text, "phone") == [number]


@pytest.mark.parametrize(
    "text",
    [
        "in 2024 200 300 4000 units",
        "2025550134",
        "1.2.3.4567890",
        "2026-11-22 10:30:00",
        "hotel 55501345",
        "order 12345678",
        "from callers 20261122",
        "10.1002/smsc.202300286",
        "sums: 1,234,567,890",
    ],
)
def test_numbers_without_the_shape_or_a_cue_are_left_alone(text: str) -> None:
    assert values(text, "phone") == []


def test_a_chinese_mobile_number_is_reported_once_as_its_own_kind() -> None:
    assert values("电话13800138000", "phone") == []
    assert values("电话13800138000", "cn_mobile") == ["13800138000"]
