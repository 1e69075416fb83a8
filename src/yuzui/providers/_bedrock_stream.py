"""Reads a ConverseStream: binary frames, of which each holds one JSON event or an exception.

Source: botocore==1.44.8, bedrock-runtime service model: ConverseStreamOutput (read 2026-11-26). `messageStop` ends the
answer and `metadata` with the counts follows it; bytes that stop before `messageStop` are a cut stream.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.eventstream import EventMessage, EventStreamReader
from yuzui.providers._bedrock_answer import (
    WireCitation,
    WirePerformance,
    WireTier,
    citation_of,
    finish_of,
    native_finish_of,
    price_terms_of,
    read_usage,
    stop_sequence_of,
)
from yuzui.providers._bedrock_faults import stream_fault
from yuzui.providers._reading import BAD, HoldingDecoder, reason_of

_KNOWN: Final = frozenset(
    ("messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
)


class StreamDecoder(HoldingDecoder):
    """One stream. A fault behind good events is raised on the next call: no cut of the bytes changes the chunks."""

    __slots__ = (
        "_answer_blocks",
        "_answer_tool",
        "_calls",
        "_has_stopped",
        "_ignored",
        "_made",
        "_model",
        "_reader",
    )

    def __init__(self, *, answer_tool: str, model: str) -> None:
        super().__init__()
        self._reader = EventStreamReader()
        self._answer_tool = answer_tool
        self._model = model
        self._calls: dict[int, _Call] = {}
        self._made = 0
        self._answer_blocks: set[int] = set()
        """Blocks of the tool whose arguments are the answer."""
        self._ignored: set[int] = set()
        """Blocks of the vendor's own tools."""
        self._has_stopped = False

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for message in self._reader.feed(data):
            self._read(message, chunks)
            if self._is_complete:
                break

    @override
    def read_end(self) -> None:
        is_whole = self._reader.close()
        if not (self._has_stopped and is_whole):
            super().read_end()
        self.end()  # a whole answer without its counts: the pipeline estimates them

    def _read(self, message: EventMessage, chunks: list[StreamChunk]) -> None:
        self.events += 1
        headers = message.headers
        kind = headers.get(":event-type", "")
        if headers.get(":message-type", "event") != "event":
            named = headers.get(":exception-type") or headers.get(":error-code", "")
            raise stream_fault(named, message.payload)
        if kind not in _KNOWN:
            return
        try:
            event = _event.decode(message.payload)
        except BAD as error:
            raise UpstreamInvalid(
                f"event {self.events} of the target's stream is broken: {reason_of(error)}"
            ) from error
        match kind:
            case "contentBlockDelta":
                self._add(event, chunks)
            case "contentBlockStart":
                self._open(event, chunks)
            case "contentBlockStop":
                self._close_block(event.contentBlockIndex, chunks)
            case "messageStop":
                self._stop(event, chunks)
            case "metadata":
                self._finish(event, chunks)

    def _add(self, event: _Event, chunks: list[StreamChunk]) -> None:
        delta = event.delta
        if delta is None or event.contentBlockIndex in self._ignored:
            return
        if delta.text is not None:
            if delta.text:
                chunks.append(self._say(Delta(text=delta.text)))
        elif delta.toolUse is not None:
            self._add_arguments(event.contentBlockIndex, delta.toolUse.input, chunks)
        elif delta.reasoningContent is not None:
            thought = delta.reasoningContent
            said = Delta(
                reasoning=thought.text or "",
                signature=thought.signature or "",
                redacted=thought.redactedContent or "",
            )
            if said.reasoning or said.signature or said.redacted:
                chunks.append(self._say(said))
        elif delta.citation is not None:
            chunks.append(self._say(Delta(citations=(citation_of(delta.citation),))))

    def _add_arguments(self, index: int, piece: str, chunks: list[StreamChunk]) -> None:
        if index in self._answer_blocks:
            if piece:
                chunks.append(self._say(Delta(text=piece)))
            return
        call = self._calls.get(index)
        if call is None:
            raise UpstreamInvalid(f"event {self.events} of the target's stream continues a tool call that never began")
        if piece:
            call.has_arguments = True
            chunks.append(self._say(Delta(tool_calls=(ToolCallDelta(position=call.position, arguments=piece),))))

    def _open(self, event: _Event, chunks: list[StreamChunk]) -> None:
        start, index = event.start, event.contentBlockIndex
        if start is None:
            return
        if start.toolResult is not None:
            self._ignored.add(index)
            return
        begun = start.toolUse
        if begun is None:
            return
        if begun.type == "server_tool_use":
            self._ignored.add(index)
            return
        if not (begun.toolUseId and begun.name):
            raise UpstreamInvalid(f"event {self.events} of the target's stream lacks the tool call's id or name")
        if begun.name == self._answer_tool:
            self._answer_blocks.add(index)
            return
        call = self._calls[index] = _Call(self._made)
        self._made += 1
        piece = ToolCallDelta(position=call.position, id=begun.toolUseId, name=begun.name)
        chunks.append(self._say(Delta(tool_calls=(piece,))))

    def _close_block(self, index: int, chunks: list[StreamChunk]) -> None:
        call = self._calls.pop(index, None)
        if call is not None and not call.has_arguments:
            piece = ToolCallDelta(position=call.position, arguments="{}")
            chunks.append(self._say(Delta(tool_calls=(piece,))))

    def _stop(self, event: _Event, chunks: list[StreamChunk]) -> None:
        if event.stopReason is None:
            raise UpstreamInvalid(f"event {self.events} of the target's stream (messageStop) lacks `stopReason`")
        finish = finish_of(event.stopReason, has_calls=self._made > 0, answer_tool=self._answer_tool)
        self._has_stopped = True
        delta = Delta(
            finish_reason=finish,
            stop_sequence=stop_sequence_of(event.additionalModelResponseFields),
            native_finish=native_finish_of(event.stopReason),
        )
        chunks.append(self._say(delta))

    def _finish(self, event: _Event, chunks: list[StreamChunk]) -> None:
        if not self._has_stopped:
            raise UpstreamInvalid("the target's stream tells its counts before its answer ended")
        self.end()
        usage = read_usage(event.usage)
        terms = price_terms_of(event.serviceTier, event.performanceConfig)
        if usage is not None or terms:
            chunks.append(StreamChunk(model=self._model, usage=usage, price_terms=terms))

    def _say(self, delta: Delta) -> StreamChunk:
        return StreamChunk(model=self._model, deltas=(delta,))


class _Call:
    """A tool call whose arguments still arrive."""

    __slots__ = ("has_arguments", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.has_arguments = False


# ---- wire structs; names as on the wire -----------------------------------------------------------------------------


class _Begun(Struct, frozen=True):
    toolUseId: str = ""
    name: str = ""
    type: str = ""


class _Start(Struct, frozen=True):
    toolUse: _Begun | None = None
    toolResult: _Begun | None = None


class _Input(Struct, frozen=True):
    input: str = ""


class _Thought(Struct, frozen=True):
    text: str | None = None
    signature: str | None = None
    redactedContent: str | None = None


class _Delta(Struct, frozen=True):
    text: str | None = None
    toolUse: _Input | None = None
    reasoningContent: _Thought | None = None
    citation: WireCitation | None = None


class _Event(Struct, frozen=True):
    """Any of the events: they share no field but the index of the block."""

    contentBlockIndex: int = 0
    delta: _Delta | None = None
    start: _Start | None = None
    stopReason: str | None = None
    additionalModelResponseFields: Raw = Raw()
    usage: Raw = Raw()
    serviceTier: WireTier | None = None
    performanceConfig: WirePerformance | None = None


_event = msgspec.json.Decoder(_Event)
