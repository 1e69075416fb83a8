"""Pictures as OpenAI-compatible servers make and change them, for clients of the same dialects.

Sources: openai==3.54.0, types/images_response.py, image_gen_completed_event.py, image_edit_completed_event.py;
https://www.volcengine.com/docs/82379/1541523 (Ark: `usage.generated_images`, `image_generation.partial_succeeded`,
errors beside pictures); 2026-11-26.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Blob
from yuzui.core.chat import ChatRequest, Delta, Dialect, Operation, StreamChunk
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._openai_form import write_form
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
)

PATHS: Final = {"openai_images": "/images/generations", "openai_image_edits": "/images/edits"}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ImagesWire(WireRequest):
    count: int = 1
    """Pictures asked for."""
    is_charged_by_tokens: bool = False


class OpenAIImagesCodec(OperationCodec):
    """`POST {base_url}/images/generations` and `/images/edits`, by the client's dialect."""

    dialect: Dialect = "openai_images"
    operation: Operation = "images"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        require_lane(request, *PATHS)
        patched = patch(request, target)
        if request.dialect == "openai_images":
            content_type, data = "application/json", strict_json.write(patched.body)
        else:
            content_type, data = write_form(patched.body)
        price = target.price
        by_tokens = price is not None and bool(price.input_pico or price.output_pico)
        accept = "text/event-stream" if request.stream else "application/json"
        return ImagesWire(
            path=path_of(target, request.dialect, PATHS[request.dialect]),
            headers=headers_of(target, accept=accept, content_type=content_type),
            body=data,
            is_stream=request.stream,
            dropped=tuple(patched.dropped),
            is_lane=True,
            model=target.model,
            # Tokens that nobody told are estimated and flagged, not replaced by a number of pictures.
            units=None if by_tokens else Usage(images=request.n),
            count=request.n,
            is_charged_by_tokens=by_tokens,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Blob:
        found = decode(body, _answer, "a list of pictures")
        pictures = [item for item in found.data or () if _is_there(item.b64_json) or _is_there(item.url)]
        if found.error or not pictures:
            raise fault_in(body) or _first_error(found) or UpstreamInvalid("the target's answer holds no picture")
        return Blob(
            usage=_usage(found.usage, len(pictures), wire),
            raw=body,
            raw_dialect=self.dialect,
            texts=tuple([item.revised_prompt for item in pictures if item.revised_prompt]),
        )

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return ImagesDecoder(wire)


class ImagesDecoder(EventDecoder):
    """Drafts and pictures; the stream is complete with as many pictures as were asked for, or one `[DONE]` later."""

    __slots__ = ("_count", "_drawn", "_made", "_usage", "_wire")

    def __init__(self, wire: WireRequest | None) -> None:
        super().__init__()
        self._wire = wire
        self._count = wire.count if isinstance(wire, ImagesWire) else 1
        self._made = 0
        self._drawn = 0
        self._usage = Usage()

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk:
        found = self.decode(raw, _event)
        self.check_error(raw, found.error)
        kind = (found.type or event).rpartition(".")[2]
        if kind == "completed":
            return self._completed(event, raw, found)
        if kind == "partial_succeeded":  # Ark: a whole picture; its `completed` only tells the counts
            self._drawn += 1
        return StreamChunk(raw=raw, event=event, has_content=kind in ("partial_image", "partial_succeeded"))

    def _completed(self, event: str, raw: bytes, found: _Event) -> StreamChunk:
        has_picture = _is_there(found.b64_json) or _is_there(found.url)
        if not has_picture and not self._drawn:
            raise UpstreamInvalid(f"event {self.events} of the target's stream holds no picture")
        self._made += 1
        told = _usage(found.usage, 1 if has_picture else self._drawn, self._wire)
        if told is not None:
            self._usage = _sum(self._usage, told)
        index = self._made - 1
        is_last = self._made >= self._count or not has_picture
        if is_last:
            self.end()
        delta = Delta(index=index, finish_reason="stop" if is_last else None)
        usage = self._usage if self._usage != Usage() else None
        return StreamChunk(raw=raw, event=event, deltas=(delta,), usage=usage, has_content=has_picture)

    @override
    def read_done(self) -> None:
        raise UpstreamInterrupted(f"the target sent {self._made} pictures of {self._count}")


def _usage(raw: Raw, pictures: int, wire: WireRequest | None) -> Usage | None:
    """Pictures are counted always, tokens where they are told; without them, what is charged by tokens is unknown."""
    told = read_usage(raw)
    if told is not None:
        return msgspec.structs.replace(told, images=pictures)
    return None if isinstance(wire, ImagesWire) and wire.is_charged_by_tokens else Usage(images=pictures)


def _sum(one: Usage, other: Usage) -> Usage:
    """Each picture of a stream tells what it alone consumed."""
    return Usage(
        input_tokens=one.input_tokens + other.input_tokens,
        cached_input_tokens=one.cached_input_tokens + other.cached_input_tokens,
        output_tokens=one.output_tokens + other.output_tokens,
        images=one.images + other.images,
    )


def _first_error(found: _Answer) -> UpstreamFault | None:
    """Ark tells of pictures that failed one by one."""
    for item in found.data or ():
        if item.error:
            return fault_in(msgspec.json.encode({"error": item.error}))
    return None


def _is_there(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:4]) not in (b"", b"null")


class _Picture(Struct):
    b64_json: Raw = Raw()
    url: Raw = Raw()
    revised_prompt: str | None = None
    error: Any = None  # Any: `fault_in` reads it


class _Answer(Struct):
    data: list[_Picture] | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: only whether it is there; `fault_in` reads it


class _Event(Struct):
    type: str | None = None
    b64_json: Raw = Raw()
    url: Raw = Raw()
    usage: Raw = Raw()
    error: Any = None  # Any: as above


_answer = msgspec.json.Decoder(_Answer)
_event = msgspec.json.Decoder(_Event)

CODEC: Final = OpenAIImagesCodec()
