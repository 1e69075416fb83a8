"""Payment cards: issuer, length, Luhn."""

from __future__ import annotations

import pytest

from privacy.kit import card, values

PAYLOADS = [
    "411111111111111",
    "555555555555444",
    "37828224631000",
    "601111111111111",
    "622202100112345678",
    "353011133330000",
    "3056930902590",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_issued_number_is_found_in_one_piece_and_in_groups(payload: str) -> None:
    number = card(payload)
    assert values(f"pay {number} now", "bank_card") == [number]
    if len(number) in (16, 19):
        grouped = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
        assert values(f"pay {grouped} now", "bank_card") == [grouped]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_wrong_luhn_digit_is_no_card(payload: str) -> None:
    number = card(payload)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert values(f"card {wrong}", "bank_card") == []


@pytest.mark.parametrize(
    "text", ["0.4111111111111111", "1111111111111117", "a4111111111111111f", "4111\n1111\n1111\n1111"]
)
def test_sixteen_digits_alone_are_no_card(text: str) -> None:
    assert values(text, "bank_card") == []


def test_digits_of_other_scripts_are_read() -> None:
    written = card().translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert values(f"card {written}", "bank_card") == [written]
