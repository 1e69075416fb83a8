"""Other readings of a leaf."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.call_ids import to_client
from yuzui.core.chat import ReasoningPart
from yuzui.core.reasoning import seal
from yuzui.core.sensitivity import Fact
from yuzui.privacy.views import SEALED, read_embedded_json, read_escapes, read_hidden, read_sealed


def test_json_with_escapes_is_read() -> None:
    assert read_embedded_json('{"tel": "\\u0031\\u0033"}') == {"tel": "13"}
    assert read_embedded_json(' ["a\\nb"]') == ["a\nb"]
    assert read_embedded_json(json.dumps(json.dumps({"a": "\n"}))) == '{"a": "\\n"}'


@pytest.mark.parametrize("text", ['{"a": "plain"}', "C:\\temp", "{not \\json", "[\\", '"\\ud800"'])
def test_what_hides_nothing_or_is_no_json_is_none(text: str) -> None:
    assert read_embedded_json(text) is None


def test_tag_characters_spell_text() -> None:
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "a@b.io")
    assert read_hidden(f"hello{hidden}") == [("a@b.io", Fact("hidden", "tags"))]


def test_a_right_to_left_override_shows_the_reverse() -> None:
    assert read_hidden("\u202e321") == [("123\u202e", Fact("hidden", "reversed"))]
    assert read_hidden("plain\u200b") == []


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('see {"tel": "\\u0031\\u0033"}', 'see {"tel": "13"}'),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("\\ud83d alone", "\ufffd alone"),
        ("C:\\users\\u12", "C:\\users\\u12"),
    ],
)
def test_escapes_are_read_wherever_they_stand(text: str, plain: str) -> None:
    assert read_escapes(text) == plain


@given(st.text(min_size=1), st.booleans())
def test_whatever_a_seal_of_ours_holds_is_read(text: str, is_bare: bool) -> None:
    part = ReasoningPart(text=text, signature="s", redacted="r", id="i", origin="o")
    sealed = seal(part, with_text=True)
    assert sealed.startswith(SEALED) and read_sealed(sealed) == (text, "s", "r", "i", "o")
    data = b64encode(sealed.encode()).decode()
    if is_bare:  # as addresses have it
        data = data.rstrip("=").replace("+", "-").replace("/", "_")
    assert data.startswith(SEALED) and read_sealed(data) == (text, "s", "r", "i", "o")


def test_the_name_of_a_call_in_the_alphabet_of_messages_is_read() -> None:
    assert read_sealed(to_client("functions.pay:13800138000")) == ("functions.pay:13800138000",)


@pytest.mark.parametrize(
    "text", ["yz1.", "yz1.!", "yz1.e30", "eXoxL", "eXoxLg==", "eXoxLé", "toolu_yz1_", "toolu_yz1_!"]
)
def test_what_only_begins_like_a_seal_holds_nothing(text: str) -> None:
    assert read_sealed(text) == ()
