"""Stand-ins with the shape of the value, out of ranges that are nobody's."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import resident_id
from yuzui.privacy import checksums
from yuzui.privacy.realistic import imitate, imitate_number
from yuzui.privacy.surrogates import LOOKALIKE, Namer, Surrogates

NAMER = Namer(b"a deployment's secret, 32 bytes.", tenant="key_1")


def made(kind: str, surface: str, attempt: int = 0) -> str:
    return imitate(kind, surface, NAMER.stream(kind, surface, attempt))


def shape(text: str) -> str:
    return "".join(["9" if char.isdigit() else "a" if char.isalpha() else char for char in text])


@pytest.mark.parametrize(
    ("kind", "surface"),
    [
        ("cn_mobile", "+86 138-0013-8000"),
        ("phone", "(415) 234-5678"),
        ("phone", "+1 415 234 5678"),
        ("phone", "+44 7911 123456"),
        ("bank_card", "4111 1111 1111 1111"),
        ("us_ssn", "219-09-9999"),
    ],
)
def test_the_layout_stays_and_the_value_goes(kind: str, surface: str) -> None:
    token = made(kind, surface)
    assert shape(token) == shape(surface) and token != surface
    assert made(kind, surface) == token


@given(st.integers(2_000_000_000, 9_999_999_999))
def test_north_american_numbers_are_those_for_fiction(number: int) -> None:
    digits = made("phone", str(number))
    assert digits[3:8] == "55501" and digits[0] >= "2" and digits[1] != "9"


@given(st.integers(0, 10**9 - 1))
def test_mobile_numbers_are_in_no_mobile_segment(rest: int) -> None:
    assert made("cn_mobile", f"13{rest:09d}").startswith("12")


@given(st.sampled_from(("34", "4", "51", "62", "60")), st.integers(13, 19), st.integers(0, 10**13))
def test_cards_are_documented_test_cards_with_the_right_check_digit(prefix: str, size: int, middle: int) -> None:
    token = made("bank_card", (prefix + f"{middle:018d}")[:size])
    assert len(token) == size and checksums.luhn_is_valid(token)
    assert token[:6] in {"378282", "424242", "555555", "601111", "620000"} and token[0] == prefix[0]


@given(st.integers(1, 999), st.integers(0, 10**6))
def test_identity_numbers_have_no_region_a_right_check_digit_and_the_same_sex(sequence: int, place: int) -> None:
    value = resident_id(sequence=f"{sequence:03d}")
    token = made("cn_resident_id", value)
    assert token[:2] == "70" and checksums.resident_id_check(token[:17]) == token[17]
    assert int(token[16]) % 2 == int(value[16]) % 2
    assert "1950" <= token[6:10] <= "2004"


def test_other_codes_are_self_consistent_and_unassigned() -> None:
    iban = made("iban", "DE89 3704 0044 0532 0130 00")
    assert iban.startswith("XX") and checksums.mod97(iban.replace(" ", "")[4:] + iban[:4]) == 1
    credit = made("cn_social_credit_code", "91350211M000100Y43")
    assert credit[2:4] == "70" and checksums.social_credit_check(credit[:17]) == credit[17]
    assert made("us_ssn", "219099999").startswith("666")


def test_addresses_are_those_for_documentation() -> None:
    four, six = made("ip_address", "10.20.30.40"), made("ip_address", "fe80::1")
    assert four.rpartition(".")[0] in {"192.0.2", "198.51.100", "203.0.113"}
    assert ipaddress.ip_address(six) in ipaddress.ip_network("2001:db8::/32")
    assert made("email", "wang@corp.cn").partition("@")[2] in {"example.com", "example.org", "example.net"}


@pytest.mark.parametrize(
    ("surface", "size", "end"),
    [("王小明", 3, ""), ("李女士", 3, "女士"), ("Mr Obama", 2, ""), ("Grace M. Hopper", 3, "")],
)
def test_names_keep_script_length_and_title(surface: str, size: int, end: str) -> None:
    token = made("person", surface)
    assert token != surface and token.endswith(end) and token.isascii() == surface.isascii()
    assert (len(token.split()) if surface.isascii() else len(token)) == size


@pytest.mark.parametrize("surface", ["Zoë", "王", "Иван Петров", "王 小明", "O'Neil & Sons"])
def test_a_name_in_another_shape_has_no_likeness(surface: str) -> None:
    assert made("person", surface) == ""


@pytest.mark.parametrize(
    ("kind", "surface"),
    [
        ("password", "hunter2"),
        ("passport", "E12345678"),
        ("phone", "+49 30 1234567"),
        ("ip_address", "999.1.1.1"),
        ("cn_mobile", "一三八零零一三八零零零"),
        ("cn_resident_id", "110101900307461"),
        ("iban", "short"),
        ("bank_card", "411111"),
        ("cn_social_credit_code", "x"),
    ],
)
def test_without_a_reserved_range_there_is_no_likeness(kind: str, surface: str) -> None:
    assert made(kind, surface) == ""


def test_numbers_in_json_stay_numbers_of_the_same_size() -> None:
    for kind, value in (("cn_mobile", "13800138000"), ("phone", "4152345678"), ("us_ssn", "219099999")):
        token = imitate_number(kind, value, NAMER.stream(kind, value))
        assert token.isdigit() and len(token) == len(value) and token[0] != "0"
    assert imitate_number("email", "13800138000", NAMER.stream("email", "1")) == ""
    assert imitate_number("phone", "+14152345678", NAMER.stream("phone", "1")) == ""


def test_within_one_request_no_two_values_share_a_likeness() -> None:
    surrogates = Surrogates(NAMER)
    values = [f"10.0.{high}.{low}" for high in range(10) for low in range(256)]
    issued = [surrogates.issue("ip_address", value, imitate) for value in values]
    assert len(set(issued)) == len(values)
    assert {surrogates.originals[token] for token in issued} == set(values)
    assert any(LOOKALIKE.fullmatch(token) for token in issued), "768 addresses are reserved, the rest get letters"


@given(st.text(max_size=30), st.sampled_from(("email", "phone", "iban", "person", "ip_address", "bank_card", "us_ssn")))
def test_no_value_breaks_it(surface: str, kind: str) -> None:
    assert isinstance(made(kind, surface), str)
