"""Answers are read as the official clients read them: the rules that a lenient reader would miss."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance_kit import load

contract, play = load("clients._contract"), load("play")


def stream(*events: Any, named: bool = False) -> bytes:  # Any: JSON
    out = b""
    for event in events:
        name = f"event: {event['type']}\n" if named else ""
        data = event if isinstance(event, str) else json.dumps(event)
        out += f"{name}data: {data}\n\n".encode()
    return out


def read(dialect: str, body: bytes, fault: str = "") -> Any:  # Any: a type of the matrix
    return play.CLIENTS[dialect].read_stream(contract.Received(status=200, headers={}, body=body, fault=fault))


def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:  # Any: JSON
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def test_an_event_that_no_empty_line_ends_never_happened() -> None:
    assert contract.events(b"data: 1\n\ndata: 2\n") == [("", "1")]
    assert contract.events(b"event: a\r\ndata: 1\r\ndata: 2\r\n\r\n: note\r\n") == [("a", "1\n2")]


def test_lists_of_objects_without_an_index_break_the_stream_helper() -> None:
    told = read(
        "openai_chat",
        stream(
            chunk({"role": "assistant", "reasoning_details": [{"text": "a"}]}),
            chunk({"reasoning_details": [{"text": "b"}]}),
            chunk({"content": "x"}, "stop"),
            "[DONE]",
        ),
    )
    assert told.text == "x"
    assert told.blemishes == [
        "use of the official stream helper (it raises: entries of reasoning_details have no index)"
    ]
    assert told.echo[0]["reasoning_details"] == [{"text": "a"}, {"text": "b"}]


def test_a_role_in_each_chunk_is_joined_by_the_stream_helper() -> None:
    body = stream(chunk({"role": "assistant", "content": "a"}), chunk({"role": "assistant"}, "stop"), "[DONE]")
    assert read("openai_chat", body).blemishes == ["role of the message"]


def test_calls_grow_by_index_and_errors_inside_a_stream_are_raised() -> None:
    told = read(
        "openai_chat",
        stream(
            chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "n", "arguments": "{"}}]}),
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}),
            {"error": {"message": "broken", "type": "server_error"}},
        ),
    )
    assert told.failure.message == "broken"
    assert told.calls[0].arguments == "{}"


def test_a_line_that_breaks_is_a_failure_and_the_rest_is_kept() -> None:
    told = read("openai_chat", stream(chunk({"content": "half"})), fault="RemoteProtocolError")
    assert (told.text, told.failure.is_told_by) == ("half", "transport")


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([{"type": "content_block_start", "index": 0}], "content_block_start before message_start"),
        (
            [
                {"type": "message_start", "message": {}},
                {"type": "content_block_start", "index": 1, "content_block": {}},
            ],
            "block 1 starts as number 0",
        ),
        (
            [{"type": "message_start", "message": {}}, {"type": "content_block_delta", "index": 0, "delta": {}}],
            "a delta before its block",
        ),
        (
            [{"type": "message_start", "message": {}}, {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}],
            "message_delta without usage",
        ),
    ],
)
def test_events_of_messages_come_in_their_order(events: list[Any], complaint: str) -> None:
    assert complaint in read("anthropic_messages", stream(*events, named=True)).complaints


def test_events_of_messages_need_their_name() -> None:
    assert read("anthropic_messages", stream({"type": "message_start", "message": {}})).echo == []


def test_responses_must_begin_with_created_and_add_items_before_their_text() -> None:
    told = read(
        "openai_responses",
        stream({"type": "response.output_text.delta", "output_index": 0, "delta": "x"}, named=True),
    )
    assert told.complaints == [
        "response.output_text.delta before its item",
        "response.output_text.delta before response.created",
    ]


def test_an_error_of_gemini_is_one_only_when_it_stands_first() -> None:
    fault = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    assert read("gemini", stream(fault)).failure.kind == "UNAVAILABLE"
    assert read("gemini", stream({"usageMetadata": {}, **fault})).failure is None


def test_streamed_thoughts_of_other_gateways_are_put_together() -> None:
    whole_blocks = load("clients.openai_chat").whole_blocks
    assert whole_blocks(
        [
            {"type": "thinking", "thinking": "a", "signature": ""},
            {"type": "thinking", "thinking": "b"},
            {"type": "thinking", "thinking": "", "signature": "s"},
            {"index": 1, "delta": {"thinking": "c", "signature": "t"}},
        ]
    ) == [
        {"type": "thinking", "thinking": "ab", "signature": "s"},
        {"type": "thinking", "thinking": "c", "signature": "t"},
    ]
