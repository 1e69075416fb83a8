"""Transcriptions and translations as OpenAI-compatible servers give them, for clients of the same dialects.

Sources: openai==3.54.0, types/audio/transcription.py (tokens, or seconds), transcription_verbose.py (`duration`),
transcription_text_delta_event.py, transcription_text_done_event.py; vllm, entrypoints/openai/speech_to_text/protocol.py
(streams `transcription.chunk` like a chat, tells `duration` as a text); 2026-11-26.

Counts are exact wherever a server tells them. A plain `text` tells nothing: where it costs money, `json` is asked for
instead and its text handed on. Subtitles end when the recording does, about: that, and a length guessed from the size
of the file, are flagged as estimates.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core.answers import Blob
from yuzui.core.chat import ChatRequest, Delta, Dialect, Operation, StreamChunk
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._openai_form import FILES, write_form
from yuzui.providers._openai_lane import (
    EventDecoder,
    OperationCodec,
    decode,
    fault_in,
    headers_of,
    patch,
    path_of,
    read_usage,
    require_lane,
    seconds_heard,
)

PATHS: Final = {"openai_transcription": "/audio/transcriptions", "openai_translation": "/audio/translations"}
ASSUMED_BYTES_PER_S: Final = 8_000  # 64 kbit/s, as speech is often stored: only for servers that tell no length

_Kind = Literal["json", "text", "text_of_json", "subtitles"]
_JSON: Final = frozenset(("json", "text_of_json"))
_KINDS: Final[dict[str, _Kind]] = {"text": "text", "srt": "subtitles", "vtt": "subtitles"}
_CUE_END: Final = re.compile(r"-->\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{3})")
_MOST_WHOLE_BYTES: Final = 8 * 1024 * 1024
_MOST_TRIED_BYTES: Final = 8 * _MOST_WHOLE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TranscriptionWire(WireRequest):
    kind: _Kind = "json"
    """What the answer will be; `text_of_json`: JSON, of which the client wants the text."""
    guess: Usage | None = None
    """What to book where the server tells nothing at all."""


class OpenAITranscriptionCodec(OperationCodec):
    """`POST {base_url}/audio/transcriptions` and `/audio/translations`, by the client's dialect."""

    dialect: Dialect = "openai_transcription"
    operation: Operation = "transcription"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        require_lane(request, *PATHS)
        patched = patch(request, target)
        body = patched.body
        kind: _Kind = "json" if request.stream else _KINDS.get(body.get("response_format", ""), "json")
        if kind == "text" and target.price is not None and not target.price.is_free:
            kind = "text_of_json"
            body["response_format"] = "json"
        usage_field = target.parameters.get("stream_usage_field")  # vLLM: `stream_include_usage`
        if request.stream and usage_field:
            body.setdefault(usage_field, "true")
        content_type, data = write_form(body)
        accept = "text/event-stream" if request.stream else "application/json" if kind in _JSON else "*/*"
        return TranscriptionWire(
            path=path_of(target, request.dialect, PATHS[request.dialect]),
            headers=headers_of(target, accept=accept, content_type=content_type),
            body=data,
            is_stream=request.stream,
            dropped=tuple(patched.dropped),
            is_lane=True,
            model=target.model,
            kind=kind,
            guess=_guess(body),
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Blob:
        kind = wire.kind if isinstance(wire, TranscriptionWire) else "json"
        told: Usage | None = None
        if kind in _JSON:
            text, told = _read_json(body)
        else:
            text = _read_text(body)
            if kind == "subtitles":
                told = _read_subtitles(text)
        return Blob(
            usage=told or _guess_of(wire),
            raw=f"{text}\n".encode() if kind == "text_of_json" else body,
            raw_dialect=self.dialect,
            texts=(text,) if text else (),
        )

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return TranscriptionDecoder(_guess_of(wire))


class TranscriptionDecoder(EventDecoder):
    """OpenAI's events, vLLM's chunks; or the whole answer as JSON, which models that cannot stream give instead."""

    __slots__ = ("_ended", "_guess", "_has_text", "_is_whole", "_parts", "_size", "_tried")

    def __init__(self, guess: Usage | None) -> None:
        super().__init__()
        self._guess = guess
        self._is_whole: bool | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._tried = 0
        self._has_text = False
        self._ended = False

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        if self._is_whole is None:
            data = data.lstrip()  # no server sends white space first; it means nothing, in one piece with more or alone
            if not data:
                return []
            self._is_whole = data.startswith(b"{")
        return self._feed_whole(data) if self._is_whole else super().feed(data)

    def _feed_whole(self, data: bytes) -> list[StreamChunk]:
        if self.is_complete or not data:
            return []
        self._parts.append(data)
        self._size += len(data)
        if self._size > _MOST_WHOLE_BYTES:
            raise UpstreamInvalid(
                f"the target sent an answer larger than {_MOST_WHOLE_BYTES} bytes where a stream was due"
            )
        if b"}" not in data:
            return []
        body = b"".join(self._parts)
        self._parts = [body]
        self._tried += self._size
        if self._tried > _MOST_TRIED_BYTES:
            raise UpstreamInvalid("the target sent an answer in too many pieces where a stream was due")
        end = _end_of_object(body)
        if end == 0:
            return []
        body = body[:end]
        fields = decode(body, _fields, "a transcription")
        text, usage = _read_json(body)
        self.end()
        fields = {"type": Raw(b'"transcript.text.done"')} | fields
        deltas = (Delta(text=text, finish_reason="stop"),)
        return [StreamChunk(raw=_encoder.encode(fields), deltas=deltas, usage=usage or self._guess)]

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk:
        found = self.decode(raw, _event)
        self.check_error(raw, found.error)
        usage = read_usage(found.usage)
        if found.choices is not None:
            deltas = tuple([self._delta(choice) for choice in found.choices])
            if usage is None and deltas and self._ended:
                usage = self._guess  # replaced by the counts, if they still come
            return StreamChunk(raw=raw, deltas=deltas, usage=usage)
        kind = found.type or event
        if kind == "transcript.text.done":
            if found.text is None:
                raise UpstreamInvalid(f"event {self.events} of the target's stream has no `text`")
            self.end()
            text = "" if self._has_text else found.text
            deltas = (Delta(text=text, finish_reason="stop"),)
            return StreamChunk(raw=raw, event=event, deltas=deltas, usage=usage or self._guess)
        if kind == "transcript.text.delta":
            self._has_text = True
            return StreamChunk(raw=raw, event=event, deltas=(Delta(text=found.delta or ""),), usage=usage)
        # A segment, or what is not known here: it goes on as it is.
        return StreamChunk(raw=raw, event=event, usage=usage, has_content=kind == "transcript.text.segment")

    def _delta(self, choice: _Choice) -> Delta:
        text = choice.delta.content or "" if choice.delta is not None else ""
        if choice.finish_reason:
            self._ended = True
            return Delta(text=text, finish_reason="length" if choice.finish_reason == "length" else "stop")
        return Delta(text=text)

    @override
    def read_done(self) -> None:
        if not self._ended:
            super().read_done()

    @override
    def close(self) -> None:
        if self._is_whole and not self.is_complete:
            raise UpstreamInterrupted("the target's answer stopped before its end")
        super().close()


def _end_of_object(body: bytes) -> int:
    """Where the JSON object at the begin of `body` ends; 0: not yet. Only its frame is read, whatever the letters."""
    text = body.decode("latin-1")
    try:
        return _finder.raw_decode(text, len(text) - len(text.lstrip()))[1]
    except json.JSONDecodeError:
        return 0
    except (RecursionError, ValueError) as error:  # nested too deep, or a number of thousands of digits
        raise UpstreamInvalid("the target's answer is no transcription") from error


def _read_json(body: bytes) -> tuple[str, Usage | None]:
    found = decode(body, _answer, "a transcription")
    if found.error or found.text is None:
        raise fault_in(body) or UpstreamInvalid("the target's answer has no `text`")
    told = read_usage(found.usage)
    if told is None and found.duration is not None:
        told = _seconds(found.duration)
    return found.text, told


def _read_text(body: bytes) -> str:
    if body.lstrip().startswith(b'{"error"') and (fault := fault_in(body)) is not None:
        raise fault
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UpstreamInvalid("the target's answer is no text") from error


def _read_subtitles(text: str) -> Usage | None:
    """The end of the last cue; silence behind it was heard too, so this is an estimate."""
    ends = _CUE_END.findall(text)
    if not ends:
        return None
    hours, minutes, seconds, millis = (int(number or 0) for number in ends[-1])
    return seconds_heard(hours * 3600 + minutes * 60 + seconds + millis / 1000, is_estimated=True)


def _seconds(duration: float | str) -> Usage | None:
    try:
        return seconds_heard(float(duration))
    except ValueError:
        return None


def _guess_of(wire: WireRequest | None) -> Usage | None:
    return wire.guess if isinstance(wire, TranscriptionWire) else None


def _guess(body: dict[str, Any]) -> Usage:  # Any: texts, lists of them, parts
    size = sum(len(part["data"]) for part in body.get(FILES, ()))
    return Usage(audio_ms=max(1, size * 1000 // ASSUMED_BYTES_PER_S), is_estimated=True, note="missing")


class _Answer(Struct):
    text: str | None = None
    duration: float | str | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: only whether it is there; `fault_in` reads it


class _Said(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Said | None = None
    finish_reason: str | None = None


class _Event(Struct):
    type: str | None = None
    delta: str | None = None
    text: str | None = None
    choices: list[_Choice] | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: as above


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)
_fields = msgspec.json.Decoder(dict[str, Raw])
_finder = json.JSONDecoder()
_encoder = msgspec.json.Encoder()

CODEC: Final = OpenAITranscriptionCodec()
