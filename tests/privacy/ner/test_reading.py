"""Offsets survive what a model is not shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.ner.reading import read
from yuzui.privacy.ner.spans import NameSpan

INVISIBLE = "\u200b\u2060\u00ad\ufeff\u202e"


def test_most_texts_come_back_as_they_are() -> None:
    for text in ("", "Ada Lovelace", "王小明。", "José"):
        assert read(text).text == text and not read(text).cuts


def test_full_width_letters_are_narrow_and_keep_their_places() -> None:
    assert read("ＡｄａＬ１").text == "AdaL1"
    assert read("⾼⼩⽟").text == "高小玉"


@given(st.text(alphabet="ab王小明" + INVISIBLE, max_size=60), st.data())
def test_a_span_of_the_reading_holds_the_same_characters_of_the_original(text: str, data: st.DataObject) -> None:
    reading = read(text)
    assert reading.text == "".join(char for char in text if char not in INVISIBLE)
    if not reading.text:
        return
    start = data.draw(st.integers(0, len(reading.text) - 1))
    end = data.draw(st.integers(start + 1, len(reading.text)))
    span = reading.original(NameSpan(start, end, "person", 1.0, "m"))
    original = text[span.start : span.end]
    assert read(original).text == reading.text[start:end]
    assert original[0] not in INVISIBLE and original[-1] not in INVISIBLE
