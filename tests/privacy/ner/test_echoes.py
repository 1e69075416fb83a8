"""The same name in other capitals."""

from __future__ import annotations

import pytest

from yuzui.privacy.ner.echoes import MOST, echoes
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.ner.word_lists import Lists

LISTS = Lists(frozenset(), frozenset(), frozenset(("rose", "bank")), frozenset())


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("Xyzzy said, and xyzzy or XYZZY, not xyzzyish", ["xyzzy", "XYZZY"]),
        ("Rose met a rose", []),  # a word of the language
        ("Xyzzy has xyzzy@example.com and /xyzzy/", []),
        ("Abc and abc", []),  # too short
    ],
)
def test_a_name_in_other_capitals_is_found(text: str, again: list[str]) -> None:
    first = NameSpan(0, text.index(" "), "person", 0.8, "m")
    assert [text[one.start : one.end] for one in echoes(text, [first], LISTS)] == again


def test_weak_names_and_places_have_no_echo_and_names_are_bounded() -> None:
    text = "Xyzzy xyzzy"
    assert list(echoes(text, [NameSpan(0, 5, "person", 0.3, "m")], LISTS)) == []
    assert list(echoes(text, [NameSpan(0, 5, "location", 0.9, "m")], LISTS)) == []
    words = [f"Q{chr(97 + number // 26)}{chr(97 + number % 26)}zz" for number in range(2 * MOST)]
    text = " ".join(words) + " " + " ".join(map(str.lower, words))
    spans = [NameSpan(6 * number, 6 * number + 5, "person", 0.9, "m") for number in range(2 * MOST)]
    assert 0 < len(list(echoes(text, spans, LISTS))) <= MOST
