"""Writes a chat-completions stream so that a cut one can never look complete.

Every chunk that ends a choice waits, with all that follows it, until the pipeline has settled the request and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET
from typing_extensions import override

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.custom_tools import InputReader
from yuzui.core.errors import YuzuiError
from yuzui.core.usage import Usage
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._held import HeldTail, with_trailer
from yuzui.dialects.openai_chat_answer import (
    WireChunk,
    WireCustom,
    WireDelta,
    WireDetail,
    WireFunction,
    WireStreamChoice,
    WireToolCall,
    write_citations,
    write_details,
    write_origin,
    write_usage,
)

HEARTBEAT: Final = b": keep-alive\n\n"
DONE: Final = b"data: [DONE]\n\n"

_encoder = msgspec.json.Encoder()


def error_object(error: YuzuiError, request_id: str) -> dict[str, str | None]:
    """The `error` object of a body or a stream event."""
    return {
        "message": error.message,
        "type": error.kind,
        "param": error.param,
        "code": error.code,
        "request_id": request_id,
    }


class _Writer(StreamWriter):
    """What both lanes share: re-written chunks, the held tail, the end and the failure."""

    __slots__ = (
        "_at_s", "_custom", "_id", "_last", "_origin", "_readers", "_started", "_tail", "_thoughts", "_unsigned",
        "_usage", "_wants_usage",
    )  # fmt: skip

    def __init__(
        self,
        *,
        request_id: str,
        wants_usage: bool,
        origin: str = "",
        at_s: int = 0,
        custom: frozenset[str] = frozenset(),
    ) -> None:
        """`custom`: tools of the client that take free text; `at_s`: when the request came in."""
        self._at_s = at_s
        self._origin = origin
        self._custom = custom
        self._readers: dict[tuple[int, int], InputReader] = {}
        self._thoughts: dict[int, int] = {}  # choice → how many were ended
        self._unsigned: set[int] = set()  # choices whose thought has begun and was not signed yet
        self._id = request_id
        self._wants_usage = wants_usage
        self._tail = HeldTail()
        self._started: set[int] = set()
        self._last = StreamChunk(id=request_id)
        self._usage: Usage | None = None  # told by the hub in a chunk of its own, at the end

    def _rewrite(self, chunk: StreamChunk, usage: Usage | None) -> bytes:
        return _encoder.encode(
            WireChunk(
                id=chunk.id or self._id,
                created=chunk.created_s or self._at_s,
                model=chunk.model,
                choices=[self._choice(delta) for delta in chunk.deltas],
                usage=UNSET if usage is None else write_usage(usage),
            )
        )

    def _choice(self, delta: Delta) -> WireStreamChoice:
        is_first = delta.index not in self._started
        self._started.add(delta.index)
        return WireStreamChoice(
            index=delta.index,
            delta=WireDelta(
                role=delta.role or ("assistant" if is_first else UNSET),
                content=delta.text or UNSET,
                reasoning_content=delta.reasoning or UNSET,
                reasoning_details=self._details(delta) or UNSET,
                refusal=delta.refusal or UNSET,
                tool_calls=self._calls(delta) or UNSET,
                annotations=write_citations(delta.citations) or UNSET,
            ),
            finish_reason=delta.finish_reason,
        )

    def _details(self, delta: Delta) -> list[WireDetail]:
        """Each ends a thought, so each is an element of its own in the list that the client puts together."""
        if delta.reasoning and self._origin:
            self._unsigned.add(delta.index)
        if delta.signature or delta.redacted:
            details = write_details(delta, "", self._origin)
        elif delta.index in self._unsigned and _goes_on(delta):
            details = write_origin(self._origin)
        else:
            return []
        self._unsigned.discard(delta.index)
        for detail in details:
            detail.index = self._thoughts.get(delta.index, 0)
            self._thoughts[delta.index] = detail.index + 1
        return details

    def _calls(self, delta: Delta) -> list[WireToolCall]:
        if not self._custom:
            return [_tool_call(call) for call in delta.tool_calls]
        written = [self._call(delta.index, call) for call in delta.tool_calls]
        if delta.finish_reason is not None:
            for (index, position), reader in self._readers.items():
                if index == delta.index and (rest := reader.close()):
                    written.append(WireToolCall(index=position, type=UNSET, custom=WireCustom(input=rest)))
        return written

    def _call(self, index: int, call: ToolCallDelta) -> WireToolCall:
        """A function's arguments back into the free text that the client's own tool takes."""
        place = (index, call.position)
        if call.name in self._custom:
            self._readers[place] = InputReader()
        reader = self._readers.get(place)
        if reader is None and not call.is_custom:
            return _tool_call(call)
        text = call.arguments if reader is None or call.is_custom else reader.feed(call.arguments)
        return WireToolCall(
            index=call.position,
            id=call.id or UNSET,
            type="custom" if call.id else UNSET,
            custom=WireCustom(name=call.name or UNSET, input=text),
        )

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        held = [data for _, data in self._tail.take()]
        if not held:
            held = [self._rewrite(StreamChunk(id=self._id, model=self._last.model), None)]
        held[-1] = with_trailer(held[-1], trailer)
        return b"".join([b"data: %b\n\n" % data for data in held]) + DONE

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """openai-python raises `APIError` for an event whose JSON has a true `error`. Nothing held is sent."""
        self._tail.take()
        return b"data: %b\n\n" % _encoder.encode({"error": error_object(error, request_id)})

    @override
    def heartbeat(self) -> bytes:
        return HEARTBEAT


def _goes_on(delta: Delta) -> bool:
    """Whether something stands behind the thought that `delta` may still be of."""
    return bool(delta.text or delta.refusal or delta.tool_calls or delta.finish_reason is not None)


class LaneWriter(_Writer):
    """The upstream speaks our dialect: its chunks go on as they are."""

    __slots__ = ()

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        deltas = chunk.deltas
        if len(deltas) == 1 and deltas[0].finish_reason is None and chunk.raw and not self._tail.events:
            return b"data: %b\n\n" % chunk.raw  # nearly every chunk of nearly every stream
        if not deltas and chunk.usage is not None and not self._wants_usage:
            return b""  # we always ask the upstream for it; this client did not
        data = chunk.raw or self._rewrite(chunk, chunk.usage if self._wants_usage else None)
        if self._tail.must_hold(chunk):
            self._tail.hold(data)
            return b""
        return b"data: %b\n\n" % data


class HubWriter(_Writer):
    """The upstream speaks another dialect: its chunks are written anew."""

    __slots__ = ()

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        self._last = chunk
        if chunk.usage is not None:
            self._usage = chunk.usage  # counts only grow: the last ones are the whole
        if not chunk.deltas:
            return b""
        data = self._rewrite(chunk, None)
        if self._tail.must_hold(chunk):
            self._tail.hold(data)
            return b""
        return b"data: %b\n\n" % data

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        if self._wants_usage and self._usage is not None:
            last = self._last
            counts = StreamChunk(id=last.id, model=last.model, created_s=last.created_s)
            self._tail.events.append(("", self._rewrite(counts, self._usage)))
        return super().finish(trailer)


def _tool_call(call: ToolCallDelta) -> WireToolCall:
    return WireToolCall(
        index=call.position,
        id=call.id or UNSET,
        type="function" if call.id else UNSET,
        function=WireFunction(name=call.name or UNSET, arguments=call.arguments),
    )
