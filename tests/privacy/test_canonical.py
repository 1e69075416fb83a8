"""Folding, and the way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.canonical import Canonicaliser, fold_character


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("plain ASCII\n\ttext", "plain ASCII\n\ttext"),
        ("１３８＠ｅｘ．ｃｏｍ", "138@ex.com"),
        ("𝟐𝟏𝟐", "212"),
        ("①③⑧⓪", "1380"),
        ("٤١١", "411"),
        ("pаypаl АКІА", "paypal AKIA"),
        ("1\u200d3\u20608\ufeff0\ufe0f", "1380"),
        ("5̶3̶6̶", "536"),
        ("café", "cafe"),
        ("cafe\u0301", "cafe"),
        ("a\x00b\x1ec", "abc"),
        ("536‒90–4399", "536-90-4399"),
        ("⾼⼩⽟", "高小玉"),
        ("【138】", "[138]"),
        ("汉字，한국어", "汉字,한국어"),
        ("hi\U000e0041\U000e0042", "hi"),
        ("\u202e9934", "9934"),
    ],
)
def test_text_is_folded_to_what_a_reader_sees(text: str, folded: str) -> None:
    assert Canonicaliser().fold(text).text == folded


def test_clean_text_is_returned_as_it_is() -> None:
    text = "纯净的文字 and more"
    canonical = Canonicaliser().fold(text)
    assert canonical.text is text and canonical.pieces is None


@given(st.text())
def test_the_offset_map_leads_back_to_the_characters_that_a_piece_came_from(text: str) -> None:
    canonical = Canonicaliser().fold(text)
    folded = canonical.text
    for at, char in enumerate(folded):
        start, end = canonical.span(at, at + 1)
        assert 0 <= start < end <= len(text)
        assert char in "".join(fold_character(original) for original in text[start:end])
    if folded:
        assert canonical.span(0, len(folded))[1] <= len(text)
        assert "".join(fold_character(original) for original in text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    once = Canonicaliser().fold(text).text
    assert Canonicaliser().fold(once).text == once


@given(st.lists(st.text(), max_size=5))
def test_what_was_folded_before_does_not_matter(texts: list[str]) -> None:
    shared = Canonicaliser()
    assert [shared.fold(text) for text in texts] == [Canonicaliser().fold(text) for text in texts]


def test_the_memory_of_characters_is_bounded() -> None:
    canonicaliser = Canonicaliser()
    for first in range(0x4E00, 0x4E00 + 45_000, 1000):
        canonicaliser.fold("".join(map(chr, range(first, first + 1000))))
    assert len(canonicaliser._clean) + len(canonicaliser._folded) <= 21_000
