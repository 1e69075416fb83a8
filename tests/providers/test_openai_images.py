"""Pictures on the lane: what they consumed, and when a stream of them is whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, StreamChunk
from yuzui.core.errors import UnsupportedFeature, UpstreamFault, UpstreamInterrupted, UpstreamInvalid, UpstreamRefused
from yuzui.core.money import Price
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.dialects._multipart import read_form
from yuzui.dialects.openai_image_edits import DIALECT as EDITS
from yuzui.dialects.openai_image_edits import FORM
from yuzui.dialects.openai_images import DIALECT
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_images import CODEC

PART = {"type": "input_image", "name": "image", "filename": "a.png", "media_type": "image/png", "data": b"\x89PNG"}
BY_TOKENS = Price(currency="USD", input_pico=5, output_pico=40, cached_input_pico=1, cache_write_pico=5, version="v")
USAGE = {"input_tokens": 10, "output_tokens": 544, "input_tokens_details": {"text_tokens": 10, "image_tokens": 0}}


def write(request: ChatRequest, price: Price | None = None) -> WireRequest:
    target = Target(
        name="t", provider="p", codec="openai", model="m-1", base_url="https://x.test/v1", premises="vendor",
        clearance=0, jurisdiction="", api_key="the-key", price=price,
    )  # fmt: skip
    return CODEC.write_request(request, target, output_cap=None)


def wire(price: Price | None = None, **more: Any) -> WireRequest:  # Any: JSON values
    return write(DIALECT.read_request({"prompt": "A river", **more}), price)


def test_a_form_is_written_anew() -> None:
    found = write(EDITS.read_request({"model": "auto", "prompt": "p", "n": "2", "input": [PART]}))
    assert (found.path, found.units) == ("/images/edits", Usage(images=2))
    assert read_form(found.body, found.headers["content-type"], FORM) == {
        "model": "m-1", "prompt": "p", "n": "2", "input": [PART]}  # fmt: skip


def test_nothing_is_translated() -> None:
    chat = ChatRequest(dialect="openai_chat", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        write(chat)


def test_pictures_are_counted_and_tokens_where_they_are_told() -> None:
    two: dict[str, Any] = {
        "data": [{"b64_json": "QUFB"}, {"url": "https://x.test/1", "revised_prompt": "A blue river"}]
    }  # Any: JSON
    found = CODEC.read_response(json.dumps(two | {"usage": USAGE}).encode(), wire(n=2))
    assert found.usage == Usage(input_tokens=10, output_tokens=544, images=2)
    assert found.texts == ("A blue river",)
    assert CODEC.read_response(json.dumps(two).encode(), wire(n=2)).usage == Usage(images=2)


def test_tokens_that_cost_money_and_are_not_told_are_unknown() -> None:
    asked = wire(BY_TOKENS)
    assert asked.units is None
    assert CODEC.read_response(b'{"data":[{"b64_json":"QUFB"}]}', asked).usage is None


def test_a_picture_that_failed_does_not_count_and_none_is_a_fault() -> None:
    """Ark: https://www.volcengine.com/docs/82379/1541523, 2026-11-26."""
    failed = {"error": {"code": "OutputImageSensitiveContentDetected", "message": "x", "type": "invalid_request_error"}}
    one = json.dumps({"data": [failed, {"url": "https://x.test/1"}]}).encode()
    assert CODEC.read_response(one, wire(n=2)).usage == Usage(images=1)
    with pytest.raises(UpstreamRefused):
        CODEC.read_response(json.dumps({"data": [failed]}).encode(), wire())


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"data":[]}', b'{"data":[{}]}', b'{"data":[{"b64_json":null}]}'])
def test_no_picture_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body, wire())


def event(kind: str, **more: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | more)}\n\n".encode()


DRAFT = event("image_generation.partial_image", b64_json="aa")
DONE = event("image_generation.completed", b64_json="bb", usage=USAGE)


def feed(asked: WireRequest, *pieces: bytes) -> list[StreamChunk]:
    whole = b"".join(pieces)
    results = []
    for size in (max(len(whole), 1), 1, 7):
        decoder = CODEC.decoder(asked)
        chunks = [chunk for at in range(0, len(whole), size) for chunk in decoder.feed(whole[at : at + size])]
        decoder.feed(b"")
        decoder.close()
        assert decoder.is_complete
        results.append(chunks)
    assert results[0] == results[1] == results[2]
    return results[0]


def test_a_stream_ends_with_its_last_picture() -> None:
    chunks = feed(wire(stream=True, n=2), DRAFT, DONE, event("x.heartbeat"), DONE)
    assert [chunk.has_content for chunk in chunks] == [True, True, False, True]
    assert [[delta.finish_reason for delta in chunk.deltas] for chunk in chunks] == [[], [None], [], ["stop"]]
    assert chunks[-1].usage == Usage(input_tokens=20, output_tokens=1088, images=2)


def test_edited_pictures_end_alike() -> None:
    chunks = feed(write(EDITS.read_request({"prompt": "p", "stream": "true", "input": [PART]})),
                  event("image_edit.partial_image", b64_json="a"), event("image_edit.completed", b64_json="b"))  # fmt: skip
    assert chunks[-1].usage == Usage(images=1)


def test_arks_pictures_come_before_the_counts() -> None:
    """https://www.volcengine.com/docs/82379/1541523, 2026-11-26."""
    picture = event("image_generation.partial_succeeded", url="https://x.test/1", image_index=0)
    end = event(
        "image_generation.completed", usage={"generated_images": 2, "output_tokens": 32000, "total_tokens": 32000}
    )
    chunks = feed(wire(stream=True), picture, picture, end, b"data: [DONE]\n\n")
    assert chunks[-1].usage == Usage(output_tokens=32000, images=2)
    assert [chunk.has_content for chunk in chunks] == [True, True, False]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", UpstreamInterrupted),
        (DRAFT, UpstreamInterrupted),
        (DONE, UpstreamInterrupted),  # one of two
        (DRAFT + b"data: [DONE]\n\n", UpstreamInterrupted),
        (event("image_generation.completed"), UpstreamInvalid),
        (b"data: {\n\n", UpstreamInvalid),
        (event("error", error={"message": "x", "type": "invalid_request_error"}), UpstreamRefused),
    ],
)
def test_anything_less_is_a_fault(data: bytes, fault: type[UpstreamFault]) -> None:
    with pytest.raises(fault):
        feed(wire(stream=True, n=2), data)


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    with pytest.raises(UpstreamFault):
        CODEC.read_response(body, wire())
    decoder = CODEC.decoder(wire(stream=True))
    with pytest.raises(UpstreamFault):
        decoder.feed(b"data: " + body + b"\n\n")
        decoder.close()
