"""Answers, whole and streamed, as real servers send them: in order, in pieces, broken and cut."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ReasoningPart, StreamChunk, TextPart, ToolCallDelta, ToolCallPart
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid, UpstreamRefused
from yuzui.core.usage import Usage
from yuzui.providers.openai_reply import OpenAIDecoder, read_response

WHOLE: dict[str, Any] = {  # Any: JSON values
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


def whole(message: dict[str, Any] | None = None, **more: Any) -> bytes:  # Any: JSON values
    choice = {**WHOLE["choices"][0], **({} if message is None else {"message": message})}
    return json.dumps({**WHOLE, "choices": [choice], **more}).encode()


def event(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:  # Any: JSON values
    body = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + json.dumps({**body, **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
STREAM = (
    b"\xef\xbb\xbf: hello\n\n"
    + event({"role": "assistant", "content": "鱼"})
    + event({"content": "嘴 🐟"}).replace(b"\n\n", b"\r\n\r\n")
    + b'data: {"id":"c","model":"m",\ndata: "choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    + event({}, "stop", usage={"prompt_tokens": 3, "completion_tokens": 2})
    + DONE
)


def decode(*pieces: bytes) -> list[StreamChunk]:
    decoder = OpenAIDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    decoder.close()
    return chunks


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 2}, Usage(input_tokens=3, output_tokens=2)),
        ({"prompt_tokens": "3", "completion_tokens": "2"}, Usage(input_tokens=3, output_tokens=2)),
        (
            {"prompt_tokens": 9, "completion_tokens": 5,
             "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
             "completion_tokens_details": {"reasoning_tokens": 3}},
            Usage(input_tokens=9, cached_input_tokens=4, cache_write_tokens=1, output_tokens=5, reasoning_tokens=3),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5},
         Usage(input_tokens=9, cached_input_tokens=4, output_tokens=5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "cached_tokens": 4},
         Usage(input_tokens=9, cached_input_tokens=4, output_tokens=5)),
        ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": None},
         Usage(input_tokens=9, output_tokens=5)),
        ({"prompt_tokens": 5, "completion_tokens": 10**12}, Usage(input_tokens=5, output_tokens=10**12)),
        ({"prompt_tokens": -5, "completion_tokens": 10}, None),
        (None, None),
        ({}, None),
        ("many", None),
        ({"prompt_tokens": "many"}, None),
    ],
)  # fmt: skip
def test_usage_in_every_vendors_spelling_and_none_when_there_is_none(usage: object, wanted: Usage | None) -> None:
    assert read_response(whole(usage=usage)).usage == wanted
    assert decode(event({}, "stop", usage=usage), DONE)[0].usage == wanted


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"content": "a"}, (TextPart(text="a"),)),
        ({"content": "a", "reasoning_content": "t"}, (ReasoningPart(text="t"), TextPart(text="a"))),
        ({"content": "a", "reasoning": "t"}, (ReasoningPart(text="t"), TextPart(text="a"))),
        ({"content": [{"type": "thinking", "thinking": [{"text": "t"}]}, {"type": "text", "text": "a"}]},
         (ReasoningPart(text="t"), TextPart(text="a"))),
        ({"content": None, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"x": 1}}}]},
         (ToolCallPart(id="1", name="f", arguments='{"x":1}'),)),
        ({"content": "", "function_call": {"name": "f", "arguments": "{}"}},
         (ToolCallPart(id="call_0", name="f", arguments="{}"),)),
        ({"content": "", "tool_calls": []}, ()),
    ],
)  # fmt: skip
def test_a_message_in_every_vendors_spelling(message: dict[str, Any], parts: tuple[object, ...]) -> None:
    assert read_response(whole(message)).choices[0].parts == parts


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        whole(choices=None),
        whole(choices=[]),
        whole(choices=[{"index": 0, "finish_reason": "stop"}]),
        whole(choices=[{"index": 0, "message": {"content": "a"}}]),
        whole(choices=[{"index": 0, "message": {"content": "a"}, "finish_reason": ""}]),
        whole(choices=[{"index": "0", "message": {"content": "a"}, "finish_reason": "stop"}]),
        whole({"content": 5}),
        b'{"choices":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ],
)
def test_an_incomplete_or_foreign_answer_is_invalid(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_response(body)


def test_an_answer_cut_at_any_byte_is_invalid() -> None:
    body = whole()
    for cut in range(len(body)):
        with pytest.raises(UpstreamInvalid):
            read_response(body[:cut])


@pytest.mark.parametrize("word", ["insufficient_system_resource", "error", "network_error", "abort"])
def test_a_finish_reason_that_means_a_cut_is_an_error(word: str) -> None:
    with pytest.raises(UpstreamInterrupted):
        read_response(whole(choices=[{"index": 0, "message": {"content": "a"}, "finish_reason": word}]))
    with pytest.raises(UpstreamInterrupted):
        decode(event({"content": "a"}), event({}, word), DONE)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ({"message": "m", "code": "insufficient_quota"}, UpstreamRefused, "upstream_quota_exhausted"),
        ({"message": "m", "type": "rate_limit_error"}, UpstreamBusy, "upstream_rate_limited"),
        ({"message": "m", "code": 429}, UpstreamBusy, "upstream_rate_limited"),
        ({"message": "m", "type": "overloaded_error"}, UpstreamBusy, "upstream_overloaded"),
        ({"message": "m", "type": "invalid_request_error"}, UpstreamRefused, "upstream_rejected_request"),
        ({"message": "m", "code": 401}, UpstreamRefused, "upstream_auth"),
        ({"message": "m"}, UpstreamInterrupted, "upstream_error"),
        ("text", UpstreamInterrupted, "upstream_error"),
    ],
)
def test_an_error_inside_a_200_keeps_its_class(error: object, kind: type[UpstreamFault], code: str) -> None:
    body = json.dumps({"error": error}).encode()
    for raises in (lambda: read_response(body), lambda: decode(b"data: " + body + b"\n\n"),
                   lambda: decode(b"event: error\ndata: " + body + b"\n\n")):  # fmt: skip
        with pytest.raises(kind) as caught:
            raises()
        assert caught.value.code == code


def test_any_cut_of_a_stream_gives_the_same_chunks() -> None:
    expected = decode(STREAM)
    assert "".join(chunk.deltas[0].text for chunk in expected) == "鱼嘴 🐟x"
    assert decode(*(STREAM[i : i + 1] for i in range(len(STREAM)))) == expected
    for cut in range(len(STREAM)):
        assert decode(STREAM[:cut], STREAM[cut:]) == expected


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_any_set_of_cuts_gives_the_same_chunks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert decode(*(STREAM[a:b] for a, b in itertools.pairwise(edges))) == decode(STREAM)


def test_a_stream_cut_at_any_byte_is_never_complete() -> None:
    for cut in range(len(STREAM) - 2):  # the last two bytes end the [DONE] event
        decoder = OpenAIDecoder()
        decoder.feed(STREAM[:cut])
        assert not decoder.is_complete
        with pytest.raises(UpstreamInterrupted):
            decoder.close()


def test_chunks_before_a_fault_are_delivered_and_the_fault_comes_next() -> None:
    decoder = OpenAIDecoder()
    assert len(decoder.feed(event({"content": "a"}) + b"data: {\n\n" + event({}, "stop"))) == 1
    for again in (lambda: decoder.feed(b""), decoder.close):
        with pytest.raises(UpstreamInvalid, match="event 2"):
            again()


def test_nothing_counts_after_done() -> None:
    assert len(decode(event({}, "stop"), DONE + event({"content": "ghost"}), event({"content": "ghost"}))) == 1


@pytest.mark.parametrize("stream", [DONE, event({"content": "a"}) + DONE, b""])
def test_done_without_an_end_for_each_choice_is_an_error(stream: bytes) -> None:
    with pytest.raises(UpstreamInterrupted):
        decode(stream)


def test_tool_call_pieces_without_index_are_numbered_also_in_the_raw_chunk() -> None:
    def piece(**call: Any) -> bytes:  # Any: JSON values
        return event({"tool_calls": [call]})

    chunks = decode(
        piece(id="a", function={"name": "f", "arguments": '{"x"'}), piece(function={"arguments": ":1}"}),
        piece(id="b", function={"name": "g"}), event({}, "tool_calls"), DONE,
    )  # fmt: skip
    assert [call for chunk in chunks for call in chunk.deltas[0].tool_calls] == [
        ToolCallDelta(position=0, id="a", name="f", arguments='{"x"'),
        ToolCallDelta(position=0, arguments=":1}"),
        ToolCallDelta(position=1, id="b", name="g"),
    ]
    raw = [json.loads(chunk.raw)["choices"][0]["delta"].get("tool_calls") for chunk in chunks]
    assert [calls[0]["index"] for calls in raw if calls] == [0, 0, 1]


def test_a_raw_chunk_never_holds_a_line_break() -> None:
    assert all(b"\n" not in chunk.raw for chunk in decode(STREAM))


VALUES: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(([], {}, [{}]))
)


@given(field=st.sampled_from(sorted({*WHOLE, "error"})), value=VALUES)
def test_a_drifted_answer_is_read_or_is_the_upstreams_fault(field: str, value: object) -> None:
    try:
        read_response(json.dumps({**WHOLE, field: value}).encode())
    except UpstreamFault as fault:
        assert fault.status in (400, 429, 502, 503)


@given(field=st.sampled_from(("index", "delta", "finish_reason", "message")), value=VALUES)
def test_a_drifted_choice_is_read_or_is_the_upstreams_fault(field: str, value: object) -> None:
    choice = {**WHOLE["choices"][0], field: value}
    try:
        read_response(json.dumps({**WHOLE, "choices": [choice]}).encode())
        decode(b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n", DONE)
    except UpstreamFault as fault:
        assert fault.message


@given(st.binary(max_size=200))
def test_garbage_is_never_anything_but_the_upstreams_fault(data: bytes) -> None:
    for raises in (lambda: read_response(data), lambda: decode(b"data: " + data + b"\n\n")):
        with pytest.raises(UpstreamFault):
            raises()
