"""What the codecs of OpenAI's single operations share: a patched body, counts, errors, streams of named events."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, Operation, StreamChunk
from yuzui.core.errors import UnsupportedFeature, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.price_terms import PriceTerm
from yuzui.core.sse import SseReader
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers import openai_errors
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._reading import BAD, MOST_COUNTED, HoldingDecoder, reason_of
from yuzui.providers.openai import write_headers
from yuzui.providers.openai_errors import WireError, find_error, read_stream_error

Answered = TypeVar("Answered")

_TRANSLATED: Final[frozenset[Operation]] = frozenset(("embeddings", "rerank"))
"""Operations that more than one dialect says."""
_MOST_SECONDS: Final = 10**7  # of sound, in any answer


# ---- requests -------------------------------------------------------------------------------------------------------


@dataclass(slots=True, kw_only=True)
class Patched:
    """A body on its way out."""

    body: dict[str, Any]  # Any: checked JSON
    dropped: list[str] = field(default_factory=list)


def patch(request: ChatRequest, target: Target) -> Patched:
    """The client's own checked body for `target`; raise `UnsupportedFeature` for a client of another dialect's."""
    patched = Patched(body=dict(request.body))
    patched.body["model"] = target.model
    apply_quirks(patched, target)
    return patched


def apply_quirks(patched: Patched, target: Target) -> None:
    body = patched.body
    for name in sorted(target.quirks.drops & body.keys()):
        if body.pop(name) is not None:
            patched.dropped.append(name)
    for name, new_name in target.quirks.renames.items():
        if name in body:
            body[new_name] = body.pop(name)


def require_lane(request: ChatRequest, *dialects: str) -> None:
    """Raise `UnsupportedFeature` unless the client speaks one of `dialects`: there is nothing to translate from."""
    if request.dialect not in dialects:
        raise UnsupportedFeature(
            f"this target answers {request.operation} in OpenAI's dialect only; use its official path", param="model"
        )


def path_of(target: Target, codec: str, default: str) -> str:
    """`default`, or what the vendor's row says for `codec`; `{model}` stands for the model."""
    quirks = target.quirks
    path = quirks.paths.get(codec, default).replace("{model}", target.model)
    return f"{path}?{urlencode(quirks.query)}" if quirks.query else path


def headers_of(target: Target, *, accept: str, content_type: str = "application/json") -> dict[str, str]:
    """All headers that the target gets, built from nothing but the configuration; the operator's own come last."""
    return (
        write_headers(target, is_stream=False)
        | {"content-type": content_type, "accept": accept}
        | dict(target.quirks.headers)
    )


def json_request(patched: Patched, target: Target, path: str, *, is_stream: bool = False) -> WireRequest:
    """The usual lane: JSON out; JSON back, or events."""
    return WireRequest(
        path=path,
        headers=write_headers(target, is_stream=is_stream),
        body=strict_json.write(patched.body),
        is_stream=is_stream,
        dropped=tuple(patched.dropped),
        is_lane=True,
        model=target.model,
    )


# ---- answers --------------------------------------------------------------------------------------------------------


class OperationCodec(Codec):
    """What a codec of one operation does like all of them."""

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        if self.operation in _TRANSLATED:
            return super().sent_terms(request, target)
        return request.price_terms  # the others hand on what their clients wrote, under whatever path

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return NoStream()

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return openai_errors.read_error(status, headers, body, api_key=target.api_key)


class NoStream(Decoder):
    """For answers that come whole."""

    is_complete = False

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        if data.strip() and not data.startswith(b":"):
            raise UpstreamInvalid("the target streams an answer that comes whole")
        return []

    @override
    def close(self) -> None:
        raise UpstreamInterrupted("the target streams an answer that comes whole")


def decode(body: bytes, decoder: msgspec.json.Decoder[Answered], what: str) -> Answered:
    """`body`, typed; raise `UpstreamInvalid` when it is not `what`, an `UpstreamFault` for an error in disguise."""
    try:
        return decoder.decode(body)
    except BAD as error:
        raise fault_in(body) or UpstreamInvalid(f"the target's answer is not {what}: {reason_of(error)}") from error


def fault_in(body: bytes, where: str = "inside a 200 answer") -> UpstreamFault | None:
    error = find_error(body)
    return None if error is None else read_stream_error(error, where)


class EventDecoder(HoldingDecoder):
    """A stream of events. `read_event` tells what one is."""

    __slots__ = ("_reader",)

    def __init__(self) -> None:
        super().__init__()
        self._reader = SseReader()

    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        """None: of no interest. Call `end` for the last one. Raise an `UpstreamFault` for a broken or failing one."""
        raise NotImplementedError

    def read_done(self) -> None:
        """`[DONE]` came. Raise `UpstreamInterrupted` when the answer is not whole; here it never is without `end`."""
        raise UpstreamInterrupted("the target's stream ended before its answer did")

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for event, raw in self._reader.feed(data):
            self.events += 1
            chunk = self._read(event, raw)
            if chunk is not None:
                chunks.append(chunk)
            if self._is_complete:
                break

    def _read(self, event: str, raw: bytes) -> StreamChunk | None:
        if raw == b"[DONE]":
            self.read_done()
            self.end()
            return None
        if event == "error":
            raise read_stream_error(find_error(raw) or WireError(), f"event {self.events}")
        if b"\n" in raw:
            raw = raw.replace(b"\n", b" ")  # an event of several data lines: JSON has no line break but between tokens
        return self.read_event(event, raw)

    def decode(self, raw: bytes, decoder: msgspec.json.Decoder[Answered]) -> Answered:
        """An event's JSON, typed; raise `UpstreamInvalid` when it is broken."""
        try:
            return decoder.decode(raw)
        except BAD as error:
            raise fault_in(raw, f"event {self.events}") or UpstreamInvalid(
                f"event {self.events} of the target's stream is broken: {reason_of(error)}"
            ) from error

    def check_error(self, raw: bytes, error: object) -> None:
        """Raise what an event with a true `error` means."""
        if error:
            raise read_stream_error(find_error(raw) or WireError(), f"event {self.events}")


# ---- counts ---------------------------------------------------------------------------------------------------------


def read_usage(raw: Raw) -> Usage | None:
    """Counts in the canonical shape; None when there are none that can be read.

    OpenAI's operations count in three ways: `prompt_tokens`/`completion_tokens` (embeddings, completions, and most
    vendors' rerank), `input_tokens`/`output_tokens` (sound and pictures; `type` "tokens"), `seconds` (`type`
    "duration"). A lone `total_tokens` is all input: such operations write nothing.
    """
    data = bytes(raw)
    if not data or data == b"null":
        return None
    try:
        found = _usage.decode(data)
    except BAD:
        return None
    if found.seconds is not None:
        return seconds_heard(found.seconds)
    read = found.input_tokens if found.prompt_tokens is None else found.prompt_tokens
    wrote = found.output_tokens if found.completion_tokens is None else found.completion_tokens
    if read is None:
        read = None if found.total_tokens is None else found.total_tokens - (wrote or 0)
    if read is None or not (0 <= read <= MOST_COUNTED and 0 <= (wrote or 0) <= MOST_COUNTED):
        return None  # nonsense is estimated, not believed to be nothing
    details = found.prompt_tokens_details or found.input_tokens_details or found.input_token_details or _NO_DETAILS
    written = found.completion_tokens_details or found.output_tokens_details or _NO_DETAILS
    return Usage(
        input_tokens=read,
        cached_input_tokens=sane(details.cached_tokens),
        cache_write_tokens=sane(details.cache_write_tokens),
        input_audio_tokens=sane(details.audio_tokens),
        output_tokens=wrote or 0,
        reasoning_tokens=sane(written.reasoning_tokens),
        output_audio_tokens=sane(written.audio_tokens),
    )


def sane(value: float | None) -> int:
    """A count or a moment, a started one counts; nonsense is 0, as it is not worth an answer."""
    return math.ceil(value) if value is not None and 0 <= value <= MOST_COUNTED else 0


def seconds_heard(seconds: float, *, is_estimated: bool = False) -> Usage | None:
    """Sound listened to, in milliseconds, a started one counts; None for nonsense."""
    if not math.isfinite(seconds) or not 0 <= seconds <= _MOST_SECONDS:
        return None
    return Usage(audio_ms=math.ceil(round(seconds * 1000, 3)), is_estimated=is_estimated,
                 note="missing" if is_estimated else "")  # fmt: skip


class _Details(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class _WireUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None  # pictures
    input_token_details: _Details | None = None  # sound
    output_tokens_details: _Details | None = None
    seconds: float | None = None


_NO_DETAILS: Final = _Details()
_usage = msgspec.json.Decoder(_WireUsage, strict=False)  # some servers send numbers as strings
