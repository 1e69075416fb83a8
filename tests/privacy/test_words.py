"""A text is the words that a reader sees, however it is laid out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.words import VALUE_BYTES, WordValues, is_solid, split_words, word_spans


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The **quick**, brown-fox!", ["the", "quick", "brown", "fox"]),
        ("> quoted\n> again", ["quoted", "again"]),
        ("客户张伟 says hi", ["客", "户", "张", "伟", "says", "hi"]),
        ("snake_case café", ["snake", "case", "café"]),
        ("한국어 カナ", ["한", "국", "어", "カ", "ナ"]),
        ("", []),
        ("--- ...", []),
    ],
)
def test_layout_case_and_punctuation_do_not_count(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(st.text())
def test_every_word_has_its_place(text: str) -> None:
    spans = word_spans(text)
    assert len(spans) == len(split_words(text))
    if len(text.lower()) == len(text):
        assert [text[start:end].lower() for start, end in spans] == split_words(text)


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_way_for_ascii_comes_to_the_same_values(text: str) -> None:
    values = WordValues(b"secret")
    assert values.read(text) == values.of(split_words(text)) == values.read(text + " é")[: len(split_words(text))]


def test_values_depend_on_the_word_and_on_the_secret_alone() -> None:
    one, other = WordValues(b"one"), WordValues(b"other")
    assert one.read("a b A") == [*one.read("a"), *one.read("b"), *one.read("a")]
    assert set(one.read("a b c")).isdisjoint(other.read("a b c"))
    assert all(len(value) == VALUE_BYTES for value in one.read("long " * 3 + "x" * 1000))


def test_blobs_and_noise_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.privacy.words._MOST_KEPT", 100)
    values = WordValues(b"k")
    values.read(" ".join("x" * 50 + str(n) for n in range(500)))
    assert len(values._known) == 0
    for start in range(0, 1000, 10):
        values.read(" ".join(str(n) for n in range(start, start + 10)))
    assert len(values._known) <= 110


def test_scripts_without_spaces() -> None:
    assert is_solid("张") and is_solid("カ") and not is_solid("a") and not is_solid("张伟")
