"""Tax numbers."""

from __future__ import annotations

import pytest

from privacy.kit import values


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("EIN 11-4391209 appeared", "11-4391209"),
        ("Steuer-ID: 57 234 891 067\n", "57 234 891 067"),
        ("her tax ID GB987654321.", "GB987654321"),
        ("VAT number DE123456789", "DE123456789"),
        ("federal tax ID number 987-65-4321 and", "987-65-4321"),
    ],
)
def test_a_number_is_found_behind_its_name(text: str, number: str) -> None:
    assert values(text, "tax_id") == [number]


@pytest.mark.parametrize("text", ["getting 1234567 hits", "protein 1234567", "tax number unknown", "the tin is empty"])
def test_other_words_are_left_alone(text: str) -> None:
    assert values(text, "tax_id") == []
