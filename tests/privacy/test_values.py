"""Values are found again however they are rewritten, and short ones not inside other words."""

from __future__ import annotations

import pytest

from yuzui.privacy.values import Known, Leftovers, Needles


def test_occurrences_are_found_in_any_case() -> None:
    needles = Needles([("email", "Wang@Example.com"), ("person", "王小明"), ("person", "Bob")])
    text = "wang@example.COM and 王小明的 and bob, Bobcat"
    assert [(text[start:end], kind) for start, end, kind in needles.find(text)] == [
        ("wang@example.COM", "email"),
        ("王小明", "person"),
        ("bob", "person"),
    ]


def test_what_is_too_short_is_not_sought() -> None:
    assert Needles([("password", "ab"), ("person", "王"), ("k", "--- ")]).find("ab 王 --- ") == []
    assert Needles([]).find("anything") == []


def test_offsets_hold_where_lower_case_is_longer() -> None:
    text = "İİ x wang@example.com"
    ((start, end, _),) = Needles([("email", "wang@example.com")]).find(text)
    assert text[start:end] == "wang@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "call 13800138000",
        "call 138-0013-8000",
        "call (138) 0013.8000 now",
        "WANG@EXAMPLE.COM",
        "q=wang%40example.com",
        "q=%77ang%40example.com",
        "王小明",
        "DE89370400440532013000",
        "xwang@example.comx",
    ],
)
def test_variants_are_leftovers(text: str) -> None:
    values = [("cn_mobile", "138 0013 8000"), ("email", "wang@example.com"), ("person", "王小明"),
              ("iban", "DE89 3704 0044 0532 0130 00")]  # fmt: skip  # a table
    assert Leftovers(values).are_in(text)


def test_other_texts_are_none() -> None:
    leftovers = Leftovers([("cn_mobile", "13800138000"), ("person", "Ann"), ("password", "pa")])
    assert not leftovers.are_in("Annual report 113800138000, pa, EMAIL_ABCDEFGHIJKL")
    assert not Leftovers([]).are_in("anything")


@pytest.mark.parametrize(
    ("text", "kind", "value", "is_held"),
    [
        ("mail wang@corp.cn, please", "email", "Wang@Corp.CN", True),
        ("mail wang%40corp.cn", "email", "wang@corp.cn", True),
        ("mail wang@corp.cn.example", "email", "li@corp.cn", False),
        ("call 138 0013 8000", "cn_mobile", "13800138000", True),
        ("call 13800138000", "cn_mobile", "+86 138-0013-8000", True),
        ("call +86 (138) 0013-8000", "cn_mobile", "138 0013 8000", True),
        ("call 202.555.0134", "phone", "+1 (202) 555-0134", True),
        ("call 202.555.0135", "phone", "+1 (202) 555-0134", False),
        ("card 4111111111111111", "bank_card", "4111 1111 1111 1111", True),
        ("order 94111111111111111", "bank_card", "4111 1111 1111 1111", False),
        ("password Hunter22!x", "password", "Hunter22!x", True),
        ("password Hunter22!x", "password", "Hunter23!x", False),
        ("", "email", "wang@corp.cn", False),
        ("...", "password", "..", False),
    ],
)
def test_texts_are_asked_for_values_in_whatever_spelling(text: str, kind: str, value: str, is_held: bool) -> None:
    assert Known(["first text", text, "last"]).hold(kind, value) == is_held


def test_two_texts_make_no_value_together() -> None:
    assert not Known(["138 0013", "8000"]).hold("cn_mobile", "13800138000")
