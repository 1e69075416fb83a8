"""Driver's licences."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("My driver's license number is F7253340118", "F7253340118"),
        ("driving licence: MORGA753116SM9IJ", "MORGA753116SM9IJ"),
        ("Driver License #K932-778-3840", "K932-778-3840"),
        ("驾驶证档案编号 330100234567", "330100234567"),
    ],
)
def test_a_licence_is_found_behind_its_name(text: str, number: str) -> None:
    assert values(text, "driver_licence") == [number]


@pytest.mark.parametrize("text", ["driver's license expired in 2024", "a driving licence is needed", "F7253340118"])
def test_prose_is_left_alone(text: str) -> None:
    assert values(text, "driver_licence") == []
