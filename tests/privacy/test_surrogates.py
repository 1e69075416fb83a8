"""The same name for the same value wherever it is computed; never one that the request holds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.kit import scanner
from yuzui.privacy.catalogue import load_detectors
from yuzui.privacy.surrogates import CODE_LETTERS, LOOKALIKE, Namer, Surrogates, bare, canonical_value, word_of

SECRET = b"a deployment's secret, 32 bytes."


def namer(tenant: str = "key_1", scope: str = "") -> Namer:
    return Namer(SECRET, tenant=tenant, scope=scope)


def test_a_name_is_its_kind_and_a_fixed_number_of_letters() -> None:
    token = namer().name("cn_mobile", "13800138000")
    word, _, code = token.rpartition("_")
    assert word == "CN_MOBILE" and len(code) == CODE_LETTERS and token.isascii()
    assert LOOKALIKE.fullmatch(token)


def test_names_agree_over_turns_workers_and_restarts() -> None:
    here = [namer().name("email", "wang@example.com") for _ in range(100)]
    program = (
        "from yuzui.privacy.surrogates import Namer\n"
        f"print(Namer({SECRET!r}, tenant='key_1').name('email', 'wang@example.com'))"
    )
    there = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
        for _ in range(2)
    ]
    assert set(here) == set(there)


@given(st.text(min_size=1, max_size=40))
def test_tenants_and_scopes_never_share_a_name(value: str) -> None:
    names = {
        Namer(secret, tenant=tenant, scope=scope).name("email", value)
        for secret in (SECRET, SECRET + b"2")
        for tenant, scope in (("a", ""), ("b", ""), ("a", "x"), ("ax", ""))
    }
    assert len(names) == 8


def test_spellings_of_one_value_look_related_and_are_told_apart() -> None:
    names = [namer().name("cn_mobile", text) for text in ("13800138000", "138 0013 8000", "+86-138-0013-8000")]
    assert len({name[:-4] for name in names}) == 1 and len(set(names)) == 3


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Wang@Example.com", "wang@example.COM"),
        ("cn_mobile", "１３８００１３８０００", "0086 138 0013 8000"),
        ("cn_resident_id", "11010519491231002x", "110105 19491231 002X"),
        ("iban", "DE89 3704 0044 0532 0130 00", "de89370400440532013000"),
        ("person", "Ann  Lee", "ANN LEE"),
    ],
)
def test_variants_of_one_value_have_one_canonical_form(kind: str, one: str, other: str) -> None:
    assert canonical_value(kind, one) == canonical_value(kind, other)


def test_every_letter_of_a_secret_counts() -> None:
    assert canonical_value("password", "Aa") != canonical_value("password", "aA")


def test_kinds_become_readable_words() -> None:
    assert [word_of(kind) for kind in ("cn_mobile", "Kunde-Nr.", "项目", "9lives")] == [
        "CN_MOBILE",
        "KUNDE_NR",
        "VALUE",
        "VALUE_9LIVES",
    ]


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Namer(b"short", tenant="t")


def test_one_value_has_one_stand_in_and_two_have_two() -> None:
    surrogates = Surrogates(namer())
    first, again = surrogates.issue("email", "a@example.com"), surrogates.issue("email", "a@example.com")
    other = surrogates.issue("person", "a@example.com")
    assert first == again != other
    assert surrogates.originals == {first: "a@example.com", other: "a@example.com"}
    assert surrogates.kinds[other] == "person"


def test_a_name_that_the_request_holds_is_never_issued() -> None:
    typed = namer().name("email", "a@example.com")
    issued = Surrogates(namer(), avoided=f"i type {typed.lower()} here").issue("email", "a@example.com")
    assert issued != typed and issued == namer().name("email", "a@example.com", 1)


def test_when_all_shapes_are_taken_a_name_of_letters_takes_over() -> None:
    def always_the_same(kind: str, surface: str, stream: Iterator[int]) -> str:
        return "x-1"

    surrogates = Surrogates(namer())
    issued = [surrogates.issue("k", value, always_the_same) for value in ("a", "b", "x-1")]
    assert issued[0] == "x-1" and all(LOOKALIKE.fullmatch(token) for token in issued[1:])


def test_what_an_earlier_request_issued_is_taken_over() -> None:
    surrogates = Surrogates(namer())
    surrogates.adopt("EMAIL_OLD", "email", "a@example.com")
    assert surrogates.issue("email", "a@example.com") == "EMAIL_OLD"
    assert bare("*email\\_old*") == bare("EMAIL_OLD")


def test_the_scanner_sees_nothing_in_our_names() -> None:
    kinds = {kind for detector in load_detectors().values() for kind in detector.levels}
    found = {}
    for kind in sorted(kinds):
        names = [namer().name(kind, str(number)) for number in range(300)]
        found[kind] = scanner().scan_text("ask " + " and ".join(names) + " please").findings
    assert not any(found.values())
