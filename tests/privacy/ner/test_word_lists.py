"""Lists are of lower case, as they are looked into."""

from __future__ import annotations

from yuzui.privacy.ner.word_lists import DATE_WORDS, TITLES


def test_titles_and_months_are_in_lower_case() -> None:
    assert {"dr", "señora"} <= TITLES and {"may", "tue"} <= DATE_WORDS
    assert all(word == word.lower() for word in TITLES | DATE_WORDS)
