"""Answers, streams and errors of the Messages API: tables first, then properties over every cut and every shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import Citation, Part, ReasoningPart, StreamChunk, TextPart, ToolCallPart
from yuzui.core.errors import (
    UpstreamBusy,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
)
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers.anthropic import CODEC, ROW

TARGET = Target(
    name="vendor/claude",
    provider="anthropic",
    codec="anthropic",
    model="claude-sonnet-5-5",
    base_url=ROW.base_url,
    premises="vendor",
    clearance=0,
    jurisdiction="US",
    api_key="secret-of-the-operator",
    quirks=ROW.quirks,
)

LANE = WireRequest(path="", headers={}, body=b"", is_stream=True, is_lane=True)
FORCED = WireRequest(path="", headers={}, body=b"", is_stream=True, answer_tool="answer")

# ---- errors ---------------------------------------------------------------------------------------------------------

# Status, class, detail → fault, status and code for the client, another try can help, the breaker counts it.
ERRORS = [
    (400, "invalid_request_error", "", UpstreamRefused, 400, "upstream_rejected_request", False, False),
    (401, "authentication_error", "", UpstreamRefused, 502, "upstream_auth", False, True),
    (402, "billing_error", "", UpstreamRefused, 502, "upstream_quota_exhausted", False, True),
    (403, "permission_error", "", UpstreamRefused, 502, "upstream_auth", False, True),
    (404, "not_found_error", "", UpstreamRefused, 502, "upstream_not_found", False, True),
    (409, "conflict_error", "", UpstreamRefused, 502, "upstream_refused", True, True),
    (413, "request_too_large", "", UpstreamRefused, 413, "upstream_rejected_request", False, False),
    (418, "teapot", "", UpstreamRefused, 502, "upstream_refused", False, True),
    (429, "rate_limit_error", "", UpstreamBusy, 429, "upstream_rate_limited", True, True),
    (
        429,
        "rate_limit_error",
        "enforced_spend_limit_reached",
        UpstreamRefused,
        502,
        "upstream_quota_exhausted",
        False,
        True,
    ),
    (500, "api_error", "", UpstreamRefused, 502, "upstream_refused", True, True),
    (503, "api_error", "", UpstreamBusy, 503, "upstream_overloaded", True, True),
    (504, "timeout_error", "", UpstreamTimeout, 504, "upstream_timeout", True, True),
    (529, "overloaded_error", "", UpstreamBusy, 503, "upstream_overloaded", True, True),
]


@pytest.mark.parametrize(("status", "kind", "detail", "fault", "told", "code", "retryable", "counts"), ERRORS)
def test_each_class_of_error_becomes_a_fault_of_ours(
    status: int, kind: str, detail: str, fault: type[UpstreamFault], told: int, code: str, retryable: bool, counts: bool
) -> None:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": "m", "details": {"error_code": detail}}})
    got = CODEC.read_error(status, {}, body.encode(), TARGET)
    assert type(got) is fault
    assert (got.status, got.code, got.retryable, got.counts_for_breaker) == (told, code, retryable, counts)
    if isinstance(got, UpstreamRefused):
        assert got.upstream_status == status


STREAM_ERRORS = [
    ("overloaded_error", UpstreamBusy, 503, "upstream_overloaded"),
    ("rate_limit_error", UpstreamBusy, 429, "upstream_rate_limited"),
    ("timeout_error", UpstreamTimeout, 504, "upstream_timeout"),
    ("invalid_request_error", UpstreamRefused, 400, "upstream_rejected_request"),
    ("api_error", UpstreamInterrupted, 502, "upstream_error"),
    ("error of a kind to come\r\n", UpstreamInterrupted, 502, "upstream_error"),
]


@pytest.mark.parametrize(("kind", "fault", "status", "code"), STREAM_ERRORS)
def test_an_error_event_becomes_the_fault_of_its_class(
    kind: str, fault: type[UpstreamFault], status: int, code: str
) -> None:
    with pytest.raises(fault) as caught:
        CODEC.decoder().feed(START + event("error", error={"type": kind, "message": "secret-of-the-operator"}))
    assert (caught.value.status, caught.value.code, caught.value.may_have_run) == (status, code, True)
    assert "secret" not in str(caught.value) and str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("value", "want"), [("3", 3.0), ("0.5", 0.5), ("-1", None), ("nan", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_the_wait_that_the_vendor_asks_for_is_read(value: str, want: float | None) -> None:
    assert CODEC.read_error(429, {"Retry-After": value}, b"", TARGET).retry_after_s == want


def test_the_vendor_s_words_come_short_clean_and_without_the_key() -> None:
    # The key stands where the message is cut: replaced after cutting, half of it would be told.
    message = "\x1b[31m" + "a" * 285 + "secret-of-the-operator" + "\r\nb" * 50
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": message}}).encode()
    told = str(CODEC.read_error(400, {}, body, TARGET))
    assert told.startswith("the target rejected the request (HTTP 400): ")
    assert len(told) <= 345
    assert told.isprintable()
    assert "secret" not in told


@pytest.mark.parametrize("body", [b"", b"<html>\xff", b'{"error": "text"}', b'{"error": {"message": 7}}', b"[" * 9000])
def test_a_body_that_is_no_error_leaves_the_status_to_decide(body: bytes) -> None:
    got = CODEC.read_error(529, {}, body, TARGET)
    assert (got.code, str(got)) == ("upstream_overloaded", "the target is overloaded (HTTP 529)")


# ---- whole answers --------------------------------------------------------------------------------------------------

WHOLE: dict[str, Any] = {  # Any: JSON values
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": TARGET.model,
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "server_tool_use", "id": "st", "name": "web_search", "input": {}},
        {"type": "text", "text": "ok"},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"ü": 1}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 1, "output_tokens": 2},
}


def test_a_whole_answer_is_read_and_server_side_tools_are_left_out() -> None:
    body = json.dumps(WHOLE, ensure_ascii=False).encode()
    (choice,) = CODEC.read_response(body).choices
    assert choice.parts == (
        ReasoningPart(text="hm", signature="s"),
        TextPart(text="ok"),
        ToolCallPart(id="t", name="f", arguments='{"ü": 1}'),
    )
    assert choice.finish_reason == "tool_calls"


def test_every_cut_of_a_whole_answer_is_an_error() -> None:
    body = json.dumps(WHOLE).encode()
    for length in range(len(body)):
        with pytest.raises(UpstreamInvalid):
            CODEC.read_response(body[:length])


@pytest.mark.parametrize(
    "change",
    [
        {"stop_reason": None},
        {"content": None},
        {"type": "completion"},
        {"usage": {"input_tokens": "7"}},
        {"content": [{"text": "x"}]},
        {"content": [{"type": "tool_use", "name": "f"}]},
        {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": [1]}]},
    ],
)
def test_an_answer_that_breaks_the_protocol_is_an_error(change: dict[str, Any]) -> None:  # Any: JSON values
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(json.dumps(WHOLE | change).encode())


def test_an_answer_without_usage_has_none() -> None:
    assert CODEC.read_response(json.dumps(WHOLE | {"usage": None}).encode()).usage is None


def test_an_error_with_status_200_is_an_error() -> None:
    body = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    with pytest.raises(UpstreamBusy) as caught:
        CODEC.read_response(body)
    assert caught.value.status == 429


def test_the_lane_keeps_the_answer_as_it_came_and_reads_it_too() -> None:
    body = json.dumps(WHOLE | {"stop_reason": "stop_sequence", "stop_sequence": "END"}).encode()
    response = CODEC.read_response(body, LANE)
    assert (response.raw, response.raw_dialect) == (body, "anthropic_messages")
    assert response.choices[0].stop_sequence == "END" and len(response.choices[0].parts) == 3
    assert CODEC.read_response(body).raw == b""


@pytest.mark.parametrize(
    ("reason", "native"),
    [
        ("end_turn", ""),
        ("pause_turn", "pause_turn"),
        ("to_come", "to_come"),
        ("model_context_window_exceeded", "model_context_window_exceeded"),
    ],
)
def test_the_vendor_s_own_word_is_kept_where_it_says_more(reason: str, native: str) -> None:
    response = CODEC.read_response(json.dumps(WHOLE | {"stop_reason": reason}).encode())
    assert response.choices[0].native_finish == native


def test_citations_of_each_kind_are_read() -> None:
    cited = [
        {"type": "web_search_result_location", "cited_text": "a", "url": "https://a.test", "title": "A"},
        {"type": "search_result_location", "cited_text": "b", "source": "https://b.test", "title": None},
        {"type": "page_location", "cited_text": "c", "document_index": 0, "document_title": "C", "file_id": "f"},
        {"type": "to_come"},
    ]
    body = json.dumps(WHOLE | {"content": [{"type": "text", "text": "abc", "citations": cited}]}).encode()
    assert CODEC.read_response(body).choices[0].parts == (
        TextPart(
            text="abc",
            citations=(
                Citation(url="https://a.test", title="A", cited_text="a", start=0, end=3),
                Citation(url="https://b.test", cited_text="b", start=0, end=3),
                Citation(title="C", cited_text="c", file_id="f", document=0, start=0, end=3),
            ),
        ),
    )


ANSWER = {"type": "tool_use", "id": "t", "name": "answer", "input": {"a": 1}}
OTHER = {"type": "tool_use", "id": "u", "name": "f", "input": {}}
SAID = {"type": "text", "text": "Here."}


@pytest.mark.parametrize(
    ("content", "parts", "finish"),
    [
        ([ANSWER], (TextPart(text='{"a": 1}'),), "stop"),
        ([SAID, ANSWER], (TextPart(text='{"a": 1}'),), "stop"),
        (
            [ANSWER, OTHER],
            (TextPart(text='{"a": 1}'), ToolCallPart(id="u", name="f", arguments="{}")),
            "tool_calls",
        ),
        ([SAID, OTHER], (TextPart(text="Here."), ToolCallPart(id="u", name="f", arguments="{}")), "tool_calls"),
    ],
)
def test_an_answer_by_tool_is_text_again_whole_and_streamed(
    content: list[dict[str, Any]],
    parts: tuple[Part, ...],
    finish: str,
) -> None:
    (choice,) = CODEC.read_response(json.dumps(WHOLE | {"content": content}).encode(), FORCED).choices
    assert (choice.parts, choice.finish_reason) == (parts, finish)
    stream = START
    for index, block in enumerate(content):
        stream += event("content_block_start", index=index, content_block=block | {"input": {}, "text": ""})
        if block["type"] == "text":
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        stream += event("content_block_delta", index=index, delta=delta) + event("content_block_stop", index=index)
    stream += event("message_delta", delta={"stop_reason": "tool_use"}, usage={}) + event("message_stop")
    deltas = [delta for chunk in CODEC.decoder(FORCED).feed(stream) for delta in chunk.deltas]
    assert "".join(delta.text for delta in deltas) == "".join(part.text for part in parts if isinstance(part, TextPart))
    assert deltas[-1].finish_reason == finish
    names = [call.name for delta in deltas for call in delta.tool_calls if call.name]
    assert names == [part.name for part in parts if isinstance(part, ToolCallPart)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(WHOLE)), JSON)
def test_no_shape_of_a_field_is_more_than_an_upstream_fault(field: str, value: object) -> None:
    try:
        CODEC.read_response(json.dumps(WHOLE | {field: value}).encode())
    except UpstreamFault:
        return


# ---- streams --------------------------------------------------------------------------------------------------------


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


START = event(
    "message_start", message={"id": "m", "type": "message", "model": TARGET.model, "usage": {"input_tokens": 3}}
)
END = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 4}) + event("message_stop")


def drain(pieces: list[bytes], wire: WireRequest | None = None) -> tuple[list[StreamChunk], str]:
    """Chunks and the code of the fault that ended the stream, if one did."""
    decoder, chunks = CODEC.decoder(wire), []
    try:
        for piece in pieces:
            chunks += decoder.feed(piece)
        decoder.close()
    except UpstreamFault as fault:
        return chunks, f"{fault.code}: {fault}"
    return chunks, ""


BLOCKS = st.one_of(
    st.text(max_size=8).map(
        lambda text: event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    ),
    st.text(max_size=8).map(
        lambda text: event("content_block_delta", index=1, delta={"type": "thinking_delta", "thinking": text})
    ),
    st.text(max_size=8).map(
        lambda text: event("content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": text})
    ),
    st.sampled_from(
        [
            event("ping"),
            b": comment\r\n\r\n",
            event("content_block_start", index=2, content_block={"type": "tool_use", "id": "t", "name": "f"}),
            event("content_block_stop", index=2),
            event("content_block_delta", index=1, delta={"type": "signature_delta", "signature": "s"}),
            event("news", delta=[1]),
            b"event: content_block_stop\ndata: {broken\n\n",
            event("error", error={"type": "api_error", "message": "m"}),
        ]
    ),
)


@given(st.lists(BLOCKS, max_size=8), st.sampled_from([END, b""]), st.sampled_from([None, LANE, FORCED]), st.data())
def test_any_cut_of_the_bytes_gives_the_same_chunks(
    blocks: list[bytes], end: bytes, wire: WireRequest | None, data: st.DataObject
) -> None:
    stream = START + b"".join(blocks) + end
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = drain([stream], wire)
    assert drain(pieces, wire) == whole
    assert drain([stream[i : i + 1] for i in range(len(stream))], wire) == whole


EVENT_FIELDS = st.sampled_from(["index", "delta", "content_block", "message", "usage", "error"])
KINDS = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "news"]


@given(st.sampled_from([*KINDS, "message_stop", "error"]), st.dictionaries(EVENT_FIELDS, JSON))
def test_no_shape_of_an_event_is_more_than_an_upstream_fault(kind: str, fields: dict[str, object]) -> None:
    chunks, fault = drain([START + event(kind, **fields)])
    assert fault, "without `message_stop` no stream is complete"
    assert kind != "news" or not chunks


@given(st.integers(0, len(START + END) - 1))
def test_a_stream_cut_anywhere_is_never_complete(length: int) -> None:
    decoder = CODEC.decoder()
    decoder.feed((START + END)[:length])
    assert not decoder.is_complete
    with pytest.raises(UpstreamInterrupted):
        decoder.close()


@pytest.mark.parametrize(
    "bad",
    [
        b"event: content_block_delta\ndata: {\n\n",
        b"data: \xff\n\n",
        event("content_block_delta", index=0),
        event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t"}),
        event("content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "f", "input": 7}),
        event("content_block_delta", index="0", delta={"type": "text_delta", "text": "x"}),
        event("message_delta", usage={}),
        event("message_stop"),
        event("error"),
    ],
)
def test_a_broken_known_event_is_named_by_its_number(bad: bytes) -> None:
    decoder = CODEC.decoder()
    decoder.feed(START + event("ping"))
    with pytest.raises(UpstreamInvalid) as caught:
        decoder.feed(bad)
    if b'"input": 7' not in bad:
        assert "event 2 " in str(caught.value)
    with pytest.raises(UpstreamInvalid):
        decoder.close()


@pytest.mark.parametrize(
    "odd", [b"event: news\ndata: not json\n\n", event("news", index="x"), b"event: news\n\n", b"id: 1\n\n"]
)
def test_unknown_events_are_skipped(odd: bytes) -> None:
    chunks, fault = drain([START + odd + END])
    assert fault == ""
    assert chunks[-1].usage == Usage(input_tokens=3, output_tokens=4)


def test_a_fault_behind_good_events_waits_for_the_next_call() -> None:
    decoder = CODEC.decoder()
    text = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"})
    failure = event("error", error={"type": "overloaded_error", "message": "secret-of-the-operator"})
    (chunk,) = decoder.feed(START + text + failure + END)
    assert chunk.deltas[0].text == "hi"
    with pytest.raises(UpstreamBusy) as caught:
        decoder.close()
    assert (caught.value.status, caught.value.code, caught.value.may_have_run) == (503, "upstream_overloaded", True)
    assert "secret" not in str(caught.value)


def test_counts_of_the_start_stand_unless_the_end_corrects_them() -> None:
    start = event(
        "message_start",
        message={
            "id": "m",
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 2},
        },
    )
    end = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 9, "input_tokens": 11})
    chunks, _ = drain([start + end + event("message_stop")])
    assert chunks[-1].usage == Usage(input_tokens=18, cached_input_tokens=5, cache_write_tokens=2, output_tokens=9)


def test_arguments_that_came_with_the_start_are_not_lost() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}
    stream = START + event("content_block_start", index=0, content_block=block) + event("content_block_stop", index=0)
    chunks, _ = drain([stream + END])
    arguments = "".join(call.arguments for chunk in chunks for delta in chunk.deltas for call in delta.tool_calls)
    assert json.loads(arguments) == {"a": 1}


def test_the_lane_hands_on_every_event_with_its_name_and_counts_what_it_says() -> None:
    lines = [
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "hi"}),
        b'data: {"type": "ping"}\n\n',
        event("news", delta=[1]),
        b'event: message_delta\ndata: {"type": "message_delta",\ndata:  "delta": {"stop_reason": "end_turn"}, '
        b'"usage": {"output_tokens": 4}}\n\n',
    ]
    chunks = CODEC.decoder(LANE).feed(START + b"".join(lines) + b"event: gossip\ndata: not json\n\n")
    assert [chunk.event for chunk in chunks] == [
        "message_start", "content_block_start", "content_block_delta", "ping", "news", "message_delta",
    ]  # fmt: skip
    assert all(b"\n" not in chunk.raw and json.loads(chunk.raw)["type"] == chunk.event for chunk in chunks)
    assert [delta.text for chunk in chunks for delta in chunk.deltas] == ["hi", ""]
    assert [chunk.usage for chunk in chunks if chunk.usage] == [
        Usage(input_tokens=3),
        Usage(input_tokens=3, output_tokens=4),
    ]


def test_what_only_the_lane_can_tell_counts_as_content() -> None:
    block = {"type": "web_search_tool_result", "tool_use_id": "t", "content": []}
    started = START + event("content_block_start", index=0, content_block=block)
    assert [chunk.has_content for chunk in CODEC.decoder(LANE).feed(started)] == [False, True]
    assert CODEC.decoder().feed(started) == []


def test_citations_of_a_stream_follow_their_block_with_their_place() -> None:
    stream = START
    for index, text in enumerate(["One. ", "Two."]):
        stream += event("content_block_start", index=index, content_block={"type": "text", "text": ""})
        cited = {"type": "web_search_result_location", "url": f"https://{index}.test"}
        stream += event("content_block_delta", index=index, delta={"type": "citations_delta", "citation": cited})
        stream += event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})
        stream += event("content_block_stop", index=index)
    chunks, _ = drain([stream + END])
    assert [citation for chunk in chunks for delta in chunk.deltas for citation in delta.citations] == [
        Citation(url="https://0.test", start=0, end=5),
        Citation(url="https://1.test", start=5, end=9),
    ]


def test_nothing_behind_the_terminator_belongs_to_the_answer() -> None:
    late = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "late"}) + b"data: {\n\n"
    assert drain([START + END + late]) == drain([START + END])


def test_the_codec_s_parts_keep_no_state_between_streams() -> None:
    first, second = CODEC.decoder(), CODEC.decoder()
    first.feed(START + END)
    assert first.is_complete and not second.is_complete
