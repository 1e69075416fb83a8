"""Capitals that a dictionary does not explain."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.proper_nouns import proper_nouns
from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.word_lists import Lists

COMMON = (
    "the and in we use with favor rose word bank see note company water level some words here more of them are known"
)
LISTS = Lists(frozenset(), frozenset(), frozenset(COMMON.split()), frozenset())


def found(text: str, taken: str = "") -> list[str]:
    mask = bytearray(len(text))
    if taken:
        at = text.index(taken)
        mask[at : at + len(taken)] = b"\1" * len(taken)
    return [text[one.start : one.end] for one in proper_nouns(text, [Segment(0, len(text), "latin")], mask, LISTS)]


@pytest.mark.parametrize(
    ("text", "nouns"),
    [
        ("we use Xyzzy with Plugh's words", ["Xyzzy", "Plugh"]),
        ("We use the Rose on Monday", []),
        ("we use XYZ here", ["XYZ"]),
        ("see TRF FROM Xyzzy here", []),  # a code
        ("SEE XYZZY PLUGH HERE", []),  # a heading
        ("we use Python and Luhn, and Paracetamol, and French words", []),
        ("we use XyzzyPlughTool here", []),  # an identifier
        ("we use Xyzzy_Plugh, Xyzzy(, a.Xyzzy.b and STL10071", []),
        ("Roses of Banks in favour of Favours", []),
        ("we use water in xyzzy, the company plugh and xyzzy", ["xyzzy", "plugh"]),
        ("vi skriver nogle ord på Xyzzy igen uden mening", []),  # another language
    ],
)
def test_what_is_no_word_and_no_code_is_a_proper_noun(text: str, nouns: list[str]) -> None:
    assert found(text) == nouns


def test_what_was_found_already_is_left_alone() -> None:
    assert found("we use Xyzzy with Plugh", taken="Xyzzy") == ["Plugh"]


def test_it_is_linear_in_the_text() -> None:
    found("Xyzzy " * 20_000)
    found("in " * 20_000)
