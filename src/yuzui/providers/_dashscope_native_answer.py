"""Answers of DashScope, whole and streamed, as core.chat.

Usage: counts grow from event to event, so the last ones are the whole; of several answers each has output counts of its
own, which add up. Cache reads and writes are part of `input_tokens`, reasoning is part of `output_tokens`. Table:
docs/reference/usage/dashscope_native.md.

Sources (2026-11-26): see `dashscope_native`; `dashscope` 2.0.2 (`v2/types/completions.py`, `utils/message_utils.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers._dashscope_native_faults import stream_fault
from yuzui.providers._openai_lane import EventDecoder, sane
from yuzui.providers._reading import BAD, reason_of
from yuzui.providers.native_usage import counts_of
from yuzui.providers.openai_errors import WireError, find_error

FINISH_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}
UNKNOWN_FINISH: Final[FinishReason] = "length"  # words to come: the answer may be incomplete, so never "stop"
_UNFINISHED: Final = (None, "", "null")
_PLUGINS: Final = (("web_search", "search"), ("image_search", "image_search"), ("code_interpreter", "code_interpreter"))
"""Hub name of a tool that the vendor runs, and its own."""


def read_answer(body: bytes, model: str) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer. The API does not repeat the model's name."""
    try:
        found = _read(body)
    except BAD as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {reason_of(error)}") from error
    if found.code:
        raise stream_fault(WireError(message=found.message, code=found.code), "inside a 200 answer")
    choices = found.output.choices if found.output else None
    if found.output is None or not choices:
        raise UpstreamInvalid("the target's answer has no `output.choices`")
    citations = _citations(found.output.search_info)
    return ChatResponse(
        id=found.request_id or "",
        model=model,
        created_s=0,
        choices=tuple([_choice(choice, at, citations) for at, choice in enumerate(choices)]),
        usage=read_usage(found.usage),
    )


def read_usage(usage: _Usage | None, output_tokens: int | None = None, reasoning_tokens: int = 0) -> Usage | None:
    """None when nothing was counted: the pipeline then estimates. The output of several answers is handed in."""
    told = None if usage is None or usage.input_tokens is None else counts_of(usage.input_tokens, usage.output_tokens)
    if usage is None or told is None:
        return None
    prompt = usage.prompt_tokens_details or _NO_DETAILS
    read = usage.input_tokens_details or _NO_DETAILS
    wrote = usage.output_tokens_details or _NO_DETAILS
    plugins = usage.plugins or {}
    called = [
        (hub, count)
        for hub, name in _PLUGINS
        if (plugin := plugins.get(name)) is not None and (count := sane(plugin.count))
    ]
    return Usage(
        input_tokens=told[0],
        cached_input_tokens=sane(prompt.cached_tokens) or sane(read.cached_tokens),
        cache_write_tokens=sane(prompt.cache_creation_input_tokens),
        input_audio_tokens=sane(read.audio_tokens) or sane(usage.audio_tokens),
        output_tokens=told[1] if output_tokens is None else output_tokens,
        reasoning_tokens=reasoning_tokens or sane(wrote.reasoning_tokens),
        output_audio_tokens=sane(wrote.audio_tokens),
        server_tools=tuple(called),
    )


def _choice(choice: _Choice, at: int, citations: tuple[Citation, ...]) -> Choice:
    message, word = choice.message, choice.finish_reason
    if message is None or word in _UNFINISHED:
        missing = "message" if message is None else "finish_reason"
        raise UpstreamInvalid(f"choice {at} of the target's answer has no `{missing}`")
    parts: list[Part] = []
    if message.reasoning_content:
        parts.append(ReasoningPart(text=message.reasoning_content, signature=message.reasoning_signature or ""))
    text = _text(message.content)
    if text:
        parts.append(TextPart(text=text, citations=citations))
    for number, call in enumerate(message.tool_calls or ()):
        function = call.function or _Function()
        if not function.name:
            raise UpstreamInvalid("the target's answer holds a tool call without a name")
        parts.append(
            ToolCallPart(id=call.id or f"call_{number}", name=function.name, arguments=function.arguments or "{}")
        )
    index = at if choice.index is None else choice.index
    return Choice(index=index, parts=tuple(parts), finish_reason=_finish(str(word)), native_finish=_native(str(word)))


def _finish(word: str) -> FinishReason:
    return FINISH_REASONS.get(word, UNKNOWN_FINISH)


def _native(word: str) -> str:
    return "" if word in FINISH_REASONS else word


def _text(content: str | list[_Piece] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join([piece.text for piece in content if piece.text])


def _citations(info: _SearchInfo | None) -> tuple[Citation, ...]:
    """The pages that a search found, in the vendor's order: a mark in the text (`[1]`, `[ref_1]`) counts from 1."""
    found = info.search_results if info is not None else None
    return tuple([Citation(url=page.url or "", title=page.title or "") for page in found or () if page.url])


class StreamDecoder(EventDecoder):
    """One stream. It has no terminator of its own: it is over when each answer has ended."""

    __slots__ = ("_citations", "_ended", "_id", "_is_single", "_model", "_outputs", "_seen")

    def __init__(self, model: str, *, is_single: bool) -> None:
        super().__init__()
        self._model = model
        self._is_single = is_single
        self._id = ""
        self._seen: set[int] = set()
        self._ended: set[int] = set()
        self._outputs: dict[int, tuple[int, int]] = {}  # choice → output and reasoning tokens so far
        self._citations: tuple[Citation, ...] = ()

    @override
    def read_end(self) -> None:
        if not self._seen or self._seen != self._ended:
            super().read_end()
        self.end()

    @override
    def _read(self, event: str, raw: bytes) -> StreamChunk | None:
        if event == "error":
            raise stream_fault(find_error(raw) or WireError(), f"event {self.events}")
        return super()._read(event, raw)

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        if event not in ("", "result"):
            return None
        try:
            found = _read(raw)
        except BAD as error:
            raise UpstreamInvalid(
                f"event {self.events} of the target's stream is broken: {reason_of(error)}"
            ) from error
        if found.code:
            raise stream_fault(WireError(message=found.message, code=found.code), f"event {self.events}")
        if found.request_id:
            self._id = found.request_id
        output = found.output
        if output is None:
            return None
        if output.search_info is not None:
            self._citations = _citations(output.search_info) or self._citations
        choices = output.choices or ()
        deltas = tuple([self._delta(choice, at) for at, choice in enumerate(choices)])
        usage = self._usage(found.usage, deltas)
        if not deltas and usage is None:
            return None
        if self._is_single and self._ended:
            self.end()
        return StreamChunk(id=self._id, model=self._model, deltas=deltas, usage=usage)

    def _delta(self, choice: _Choice, at: int) -> Delta:
        index = at if choice.index is None else choice.index
        self._seen.add(index)
        message, word = choice.message or _Message(), choice.finish_reason
        calls = tuple([_piece_of(call, number) for number, call in enumerate(message.tool_calls or ())])
        if word in _UNFINISHED:
            return Delta(
                index=index,
                text=_text(message.content),
                reasoning=message.reasoning_content or "",
                signature=message.reasoning_signature or "",
                tool_calls=calls,
            )
        self._ended.add(index)
        citations, self._citations = self._citations, ()
        return Delta(
            index=index,
            text=_text(message.content),
            reasoning=message.reasoning_content or "",
            signature=message.reasoning_signature or "",
            tool_calls=calls,
            citations=citations,
            finish_reason=_finish(str(word)),
            native_finish=_native(str(word)),
        )

    def _usage(self, usage: _Usage | None, deltas: tuple[Delta, ...]) -> Usage | None:
        """Told at the end only: what grows from event to event need not be written in each."""
        if usage is None:
            return None
        details = usage.output_tokens_details or _NO_DETAILS
        index = deltas[0].index if deltas else 0
        self._outputs[index] = (sane(usage.output_tokens), sane(details.reasoning_tokens))
        if self._seen != self._ended:
            return None
        if len(self._outputs) == 1:
            return read_usage(usage)
        output = sum([tokens for tokens, _ in self._outputs.values()])
        return read_usage(usage, output, sum([tokens for _, tokens in self._outputs.values()]))


def _piece_of(call: _ToolCall, number: int) -> ToolCallDelta:
    function = call.function or _Function()
    return ToolCallDelta(
        position=number if call.index is None else call.index,
        id=call.id or "",
        name=function.name or "",
        arguments=function.arguments or "",
    )


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Piece(msgspec.Struct):
    """A piece of content; other kinds than text are never answered by models that chat."""

    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Piece] | None = None
    reasoning_content: str | None = None
    reasoning_signature: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    index: int | None = None
    message: _Message | None = None
    finish_reason: str | None = None


class _Page(msgspec.Struct):
    url: str | None = None
    title: str | None = None


class _SearchInfo(msgspec.Struct):
    search_results: list[_Page] | None = None


class _Output(msgspec.Struct):
    choices: list[_Choice] | None = None
    search_info: _SearchInfo | None = None


class _Details(msgspec.Struct):
    cached_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    audio_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Plugin(msgspec.Struct):
    count: int | None = None


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    audio_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None
    plugins: dict[str, _Plugin] | None = None


class _Body(msgspec.Struct):
    output: _Output | None = None
    usage: _Usage | None = None
    request_id: str | None = None
    code: str | None = None
    message: str | None = None


_NO_DETAILS: Final = _Details()
_read = msgspec.json.Decoder(_Body).decode
