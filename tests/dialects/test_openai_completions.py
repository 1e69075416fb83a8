"""Legacy completions read, answered by models that only chat, and read back by the official client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from yuzui.core.answers import Blob
from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Choice,
    Delta,
    Message,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects.openai_completions import DIALECT

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req-1", at_s=7)


def read(**body: Any) -> ChatRequest:  # Any: JSON values
    return DIALECT.read_request({"model": "auto", "prompt": "a", **body})


def test_a_request_is_read_without_building_its_meaning() -> None:
    request = read(stream=True, stream_options={"include_usage": True}, max_tokens=5, n=2, logprobs=0)
    assert (request.operation, request.stream, request.wants_usage, request.n) == ("completions", True, True, 2)
    assert (request.max_output_tokens, request.features) == (5, frozenset({"n", "logprobs"}))
    assert "meaning" not in vars(request)


@pytest.mark.parametrize(
    ("body", "n"),
    [({}, 1), ({"n": 2}, 2), ({"best_of": 4, "n": 2}, 4), ({"prompt": ["a", "b"], "n": 2}, 4),
     ({"prompt": [1, 2, 3]}, 1), ({"prompt": [[1], [2]], "best_of": 3}, 6), ({"prompt": None}, 1)],
)  # fmt: skip
def test_everything_that_is_written_counts_as_an_answer(body: dict[str, Any], n: int) -> None:  # Any: JSON values
    assert read(**body).n == n


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", 1]}, "prompt[1]"),
        ({"prompt": {"text": "a"}}, "prompt"),
        ({"stream_options": {}}, "stream_options"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"Prompt": "b"}, "Prompt"),
        ({"user": "a\nb"}, "user"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], param: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        read(**body)
    assert caught.value.param == param


@pytest.mark.parametrize("prompt", ["Say hi", ["Say hi"]])
def test_one_text_becomes_what_a_user_says(prompt: object) -> None:
    meaning = read(prompt=prompt, stop=["x"], top_p=0.5, seed=3, min_p=0.1, suffix=None, echo=False, best_of=1).meaning
    assert meaning.messages == (Message(role="user", parts=(TextPart(text="Say hi"),)),)
    assert (meaning.stop, meaning.top_p, meaning.knobs) == (("x",), 0.5, {"seed": 3, "min_p": 0.1})


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"echo": True}, "echo"),
        ({"suffix": "z"}, "suffix"),
        ({"best_of": 2}, "best_of"),
        ({"logprobs": 0}, "logprobs"),
    ],
)
def test_what_only_a_model_without_roles_can_do_is_refused_by_name(
    body: dict[str, Any], param: str
) -> None:  # Any: JSON
    with pytest.raises(UnsupportedFeature) as caught:
        read(**body).meaning  # noqa: B018  # asking for it is the test
    assert caught.value.param == param


def test_the_official_client_reads_what_a_chat_model_said(client_that_gets: ClientThatGets) -> None:
    usage = Usage(input_tokens=9, cached_input_tokens=4, output_tokens=30, reasoning_tokens=20)
    parts = (ReasoningPart(text="hm"), TextPart(text="a"), TextPart(text="b"))
    choices = (
        Choice(index=0, parts=parts, finish_reason="length"),
        Choice(index=1, parts=(), finish_reason="stop", refusal="I cannot."),
        Choice(index=2, parts=(ToolCallPart(id="1", name="f", arguments=""),), finish_reason="tool_calls"),
    )
    response = ChatResponse(id="", model="m", created_s=0, choices=choices, usage=usage)
    body = DIALECT.write_response(response, read(), FACTS)
    seen = client_that_gets(200, body, "application/json").completions.create(model="m", prompt="x")
    assert [choice.text for choice in seen.choices] == ["ab", "I cannot.", ""]
    assert [choice.finish_reason for choice in seen.choices] == ["length", "stop", "stop"]
    assert (seen.id, seen.created, seen.object) == ("req-1", 7, "text_completion")
    assert seen.usage is not None
    assert (seen.usage.prompt_tokens, seen.usage.completion_tokens, seen.usage.total_tokens) == (9, 30, 39)


def test_the_official_client_reads_the_stream_of_a_chat_model(client_that_gets: ClientThatGets) -> None:
    writer = DIALECT.stream_writer(read(stream=True, stream_options={"include_usage": True}), FACTS)
    chunks = [
        StreamChunk(id="c-1", model="m", created_s=5, deltas=(Delta(role="assistant"),)),
        StreamChunk(deltas=(Delta(reasoning="hm"),)),
        StreamChunk(deltas=(Delta(text="Hel"),)),
        StreamChunk(deltas=(Delta(text="lo"),)),
        StreamChunk(deltas=(Delta(refusal="!"),), usage=Usage(input_tokens=1)),
        StreamChunk(deltas=(Delta(finish_reason="stop"),)),
        StreamChunk(usage=Usage(input_tokens=1, output_tokens=2)),
    ]
    sent = b"".join(writer.write(chunk) for chunk in chunks)
    assert b'finish_reason":"stop' not in sent
    stream = client_that_gets(200, sent + writer.finish({"request_id": "req-1"}), "text/event-stream")
    seen = list(stream.completions.create(model="m", prompt="x", stream=True))
    assert "".join(choice.text for chunk in seen for choice in chunk.choices) == "Hello!"
    assert seen[-2].choices[0].finish_reason == "stop"
    assert seen[-1].usage is not None
    assert (seen[-1].usage.completion_tokens, seen[-1].id, seen[-1].created) == (2, "c-1", 5)
    assert seen[-1].model_extra == {"yuzui": {"request_id": "req-1"}}


def test_without_asking_there_are_no_counts_and_the_last_choice_has_the_trailer() -> None:
    writer = DIALECT.stream_writer(read(stream=True), FACTS)
    writer.write(StreamChunk(deltas=(Delta(text="a", finish_reason="stop"),), usage=Usage(input_tokens=1)))
    told = writer.finish({"x": 1}).split(b"\n\n")
    assert json.loads(told[0].removeprefix(b"data: "))["yuzui"] == {"x": 1}
    assert told[1:] == [b"data: [DONE]", b""]


def test_a_failure_is_raised_by_the_official_client(client_that_gets: ClientThatGets) -> None:
    for is_lane in (True, False):
        writer = DIALECT.stream_writer(read(stream=True), AnswerFacts(request_id="req-1", is_lane=is_lane))
        body = writer.fail(UpstreamInterrupted("gone"), "req-1")
        with pytest.raises(openai.APIError, match="gone"):
            list(
                client_that_gets(200, body, "text/event-stream").completions.create(model="m", prompt="x", stream=True)
            )


def test_a_moment_beyond_all_sense_is_not_believed() -> None:
    response = ChatResponse(id="i", model="m", created_s=10**300, choices=(), usage=None)
    assert json.loads(DIALECT.write_response(response, read(), FACTS))["created"] == 7
    writer = DIALECT.stream_writer(read(stream=True), FACTS)
    assert b'"created":7' in writer.write(StreamChunk(created_s=10**30, deltas=(Delta(text="a"),)))


def test_the_lane_hands_on_the_bytes() -> None:
    raw = b'{ "id": "x" }'
    response = ChatResponse(
        id="x", model="m", created_s=1, choices=(), usage=None, raw=raw, raw_dialect="openai_completions"
    )  # fmt: skip
    assert DIALECT.write_response(response, read(), FACTS) is raw
    with pytest.raises(UpstreamInvalid):
        DIALECT.write_response(Blob(usage=None, raw=b"{}", raw_dialect=None), read(), FACTS)
