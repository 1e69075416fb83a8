"""Answers of the Messages API, whole and streamed, as core.chat.

Sources (read 2026-11-22): https://platform.claude.com/docs/en/api/messages,
https://platform.claude.com/docs/en/build-with-claude/streaming,
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Delta,
    FinishReason,
    Part,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
)
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.sse import SseReader
from yuzui.core.usage import Usage
from yuzui.providers._anthropic_faults import WireError, stream_fault

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
UNKNOWN_FINISH: FinishReason = "length"  # pause_turn and reasons to come: the answer may be incomplete, so never "stop"


_T = TypeVar("_T")
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _StopDetails(msgspec.Struct, frozen=True):
    category: str | None = None
    explanation: str | None = None


class _OutputDetails(msgspec.Struct, frozen=True):
    thinking_tokens: int | None = None


class _Usage(msgspec.Struct, frozen=True):
    """Cumulative; `input_tokens` leaves out what was read from or written to the cache."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    output_tokens_details: _OutputDetails | None = None


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")


class _Message(msgspec.Struct, frozen=True):
    id: str = ""
    type: str = "message"
    model: str = ""
    content: tuple[_Block, ...] = ()
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage | None = None


class _Answer(msgspec.Struct, frozen=True):
    """A whole body: `_Message` with the fields that a whole one must have, or an error that came with status 200."""

    type: str
    id: str = ""
    model: str = ""
    content: tuple[_Block, ...] | None = None
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage | None = None
    error: WireError | None = None


class _Delta(msgspec.Struct, frozen=True):
    type: str = ""
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None


class _Event(msgspec.Struct, frozen=True):
    type: str
    index: int = -1
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: _Usage | None = None
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
_read_answer = msgspec.json.Decoder(_Answer).decode
_read_event = msgspec.json.Decoder(_Event).decode
_read_kind = msgspec.json.Decoder(_Kind).decode


def read_answer(body: bytes) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer, the vendor's fault when it is an error."""
    try:
        answer = _read_answer(body)
    except _UNREADABLE as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {error}") from error
    if answer.error is not None:
        raise stream_fault(answer.error)
    if answer.type != "message" or answer.content is None or answer.stop_reason is None:
        raise UpstreamInvalid("the target's answer is not a finished message: `content` or `stop_reason` is missing")
    choice = Choice(
        index=0,
        parts=tuple(part for block in answer.content if (part := _read_block(block)) is not None),
        finish_reason=FINISH_REASONS.get(answer.stop_reason, UNKNOWN_FINISH),
        refusal=_refusal(answer.stop_reason, answer.stop_details),
    )
    usage = _read_usage(answer.usage, None)
    return ChatResponse(id=answer.id, model=answer.model, created_s=0, choices=(choice,), usage=usage)


def _read_block(block: _Block) -> Part | None:
    match block.type:
        case "text":
            return TextPart(text=block.text)
        case "thinking":
            return ReasoningPart(text=block.thinking, signature=block.signature)
        case "redacted_thinking":
            return ReasoningPart(text="", redacted=block.data)
        case "tool_use":
            if not (block.id and block.name):
                raise UpstreamInvalid("the target's answer holds a tool call without id or name")
            return ToolCallPart(id=block.id, name=block.name, arguments=_write_input(block.input))
    return None  # blocks of server-side tools, which we never ask for, and kinds to come


def _write_input(value: msgspec.Raw) -> str:
    """The call's arguments as the vendor wrote them: an object, checked because `Raw` is only skipped over."""
    data = bytes(value).strip()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UpstreamInvalid("the target's answer holds a tool call whose input is not UTF-8") from error
    if not data.startswith(b"{"):
        raise UpstreamInvalid("the target's answer holds a tool call whose input is not an object")
    return text


def _refusal(stop_reason: str, details: _StopDetails | None) -> str:
    if stop_reason != "refusal":
        return ""
    if details is not None and details.explanation:
        return details.explanation
    category = f" (category: {details.category})" if details is not None and details.category else ""
    return f"The model declined to answer{category}."


def _read_usage(usage: _Usage | None, before: Usage | None) -> Usage | None:
    """`usage`, whose absent counts stand as they did `before`. Bounds are not checked here, see `core.usage`."""
    if usage is None:
        return before
    known = before or Usage()
    cached = _or(usage.cache_read_input_tokens, known.cached_input_tokens)
    written = _or(usage.cache_creation_input_tokens, known.cache_write_tokens)
    uncached = _or(usage.input_tokens, known.input_tokens - known.cached_input_tokens - known.cache_write_tokens)
    details = usage.output_tokens_details
    return Usage(
        input_tokens=uncached + cached + written,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        output_tokens=_or(usage.output_tokens, known.output_tokens),
        reasoning_tokens=_or(details.thinking_tokens if details else None, known.reasoning_tokens),
    )


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


class StreamDecoder:
    """One stream of server-sent events. A fault behind good events is raised on the next call."""

    __slots__ = (
        "_calls",
        "_count",
        "_fault",
        "_has_finished",
        "_id",
        "_is_complete",
        "_model",
        "_open",
        "_reader",
        "_usage",
    )

    def __init__(self) -> None:
        self._reader = SseReader()
        self._count = 0
        self._id = ""
        self._model = ""
        self._usage: Usage | None = None
        self._calls = 0
        self._open: dict[int, _Call] = {}
        self._has_finished = False
        self._is_complete = False
        self._fault: UpstreamFault | None = None

    @property
    def is_complete(self) -> bool:
        return self._is_complete

    def feed(self, data: bytes) -> list[StreamChunk]:
        self._raise_fault()
        chunks: list[StreamChunk] = []
        try:
            for name, payload in self._reader.feed(data):
                self._read(name, payload, chunks)
        except UpstreamFault as fault:
            self._fault = fault
            if not chunks:
                raise
        return chunks

    def close(self) -> None:
        self._raise_fault()
        if not self._is_complete:
            raise UpstreamInterrupted("the target's stream stopped before its end (no `message_stop`)")

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _read(self, name: str, payload: bytes, chunks: list[StreamChunk]) -> None:
        number = self._count
        self._count += 1
        if self._is_complete:
            return  # nothing behind the terminator belongs to the answer
        try:
            event = _read_event(payload)
        except _UNREADABLE as error:
            if _is_known(name, payload):
                raise UpstreamInvalid(f"event {number} of the target's stream is broken: {error}") from error
            return
        try:
            self._take(event, chunks)
        except _Missing as error:
            raise UpstreamInvalid(f"event {number} of the target's stream ({event.type}) lacks {error}") from error

    def _take(self, event: _Event, chunks: list[StreamChunk]) -> None:
        match event.type:
            case "content_block_delta":
                self._add_delta(event, chunks)
            case "content_block_start":
                self._open_block(event, chunks)
            case "content_block_stop":
                call = self._open.pop(event.index, None)
                if call is not None and not call.has_arguments:
                    chunks.append(
                        self._say(Delta(tool_calls=(ToolCallDelta(position=call.position, arguments=call.arguments),)))
                    )
            case "message_start":
                message = _need(event.message, "message")
                self._id, self._model = message.id, message.model
                self._usage = _read_usage(message.usage, None)
                # Nothing is said yet: an error that follows at once can still be answered by another target.
            case "message_delta":
                self._end(event, chunks)
            case "message_stop":
                if not self._has_finished:
                    raise _Missing("a `stop_reason` before it")
                self._is_complete = True
            case "error":
                raise stream_fault(_need(event.error, "error"))

    def _add_delta(self, event: _Event, chunks: list[StreamChunk]) -> None:
        delta = _need(event.delta, "delta")
        match delta.type:
            case "text_delta":
                chunks.append(self._say(Delta(text=delta.text)))
            case "thinking_delta":
                chunks.append(self._say(Delta(reasoning=delta.thinking)))
            case "signature_delta":
                chunks.append(self._say(Delta(signature=delta.signature)))
            case "input_json_delta":
                call = self._open.get(event.index)
                if call is not None and delta.partial_json:  # blocks of server-side tools are not ours to tell
                    call.has_arguments = True
                    piece = ToolCallDelta(position=call.position, arguments=delta.partial_json)
                    chunks.append(self._say(Delta(tool_calls=(piece,))))

    def _open_block(self, event: _Event, chunks: list[StreamChunk]) -> None:
        block = _need(event.content_block, "content_block")
        match block.type:
            case "text":
                if block.text:
                    chunks.append(self._say(Delta(text=block.text)))
            case "thinking":
                if block.thinking or block.signature:
                    chunks.append(self._say(Delta(reasoning=block.thinking, signature=block.signature)))
            case "redacted_thinking":
                chunks.append(self._say(Delta(redacted=block.data)))
            case "tool_use":
                if not (block.id and block.name):
                    raise _Missing("the tool call's id or name")
                call = self._open[event.index] = _Call(self._calls, _write_input(block.input))
                self._calls += 1
                chunks.append(
                    self._say(Delta(tool_calls=(ToolCallDelta(position=call.position, id=block.id, name=block.name),)))
                )

    def _end(self, event: _Event, chunks: list[StreamChunk]) -> None:
        delta = _need(event.delta, "delta")
        usage = self._usage = _read_usage(event.usage, self._usage)
        if delta.stop_reason is None:
            return
        self._has_finished = True
        finish = FINISH_REASONS.get(delta.stop_reason, UNKNOWN_FINISH)
        chunks.append(self._say(Delta(finish_reason=finish, refusal=_refusal(delta.stop_reason, delta.stop_details))))
        if usage is not None:
            chunks.append(StreamChunk(id=self._id, model=self._model, usage=usage))

    def _say(self, delta: Delta) -> StreamChunk:
        return StreamChunk(id=self._id, model=self._model, deltas=(delta,))


class _Call:
    """A tool call whose arguments still arrive. `arguments` is what its start said: a call may have no delta at all."""

    __slots__ = ("arguments", "has_arguments", "position")

    def __init__(self, position: int, arguments: str) -> None:
        self.position = position
        self.arguments = arguments
        self.has_arguments = False


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
    except _UNREADABLE:
        return not name or name in _KNOWN_EVENTS
