"""Check digits against values that the standards and their issuers publish."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy import checksums


@pytest.mark.parametrize("number", ["4111111111111111", "79927398713", "0"])
def test_published_luhn_examples(number: str) -> None:
    assert checksums.luhn_is_valid(number)


@given(st.text("0123456789", min_size=2, max_size=18), st.integers(0, 17), st.integers(1, 9))
def test_luhn_notices_any_single_wrong_digit(payload: str, place: int, by: int) -> None:
    number = payload + checksums.luhn_check_digit(payload)
    place %= len(number)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert checksums.luhn_is_valid(number) and not checksums.luhn_is_valid(wrong)


def test_mod97_of_a_published_iban_is_one() -> None:
    assert checksums.mod97("370400440532013000" + "DE89") == 1


def test_the_example_of_gb_11643() -> None:
    assert checksums.resident_id_check("11010519491231002") == "X"


def test_a_social_credit_code_and_a_character_that_it_never_uses() -> None:
    assert checksums.social_credit_check("91350100M000100Y4") == "3"
    with pytest.raises(KeyError):
        checksums.social_credit_check("9135010OM000100Y4")


def test_identity_numbers_of_hong_kong_and_taiwan() -> None:
    """The examples that the registries publish."""
    assert checksums.hong_kong_id_check("A123456") == "3"
    assert checksums.taiwan_id_is_valid("A123456789") and not checksums.taiwan_id_is_valid("A123456788")


def test_vehicles_and_banks() -> None:
    assert checksums.vin_check("1M8GDM9AXKP042788") == "X" and checksums.vin_check("1" * 17) == "1"
    assert checksums.routing_number_is_valid("021000021") and not checksums.routing_number_is_valid("021000022")
    assert checksums.verhoeff_is_valid("2363") and not checksums.verhoeff_is_valid("2364")


def test_wallets() -> None:
    assert checksums.base58_is_valid("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa")
    assert not checksums.base58_is_valid("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb") and not checksums.base58_is_valid(
        "0" * 30
    )
    assert not checksums.base58_is_valid("z" * 60)
    assert checksums.bech32_is_valid("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
    assert not checksums.bech32_is_valid("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5")
    assert not checksums.bech32_is_valid("bC1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
