"""What the dialect writes, read by the official client: messages, streams and their helpers, errors."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import pytest
from pydantic import BaseModel

from yuzui.core.answers import Count
from yuzui.core.chat import (
    AnswerFacts,
    ChatResponse,
    Choice,
    Citation,
    Delta,
    Part,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.core.errors import (
    BudgetExceeded,
    InvalidRequest,
    NoPermittedTarget,
    NotFound,
    RequestTooLarge,
    Unauthenticated,
    UpstreamBusy,
    UpstreamInterrupted,
    UpstreamTimeout,
    YuzuiError,
)
from yuzui.core.usage import Usage
from yuzui.dialects.anthropic_count_tokens import DIALECT as COUNTING
from yuzui.dialects.anthropic_messages import DIALECT

Body = dict[str, Any]  # Any: JSON values
FACTS = AnswerFacts(request_id="req_1", origin="vllm")
ASKED: Body = {"model": "auto", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
REQUEST = DIALECT.read_request(ASKED)
USAGE = Usage(input_tokens=100, cached_input_tokens=60, output_tokens=9, reasoning_tokens=4)


def client_that_gets(status: int, body: bytes, content_type: str = "application/json") -> anthropic.Anthropic:
    def reply(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, content=body, headers={"content-type": content_type})

    return anthropic.Anthropic(
        api_key="none",
        base_url="http://gateway.test",
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(reply)),
    )


def ask(client: anthropic.Anthropic) -> anthropic.types.Message:
    return client.messages.create(model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}])


def whole(*parts: Part) -> bytes:
    choice = Choice(index=0, parts=parts, finish_reason="stop")
    return DIALECT.write_response(
        ChatResponse(id="c1", model="m", created_s=0, choices=(choice,), usage=USAGE), REQUEST, FACTS
    )


def call(position: int, arguments: str = "", *, id: str = "", name: str = "") -> Delta:
    return Delta(tool_calls=(ToolCallDelta(position=position, id=id, name=name, arguments=arguments),))


TOOL_TURN = [
    Delta(role="assistant"),
    Delta(reasoning="Two "),
    Delta(reasoning="calls."),
    Delta(text="Let me see."),
    call(0, id="a", name="f"),
    call(1, '{"x":', id="functions.f:1", name="f"),
    call(0, '{"x": 1}'),
    call(1, "2}"),
    Delta(finish_reason="tool_calls"),
]


def streamed(*deltas: Delta, usage: Usage = USAGE) -> bytes:
    writer = DIALECT.stream_writer(REQUEST, FACTS)
    sent = b"".join(writer.write(StreamChunk(id="c1", model="m", deltas=(delta,))) for delta in deltas)
    sent += writer.heartbeat() + writer.write(StreamChunk(usage=usage))
    return sent + writer.finish({"request_id": "req_1", "receipt": "7:abc"})


def client_that_streams(body: bytes) -> anthropic.Anthropic:
    return client_that_gets(200, body, "text/event-stream")


# ---- whole ----------------------------------------------------------------------------------------------------------


def test_a_message_is_read_with_its_types() -> None:
    citation = Citation(url="https://a.test", title="A", cited_text="c")
    message = ask(
        client_that_gets(
            200,
            whole(
                ReasoningPart(text="hm"),
                ReasoningPart(text="", redacted="r"),
                TextPart(text="See A.", citations=(citation,)),
                ToolCallPart(id="x", name="f", arguments='{"a": 1}'),
            ),
        )
    )
    thinking, redacted, text, tool = message.content
    assert isinstance(thinking, anthropic.types.ThinkingBlock) and thinking.signature
    assert isinstance(redacted, anthropic.types.RedactedThinkingBlock)
    assert isinstance(text, anthropic.types.TextBlock) and text.citations
    assert isinstance(text.citations[0], anthropic.types.CitationsWebSearchResultLocation)
    assert isinstance(tool, anthropic.types.ToolUseBlock) and tool.input == {"a": 1}
    assert message.stop_reason == "tool_use"
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 9)
    assert usage.output_tokens_details is not None and usage.output_tokens_details.thinking_tokens == 4


class Colour(BaseModel):
    name: str


def test_a_parsed_message_holds_the_object() -> None:
    client = client_that_gets(200, whole(TextPart(text='{"name": "red"}')))
    message = client.messages.parse(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}], output_format=Colour
    )
    assert message.parsed_output == Colour(name="red")


def test_a_count_is_read() -> None:
    body = COUNTING.write_response(Count(input_tokens=12), COUNTING.read_request(ASKED), FACTS)
    counted = client_that_gets(200, body).messages.count_tokens(
        model="auto", messages=[{"role": "user", "content": "hi"}]
    )
    assert counted.input_tokens == 12


# ---- streams --------------------------------------------------------------------------------------------------------


def test_a_stream_s_helper_puts_a_tool_turn_together() -> None:
    with client_that_streams(streamed(*TOOL_TURN)).messages.stream(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        kinds = [event.type for event in stream]
        message = stream.get_final_message()
    assert {"thinking", "text", "input_json", "content_block_stop", "message_stop"} <= set(kinds)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    first, second = message.content[2], message.content[3]
    assert isinstance(first, anthropic.types.ToolUseBlock) and isinstance(second, anthropic.types.ToolUseBlock)
    assert (first.input, second.input) == ({"x": 1}, {"x": 2})
    assert (message.stop_reason, message.model, message.id) == ("tool_use", "m", "c1")
    assert (message.usage.input_tokens, message.usage.cache_read_input_tokens) == (40, 60)
    assert message.usage.output_tokens == 9


def test_what_a_client_sends_back_means_what_the_model_said() -> None:
    with client_that_streams(streamed(*TOOL_TURN)).messages.stream(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        message = stream.get_final_message()
    turn = {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in message.content]}
    results = {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": block.id, "content": "ok"}
            for block in message.content
            if isinstance(block, anthropic.types.ToolUseBlock)
        ],
    }
    again = DIALECT.read_request(ASKED | {"messages": [*ASKED["messages"], turn, results]}).meaning
    assert again.messages[1].parts == (
        ReasoningPart(text="Two calls.", origin="vllm"),
        TextPart(text="Let me see."),
        ToolCallPart(id="a", name="f", arguments='{"x":1}'),
        ToolCallPart(id="functions.f:1", name="f", arguments='{"x":2}'),
    )
    assert [getattr(message.parts[0], "call_id", "") for message in again.messages[2:]] == ["a", "functions.f:1"]


def test_text_streams_as_text() -> None:
    body = streamed(Delta(text="Hi "), Delta(text="there 🌊"), Delta(finish_reason="length"))
    with client_that_streams(body).messages.stream(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        assert list(stream.text_stream) == ["Hi ", "there 🌊"]
        assert stream.get_final_message().stop_reason == "max_tokens"


def test_the_beta_client_reads_the_same_stream() -> None:
    body = streamed(
        Delta(text="x"), Delta(citations=(Citation(url="https://a.test"),)), Delta(finish_reason="stop", refusal="")
    )
    with client_that_streams(body).beta.messages.stream(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        message = stream.get_final_message()
    (text,) = message.content
    assert isinstance(text, anthropic.types.beta.BetaTextBlock) and text.citations


def test_a_refusal_is_told_with_its_explanation() -> None:
    body = streamed(Delta(refusal="I cannot."), Delta(finish_reason="stop"))
    with client_that_streams(body).messages.stream(
        model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "refusal"
    assert message.stop_details is not None and message.stop_details.explanation == "I cannot."


@pytest.mark.parametrize("is_lane", [False, True])
def test_an_error_in_a_stream_is_raised(is_lane: bool) -> None:
    writer = DIALECT.stream_writer(REQUEST, AnswerFacts(request_id="req_1", is_lane=is_lane))
    start = b'{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"m","content":[],\
"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}'
    sent = writer.write(StreamChunk(deltas=(Delta(text="x"),), raw=start, event="message_start"))
    sent += writer.fail(UpstreamInterrupted("cut short"), "req_1")
    with (
        pytest.raises(anthropic.APIStatusError) as caught,
        client_that_streams(sent).messages.stream(
            model="auto", max_tokens=100, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        stream.get_final_message()
    assert caught.value.error_code == "upstream_stream_interrupted"
    assert caught.value.api_message == "cut short"


# ---- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "raised", "kind"),
    [
        (InvalidRequest("x", param="messages"), anthropic.BadRequestError, "invalid_request_error"),
        (Unauthenticated("x"), anthropic.AuthenticationError, "authentication_error"),
        (NoPermittedTarget("x"), anthropic.PermissionDeniedError, "permission_error"),
        (NotFound("x"), anthropic.NotFoundError, "not_found_error"),
        (RequestTooLarge("x"), anthropic.APIStatusError, "request_too_large"),
        (BudgetExceeded("x"), anthropic.RateLimitError, "rate_limit_error"),
        (UpstreamBusy("x", status=503), anthropic.InternalServerError, "overloaded_error"),
        (UpstreamTimeout("x"), anthropic.InternalServerError, "timeout_error"),
        (YuzuiError("x"), anthropic.InternalServerError, "api_error"),
    ],
)
def test_an_error_is_the_client_s_own_exception_with_our_code(
    error: YuzuiError, raised: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(raised) as caught:
        ask(client_that_gets(error.status, DIALECT.write_error(error, "req_1")))
    assert (caught.value.type, caught.value.error_code, caught.value.api_message) == (kind, error.code, "x")
