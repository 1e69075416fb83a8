"""Answers of Cohere's chat API, whole and streamed, as core.chat, and its errors as faults of ours.

Usage: `billed_units` where the vendor tells them, for they are what it charges; `tokens` also counts the vendor's own
preamble. Thoughts and plans are part of the output tokens and not counted apart. Table: docs/reference/usage/cohere.md.

Sources (2026-11-26): https://docs.cohere.com/v2/docs/streaming, https://docs.cohere.com/docs/tool-use-streaming,
https://docs.cohere.com/errors-reference, and the types of `cohere` 7.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from typing_extensions import override

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
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
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._cohere_request import PLAN
from yuzui.providers._openai_lane import EventDecoder, sane
from yuzui.providers._reading import BAD, reason_of
from yuzui.providers.native_usage import counts_of
from yuzui.providers.openai_errors import WireError, read_error, read_stream_error

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR_TOXIC": "content_filter",
}
UNKNOWN_FINISH: Final[FinishReason] = "length"  # reasons to come: the answer may be incomplete, so never "stop"
BROKEN: Final = frozenset({"ERROR", "TIMEOUT", "USER_CANCEL"})
"""Words that say the answer was cut short: a fault, never an end."""

_REFUSAL: Final = "The model declined to answer."
_T = TypeVar("_T")


def read_answer(body: bytes, model: str) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer. The API does not repeat the model's name."""
    try:
        found = _read_answer(body)
    except BAD as error:
        raise UpstreamInvalid(
            f"the target's answer is not what its protocol promises: {type(error).__name__}"
        ) from error
    if found.message is None or not found.finish_reason:
        raise UpstreamInvalid("the target's answer is not finished: `message` or `finish_reason` is missing")
    finish = _finish(found.finish_reason)
    choice = Choice(
        index=0,
        parts=_read_parts(found.message),
        finish_reason=finish,
        refusal=_REFUSAL if finish == "content_filter" else "",
        native_finish="" if found.finish_reason in FINISH_REASONS else found.finish_reason,
    )
    return ChatResponse(id=found.id, model=model, created_s=0, choices=(choice,), usage=read_usage(found.usage))


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer: `{"message": …}`, and the status tells the class."""
    return read_error(status, headers, body, api_key=target.api_key)


def read_usage(usage: _Usage | None) -> Usage | None:
    """None when nothing was counted: the pipeline then estimates."""
    if usage is None:
        return None
    for counts in (usage.billed_units, usage.tokens):
        told = counts_of(counts.input_tokens, counts.output_tokens) if counts is not None else None
        if counts is not None and told is not None:
            return Usage(
                input_tokens=told[0],
                cached_input_tokens=sane(usage.cached_tokens),
                output_tokens=told[1],
                searches=sane(counts.search_units),
            )
    return None


def _finish(word: str) -> FinishReason:
    if word in BROKEN:
        raise UpstreamInterrupted(f"the target cut its answer short ({word})")
    return FINISH_REASONS.get(word, UNKNOWN_FINISH)


def _read_parts(message: _Message) -> tuple[Part, ...]:
    parts: list[Part] = []
    if message.tool_plan:
        parts.append(ReasoningPart(text=message.tool_plan, id=PLAN))
    cited: dict[int, list[Citation]] = {}
    for citation in message.citations or ():
        if citation.type in ("", "TEXT_CONTENT"):
            cited.setdefault(citation.content_index, []).extend(_read_citation(citation))
    blocks = message.content if isinstance(message.content, list) else []
    texts = [number for number, block in enumerate(blocks) if block.type == "text"]
    for number, block in enumerate(blocks):
        if block.type == "thinking":
            parts.append(ReasoningPart(text=block.thinking or ""))
        elif block.type == "text":
            of_block = cited.get(number, [])
            if len(texts) == 1:  # older models count text blocks only
                of_block = [citation for found in cited.values() for citation in found]
            parts.append(TextPart(text=block.text or "", citations=tuple(of_block)))
    for call in message.tool_calls or ():
        if not (call.id and call.function and call.function.name):
            raise UpstreamInvalid("the target's answer holds a tool call without id or name")
        parts.append(ToolCallPart(id=call.id, name=call.function.name, arguments=call.function.arguments or "{}"))
    return tuple(parts)


def _read_citation(citation: _Citation) -> list[Citation]:
    """One for each source: a document of the request, or what a tool answered."""
    found = []
    for source in citation.sources or ():
        name = source.id or ""
        number = name.removeprefix("doc_")
        is_document = number != name and number.isdecimal()
        of = source.document or {}
        found.append(
            Citation(
                title=_said(of, "title"),
                url=_said(of, "url"),
                cited_text=_said(of, "text") or _said(of, "snippet"),
                file_id="" if is_document else name,
                document=int(number) if is_document else None,
                start=citation.start,
                end=citation.end,
            )
        )
    return found


def _said(document: Mapping[str, Any], name: str) -> str:  # Any: what the client put into its document
    value = document.get(name)
    return value if isinstance(value, str) else ""


class StreamDecoder(EventDecoder):
    """One stream of server-sent events."""

    __slots__ = ("_calls", "_has_plan", "_id", "_model")

    def __init__(self, model: str) -> None:
        super().__init__()
        self._model = model
        self._id = ""
        self._calls: dict[int, _Call] = {}
        self._has_plan = False

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        number = self.events
        try:
            found = _read_event(raw)
        except BAD as error:
            if _is_known(event, raw):
                raise UpstreamInvalid(f"event {number} of the target's stream is broken: {reason_of(error)}") from error
            return None
        if not found.type and found.message:  # an error as in an error's body
            raise read_stream_error(WireError(message=found.message), f"event {number}")
        return self._take(found, number)

    def _take(self, event: _Event, number: int) -> StreamChunk | None:
        match event.type:
            case "content-delta" | "content-start":
                content = self._message(event, number).content
                if not isinstance(content, _Content):
                    return None
                if content.text:
                    return self._say(Delta(text=content.text))
                return self._say(Delta(reasoning=content.thinking)) if content.thinking else None
            case "tool-plan-delta":
                plan = self._message(event, number).tool_plan
                if not plan:
                    return None
                is_first, self._has_plan = not self._has_plan, True
                return self._say(Delta(reasoning=plan, reasoning_id=PLAN if is_first else ""))
            case "tool-call-start" | "tool-call-delta" | "tool-call-end":
                return self._take_call(event, number)
            case "citation-start":
                cited = self._message(event, number).citations
                of_text = cited if isinstance(cited, _Citation) and cited.type in ("", "TEXT_CONTENT") else None
                return self._say(Delta(citations=tuple(_read_citation(of_text)))) if of_text else None
            case "message-start":
                self._id = event.id or ""
            case "message-end":
                return self._end(event, number)
        return None

    def _take_call(self, event: _Event, number: int) -> StreamChunk | None:
        if event.type == "tool-call-end":
            call = self._calls.get(event.index)
            if call is None or call.has_arguments:
                return None
            return self._say(Delta(tool_calls=(ToolCallDelta(position=call.position, arguments="{}"),)))
        calls = self._message(event, number).tool_calls
        piece = _need(calls if isinstance(calls, _ToolCall) else None, "tool_calls", number)
        function = piece.function or _Function()
        arguments = function.arguments or ""
        if event.type == "tool-call-delta":
            call = self._calls.get(event.index)
            if call is None or not arguments:
                return None
            call.has_arguments = True
            return self._say(Delta(tool_calls=(ToolCallDelta(position=call.position, arguments=arguments),)))
        if not (piece.id and function.name):
            raise UpstreamInvalid(f"event {number} of the target's stream begins a tool call without id or name")
        call = self._calls[event.index] = _Call(len(self._calls), bool(arguments))
        start = ToolCallDelta(position=call.position, id=piece.id, name=function.name, arguments=arguments)
        return self._say(Delta(tool_calls=(start,)))

    def _end(self, event: _Event, number: int) -> StreamChunk:
        delta = _need(event.delta, "delta", number)
        word = delta.finish_reason or ""
        if delta.error or word in BROKEN:
            if delta.error:
                raise read_stream_error(WireError(message=delta.error), "at the end of its answer")
            _finish(word)
        if not word:
            raise UpstreamInvalid(f"event {number} of the target's stream (message-end) lacks `finish_reason`")
        finish = _finish(word)
        self.end()
        return StreamChunk(
            id=self._id,
            model=self._model,
            deltas=(
                Delta(
                    finish_reason=finish,
                    refusal=_REFUSAL if finish == "content_filter" else "",
                    native_finish="" if word in FINISH_REASONS else word,
                ),
            ),
            usage=read_usage(delta.usage),
        )

    def _message(self, event: _Event, number: int) -> _DeltaMessage:
        return _need(_need(event.delta, "delta", number).message, "delta.message", number)

    def _say(self, delta: Delta) -> StreamChunk:
        return StreamChunk(id=self._id, model=self._model, deltas=(delta,))


class _Call:
    """A tool call whose arguments still arrive: a call may have no delta at all."""

    __slots__ = ("has_arguments", "position")

    def __init__(self, position: int, has_arguments: bool) -> None:
        self.position = position
        self.has_arguments = has_arguments


def _need(value: _T | None, name: str, number: int) -> _T:
    if value is None:
        raise UpstreamInvalid(f"event {number} of the target's stream lacks `{name}`")
    return value


def _is_known(name: str, payload: bytes) -> bool:
    """Whether a payload that does not fit is a broken event of a known kind; unknown kinds may look like anything."""
    try:
        return _read_kind(payload).type in _KNOWN_EVENTS
    except BAD:
        return not name or name in _KNOWN_EVENTS


# ---- wire structs ---------------------------------------------------------------------------------------------------

_KNOWN_EVENTS: Final = frozenset(
    {
        "message-start",
        "content-start",
        "content-delta",
        "tool-plan-delta",
        "tool-call-start",
        "tool-call-delta",
        "tool-call-end",
        "citation-start",
        "message-end",
    }
)


class _Counts(msgspec.Struct):
    """`billed_units` and `tokens`: the API sends them as numbers with a fraction."""

    input_tokens: float | None = None
    output_tokens: float | None = None
    search_units: float | None = None


class _Usage(msgspec.Struct):
    billed_units: _Counts | None = None
    tokens: _Counts | None = None
    cached_tokens: float | None = None


class _Source(msgspec.Struct):
    id: str | None = None
    document: dict[str, Any] | None = None  # Any: what the client put into its document


class _Citation(msgspec.Struct):
    start: int | None = None
    end: int | None = None
    sources: list[_Source] | None = None
    content_index: int = 0
    type: str = ""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    id: str | None = None
    function: _Function | None = None


class _Content(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None


class _Message(msgspec.Struct):
    content: list[_Content] | None = None
    tool_plan: str | None = None
    tool_calls: list[_ToolCall] | None = None
    citations: list[_Citation] | None = None


class _Answer(msgspec.Struct):
    id: str = ""
    finish_reason: str | None = None
    message: _Message | None = None
    usage: _Usage | None = None


class _DeltaMessage(msgspec.Struct):
    """One piece of one thing; the first event of a stream has empty lists in their place."""

    content: _Content | list[Any] | None = None  # Any: always empty
    tool_plan: str | None = None
    tool_calls: _ToolCall | list[Any] | None = None  # Any: always empty
    citations: _Citation | list[Any] | None = None  # Any: always empty


class _Delta(msgspec.Struct):
    message: _DeltaMessage | None = None
    finish_reason: str | None = None
    usage: _Usage | None = None
    error: str | None = None


class _Event(msgspec.Struct):
    type: str = ""
    id: str | None = None
    index: int = 0
    delta: _Delta | None = None
    message: str | None = None


class _Kind(msgspec.Struct):
    type: str


_read_answer = msgspec.json.Decoder(_Answer).decode
_read_event = msgspec.json.Decoder(_Event).decode
_read_kind = msgspec.json.Decoder(_Kind).decode
