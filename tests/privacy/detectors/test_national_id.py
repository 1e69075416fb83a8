"""Identity numbers of other countries."""

from __future__ import annotations

import pytest

from privacy.kit import values
from yuzui.privacy.checksums import verhoeff_is_valid


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("NINO: AB 12 34 56 C", "AB 12 34 56 C"),
        ("NHS Number: 943 476 5919 is", "943 476 5919"),
        ("주민등록번호: 850315-1234567", "850315-1234567"),
        ("his PAN ABCPK1234F was", "ABCPK1234F"),
        ("Aadhaar 2345 6789 0124", "2345 6789 0124"),
        ("Sozialversicherungsnummer: 12 150690 S 423\n", "12 150690 S 423"),
    ],
)
def test_a_number_is_found(text: str, number: str) -> None:
    assert values(text, "national_id") == [number]


def test_a_grouped_number_with_its_check_digit_needs_no_cue() -> None:
    number = next(f"2345 6789 {n:04d}" for n in range(10_000) if verhoeff_is_valid(f"23456789{n:04d}"))
    assert values(f"no {number} here", "national_id") == [number]


@pytest.mark.parametrize(
    "text", ["851315-1234567", "2345 6789 0000 units", "epicentre 1234567", "QQ 12 34 56 Z", "XXXXX1234X"]
)
def test_others_are_left_alone(text: str) -> None:
    assert values(text, "national_id") == []
