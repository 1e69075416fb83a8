"""The speech dialect: a text in, sound out as it is made; or server-sent events that hold it.

Sources: openai==3.54.0, types/audio/speech_create_params.py; https://developers.openai.com/api/reference/resources/audio
(speech.audio.delta, speech.audio.done); media types: RFC 3003 (MP3), RFC 7845 (Opus comes in Ogg), RFC 9639 (FLAC);
2026-11-26.

Sound has no place for the receipt, and no words for an error: a broken answer is a broken line. The last piece is sent
when the request is settled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import BytesWriter, EventWriter, LaneDialect, lane_only, read_fields

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",  # not registered, but what servers and players say: 24 kHz, 16 bits, little-endian, mono
}
"""By `response_format`. A vendor's own format goes on as bytes of no known kind."""


class OpenAISpeech(LaneDialect):
    """`POST /v1/audio/speech`."""

    name: Dialect = "openai_speech"
    operation: Operation = "speech"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        wire = read_fields(body, _Request)
        check_name(wire.voice.id if isinstance(wire.voice, _Voice) else wire.voice or "", "voice")
        return ChatRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model, "model"),
            body=body,
            stream=True,  # sound is relayed while it is made
            read_meaning=lane_only("a text aloud"),
        )

    @override
    def answer_type(self, request: ChatRequest) -> str:
        if request.body.get("stream_format") == "sse":
            return super().answer_type(request)
        return MEDIA_TYPES.get(request.body.get("response_format") or "mp3", "application/octet-stream")

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return EventWriter() if request.body.get("stream_format") == "sse" else BytesWriter()


class _Voice(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=256)]


class _Request(Struct, kw_only=True):
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    input: Annotated[str, Meta(min_length=1)]
    voice: Annotated[str, Meta(max_length=256)] | _Voice | None = None  # servers with one voice need none
    instructions: str | None = None
    response_format: Annotated[str, Meta(max_length=64)] | None = None
    speed: Annotated[float, Meta(gt=0, le=100)] | None = None
    stream_format: Literal["audio", "sse"] | None = None


DIALECT: Final = OpenAISpeech()
