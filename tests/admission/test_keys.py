"""Virtual keys: made, hashed, read from the header."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.admission.keys import LONGEST_HEADER, UNIFORM_MESSAGE, KeyHasher, key_hash, make_secret, read_bearer
from yuzui.core.errors import ClientFault, InvalidRequest, Unauthenticated

PEPPER = b"p" * 32
SECRET = make_secret(b"r" * 32)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_is_yz_and_43_url_safe_characters_and_is_read_back(random_bytes: bytes) -> None:
    secret = make_secret(random_bytes)
    assert re.fullmatch(r"yz-[A-Za-z0-9_-]{43}", secret)
    assert read_bearer([f"Bearer {secret}"]) == secret


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_different_randomness_gives_different_keys(one: bytes, other: bytes) -> None:
    assert (make_secret(one) == make_secret(other)) == (one == other)


def test_too_little_randomness_is_refused() -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        make_secret(b"short")


def test_the_hash_depends_on_the_pepper_and_tells_nothing_without_it() -> None:
    assert key_hash(PEPPER, SECRET) == key_hash(PEPPER, SECRET)
    assert key_hash(PEPPER, SECRET) != key_hash(b"q" * 32, SECRET)
    # Source: RFC 4231 section 4.2, test case 1.
    assert key_hash(b"\x0b" * 20, "Hi There").hex().startswith("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e93")


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", f"bearer {SECRET}", f"BEARER {SECRET}"])
def test_the_scheme_is_read_in_any_case(header: str) -> None:
    assert read_bearer((header,)) == SECRET


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer  {SECRET}",
        f"Bearer {SECRET} ",
        f"Bearer\t{SECRET}",
        f"Basic {SECRET}",
        SECRET,
        f"Bearer {SECRET[:-1]}",
        f"Bearer {SECRET}x",
        "Bearer " + "sk-" + "A" * 43,
        f"Bearer {SECRET[:-1]}é",
        "Bearer ' OR 1=1 --",
        "Bearer " + "yz-" + "A" * LONGEST_HEADER,
        "Bearer " + "A" * 2**20,
    ],
)
def test_what_cannot_be_a_key_gets_the_same_answer_and_never_its_own_text_back(header: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        read_bearer([header])
    assert (refused.value.code, refused.value.message, refused.value.status) == (
        "invalid_api_key",
        UNIFORM_MESSAGE,
        401,
    )


def test_no_header_is_named_as_such() -> None:
    with pytest.raises(Unauthenticated) as refused:
        read_bearer([])
    assert (refused.value.code, refused.value.message) == ("missing_api_key", UNIFORM_MESSAGE)


def test_two_headers_are_refused_even_when_they_agree() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_bearer([f"Bearer {SECRET}", f"Bearer {SECRET}"])
    assert refused.value.status == 400


@given(st.lists(st.text(max_size=300), max_size=3))
def test_no_header_makes_a_bug(headers: list[str]) -> None:
    try:
        assert read_bearer(headers).startswith("yz-")
    except ClientFault as fault:
        assert fault.status in (400, 401)


def test_one_hasher_hashes_every_key_as_if_it_were_the_first() -> None:
    hasher = KeyHasher(PEPPER)
    for secret in (SECRET, make_secret(b"s" * 32), SECRET):
        assert hasher.hash(secret) == key_hash(PEPPER, secret)
