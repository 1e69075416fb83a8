"""Boundaries and cue words."""

from __future__ import annotations

import pytest

from yuzui.privacy import surroundings


@pytest.mark.parametrize(
    ("text", "is_alone"),
    [
        ("123", True),
        (" 123 ", True),
        ("a123", False),
        ("123a", False),
        ("tel123", True),
        ("号123个", True),
        ("_123_", True),
    ],
)
def test_letters_make_a_number_part_of_a_name_unless_they_are_a_label(text: str, is_alone: bool) -> None:
    at = text.index("123")
    assert surroundings.stands_alone(text, at, at + 3) is is_alone


@pytest.mark.parametrize(
    ("before", "is_cued"),
    [
        ("tel ", True),
        ("hotel ", False),
        ("sms:", True),
        ("smsc", False),
        ("telephone ", True),
        ("电话", True),
        ("tel\n\x1e\n", False),
        ("TEL ", True),
    ],
)
def test_a_cue_is_a_word_of_the_same_leaf(before: str, is_cued: bool) -> None:
    assert surroundings.has_cue(before + "5", len(before), ("tel", "sms", "telephone", "电话")) is is_cued


def test_a_cue_out_of_reach_does_not_count() -> None:
    assert not surroundings.has_cue("tel" + " " * 40 + "5", 43, ("tel",))


@pytest.mark.parametrize(
    ("text", "is_inside"), [("1.22", True), ("22.1", True), ("a-22", False), ("22.", False), ("22", False)]
)
def test_fractions_and_dashed_numbers(text: str, is_inside: bool) -> None:
    at = text.index("22")
    assert surroundings.is_inside_number(text, at, at + 2) is is_inside


def test_widening_stops_at_other_characters_and_at_the_limit() -> None:
    assert surroundings.take("xxabcxx", 3, 4, frozenset("abc"), 10) == (2, 5)
    assert surroundings.take("aaaaaaa", 3, 4, frozenset("a"), 2) == (1, 6)


def test_words_before_and_places_outside_the_text() -> None:
    assert surroundings.word_before("my Tel5", 6) == "tel"
    assert not surroundings.is_word("a", -1) and not surroundings.is_digit("1", 1)


def test_marks_around_belong_to_a_span_that_has_marks_inside() -> None:
    text = "is **138**`0013`_8000_,"
    assert surroundings.with_markup(text, 5, 21) == (3, 22)
    assert surroundings.with_markup("(13800138000)", 1, 12) == (1, 12)
