"""Completions on the lane: what is patched, what is read, and what is no end."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, TextPart
from yuzui.core.errors import UnsupportedFeature, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.dialects.openai_completions import DIALECT
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_completions import CODEC

EVENT = b'data: {"choices":[{"text":"a","index":0,"finish_reason":null}]}\n\n'
END = b'data: {"choices":[{"text":"","index":0,"finish_reason":"stop"}]}\n\n'


def target(quirks: Quirks = Quirks()) -> Target:  # noqa: B008  # frozen
    return Target(
        name="t", provider="p", codec="openai", model="m-1", base_url="https://x.test/v1", premises="own", clearance=0,
        jurisdiction="", quirks=quirks,
    )  # fmt: skip


def write(cap: int | None = None, quirks: Quirks = Quirks(), **body: Any) -> WireRequest:  # noqa: B008  # Any: JSON
    request = DIALECT.read_request({"model": "auto", "prompt": "a", **body})
    return CODEC.write_request(request, target(quirks), output_cap=cap)


@pytest.mark.parametrize(
    ("body", "cap", "sent"), [({}, 9, 9), ({"max_tokens": 4}, 9, 4), ({"max_tokens": 0}, 9, 0), ({}, None, None)]
)
def test_a_hard_budget_bounds_what_the_client_left_open(
    body: dict[str, Any], cap: int | None, sent: int | None
) -> None:  # Any: JSON
    assert json.loads(write(cap, **body).body).get("max_tokens") == sent


def test_counts_are_asked_for_where_the_server_knows_how() -> None:
    options = {"include_usage": False, "include_obfuscation": False}
    body = json.loads(write(stream=True, stream_options=options).body)
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert "stream_options" not in json.loads(write(quirks=Quirks(knows_stream_options=False), stream=True).body)


def test_only_its_own_dialect_is_on_the_lane() -> None:
    chat = ChatRequest(dialect="openai_chat", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target(), output_cap=None)


def test_an_answer_is_read() -> None:
    body = b'{"choices":[{"text":" b","finish_reason":"model_length"},{"text":"","index":4,"finish_reason":"x"}],' \
           b'"usage":{"prompt_tokens":1,"completion_tokens":2}}'  # fmt: skip
    found = CODEC.read_response(body)
    assert [(c.index, c.parts, c.finish_reason) for c in found.choices] == [
        (0, (TextPart(text=" b"),), "length"), (4, (), "stop")]  # fmt: skip
    assert (found.usage, found.raw) == (Usage(input_tokens=1, output_tokens=2), body)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{"text":"a"}]}', b'{"choices":[{"finish_reason":"stop"}]}',
     b'{"choices":"a"}', b"\xff"],
)  # fmt: skip
def test_half_an_answer_is_none(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


def test_an_answer_cut_by_its_vendor_is_a_fault() -> None:
    with pytest.raises(UpstreamInterrupted):
        CODEC.read_response(b'{"choices":[{"text":"a","finish_reason":"abort"}]}')


def test_a_stream_is_complete_when_all_its_choices_are() -> None:
    decoder = CODEC.decoder()
    assert [chunk.deltas[0].text for chunk in decoder.feed(EVENT + END)] == ["a", ""]
    assert not decoder.is_complete
    assert decoder.feed(b"data: [DONE]\n\n") == []
    assert decoder.is_complete
    decoder.close()


@pytest.mark.parametrize(
    "data",
    [b"data: [DONE]\n\n", EVENT + b"data: [DONE]\n\n", EVENT + END, b"", b"data: {\n\n", b"data: {}\n\n",
     b'data: {"error":{"message":"x"}}\n\n', EVENT.replace(b"null", b'"network_error"')],
)  # fmt: skip
def test_anything_less_is_a_fault(data: bytes) -> None:
    decoder = CODEC.decoder()
    with pytest.raises(UpstreamFault):
        decoder.feed(data)
        decoder.feed(b"")
        decoder.close()


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    decoder = CODEC.decoder()
    with pytest.raises(UpstreamFault):
        decoder.feed(b"data: " + body + b"\n\n")
        decoder.close()
