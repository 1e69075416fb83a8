"""Every string of a body is a leaf, and what cannot be read is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ReasoningPart
from yuzui.core.errors import InvalidRequest
from yuzui.core.reasoning import seal
from yuzui.privacy.leaves import _first_word, _last_word, read_leaves, spell_path


def leaves_of(body: dict[str, Any]) -> dict[str, str]:  # Any: JSON values
    return {spell_path(leaf.path): leaf.text for leaf in read_leaves(body).found}


def nested(levels: int) -> dict[str, Any]:  # Any: JSON values
    value: Any = "deep"  # Any: JSON values
    for _ in range(levels):
        value = [value]
    return {"x": value}


def test_values_keys_and_long_numbers_are_leaves_with_their_path() -> None:
    body = {
        "model": "auto",
        "messages": [{"role": "user", "content": "hi"}, {"role": "user", "content": [{"type": "text", "text": "you"}]}],
        "metadata": {"wang@example.com": "v", "whole": 13800138000, "float": 13800138000.0, "few": 7},
    }
    leaves = leaves_of(body)
    assert leaves["$.messages[0].content"] == "hi"
    assert leaves["$.messages[1].content[0].text"] == "you"
    assert leaves["$.metadata.#0~"] == "wang@example.com" and leaves["$.metadata.#0"] == "v"
    assert leaves["$.metadata.#1"] == leaves["$.metadata.#2"] == "13800138000"
    assert "$.metadata.#3" not in leaves and "user" not in leaves.values()


def test_a_path_never_repeats_what_the_client_wrote_as_a_key() -> None:
    assert not any("wang" in path for path in leaves_of({"metadata": {"wang@example.com": {"x": "y"}}}))


def test_json_inside_strings_is_read_through_every_level_of_escapes() -> None:
    inner = json.dumps({"tel": "１３８"})
    arguments = json.dumps({"payload": json.dumps({"inner": inner})})
    body = {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}]}
    assert "１３８" in [leaf.text for leaf in read_leaves(body).found]


def test_parts_of_a_message_are_also_read_together() -> None:
    body = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "110101199"}, {"type": "text", "text": "003074610"}]}
        ]
    }
    assert leaves_of(body)["$.messages[0].content"] == "110101199003074610"


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 5000}}, "image_url"),
        ({"type": "input_audio", "input_audio": {"data": "A" * 5000, "format": "wav"}}, "input_audio"),
        ({"type": "file", "file": {"filename": "cv.pdf", "file_data": "data:application/pdf;base64,AAAA"}}, "file"),
        ({"type": "hologram", "text": "new"}, "hologram"),
        ({"type": "a b@c.de"}, "unknown"),
    ],
)
def test_unreadable_parts_are_named_and_their_blobs_are_not_read(part: dict[str, Any], kind: str) -> None:  # Any: JSON
    leaves = read_leaves({"messages": [{"role": "user", "content": [{"type": "text", "text": "look"}, part]}]})
    assert leaves.unscannable == [kind]
    assert all(len(leaf.text) < 100 for leaf in leaves.found)


def test_the_name_of_an_unreadable_file_is_read() -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "file", "file": {"filename": "13800138000.pdf"}}]}]}
    assert "13800138000.pdf" in leaves_of(body).values()


def test_token_ids_and_references_to_audio_are_unreadable() -> None:
    assert read_leaves({"input": [1, 2, 3]}).unscannable == ["tokens"]
    assert read_leaves({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}).unscannable == ["audio"]


def test_nesting_beyond_64_levels_is_refused_and_64_are_fine() -> None:
    assert leaves_of(nested(63))
    with pytest.raises(InvalidRequest) as caught:
        read_leaves(nested(64))
    assert caught.value.code == "nesting_too_deep"
    with pytest.raises(InvalidRequest):
        read_leaves(nested(900))


def test_json_in_a_string_that_is_nested_too_deep_is_unreadable_but_no_error() -> None:
    leaves = read_leaves({"messages": [{"role": "user", "content": "[" * 5000 + '"\\n"' + "]" * 5000}]})
    assert leaves.unscannable == ["nested_json"]


@given(
    st.recursive(
        st.text() | st.integers(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=20,
    )
)
def test_every_string_of_any_body_is_a_leaf(value: Any) -> None:  # Any: JSON values
    texts = {leaf.text for leaf in read_leaves({"anything": value}).found}

    def check(item: Any) -> None:  # Any: JSON values
        if isinstance(item, str):
            assert item in texts
        elif isinstance(item, list):
            for element in item:
                check(element)
        elif isinstance(item, dict):
            for element in item.values():
                check(element)

    check(value)


def test_a_role_that_is_no_role_is_a_text_like_any_other() -> None:
    leaves = leaves_of({"messages": [{"role": "user", "content": "hi"}], "metadata": {"role": "13800138000"}})
    assert leaves["$.metadata.role"] == "13800138000" and "user" not in leaves.values()


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}]}, ["inlineData"]),
        ({"contents": [{"parts": [{"file_data": {"file_uri": "gs://x"}}, {"text": "hi"}]}]}, ["file_data"]),
        ({"file": b"RIFF"}, ["file"]),
        ({"input": [1, 2]}, ["tokens"]),
        ({"input": [[1, 2], [3]]}, ["tokens"]),
        ({"prompt": [1, 2]}, ["tokens"]),
        ({"prompt": ["text", [3]]}, ["tokens"]),
        ({"prompt": ["text", "more"]}, []),
        ({"file": {"data": b"RIFF"}}, ["file"]),
        ({"x": {1, 2}}, ["unknown"]),
        ({"messages": [{"content": [{"type": "document", "source": {"type": "text", "data": "words"}}]}]}, []),
        ({"messages": [{"content": [{"type": "document", "source": {"type": "base64", "data": "AA"}}]}]}, ["document"]),
        ({"messages": [{"content": [{"type": "search_result", "content": [{"type": "text", "text": "a"}]}]}]}, []),
    ],
)
def test_what_nobody_can_read_is_told_in_every_dialect(body: dict[str, Any], kinds: list[str]) -> None:  # Any: JSON
    assert read_leaves(body).unscannable == kinds


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"contents": {"parts": {"inlineData": {"mimeType": "image/png", "data": "QQ=="}}}}, "inlineData"),
        ({"contents": [{"parts": [{"type": "text", "text": "x", "file_data": {"file_uri": "u"}}]}]}, "file_data"),
        ({"x_images": ["data:image/png;base64,QUFB"]}, "data_url"),
        ({"image": "A" * 600}, "blob"),
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
    ],
)
def test_what_nobody_here_can_read_is_no_text_whatever_it_says_of_itself(
    body: dict[str, Any], kind: str
) -> None:  # Any: JSON values
    assert read_leaves(body).unscannable == [kind]


@pytest.mark.parametrize("text", ["中" * 600, "x," * 600, "a" * 600 + " 13800138000"])
def test_a_long_caption_of_a_file_is_read_unless_it_is_a_blob(text: str) -> None:
    body = {"messages": [{"role": "user", "content": [{"type": "image", "title": text, "data": "A" * 600}]}]}
    leaves = read_leaves(body)
    assert leaves.unscannable == ["image"]
    assert [leaf.text for leaf in leaves.found if len(leaf.text) > 100] == [text]


def test_what_a_seal_holds_is_read_where_the_seal_stands() -> None:
    inner = seal(ReasoningPart(text="13800138000", origin="o"), with_text=True)
    outer = seal(ReasoningPart(text="", redacted=inner, origin="o"))
    block = {"type": "redacted_thinking", "data": outer}
    found = read_leaves({"messages": [{"role": "assistant", "content": [block]}]}).found
    leaf = next(leaf for leaf in found if leaf.text == "13800138000")
    assert (spell_path(leaf.path), leaf.whole) == ("$.messages[0].content[0].data", len(outer))


def test_seals_in_seals_come_to_an_end() -> None:
    sealed = "13800138000"
    for _ in range(70):
        sealed = seal(ReasoningPart(text="", id="x", redacted=sealed, origin="o"))
        if len(sealed) > 200_000:
            break
    leaves = read_leaves(
        {"messages": [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": sealed}]}]}
    )
    assert "13800138000" in [leaf.text for leaf in leaves.found] or "nested_seal" in leaves.unscannable


def test_escapes_outside_of_json_are_read_too() -> None:
    assert "see 13" in [leaf.text for leaf in read_leaves({"prompt": "see \\u0031\\u0033"}).found]


def test_a_value_is_read_behind_its_name_too() -> None:
    texts = [leaf.text for leaf in read_leaves({"metadata": {"userPhone": "2025550134", "birth_date": 19900307}}).found]
    assert "user Phone: 2025550134" in texts and "birth date: 19900307" in texts


@pytest.mark.parametrize(("value", "key"), [("abc", "k"), ("x" * 300, "k"), ("abcdef", "k" * 80)])
def test_what_a_name_cannot_explain_is_read_once(value: str, key: str) -> None:
    found = read_leaves({"metadata": {key: value}}).found
    assert [leaf.text for leaf in found if leaf.path and not str(leaf.path[1]).endswith("~")].count(value) == 1
    assert not any(": " in leaf.text for leaf in found)


def test_words_at_the_seam_of_two_messages_are_read_together_at_both_places() -> None:
    body = {"messages": [{"role": "user", "content": "it is 138001"}, {"role": "user", "content": "38000 thanks"}]}
    pieces = [leaf for leaf in read_leaves(body).found if leaf.is_piece]
    assert [(leaf.text, leaf.offset, leaf.whole) for leaf in pieces] == [("13800138000", 6, 6), ("13800138000", 0, 5)]


@pytest.mark.parametrize(
    ("first", "second"),
    [("see you", "soon"), ("it costs 5", "euros"), ("a 1234567", "b word"), ("to a9@x.cn", "a9@x.cn")],
)
def test_prose_is_not_joined(first: str, second: str) -> None:
    body = {"messages": [{"role": "user", "content": first}, {"role": "user", "content": second}]}
    assert not any(leaf.is_piece for leaf in read_leaves(body).found)


@given(st.text(st.sampled_from("aZ09@._+/- é٣\n中"), max_size=140))
def test_first_and_last_words_are_runs_of_letters_and_digits_of_ascii_up_to_a_limit(text: str) -> None:
    is_in = [char in "@._+/-" or (char.isascii() and char.isalnum()) for char in text]
    first = next((at for at, one in enumerate(is_in) if not one), len(text))
    last = next((at for at, one in enumerate(reversed(is_in)) if not one), len(text))
    assert _first_word(text) == (text[: min(first, 64)], 0)
    size = min(last, 64)
    assert _last_word(text) == (text[len(text) - size :], len(text) - size)
