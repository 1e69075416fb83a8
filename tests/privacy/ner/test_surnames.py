"""Surnames and the words beside names."""

from __future__ import annotations

from yuzui.privacy.ner.surnames import (
    COMPOUND,
    JAPANESE,
    PERSONAL,
    ROLES,
    SHORT_TITLES,
    SINGLE,
    TITLES,
    TRANSLITERATION,
    surname_length,
)


def test_compound_surnames_are_two_characters_and_single_ones_one() -> None:
    assert surname_length("欧阳修", 0) == 2 and surname_length("诸葛亮", 0) == 2
    assert surname_length("王安石", 0) == 1 and surname_length("見王安石", 1) == 1
    assert surname_length("小泉纯一郎", 0) == 2 and surname_length("长谷川", 0) == 3
    assert {len(one) for one in JAPANESE} == {2, 3}
    assert surname_length("的", 0) == 0 and surname_length("", 0) == 0
    assert all(len(one) >= 2 for one in COMPOUND) and all(len(one) == 1 for one in SINGLE | TRANSLITERATION)


def test_longer_titles_come_first_so_that_they_win() -> None:
    for words in (TITLES, ROLES):
        assert [len(one) for one in words] == sorted((len(one) for one in words), reverse=True)
        assert len(set(words)) == len(words)


def test_what_a_person_is_called_is_a_title_too() -> None:
    assert set(TITLES) >= PERSONAL and not PERSONAL & SHORT_TITLES
