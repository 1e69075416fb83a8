"""Facts that must fit each other."""

from __future__ import annotations

from yuzui.privacy.ner.shared_words import ALSO_WORDS, EPONYMS, FUNCTION_WORDS, MEDICINES, PEOPLES, PLACES, TECHNICAL


def test_words_are_spelled_as_they_are_looked_up() -> None:
    assert all(word == word.lower() for word in FUNCTION_WORDS | TECHNICAL | MEDICINES | EPONYMS)
    assert all(word[0].isupper() for word in (*PEOPLES, *PLACES, *ALSO_WORDS))
    assert {"i've", "i’ve"} <= FUNCTION_WORDS


def test_each_place_stands_once_and_no_people_is_a_place() -> None:
    assert len(PLACES) == len(set(PLACES)) > 300
    assert not PEOPLES & set(PLACES)
