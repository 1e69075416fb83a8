"""Answers of Ollama, whole and streamed, as core.chat.

Tool calls come whole; older servers give them no ids, so they get one that is made of when and where the answer was
written: the same answer has the same ids, two answers have different ones.
Usage: `prompt_eval_count` includes what was read from the cache, `eval_count` includes thinking, which is not counted
apart. Older servers leave a count out that is 0. Table: docs/reference/usage/ollama_native.md.

Sources (2026-11-26): see `ollama_native`; https://github.com/stdapi-ai/stdapi.ai/issues/252 (what the counts include).
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec
from typing_extensions import override

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
from yuzui.core.ndjson import NdjsonReader
from yuzui.core.usage import Usage
from yuzui.providers._openai_lane import sane
from yuzui.providers._reading import BAD, HoldingDecoder, object_text, reason_of
from yuzui.providers.native_usage import counts_of
from yuzui.providers.openai_errors import WireError, read_stream_error

FINISH_REASONS: Final[dict[str, FinishReason]] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}
UNKNOWN_FINISH: Final[FinishReason] = "length"  # words to come: the answer may be incomplete, so never "stop"
BROKEN: Final = frozenset({"cancelled", "error", "load", "unload"})
"""The last two say that a model was only loaded or unloaded: no answer."""


def read_answer(body: bytes) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer."""
    try:
        found = _read(body)
    except BAD as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {reason_of(error)}") from error
    if found.error:
        raise _fault(found, "inside a 200 answer")
    if found.message is None or not found.done:
        raise UpstreamInvalid("the target's answer is not finished: `message` or `done` is missing")
    calls = _calls(found, 0)
    word = found.done_reason or "stop"
    parts: list[Part] = []
    if found.message.thinking:
        parts.append(ReasoningPart(text=found.message.thinking))
    if found.message.content:
        parts.append(TextPart(text=found.message.content))
    parts += [ToolCallPart(id=call.id, name=call.name, arguments=call.arguments) for call in calls]
    choice = Choice(index=0, parts=tuple(parts), finish_reason=_finish(word, bool(calls)), native_finish=_native(word))
    return ChatResponse(id="", model=found.model or "", created_s=0, choices=(choice,), usage=_usage(found))


def _finish(word: str, has_calls: bool) -> FinishReason:
    if word in BROKEN:
        raise UpstreamInterrupted(f"the target gave no answer ({word})")
    finish = FINISH_REASONS.get(word, UNKNOWN_FINISH)
    return "tool_calls" if has_calls and finish == "stop" else finish


def _native(word: str) -> str:
    return "" if word in FINISH_REASONS else word


def _usage(line: _Line) -> Usage | None:
    told = counts_of(line.prompt_eval_count, line.eval_count)
    if told is None:
        return None
    is_whole = line.prompt_eval_count is not None
    return Usage(
        input_tokens=told[0],
        cached_input_tokens=sane(line.prompt_eval_cached_count),
        output_tokens=told[1],
        is_estimated=not is_whole,
        note="" if is_whole else "missing",
    )


def _calls(line: _Line, position: int) -> list[ToolCallDelta]:
    """The line's tool calls, the first of them at `position`."""
    calls: list[ToolCallDelta] = []
    for call in (line.message.tool_calls if line.message else None) or ():
        function = call.function or _Function()
        if not function.name:
            raise UpstreamInvalid("the target's answer holds a tool call without a name")
        at = position + len(calls)
        calls.append(
            ToolCallDelta(
                position=at,
                id=call.id or _id_of(line.created_at or "", function.name, at),
                name=function.name,
                arguments=object_text(function.arguments, "a tool call whose arguments are"),
            )
        )
    return calls


def _id_of(created_at: str, name: str, position: int) -> str:
    seed = f"{created_at} {name} {position}".encode("utf-8", "replace")
    return "call_" + hashlib.sha256(seed).hexdigest()[:16]


def _fault(line: _Line, where: str) -> UpstreamFault:
    error = line.error
    message = error if isinstance(error, str) else error.message if error else None
    return read_stream_error(WireError(message=message, code=line.status), where)


class StreamDecoder(HoldingDecoder):
    """One stream of lines; the one with `done` is the last."""

    __slots__ = ("_calls", "_reader")

    def __init__(self) -> None:
        super().__init__()
        self._reader = NdjsonReader()
        self._calls = 0

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for line in self._reader.feed(data):
            chunks.append(self._read(line))
            if self._is_complete:
                break

    @override
    def read_end(self) -> None:
        raise UpstreamInterrupted(f"the target's stream stopped after line {self.events}, before its end")

    def _read(self, line: bytes) -> StreamChunk:
        self.events += 1
        try:
            found = _read(line)
        except BAD as error:
            raise UpstreamInvalid(f"line {self.events} of the target's stream is broken: {reason_of(error)}") from error
        if found.error:
            raise _fault(found, f"line {self.events}")
        message = found.message
        if message is None:
            raise UpstreamInvalid(f"line {self.events} of the target's stream has no `message`")
        calls: tuple[ToolCallDelta, ...] = ()
        if message.tool_calls:
            calls = tuple(_calls(found, self._calls))
            self._calls += len(calls)
        if not found.done:
            delta = Delta(text=message.content or "", reasoning=message.thinking or "", tool_calls=calls)
            return StreamChunk(model=found.model or "", deltas=(delta,))
        word = found.done_reason or "stop"
        finish = _finish(word, bool(self._calls))
        self.end()
        delta = Delta(
            text=message.content or "",
            reasoning=message.thinking or "",
            tool_calls=calls,
            finish_reason=finish,
            native_finish=_native(word),
        )
        return StreamChunk(model=found.model or "", deltas=(delta,), usage=_usage(found))


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: msgspec.Raw = msgspec.Raw()


class _ToolCall(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Error(msgspec.Struct):
    message: str | None = None


class _Line(msgspec.Struct):
    """A line of a stream, or a whole answer."""

    model: str | None = None
    created_at: str | None = None
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int | None = None
    prompt_eval_cached_count: int | None = None
    eval_count: int | None = None
    error: str | _Error | None = None
    status: int | None = None


_read = msgspec.json.Decoder(_Line).decode
