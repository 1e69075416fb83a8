"""Streams of the Messages API as chunks of core.chat; on the same-dialect lane each event goes along as it came.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming (read 2026-11-22).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from typing_extensions import override

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.core.sse import SseReader
from yuzui.core.usage import Usage
from yuzui.providers._anthropic_answer import (
    FINISH_REASONS,
    UNKNOWN_FINISH,
    StopDetails,
    WireBlock,
    WireCitation,
    native_finish,
    read_citations,
    refusal_of,
    write_input,
)
from yuzui.providers._anthropic_faults import WireError, stream_fault
from yuzui.providers._anthropic_usage import UsageReader, WireUsage
from yuzui.providers._reading import BAD, HoldingDecoder

_T = TypeVar("_T")


class _Message(msgspec.Struct, frozen=True):
    id: str = ""
    model: str = ""
    usage: WireUsage | None = None


class _Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    citation: WireCitation | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    index: int = -1
    delta: _Delta | None = None
    content_block: WireBlock | None = None
    message: _Message | None = None
    usage: WireUsage | None = None
    error: WireError | None = None


class _Kind(msgspec.Struct, frozen=True):
    type: str


_KNOWN_EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "error",
    }
)
_TOLD = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
"""Blocks that deltas tell; others are content that only the lane hands on."""
_read_event = msgspec.json.Decoder(_Event).decode
_read_kind = msgspec.json.Decoder(_Kind).decode


class StreamDecoder(HoldingDecoder):
    """One stream of server-sent events."""

    __slots__ = (
        "_answer", "_answer_tool", "_calls", "_counts", "_has_finished", "_has_told_input", "_id", "_is_lane",
        "_length", "_model", "_open", "_reader", "_spare", "_texts",
    )  # fmt: skip

    def __init__(self, *, is_lane: bool = False, answer_tool: str = "") -> None:
        """`answer_tool`: the tool whose input is the answer's text."""
        super().__init__()
        self._is_lane = is_lane
        self._answer_tool = answer_tool
        self._answer = False
        self._spare: list[str] = []  # what was said beside an answer by tool: needed only if none comes
        self._reader = SseReader()
        self._id = ""
        self._model = ""
        self._counts = UsageReader()
        self._has_told_input = False
        self._calls = 0
        self._open: dict[int, _Call] = {}
        self._texts: dict[int, _Text] = {}
        self._length = 0  # of all text so far
        self._has_finished = False

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for name, payload in self._reader.feed(data):
            chunk = self._read(name, payload)
            if chunk is not None:
                chunks.append(chunk)
            if self._is_complete:
                break

    @override
    def read_end(self) -> None:
        raise UpstreamInterrupted("the target's stream stopped before its end (no `message_stop`)")

    def _read(self, name: str, payload: bytes) -> StreamChunk | None:
        number = self.events
        self.events += 1
        try:
            event = _read_event(payload)
        except BAD as error:
            if _is_known(name, payload):
                raise UpstreamInvalid(f"event {number} of the target's stream is broken: {error}") from error
            return self._pass_on(payload)
        try:
            delta = self._take(event)
        except _Missing as error:
            raise UpstreamInvalid(f"event {number} of the target's stream ({event.type}) lacks {error}") from error
        if self._is_lane:
            return self._lane_chunk(event, delta, payload)
        if delta is None:
            return None
        usage = self._usage_to_tell(delta)
        return StreamChunk(
            id=self._id,
            model=self._model,
            deltas=(delta,),
            usage=usage,
            price_terms=self._counts.price_terms if usage is not None else (),
        )

    def _lane_chunk(self, event: _Event, delta: Delta | None, payload: bytes) -> StreamChunk:
        if b"\n" in payload:
            payload = payload.replace(b"\n", b" ")  # JSON holds a line break between its tokens only
        block = event.content_block
        usage = self._usage_to_tell(delta) if delta is not None else None
        return StreamChunk(
            id=self._id,
            model=self._model,
            deltas=(delta,) if delta is not None else (),
            usage=usage,
            price_terms=self._counts.price_terms if usage is not None else (),
            raw=payload,
            event=event.type,
            has_content=block is not None and block.type not in _TOLD,
        )

    def _pass_on(self, payload: bytes) -> StreamChunk | None:
        """An event of a kind that we do not know, whose fields are not what those of other kinds are."""
        if not self._is_lane:
            return None
        try:
            kind = _read_kind(payload).type
        except BAD:
            return None  # the official clients would fail at what is no JSON
        return StreamChunk(id=self._id, model=self._model, raw=payload.replace(b"\n", b" "), event=kind)

    def _usage_to_tell(self, delta: Delta) -> Usage | None:
        """With the first words what was read (a client may hang up before the end), with the last ones everything."""
        if delta.finish_reason is None and self._has_told_input:
            return None
        self._has_told_input = True
        return self._counts.usage

    def _take(self, event: _Event) -> Delta | None:
        match event.type:
            case "content_block_delta":
                return self._add_delta(event)
            case "content_block_start":
                return self._open_block(event)
            case "content_block_stop":
                return self._close_block(event.index)
            case "message_start":
                message = _need(event.message, "message")
                self._id, self._model = message.id, message.model
                self._counts.read(message.usage)
                # Nothing is said yet: an error that follows at once can still be answered by another target.
            case "message_delta":
                return self._end_answer(event)
            case "message_stop":
                if not self._has_finished:
                    raise _Missing("a `stop_reason` before it")
                self.end()
            case "error":
                raise stream_fault(_need(event.error, "error"))
        return None

    def _add_delta(self, event: _Event) -> Delta | None:
        delta = _need(event.delta, "delta")
        match delta.type:
            case "text_delta":
                return self._say_text(delta.text)
            case "thinking_delta":
                return Delta(reasoning=delta.thinking)
            case "signature_delta":
                return Delta(signature=delta.signature)
            case "input_json_delta":
                call = self._open.get(event.index)
                if call is not None and delta.partial_json:  # blocks of server-side tools are not ours to tell
                    call.has_arguments = True
                    return call.say(delta.partial_json)
            case "citations_delta" if not self._is_lane:
                text = self._texts.get(event.index)
                if text is not None and delta.citation is not None:
                    text.citations.append(delta.citation)
        return None

    def _say_text(self, text: str) -> Delta | None:
        if self._answer_tool:
            self._spare.append(text)
            return None
        self._length += len(text)
        return Delta(text=text)

    def _open_block(self, event: _Event) -> Delta | None:
        block = _need(event.content_block, "content_block")
        match block.type:
            case "text":
                self._texts[event.index] = _Text(self._length, list(block.citations or ()))
                if block.text:
                    return self._say_text(block.text)
            case "thinking":
                if block.thinking or block.signature:
                    return Delta(reasoning=block.thinking, signature=block.signature)
            case "redacted_thinking":
                return Delta(redacted=block.data)
            case "tool_use":
                return self._open_call(event.index, block)
        return None

    def _open_call(self, index: int, block: WireBlock) -> Delta | None:
        if not (block.id and block.name):
            raise _Missing("the tool call's id or name")
        if block.name == self._answer_tool:
            self._answer = True
            self._open[index] = _Call(-1, write_input(block.input))
            return None
        call = self._open[index] = _Call(self._calls, write_input(block.input))
        self._calls += 1
        return Delta(tool_calls=(ToolCallDelta(position=call.position, id=block.id, name=block.name),))

    def _close_block(self, index: int) -> Delta | None:
        call = self._open.pop(index, None)
        if call is not None and not call.has_arguments:
            return call.say(call.arguments)
        text = self._texts.pop(index, None)
        if text is None or not text.citations:
            return None
        citations = read_citations(text.citations, text.start, self._length)
        return Delta(citations=citations) if citations else None

    def _end_answer(self, event: _Event) -> Delta | None:
        delta = _need(event.delta, "delta")
        self._counts.read(event.usage)
        reason = delta.stop_reason
        if reason is None:
            return None
        self._has_finished = True
        finish = FINISH_REASONS.get(reason, UNKNOWN_FINISH)
        if self._answer and not self._calls and finish == "tool_calls":
            finish = "stop"
        return Delta(
            text="" if self._answer else "".join(self._spare),
            finish_reason=finish,
            refusal=refusal_of(reason, delta.stop_details),
            stop_sequence=delta.stop_sequence or "",
            native_finish=native_finish(reason),
        )


class _Text:
    """A block of text that is being written, and what it cites."""

    __slots__ = ("citations", "start")

    def __init__(self, start: int, citations: list[WireCitation]) -> None:
        self.start = start
        self.citations = citations


class _Call:
    """A tool call whose arguments still arrive. `arguments` is what its start said: a call may have no delta at all.

    At `position` -1 it is the answer itself, and its arguments are text.
    """

    __slots__ = ("arguments", "has_arguments", "position")

    def __init__(self, position: int, arguments: str) -> None:
        self.position = position
        self.arguments = arguments
        self.has_arguments = False

    def say(self, arguments: str) -> Delta:
        if self.position < 0:
            return Delta(text=arguments)
        return Delta(tool_calls=(ToolCallDelta(position=self.position, arguments=arguments),))


class _Missing(Exception):
    """A known event lacks what it must carry."""


def _need(value: _T | None, name: str) -> _T:
    if value is None:
        raise _Missing(f"`{name}`")
    return value


def _is_known(name: str, payload: bytes) -> bool:
    """Whether a payload that does not fit is a broken event of a known kind; unknown kinds may look like anything."""
    try:
        return _read_kind(payload).type in _KNOWN_EVENTS
    except BAD:
        return not name or name in _KNOWN_EVENTS
