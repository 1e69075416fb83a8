"""Requests of other dialects, as chat-completions bodies; and the way back: read(write(x)) == x."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import (
    ChatRequest,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.dialects.openai_chat_meaning import read_meaning
from yuzui.providers.openai_request import body_of_meaning

FULL = Meaning(
    messages=(
        Message(role="system", parts=(TextPart(text="be brief"),)),
        Message(role="user", parts=(TextPart(text="a"), ImagePart(data="AAAA", media_type="image/png")), name="ann"),
        Message(role="user", parts=(TextPart(text="b"), ImagePart(url="https://x.test/i.png", detail="low"))),
        Message(role="assistant", parts=(TextPart(text="c"), ToolCallPart(id="1", name="f", arguments='{"x":1}'))),
        Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(TextPart(text="r"),)),)),
    ),
    tools=(ToolSpec(name="f", description="d", parameters={"type": "object"}, is_strict=True), ToolSpec(name="g")),
    tool_choice=ToolChoice(mode="named", name="f"),
    response_format=ResponseFormat(kind="json_schema", name="p", schema={"type": "object"}, is_strict=True),
    temperature=0.5,
    top_p=0.9,
    stop=("x", "y"),
    parallel_tool_calls=False,
    reasoning_effort="low",
    user="u",
    knobs={"seed": 1},
)


def written(meaning: Meaning, dropped: list[str] | None = None) -> dict[str, Any]:  # Any: JSON values
    request = ChatRequest(dialect="anthropic_messages", model="m", body={}, read_meaning=lambda body: meaning)
    return body_of_meaning(request, [] if dropped is None else dropped)


@pytest.mark.parametrize(
    "meaning",
    [
        FULL,
        Meaning(messages=FULL.messages, tool_choice=ToolChoice(mode="required"), response_format=None),
        Meaning(messages=FULL.messages, response_format=ResponseFormat(kind="json_object")),
    ],
)
def test_what_is_written_means_the_same_when_read_again(meaning: Meaning) -> None:
    assert read_meaning({"model": "m", **written(meaning)}) == meaning


def test_several_tool_results_in_one_turn_become_messages_before_its_text() -> None:
    parts: tuple[Part, ...] = (
        ToolResultPart(call_id="1", parts=(TextPart(text="a"),)),
        ToolResultPart(call_id="2", parts=(TextPart(text="b"),)),
        TextPart(text="go on"),
    )
    assert written(Meaning(messages=(Message(role="user", parts=parts),)))["messages"] == [
        {"role": "tool", "tool_call_id": "1", "content": "a"},
        {"role": "tool", "tool_call_id": "2", "content": "b"},
        {"role": "user", "content": "go on"},
    ]


def test_thoughts_of_another_vendors_model_are_dropped_and_reported_once() -> None:
    thought = Message(role="assistant", parts=(ReasoningPart(text="t", signature="s"), TextPart(text="a")))
    dropped: list[str] = []
    body = written(Meaning(messages=(thought, thought), knobs={"top_k": 1}), dropped)
    assert body["messages"][0] == {"role": "assistant", "content": "a"}
    assert dropped == ["reasoning", "top_k"]


def test_a_call_without_arguments_gets_the_empty_object() -> None:
    call = Message(role="assistant", parts=(ToolCallPart(id="1", name="f", arguments=""),))
    said = written(Meaning(messages=(call,)))["messages"][0]
    assert (said["content"], said["tool_calls"][0]["function"]["arguments"]) == (None, "{}")


@pytest.mark.parametrize(
    "message",
    [
        Message(role="user", parts=(OpaquePart(kind="document"),)),
        Message(role="assistant", parts=(OpaquePart(kind="server_tool_use"),)),
        Message(role="user", parts=(ToolResultPart(call_id="1", parts=(ImagePart(url="https://x.test/i"),)),)),
    ],
)
def test_what_cannot_be_said_here_is_refused(message: Message) -> None:
    with pytest.raises(UnsupportedFeature):
        written(Meaning(messages=(message,)))
