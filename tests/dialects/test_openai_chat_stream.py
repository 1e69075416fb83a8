"""Streams: what waits, what never leaves, and what the official client makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import Citation, Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._held import MOST_HELD_BYTES
from yuzui.dialects.openai_chat_stream import HubWriter, LaneWriter

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
USAGE = Usage(input_tokens=3, output_tokens=2)
CUT = UpstreamInterrupted("stopped")


def lane(text: str = "", *, finish: str | None = None, index: int = 0, usage: Usage | None = None) -> StreamChunk:
    choice = {"index": index, "delta": {"content": text}, "finish_reason": finish}
    raw = json.dumps({"id": "c", "choices": [choice], "created": 1, "model": "m"}).encode()
    delta = Delta(index=index, text=text, finish_reason="stop" if finish else None)
    return StreamChunk(id="c", model="m", created_s=1, deltas=(delta,), usage=usage, raw=raw)


def usage_chunk() -> StreamChunk:
    return StreamChunk(
        id="c", model="m", created_s=1, usage=USAGE, raw=b'{"id":"c","choices":[],"usage":{"prompt_tokens":3}}'
    )


def lane_writer(*, wants_usage: bool = False) -> LaneWriter:
    return LaneWriter(request_id="req-1", wants_usage=wants_usage)


def events(data: bytes) -> list[str]:
    return [event.removeprefix("data: ") for event in data.decode().split("\n\n") if event]


def test_a_plain_chunk_goes_on_as_it_is() -> None:
    chunk = lane("a")
    assert lane_writer().write(chunk) == b"data: " + chunk.raw + b"\n\n"


def test_the_end_of_a_choice_and_all_that_follows_wait_for_finish() -> None:
    writer = lane_writer(wants_usage=True)
    assert writer.write(lane("b", finish="stop")) == b""
    assert writer.write(lane("late")) == b""
    assert writer.write(usage_chunk()) == b""
    sent = events(writer.finish({"receipt": 7}))
    assert [json.loads(event).get("yuzui") for event in sent[:-1]] == [None, None, {"receipt": 7}]
    assert sent[-1] == "[DONE]"


def test_an_answer_may_end_with_all_of_it_but_no_flood_may_follow() -> None:
    long = "x" * MOST_HELD_BYTES
    call = ToolCallDelta(position=0, id="c", name="f", arguments=json.dumps({"a": long}))
    end = StreamChunk(deltas=(Delta(tool_calls=(call,), finish_reason="tool_calls"),))
    for writer, chunk in (
        (lane_writer(), lane(long, finish="stop")),
        (HubWriter(request_id="r", wants_usage=True), end),
    ):
        assert writer.write(chunk) == b""
        assert long.encode() in writer.finish({})
        assert writer.write(lane("", finish="stop")) == b""
        with pytest.raises(UpstreamInvalid, match="after the end"):
            writer.write(lane(long))


def test_a_client_that_did_not_ask_for_usage_gets_no_usage_chunk() -> None:
    writer = lane_writer()
    sent = writer.write(lane("a", finish="stop")) + writer.write(usage_chunk()) + writer.finish({})
    assert len(events(sent)) == 2
    assert '"usage"' not in sent.decode()


def test_the_trailer_of_a_gateway_behind_us_is_replaced() -> None:
    writer = lane_writer()
    raw = b'{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"yuzui":{"old":1}}'
    writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),), raw=raw))
    assert writer.finish({"new": 1}).count(b'"yuzui"') == 1


def test_a_chunk_without_raw_bytes_is_written_anew() -> None:
    chunk = StreamChunk(id="c", model="m", created_s=1, deltas=(Delta(text="restored"),))
    (event,) = events(lane_writer().write(chunk))
    assert json.loads(event)["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": "restored"}, "logprobs": None, "finish_reason": None}
    ]


@pytest.mark.parametrize("writer", [lane_writer(), HubWriter(request_id="req-1", wants_usage=True)])
def test_a_failure_sends_nothing_that_was_held_and_no_done(writer: StreamWriter) -> None:
    sent = writer.write(lane("a")) + writer.write(lane("end", finish="stop")) + writer.fail(CUT, "req-1")
    assert b"[DONE]" not in sent
    assert b'"finish_reason":"stop"' not in sent.replace(b" ", b"")
    assert json.loads(events(sent)[-1])["error"] == {
        "message": "stopped", "type": "upstream_error", "param": None, "code": "upstream_stream_interrupted",
        "request_id": "req-1"}  # fmt: skip


def test_the_official_client_raises_for_a_failed_stream(client_that_gets: ClientThatGets) -> None:
    writer = lane_writer()
    body = writer.write(lane("a")) + writer.heartbeat() + writer.fail(CUT, "req-1")
    stream = client_that_gets(200, body, "text/event-stream").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True
    )
    assert next(stream).choices[0].delta.content == "a"
    with pytest.raises(openai.APIError, match="stopped") as caught:
        next(stream)
    assert caught.value.code == "upstream_stream_interrupted"


def test_a_stream_of_another_dialect_is_read_by_the_official_client(client_that_gets: ClientThatGets) -> None:
    writer = HubWriter(request_id="req-1", wants_usage=True)
    chunks = [
        StreamChunk(id="h", model="m", created_s=5, deltas=(Delta(role="assistant", reasoning="hm"),), usage=USAGE),
        StreamChunk(id="h", model="m", created_s=5, deltas=(Delta(signature="sig"),)),
        StreamChunk(id="h", model="m", created_s=5, deltas=(Delta(text="a"),)),
        StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=0, id="1", name="f"),)),)),
        StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=0, arguments="{}"),)),)),
        StreamChunk(id="h", model="m", deltas=(Delta(finish_reason="tool_calls"),), usage=USAGE),
    ]
    body = b"".join(writer.write(chunk) for chunk in chunks) + writer.finish({"receipt": 1})
    stream = client_that_gets(200, body, "text/event-stream").chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True
    )
    seen = list(stream)
    assert seen[0].choices[0].delta.role == "assistant"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in seen if chunk.choices) == "a"
    assert [chunk.choices[0].finish_reason for chunk in seen if chunk.choices][-1] == "tool_calls"
    assert seen[-1].choices == []
    assert seen[-1].usage is not None
    assert seen[-1].usage.total_tokens == 5
    assert events(body)[-2].endswith('"yuzui":{"receipt":1}}')
    assert '"reasoning_details":[{"type":"reasoning.text","signature":"sig","index":0}]' in body.decode()


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12))
def test_nothing_that_ends_a_choice_leaves_before_finish(script: list[tuple[int, bool]]) -> None:
    writer = lane_writer()
    sent = b""
    for index, ends in script:
        sent += writer.write(lane("x", finish="stop" if ends else None, index=index))
    assert b"stop" not in sent
    whole = sent + writer.finish({})
    assert whole.count(b'"stop"') == sum(ends for _, ends in script)
    assert whole.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_custom_tools_free_text_comes_out_of_a_functions_arguments(size: int) -> None:
    writer = HubWriter(request_id="req-1", wants_usage=False, custom=frozenset({"patch"}))
    arguments = '{"input": "*** Begin\\n\\u9c7c"}'
    chunks = [StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=0, id="c1", name="patch"),)),))]
    chunks += [
        StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=0, arguments=arguments[i : i + size]),)),))
        for i in range(0, len(arguments), size)
    ]
    chunks.append(StreamChunk(deltas=(Delta(tool_calls=(ToolCallDelta(position=1, id="c2", name="other"),)),)))
    chunks.append(StreamChunk(deltas=(Delta(finish_reason="tool_calls"),)))
    out = b"".join([writer.write(chunk) for chunk in chunks]) + writer.finish({})
    calls = [
        call
        for line in out.decode().splitlines()
        if line.startswith("data: {")
        for choice in json.loads(line[6:])["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    assert calls[0]["type"] == "custom" and calls[0]["custom"]["name"] == "patch"
    assert "".join(call["custom"]["input"] for call in calls if call["index"] == 0) == "*** Begin\n鱼"
    assert next(call for call in calls if call["index"] == 1)["type"] == "function"


def test_citations_and_signed_thoughts_are_written_with_their_origin() -> None:
    writer = HubWriter(request_id="req-1", wants_usage=False, origin="anthropic")
    cited = Citation(url="https://x.test", title="X", start=0, end=2)
    out = writer.write(StreamChunk(deltas=(Delta(signature="s", redacted="r", reasoning_id="i"),)))
    out += writer.write(StreamChunk(deltas=(Delta(text="hi", citations=(cited, Citation(cited_text="no page"))),)))
    assert b'"format":"anthropic"' in out and b'"id":"i"' in out and b'"data":"r"' in out
    assert out.count(b'"url_citation"') == 2  # the type and the field of one


def test_a_thought_that_nobody_signed_says_whose_it_is_when_something_follows() -> None:
    writer = HubWriter(request_id="req-1", wants_usage=False, origin="cohere")
    origin = {"type": "reasoning.text", "format": "cohere"}
    told = [
        json.loads(event)["choices"][0]["delta"].get("reasoning_details")
        for delta in (
            Delta(reasoning="Hm"),
            Delta(reasoning="m."),
            Delta(text="a"),
            Delta(text="b"),
            Delta(reasoning="x"),
        )
        for event in events(writer.write(StreamChunk(deltas=(delta,))))
    ]
    assert told == [None, None, [{**origin, "index": 0}], None, None]
    writer.write(StreamChunk(deltas=(Delta(finish_reason="stop"),)))
    last = json.loads(events(writer.finish({}))[0])
    assert last["choices"][0]["delta"]["reasoning_details"] == [{**origin, "index": 1}]


def test_the_official_helper_puts_signed_thoughts_together(client_that_gets: ClientThatGets) -> None:
    writer = HubWriter(request_id="req-1", wants_usage=False, origin="anthropic")
    deltas = (
        Delta(reasoning="Hm."), Delta(signature="s1"), Delta(redacted="r1"), Delta(text="Yes."),
        Delta(signature="s2", redacted="r2"), Delta(finish_reason="stop"),
    )  # fmt: skip
    body = b"".join([writer.write(StreamChunk(id="c", deltas=(delta,))) for delta in deltas]) + writer.finish({})
    client = client_that_gets(200, body, "text/event-stream")
    with client.chat.completions.stream(model="m", messages=[{"role": "user", "content": "?"}]) as stream:
        message = stream.get_final_completion().choices[0].message
    details = (message.model_extra or {})["reasoning_details"]
    assert [(d.get("signature"), d.get("data")) for d in details] == [
        ("s1", None), (None, "r1"), (None, "r2"), ("s2", None)]  # fmt: skip
