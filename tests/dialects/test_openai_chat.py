"""The dialect as a whole, read back by the official client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from msgspec.structs import replace

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, ReasoningPart, TextPart, ToolCallPart
from yuzui.core.errors import BudgetExceeded, NoPermittedTarget, NotFound, RateExceeded, Unauthenticated, YuzuiError
from yuzui.core.usage import Usage
from yuzui.dialects.openai_chat import DIALECT

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req-1")
BODY: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}  # Any: JSON values


def test_a_request_is_read_without_building_its_meaning() -> None:
    request = DIALECT.read_request(
        {**BODY, "stream": True, "stream_options": {"include_usage": True}, "n": 3, "max_tokens": 7,
         "metadata": {"conversation_id": "c-1"}}
    )  # fmt: skip
    assert (request.model, request.stream, request.wants_usage, request.n) == ("auto", True, True, 3)
    assert (request.max_output_tokens, request.conversation_id, request.features) == (7, "c-1", frozenset({"n"}))
    assert "meaning" not in vars(request)
    assert request.meaning.messages[0].parts == (TextPart(text="hi"),)


def test_a_masked_copy_of_the_body_is_read_anew() -> None:
    request = DIALECT.read_request(BODY)
    masked = json.loads(json.dumps(BODY).replace("hi", "ho"))
    assert replace(request, body=masked).meaning.messages[0].parts == (TextPart(text="ho"),)
    assert request.meaning.messages[0].parts == (TextPart(text="hi"),)


def test_the_lane_hands_on_the_bytes() -> None:
    raw = b'{ "id": "x", "vendor": 1 }'
    response = ChatResponse(
        id="x", model="m", created_s=1, choices=(), usage=None, raw=raw, raw_dialect="openai_chat"
    )  # fmt: skip
    assert DIALECT.write_response(response, DIALECT.read_request(BODY), FACTS) is raw


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoPermittedTarget("nowhere"), openai.PermissionDeniedError),
        (Unauthenticated("who"), openai.AuthenticationError),
        (NotFound("what"), openai.NotFoundError),
        (RateExceeded("slow", retry_after_s=1), openai.RateLimitError),
        (BudgetExceeded("broke"), openai.RateLimitError),
    ],
)
def test_errors_become_the_official_clients_exceptions(
    error: YuzuiError, expected: type[openai.APIStatusError], client_that_gets: ClientThatGets
) -> None:
    client = client_that_gets(error.status, DIALECT.write_error(error, "req-9"), "application/json")
    with pytest.raises(expected) as caught:
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    assert (caught.value.code, caught.value.type, caught.value.status_code) == (error.code, error.kind, error.status)
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["request_id"] == "req-9"


def test_an_answer_of_another_dialect_is_read_by_the_official_client(client_that_gets: ClientThatGets) -> None:
    usage = Usage(input_tokens=9, cached_input_tokens=4, output_tokens=30, reasoning_tokens=20)
    parts = (
        ReasoningPart(text="hm", signature="sig"),
        TextPart(text="a"),
        TextPart(text="b"),
        ToolCallPart(id="1", name="f", arguments='{"x":1}'),
    )
    response = ChatResponse(
        id="i", model="m", created_s=5, choices=(Choice(index=0, parts=parts, finish_reason="tool_calls"),), usage=usage
    )
    body = DIALECT.write_response(response, DIALECT.read_request(BODY), FACTS)
    seen = client_that_gets(200, body, "application/json").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}]
    )
    message = seen.choices[0].message
    assert (message.content, seen.choices[0].finish_reason, seen.created) == ("ab", "tool_calls", 5)
    assert message.tool_calls is not None
    assert message.tool_calls[0].model_dump(exclude_none=True) == {
        "id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}  # fmt: skip
    assert seen.usage is not None
    assert (seen.usage.prompt_tokens, seen.usage.completion_tokens, seen.usage.total_tokens) == (9, 30, 39)
    assert seen.usage.prompt_tokens_details is not None
    assert seen.usage.prompt_tokens_details.cached_tokens == 4
    raw = json.loads(body)["choices"][0]["message"]
    assert raw["reasoning_content"] == "hm"
    assert raw["reasoning_details"] == [{"type": "reasoning.text", "text": "hm", "signature": "sig"}]


def test_reasoning_comes_back_as_it_went_out() -> None:
    thought = (
        ReasoningPart(text="hm", signature="sig"),
        ReasoningPart(text="", redacted="enc"),
        ReasoningPart(text="so"),
    )
    response = ChatResponse(
        id="i", model="m", created_s=5, usage=None,
        choices=(Choice(index=0, parts=(*thought, TextPart(text="b")), finish_reason="stop"),),
    )  # fmt: skip
    message = json.loads(DIALECT.write_response(response, DIALECT.read_request(BODY), FACTS))["choices"][0]["message"]
    request = DIALECT.read_request({**BODY, "messages": [message]})
    assert request.meaning.messages[0].parts == (*thought, TextPart(text="b"))
