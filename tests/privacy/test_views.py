"""Other readings of a leaf."""

from __future__ import annotations

import json

import pytest

from yuzui.privacy.views import read_embedded_json, read_hidden


def test_json_with_escapes_is_read() -> None:
    assert read_embedded_json('{"tel": "\\u0031\\u0033"}') == {"tel": "13"}
    assert read_embedded_json(' ["a\\nb"]') == ["a\nb"]
    assert read_embedded_json(json.dumps(json.dumps({"a": "\n"}))) == '{"a": "\\n"}'


@pytest.mark.parametrize("text", ['{"a": "plain"}', "C:\\temp", "{not \\json", "[\\", '"\\ud800"'])
def test_what_hides_nothing_or_is_no_json_is_none(text: str) -> None:
    assert read_embedded_json(text) is None


def test_tag_characters_spell_text() -> None:
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "a@b.io")
    assert read_hidden(f"hello{hidden}") == ["a@b.io"]


def test_a_right_to_left_override_shows_the_reverse() -> None:
    assert read_hidden("\u202e321") == ["123\u202e"]
    assert read_hidden("plain\u200b") == []
