"""Counting of tokens at Anthropic: what is sent to be counted, and what may pass for a count."""

from __future__ import annotations

import json

import pytest

from yuzui.core.chat import ChatRequest, Meaning, Message, ResponseFormat, TextPart, ToolSpec
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers.anthropic import ROW
from yuzui.providers.anthropic_count_tokens import CODEC

TARGET = Target(
    name="t", provider="anthropic", codec="anthropic", model="claude-sonnet-5-5", base_url=ROW.base_url,
    premises="vendor", clearance=0, jurisdiction="US", api_key="k", quirks=ROW.quirks,
)  # fmt: skip


def test_another_dialect_s_request_is_counted_as_the_message_that_it_would_be() -> None:
    meaning = Meaning(
        messages=(
            Message(role="system", parts=(TextPart(text="s"),)),
            Message(role="user", parts=(TextPart(text="hi"),)),
        ),
        tools=(ToolSpec(name="f"),),
        response_format=ResponseFormat(kind="json_schema", schema={"type": "object"}),
        stop=("END",),
        temperature=0.5,
        reasoning_effort="low",
        user="u",
        knobs={"seed": 1},
    )
    request = ChatRequest(
        dialect="gemini", operation="count_tokens", model="auto", body={}, read_meaning=lambda _: meaning
    )
    wire = CODEC.write_request(request, TARGET, output_cap=None)
    assert wire.path == "/v1/messages/count_tokens"
    assert set(json.loads(wire.body)) == {"model", "messages", "system", "tools", "thinking", "output_config"}
    assert (wire.is_lane, wire.is_stream, wire.dropped) == (False, False, ())
    assert CODEC.read_response(b'{"input_tokens": 7}', wire).raw == b""


def test_a_target_s_own_path_has_the_counting_behind_it() -> None:
    request = ChatRequest(
        dialect="anthropic_count_tokens",
        operation="count_tokens",
        model="auto",
        body={"model": "auto", "messages": []},
        read_meaning=lambda _: Meaning(messages=()),
    )
    wire = CODEC.write_request(request, TARGET, output_cap=None)
    assert json.loads(wire.body) == {"model": "claude-sonnet-5-5", "messages": []}
    counted = CODEC.read_response(b'{"input_tokens": 7, "more": 1}', wire)
    assert (counted.input_tokens, counted.raw_dialect) == (7, "anthropic_count_tokens")


@pytest.mark.parametrize("body", [b'{"input_tokens": -1}', b'{"input_tokens": "7"}', b'{"input_tokens": 1.5}', b"7"])
def test_what_is_no_count_is_a_fault(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


def test_an_error_with_status_200_is_an_error() -> None:
    with pytest.raises(UpstreamFault) as caught:
        CODEC.read_response(b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}')
    assert caught.value.code == "upstream_overloaded"
