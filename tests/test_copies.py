from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from yuzui.copies import copy_of, example_of, heard, may_be_copied, said, spelled
from yuzui.core.chat import ChatRequest, ChatResponse, Choice, Delta, StreamChunk, TextPart, ToolCallDelta, ToolCallPart
from yuzui.core.sensitivity import Sensitivity
from yuzui.dialects.anthropic_messages import DIALECT as MESSAGES
from yuzui.dialects.openai_chat import DIALECT as CHAT
from yuzui.evaluation.scorers._contract import Answer
from yuzui.exchange import Delivered

PLAIN = Sensitivity(level=0, causes=(), kinds={})


def chat(**more: Any) -> ChatRequest:  # Any: JSON values
    body = {"model": "support", "messages": [{"role": "user", "content": "Why?"}], **more}
    return CHAT.read_request(CHAT.read_body(json.dumps(body).encode(), "application/json"))


def response(*parts: TextPart | ToolCallPart, choices: int = 1) -> ChatResponse:
    choice = Choice(index=0, parts=parts, finish_reason="stop")
    return ChatResponse(id="1", model="m", created_s=0, choices=(choice,) * choices, usage=None)


def test_what_is_delivered_kept_or_billed_otherwise_is_not_copied() -> None:
    copy = copy_of(
        chat(stream=True, stream_options={"include_usage": True}, user="u", store=True, service_tier="priority",
             temperature=0.5, max_tokens=7, tools=[{"type": "function", "function": {"name": "f"}}]),
        "house/other",
    )  # fmt: skip
    assert copy is not None
    assert set(copy) == {"model", "messages", "temperature", "max_tokens", "tools"} and copy["model"] == "house/other"


def test_a_request_of_another_dialect_is_said_in_these_words() -> None:
    body: Mapping[str, Any] = {  # Any: JSON values
        "model": "support", "max_tokens": 5, "system": "Be short.", "stream": True,
        "messages": [{"role": "user", "content": "Why?"}],
    }  # fmt: skip
    copy = copy_of(MESSAGES.read_request(MESSAGES.read_body(json.dumps(body).encode(), "application/json")), "m")
    assert copy is not None and [one["role"] for one in copy["messages"]] == ["system", "user"]
    assert "stream" not in copy and not CHAT.read_request(copy).stream


def test_pictures_are_not_copied() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    assert copy_of(chat(messages=[{"role": "user", "content": [picture]}]), "m") is None


@pytest.mark.parametrize(
    ("label", "most", "may"),
    [
        (PLAIN, 0, True),
        (Sensitivity(level=1, causes=(), kinds={}), 0, False),
        (Sensitivity(level=1, causes=(), kinds={}), 1, True),
        (Sensitivity(level=0, causes=(), kinds={"email": 1}), 1, False),
    ],
)
def test_nothing_above_the_level_and_nothing_with_findings_is_copied(label: Sensitivity, most: int, may: bool) -> None:
    assert may_be_copied(chat(), label, most) is may


def test_several_answers_and_what_a_vendor_does_meanwhile_are_not_copied() -> None:
    assert not may_be_copied(chat(n=2), PLAIN, 0)
    assert not may_be_copied(chat(web_search_options={}), PLAIN, 0)


def test_streamed_and_whole_answers_are_heard_alike() -> None:
    delivered = Delivered(texts={})
    delivered.count(StreamChunk(deltas=(Delta(text="Good "), Delta(reasoning="hm"))))
    delivered.count(StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=0, id="1", name="f"),)),)))
    delivered.count(StreamChunk(deltas=(Delta(text="day", tool_calls=(ToolCallDelta(position=0, arguments="{}"),)),)))
    whole = Delivered(texts={})
    whole.count_response(response(TextPart(text="Good day"), ToolCallPart(id="1", name="f", arguments="{}")))
    expected = Answer(model="m", text="Good day", tool_calls=({"name": "f", "arguments": "{}"},))
    assert said(delivered, "m") == said(whole, "m") == expected
    assert said(Delivered(texts={}), "m") is None and said(Delivered(), "m") is None


def test_an_answer_is_one_choice_that_says_something() -> None:
    answer = heard(response(TextPart(text="42")), "m")
    assert (answer.text, answer.finish_reason) == ("42", "stop")
    for wrong in (response(), response(TextPart(text="42"), choices=2)):
        with pytest.raises(ValueError, match="answer"):
            heard(wrong, "m")


def test_the_references_answer_is_the_right_one_in_the_scorers_own_form() -> None:
    call = {"name": "f", "arguments": '{"a": 1}'}
    reference = Answer(model="r", text="42", tool_calls=(call,))
    body = {"messages": [{"role": "user", "content": "Why?"}]}
    assert example_of(body, reference, "exact").references == ["42"]
    assert example_of(body, reference, "tool_calls").references == [[call]]
    assert example_of(body, reference, "pairwise").references == []
    assert example_of(body, reference, "pairwise").last_question == "Why?"


def test_a_judge_reads_tool_calls() -> None:
    answer = Answer(model="m", text="", tool_calls=({"name": "f", "arguments": "{}"},))
    assert spelled(answer).text == '{"name":"f","arguments":"{}"}'
    assert spelled(Answer(model="m", text="a")).text == "a"
