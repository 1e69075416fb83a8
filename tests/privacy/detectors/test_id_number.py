"""Numbers of persons that only their label names."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("employee ID 56789-T is", "56789-T"),
        ("工号：EMP20240315", "EMP20240315"),
        ("Customer number is 00123456", "00123456"),
        ("准考证号 1102345678", "1102345678"),
        ("ID number: 24681357K", "24681357K"),
    ],
)
def test_a_number_is_found_behind_its_label(text: str, number: str) -> None:
    assert values(text, "id_number") == [number]


@pytest.mark.parametrize(
    "text", ["user id is required", "userId = 5", "client number seven", "student card in 20 colours"]
)
def test_prose_and_code_are_left_alone(text: str) -> None:
    assert values(text, "id_number") == []
