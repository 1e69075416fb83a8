"""Sound on the lane: any bytes, their end, errors among them, and what it consumed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, StreamChunk
from yuzui.core.errors import UnsupportedFeature, UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.money import Price, cost_nano
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.dialects.openai_speech import DIALECT
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers.openai_speech import CODEC, SpeechWire

BY_TOKENS = Price(currency="USD", input_pico=600_000, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="v",
                  output_audio_pico=12_000_000)  # fmt: skip
BY_CHARACTERS = Price(currency="USD", input_pico=0, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="v",
                      character_pico=15_000_000)  # fmt: skip


def write(price: Price | None = None, quirks: Quirks = Quirks(), **more: Any) -> WireRequest:  # noqa: B008  # Any: JSON
    target = Target(
        name="t", provider="p", codec="openai", model="tts-1", base_url="https://x.test/v1", premises="vendor",
        clearance=0, jurisdiction="", api_key="the-key", price=price, quirks=quirks,
    )  # fmt: skip
    request = DIALECT.read_request({"model": "auto", "input": "Grüß dich.", "voice": "alloy", **more})
    return CODEC.write_request(request, target, output_cap=None)


def drain(decoder: Decoder, *pieces: bytes) -> tuple[bytes, list[StreamChunk]]:
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    decoder.feed(b"")
    decoder.close()
    assert decoder.is_complete
    return b"".join([chunk.raw for chunk in chunks]), chunks


def test_a_request_is_patched_and_its_characters_are_counted() -> None:
    wire = write(BY_CHARACTERS, instructions="Slowly.", vendor=[1])
    assert (wire.path, wire.is_stream, wire.is_lane, wire.headers["accept"]) == ("/audio/speech", True, True, "*/*")
    assert json.loads(wire.body) == {
        "model": "tts-1", "input": "Grüß dich.", "voice": "alloy", "instructions": "Slowly.", "vendor": [1]}  # fmt: skip
    assert wire.units == Usage(characters=10)
    assert cost_nano(BY_CHARACTERS, wire.units) == 150_000  # 15 USD per million characters


def test_what_is_charged_by_tokens_is_asked_for_in_events() -> None:
    wire = write(BY_TOKENS, response_format="wav")
    assert isinstance(wire, SpeechWire)
    assert (json.loads(wire.body)["stream_format"], wire.headers["accept"]) == ("sse", "text/event-stream")
    events = (
        b'data: {"type":"speech.audio.delta","audio":"UklG"}\n\ndata: {"type":"x.new"}\n\n'
        b'data: {"type":"speech.audio.delta","audio":"Rg=="}\n\n'
        b'data: {"type":"speech.audio.done","usage":{"input_tokens":4,"output_tokens":9,"total_tokens":13}}\n\n'
    )
    sound, chunks = drain(CODEC.decoder(wire), *[events[i : i + 1] for i in range(len(events))])
    assert sound == b"RIFF"
    assert chunks[-1].usage == Usage(input_tokens=4, output_tokens=9, output_audio_tokens=9, characters=10)
    assert CODEC.read_response(events, wire).raw == b"RIFF"


def test_events_go_on_as_they_are_for_who_asked_for_them() -> None:
    wire = write(BY_TOKENS, stream_format="sse")
    event = b'{"type":"speech.audio.delta","audio":"UklG"}'
    done = b'{"type":"speech.audio.done"}'
    sound, chunks = drain(CODEC.decoder(wire), b"data: " + event + b"\n\nevent: e\ndata: " + done + b"\n\n")
    assert sound == event + done
    assert [(chunk.has_content, chunk.event, chunk.usage) for chunk in chunks] == [(True, "", None), (False, "e", None)]


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_sound_is_handed_on_byte_for_byte(pieces: list[bytes]) -> None:
    pieces = [b"\xff\xfb", *pieces]
    assert drain(CODEC.decoder(write()), *pieces)[0] == b"".join(pieces)


@pytest.mark.parametrize("head", [b"{", b' {"er', b'{"text', b" " * 2000, b"\n\n\x00"])
def test_sound_that_looks_like_json_is_sound(head: bytes) -> None:
    data = head + b"\x00\x01"
    assert drain(CODEC.decoder(write()), *[data[i : i + 1] for i in range(len(data))])[0] == data


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_error_in_disguise_is_a_fault(size: int) -> None:
    body = b'\n{"error":{"message":"busy","code":"rate_limit_exceeded"}}'
    decoder = CODEC.decoder(write())
    assert [chunk for at in range(0, len(body), size) for chunk in decoder.feed(body[at : at + size])] == []
    with pytest.raises(UpstreamBusy):
        decoder.close()


@pytest.mark.parametrize("data", [b"", b'{"err', b'{"error" nothing', b'{"error"' + b"x" * 100_000])
def test_no_sound_is_no_answer(data: bytes) -> None:
    decoder = CODEC.decoder(write())
    assert decoder.feed(data) == []
    with pytest.raises(UpstreamInvalid):
        decoder.close()


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", UpstreamInterrupted),
        (b'data: {"type":"speech.audio.delta","audio":"UklG"}\n\n', UpstreamInterrupted),
        (b"data: [DONE]\n\n", UpstreamInterrupted),
        (b'data: {"type":"speech.audio.done"}\n\n', UpstreamInvalid),
        (b'data: {"type":"speech.audio.delta","audio":""}\n\ndata: {"type":"speech.audio.done"}\n\n', UpstreamInvalid),
        (b'data: {"type":"speech.audio.delta"}\n\n', UpstreamInvalid),
        (b'data: {"type":"speech.audio.delta","audio":"!"}\n\n', UpstreamInvalid),
        (b"data: {\n\n", UpstreamInvalid),
        (b'data: {"error":{"code":"429"}}\n\n', UpstreamBusy),
    ],
)
def test_broken_events_are_faults(data: bytes, fault: type[UpstreamFault]) -> None:
    decoder = CODEC.decoder(write(stream_format="sse"))
    with pytest.raises(fault):
        decoder.feed(data)
        decoder.feed(b"")
        decoder.close()


def test_sound_that_came_whole_is_counted() -> None:
    found = CODEC.read_response(b"ID3", write())
    assert (found.raw, found.usage) == (b"ID3", Usage(characters=10))


def test_nothing_is_translated() -> None:
    chat = ChatRequest(dialect="openai_chat", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    target = Target(name="t", provider="p", codec="openai", model="m", base_url="https://x.test", premises="own",
                    clearance=0, jurisdiction="")  # fmt: skip
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target, output_cap=None)
