"""What an answer says before it is released, and what keeps it back."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Delta,
    FinishReason,
    Meaning,
    Part,
    ReasoningPart,
    ResponseFormat,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    ToolChoice,
    ToolSpec,
)
from yuzui.held_answer import HeldAnswer

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}  # Any: JSON
TOOLS = (ToolSpec(name="f", parameters=SCHEMA), ToolSpec(name="g"), ToolSpec(name="free", is_custom=True),
         ToolSpec(name="strict", is_custom=True, grammar={"syntax": "lark", "definition": "x"}))  # fmt: skip


def held(text: str = "", *calls: tuple[str, str], refusal: str = "", finish: FinishReason = "stop") -> HeldAnswer:
    answer = HeldAnswer()
    parts: list[Part] = [ReasoningPart(text="hm"), *([TextPart(text=text)] if text else [])]
    made: list[Part] = [ToolCallPart(id=str(at), name=name, arguments=said) for at, (name, said) in enumerate(calls)]
    choice = Choice(index=0, parts=(*parts, *made), finish_reason=finish, refusal=refusal)
    other = Choice(index=1, parts=(TextPart(text="another"),), finish_reason="stop")
    answer.hear_whole(ChatResponse(id="x", model="m", created_s=0, choices=(choice, other), usage=None))
    return answer


def streamed(*deltas: Delta) -> HeldAnswer:
    answer = HeldAnswer()
    for delta in deltas:
        answer.hear(StreamChunk(deltas=(delta,)))
    return answer


def test_a_stream_says_what_the_whole_answer_says() -> None:
    pieces = streamed(
        Delta(role="assistant"), Delta(text="It "), Delta(reasoning="hm"), Delta(text="is"), Delta(index=1, text="another"),
        Delta(tool_calls=(ToolCallDelta(position=0, id="0", name="f"),)),
        Delta(tool_calls=(ToolCallDelta(position=0, arguments='{"a"'), ToolCallDelta(position=1, name="g"))),
        Delta(tool_calls=(ToolCallDelta(position=0, arguments=": 1}"),)), Delta(finish_reason="length"),
    )  # fmt: skip
    whole = held("It is", ("f", '{"a": 1}'), ("g", ""), finish="length")
    assert pieces.text == whole.text == 'It is\nf({"a":1})\ng({})'
    assert pieces.calls == whole.calls and pieces.was_cut and whole.was_cut
    assert (streamed(Delta(text="x"), Delta(finish_reason="stop")).was_cut, held("x").text) == (False, "x")


@pytest.mark.parametrize(
    ("answer", "choice", "says"),
    [
        (held("yes"), None, ""),
        (held("", ("f", '{"a": 1}')), None, ""),
        (held("", ("g", "")), "auto", ""),
        (held("", ("free", "anything at all")), None, ""),
        (held("no", refusal="no"), None, "it refuses"),
        (held("no", finish="content_filter"), None, "it refuses"),
        (held("", ("h", "{}")), None, "calls a tool that there is not"),
        (held("", ("f", '{"a": "1"}')), None, "do not fit the tool's schema"),
        (held("", ("f", "[1]")), None, "no JSON object"),
        (held("", ("f", '{"a": 1')), None, "no JSON"),
        (held("", ("g", "[" * 100_000)), None, "no JSON"),
        (held("", ("strict", "x")), None, "grammar"),
        (held("", ("f", '{"a": 1}')), "none", "where none may be called"),
        (held("yes"), "required", "where one must be called"),
        (held("", ("f", '{"a": 1}')), "g", "another tool than the one that must be called"),
        (held("", ("g", "{}")), "g", ""),
        (held("", ("g", "{}"), finish="length"), None, "cut off"),
    ],
)
def test_calls_are_looked_at_before_anybody_can_carry_them_out(
    answer: HeldAnswer, choice: str | None, says: str
) -> None:
    modes = {None: None, "auto": ToolChoice(mode="auto"), "none": ToolChoice(mode="none"),
             "required": ToolChoice(mode="required")}  # fmt: skip
    wanted = modes.get(choice, ToolChoice(mode="named", name=choice or ""))
    problem = answer.problem(Meaning(messages=(), tools=TOOLS, tool_choice=wanted))
    assert (says in problem) if says else problem == ""


def test_several_calls_are_one_too_many_where_only_one_may_be() -> None:
    answer = held("", ("g", "{}"), ("g", "{}"))
    assert answer.problem(Meaning(messages=(), tools=TOOLS)) == ""
    assert "several" in answer.problem(Meaning(messages=(), tools=TOOLS, parallel_tool_calls=False))


@pytest.mark.parametrize(
    ("form", "text", "says"),
    [
        (ResponseFormat(kind="text"), "words", ""),
        (ResponseFormat(kind="json_object"), '{"x": []}', ""),
        (ResponseFormat(kind="json_object"), "[1]", "no JSON object"),
        (ResponseFormat(kind="json_object"), '```json\n{"a": 1}\n```', "no JSON"),
        (ResponseFormat(kind="json_schema", schema=SCHEMA), '{"a": 1}', ""),
        (ResponseFormat(kind="json_schema", schema=SCHEMA), '{"b": 1}', "does not fit its JSON schema"),
        (ResponseFormat(kind="json_schema", schema={"type": "no such"}), "{}", "cannot be checked"),
        (ResponseFormat(kind="json_schema", schema={"$ref": "https://example.com/s"}), "{}", "cannot be checked"),
    ],
)
def test_the_form_that_was_asked_for_is_kept(form: ResponseFormat, text: str, says: str) -> None:
    problem = held(text).problem(Meaning(messages=(), response_format=form))
    assert (says in problem) if says else problem == ""


def test_a_call_in_an_answer_that_nobody_asked_for_is_not_released() -> None:
    meaning = Meaning(messages=(), tools=TOOLS)
    call = ToolCallPart(id="1", name="f", arguments="{}")
    whole = HeldAnswer()
    choices = (Choice(index=0, parts=(TextPart(text="x"),), finish_reason="stop"),
               Choice(index=1, parts=(call,), finish_reason="tool_calls"))  # fmt: skip
    whole.hear_whole(ChatResponse(id="x", model="m", created_s=0, choices=choices, usage=None))
    pieces = streamed(Delta(text="x"), Delta(index=1, tool_calls=(ToolCallDelta(position=0, name="f"),)))
    for answer in (whole, pieces):
        assert answer.problem(meaning) == "it calls a tool in an answer that nobody asked for"


@pytest.mark.parametrize(
    ("names", "problem"),
    [(("f", "f"), ""), (("", "f"), ""), (("f", ""), ""), (("f", "delete"), "it calls a tool that there is not")],
)
def test_a_name_that_changes_on_its_way_is_another(names: tuple[str, ...], problem: str) -> None:
    deltas = [Delta(tool_calls=(ToolCallDelta(position=0, name=name),)) for name in names]
    last = Delta(tool_calls=(ToolCallDelta(position=0, arguments='{"a": 1}'),), finish_reason="tool_calls")
    assert streamed(*deltas, last).problem(Meaning(messages=(), tools=TOOLS)) == problem
