"""Strings and numbers of a JSON text can be changed one by one; all else stays as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.privacy.json_text import Edit, apply, edits_in, escape, read_literals, within
from yuzui.privacy.leaves import read_leaves, spell_path

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just("name"), inner, max_size=4),
    max_leaves=12,
)


def literals(text: str) -> Any:  # Any: shortened for tests
    found = read_literals(text)
    assert found is not None
    return found


@pytest.mark.parametrize("text", ["", "hello", "12", "{oops", "{'a': 1}", '{"a": 1} and more', "[" * 5000])
def test_what_is_no_json_has_no_literals(text: str) -> None:
    assert read_literals(text) is None


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4), st.booleans(), st.sampled_from((None, 2)))
def test_every_string_and_number_is_found_where_it_stands(
    value: dict[str, Any], is_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)
    for literal in literals(text):
        told = json.loads(text[literal.start : literal.end])
        assert (json.dumps(told) if literal.is_number else told) == literal.value


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4))
def test_paths_are_those_of_leaves(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    found = {spell_path(one.path): one.value for one in literals(text)}
    for leaf in read_leaves(value).found:
        if leaf.whole is None:
            assert found[spell_path(leaf.path)[1:]] == leaf.text


@given(st.text(min_size=1), st.data(), st.text(), st.booleans())
def test_a_part_of_a_string_can_be_replaced(said: str, data: st.DataObject, new: str, is_ascii: bool) -> None:
    start = data.draw(st.integers(0, len(said)))
    end = data.draw(st.integers(start, len(said)))
    text = '{ "k" :\t' + json.dumps(said, ensure_ascii=is_ascii) + "}"
    literal = literals(text)[1]
    changed = apply(text, edits_in(literal, text, [Edit(start, end, new)]))
    assert json.loads(changed) == {"k": said[:start] + new + said[end:]} and changed.startswith('{ "k" :\t')


@given(st.text(min_size=1), st.data())
def test_raw_characters_are_those_that_a_string_says(said: str, data: st.DataObject) -> None:
    text = json.dumps([said])
    literal = literals(text)[0]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = within(literal, text, start, end)
    if first < last:
        (edit,) = edits_in(literal, text, [Edit(first, last, "")])
        assert start <= edit.start < edit.end <= end


def test_half_of_an_escape_is_left_out() -> None:
    text = r'["\nbob@x.com\n"]'
    literal = literals(text)[0]
    start = text.index("nbob")
    first, last = within(literal, text, start, text.index("com") + 4)
    assert literal.value[first:last] == "bob@x.com"


@given(st.text())
def test_what_is_escaped_reads_as_it_was(text: str) -> None:
    assert json.loads(f'"{escape(text)}"') == text


def test_lone_halves_of_pairs_are_escaped_too() -> None:
    assert json.loads(f'"{escape(chr(0xD800) + "a")}"') == chr(0xD800) + "a"
