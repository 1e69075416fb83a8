"""Free text through tools that take JSON, however its bytes are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ToolSpec
from yuzui.core.custom_tools import InputReader, as_function, loses_grammar, unwrap, wrap

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


@given(TEXTS)
def test_what_is_wrapped_comes_back(text: str) -> None:
    assert unwrap(wrap(text)) == text


@given(TEXTS, st.booleans(), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")]), st.data())
def test_any_cut_of_the_arguments_gives_the_same_text(
    text: str, is_ascii: bool, separators: tuple[str, str], data: st.DataObject
) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=is_ascii, separators=separators)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(arguments)), max_size=8)))
    reader = InputReader()
    read = ""
    for start, end in zip([0, *cuts], [*cuts, len(arguments)], strict=True):
        read += reader.feed(arguments[start:end])
    assert read + reader.close() == text


def test_text_is_handed_out_while_it_arrives() -> None:
    reader = InputReader()
    assert reader.feed('{"input": "*** Be') == "*** Be"
    assert reader.feed("gin\\") == "gin"
    assert reader.feed('n"}') == "\n"
    assert reader.close() == ""


@pytest.mark.parametrize(
    "arguments", ["", "plain text", '{"other": 1}', '{"in put": "x"}', '"a string"', "[1]", '{"input": 3}']
)
def test_arguments_of_another_shape_are_the_text(arguments: str) -> None:
    reader = InputReader()
    assert reader.feed(arguments) + reader.close() == arguments
    assert unwrap(arguments) == arguments


def test_a_custom_tool_becomes_a_function_with_its_grammar_as_a_hint() -> None:
    tool = ToolSpec(
        name="apply_patch", description="Patch.", is_custom=True,
        grammar={"type": "grammar", "syntax": "lark", "definition": "start: LINE"},
    )  # fmt: skip
    function = as_function(tool)
    assert not function.is_custom
    assert function.parameters is not None and function.parameters["required"] == ["input"]
    assert "lark" in function.description and "start: LINE" in function.description
    assert loses_grammar(tool)
    free = ToolSpec(name="c", is_custom=True, grammar={"type": "text"})
    assert not loses_grammar(free)
    plain = ToolSpec(name="f")
    assert as_function(plain) is plain and not loses_grammar(plain)
