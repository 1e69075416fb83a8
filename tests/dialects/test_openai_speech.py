"""Speech asked for, and heard by the official client while it is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from yuzui.core.answers import Blob
from yuzui.core.chat import AnswerFacts, ChatRequest, Delta, StreamChunk
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInterrupted
from yuzui.dialects.openai_speech import DIALECT

FACTS = AnswerFacts(request_id="req-1", is_lane=True)


def read(**more: Any) -> ChatRequest:  # Any: JSON values
    return DIALECT.read_request({"model": "auto", "input": "Hello.", "voice": "alloy", **more})


def test_sound_is_always_relayed() -> None:
    request = read(voice={"id": "voice_1"}, instructions="Slowly.", speed=1)
    assert (request.stream, request.operation, request.features) == (True, "speech", frozenset())
    with pytest.raises(UnsupportedFeature):
        request.meaning  # noqa: B018  # asking for it is the test


@pytest.mark.parametrize(
    ("more", "param"),
    [({"input": ""}, "input"), ({"input": ["a"]}, "input"), ({"voice": {"id": ""}}, "voice.id"), ({"speed": 0}, "speed"),
     ({"stream_format": "ws"}, "stream_format"), ({"voice": "a\nb"}, "voice"), ({"model": None}, "model"), ({"Input": "x"}, "Input")],
)  # fmt: skip
def test_a_wrong_field_is_named(more: dict[str, Any], param: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        read(**more)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("more", "media_type"),
    [({}, "audio/mpeg"), ({"response_format": None}, "audio/mpeg"), ({"response_format": "opus"}, "audio/ogg"),
     ({"response_format": "wav", "stream_format": "audio"}, "audio/wav"), ({"response_format": "mulaw"}, "application/octet-stream"),
     ({"response_format": "wav", "stream_format": "sse"}, "text/event-stream; charset=utf-8")],
)  # fmt: skip
def test_the_answers_type_follows_what_was_asked(more: dict[str, Any], media_type: str) -> None:  # Any: JSON values
    assert DIALECT.answer_type(read(**more)) == media_type


def test_the_official_client_hears_it(client_that_gets: Callable[[int, bytes, str], openai.OpenAI]) -> None:
    writer = DIALECT.stream_writer(read(), FACTS)
    pieces = [writer.write(StreamChunk(raw=raw, has_content=True)) for raw in (b"ID3", b"\x00\x01", b"\xff")]
    assert pieces == [b"", b"ID3", b"\x00\x01"]
    body = b"".join(pieces) + writer.finish({"request_id": "req-1"})
    client = client_that_gets(200, body, DIALECT.answer_type(read()))
    with client.audio.speech.with_streaming_response.create(model="m", input="Hello.", voice="alloy") as heard:
        assert b"".join(heard.iter_bytes()) == b"ID3\x00\x01\xff"
        assert heard.headers["content-type"] == "audio/mpeg"


def test_sound_cannot_tell_of_a_failure_but_events_can() -> None:
    assert DIALECT.stream_writer(read(), FACTS).fail(UpstreamInterrupted("gone"), "req-1") == b""
    told = DIALECT.stream_writer(read(stream_format="sse"), FACTS).fail(UpstreamInterrupted("gone"), "req-1")
    assert json.loads(told.removeprefix(b"data: "))["error"]["message"] == "gone"


def test_events_wait_for_their_end() -> None:
    writer = DIALECT.stream_writer(read(stream_format="sse"), FACTS)
    delta = StreamChunk(raw=b'{"type":"speech.audio.delta","audio":"QUFB"}', has_content=True)
    assert writer.write(delta) == b'data: {"type":"speech.audio.delta","audio":"QUFB"}\n\n'
    assert writer.write(StreamChunk(raw=b'{"type":"speech.audio.done"}', deltas=(Delta(finish_reason="stop"),))) == b""
    assert writer.finish({"x": 1}) == b'data: {"type":"speech.audio.done","yuzui":{"x":1}}\n\ndata: [DONE]\n\n'


def test_a_whole_answer_goes_on() -> None:
    assert DIALECT.write_response(Blob(usage=None, raw=b"ID3", raw_dialect=None), read(), FACTS) == b"ID3"
