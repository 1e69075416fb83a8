"""Speech as OpenAI-compatible servers make it, for clients of the same dialect: sound as bytes, or in events.

Sources: openai==3.54.0, types/audio/speech_create_params.py; https://developers.openai.com/api/reference/resources/audio
(speech.audio.delta with `audio` in base64, speech.audio.done with `usage`); 2026-11-26.

Bytes tell no counts: what was read aloud is counted in characters, from the request. From a target that charges by
tokens the events are asked for instead, and the sound in them handed on.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BadBase64
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Blob
from yuzui.core.chat import ChatRequest, Delta, Dialect, Operation, StreamChunk
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._openai_lane import (
    EventDecoder,
    OperationCodec,
    fault_in,
    headers_of,
    patch,
    path_of,
    read_usage,
    require_lane,
)

_Kind = Literal["bytes", "events", "bytes_of_events"]
_MOST_ERROR_BYTES: Final = 64 * 1024
_MOST_BLANK_BYTES: Final = 1024  # white space in front of an error; raw samples may look like it
_ERROR: Final = b'{"error"'


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SpeechWire(WireRequest):
    kind: _Kind = "bytes"
    """What comes back; `bytes_of_events`: events, of which the client wants the sound."""


class OpenAISpeechCodec(OperationCodec):
    """`POST {base_url}/audio/speech`."""

    dialect: Dialect = "openai_speech"
    operation: Operation = "speech"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        require_lane(request, self.dialect)
        patched = patch(request, target)
        body = patched.body
        kind: _Kind = "events" if body.get("stream_format") == "sse" else "bytes"
        price = target.price
        if kind == "bytes" and price is not None and (price.output_pico or price.output_audio_pico):
            kind = "bytes_of_events"
            body["stream_format"] = "sse"
        return SpeechWire(
            path=path_of(target, "openai_speech", "/audio/speech"),
            headers=headers_of(target, accept="*/*" if kind == "bytes" else "text/event-stream"),
            body=strict_json.write(body),
            is_stream=True,
            dropped=tuple(patched.dropped),
            is_lane=True,
            model=target.model,
            units=Usage(characters=len(body["input"])),
            kind=kind,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Blob:
        """Sound that came whole; the pipeline relays it piece by piece."""
        decoder = self.decoder(wire)
        chunks = decoder.feed(body)
        decoder.close()
        usage = next((chunk.usage for chunk in chunks if chunk.usage is not None), wire.units if wire else None)
        is_plain = not isinstance(wire, SpeechWire) or wire.kind != "bytes_of_events"
        raw = body if is_plain else b"".join([chunk.raw for chunk in chunks])
        return Blob(usage=usage, raw=raw, raw_dialect=self.dialect)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        if not isinstance(wire, SpeechWire) or wire.kind == "bytes":
            return BytesDecoder()
        return SpeechDecoder(hands_on_bytes=wire.kind == "bytes_of_events", units=wire.units or Usage())


class BytesDecoder(Decoder):
    """Bytes of no known inside: they are complete when they end. An error that comes as JSON is told from sound."""

    __slots__ = ("_head", "_is_complete", "_is_error", "_size")

    def __init__(self) -> None:
        self._is_complete = False
        self._is_error: bool | None = None
        self._head = b""
        self._size = 0

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        if self._is_error is None:
            data = self._look_at(self._head + data)
        elif self._is_error:
            self._head += data[: _MOST_ERROR_BYTES - len(self._head)]
            return []
        self._size += len(data)
        return [StreamChunk(raw=data, has_content=True)] if data else []

    def _look_at(self, head: bytes) -> bytes:
        """The bytes to hand on; none while they may still turn out to be an error."""
        start = head[: _MOST_BLANK_BYTES + len(_ERROR)].lstrip()[: len(_ERROR)]
        if not _ERROR.startswith(start) or (not start and len(head) > _MOST_BLANK_BYTES):
            self._is_error = False
            self._head = b""
            return head
        self._head = head
        self._is_error = True if start == _ERROR else None
        return b""

    @property
    @override
    def is_complete(self) -> bool:
        return self._is_complete

    @override
    def close(self) -> None:
        if self._head or not self._size:
            raise fault_in(self._head) or UpstreamInvalid("the target sent no sound")
        self._is_complete = True


class SpeechDecoder(EventDecoder):
    """Events, as they are or for the sound in them."""

    __slots__ = ("_hands_on_bytes", "_has_sound", "_units")

    def __init__(self, *, hands_on_bytes: bool, units: Usage) -> None:
        super().__init__()
        self._hands_on_bytes = hands_on_bytes
        self._has_sound = False
        self._units = units

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk:
        found = self.decode(raw, _event)
        self.check_error(raw, found.error)
        kind = found.type or event
        if kind == "speech.audio.done":
            if not self._has_sound:
                raise UpstreamInvalid("the target sent no sound")
            self.end()
            told = read_usage(found.usage)
            usage = None if told is None else _of_sound(told, self._units)
            return StreamChunk(
                raw=b"" if self._hands_on_bytes else raw,
                event=event,
                deltas=(Delta(finish_reason="stop"),),
                usage=usage,
            )
        if kind == "speech.audio.delta":
            sound = self._sound(found.audio)
            self._has_sound |= bool(sound)
            return StreamChunk(raw=sound if self._hands_on_bytes else raw, event=event, has_content=True)
        return StreamChunk(raw=b"" if self._hands_on_bytes else raw, event=event)

    def _sound(self, audio: str | None) -> bytes:
        try:
            if audio is None:
                raise ValueError
            return b64decode(audio, validate=True)
        except (BadBase64, ValueError) as error:
            raise UpstreamInvalid(f"event {self.events} of the target's stream holds no sound") from error


def _of_sound(told: Usage, units: Usage) -> Usage:
    """All that is written here is sound."""
    return msgspec.structs.replace(told, output_audio_tokens=told.output_tokens, characters=units.characters)


class _Event(Struct):
    type: str | None = None
    audio: str | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: only whether it is there; `check_error` reads it


_event = msgspec.json.Decoder(_Event)

CODEC: Final = OpenAISpeechCodec()
