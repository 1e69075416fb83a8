"""Reads chat-completions answers, whole and streamed, from servers that keep to the format more or less.

Tolerated, because vendors do it: unknown fields, missing ids, `reasoning` for `reasoning_content`, content in parts
(Mistral), tool call pieces without `index` (Gemini), arguments as an object (older Ollama), an empty `finish_reason`,
numbers as strings, usage on any chunk. Not tolerated: an answer without its end.
Sources: https://developers.openai.com/api/reference/resources/chat, https://api-docs.deepseek.com/api/create-chat-completion
(`prompt_cache_hit_tokens`, `insufficient_system_resource`), https://docs.mistral.ai/api; read 2026-11-22.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
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
from yuzui.core.price_terms import PriceTerm, told_terms
from yuzui.core.sse import SseReader
from yuzui.core.usage import Usage
from yuzui.providers._openai_thinking import CLOSE, ThinkSplitter, split
from yuzui.providers._reading import BAD, HoldingDecoder, reason_of
from yuzui.providers.openai_errors import WireError, find_error, read_stream_error

FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",  # the deprecated spelling
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",  # Zhipu
    "sensitive": "content_filter",  # Zhipu
}
"""Any other word, of a vendor's own, counts as `stop` here and travels unchanged on the lane."""
_SAID: Final = frozenset(("stop", "length", "tool_calls", "content_filter", "function_call"))
"""Words that say no more than the hub's own."""
BROKEN: Final = frozenset(("error", "network_error", "insufficient_system_resource", "abort"))
"""Words that say the answer was cut short: a fault, never an end."""


def read_response(body: bytes, *, is_lane: bool = True) -> ChatResponse:
    """A whole answer, thoughts and citations taken apart unless it goes on as it is.

    Raise `UpstreamInvalid` when it is incomplete, an `UpstreamFault` for an error in disguise.
    """
    try:
        found = _completion.decode(body)
    except BAD as error:
        fault = _fault_in(body)
        if fault is not None:
            raise fault from error
        raise UpstreamInvalid(f"the target's answer is not a chat completion: {reason_of(error)}") from error
    if found.error is not None or not found.choices:
        raise _fault_in(body) or UpstreamInvalid("the target's answer has no `choices`")
    return ChatResponse(
        id=found.id or "",
        model=found.model or "",
        created_s=_seconds(found.created),
        choices=tuple([_choice(choice, position, is_lane) for position, choice in enumerate(found.choices)]),
        usage=_usage(found.usage),
        raw=body,
        raw_dialect="openai_chat",
        service_tier=found.service_tier if isinstance(found.service_tier, str) else "",
        price_terms=told_terms(service_tier=found.service_tier),
    )


class OpenAIDecoder(HoldingDecoder):
    """One stream, which `[DONE]` ends."""

    __slots__ = ("_ended", "_is_lane", "_open", "_reader", "_thinking", "_tier", "_tools")

    def __init__(self, *, is_lane: bool = True) -> None:
        """`is_lane`: the events go on as they are, so nothing in them is taken apart."""
        super().__init__()
        self._is_lane = is_lane
        self._thinking: dict[int, ThinkSplitter] = {}
        self._reader = SseReader()
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._tier: object = None
        self._tools: dict[int, tuple[int, str]] = {}  # choice → position and id of the tool call being written

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for event, raw in self._reader.feed(data):
            self.events += 1
            if raw == b"[DONE]":
                # A relay that lost its own upstream sends [DONE] all the same.
                if not self._has_ended():
                    raise UpstreamInterrupted("the target's stream ended before its choices did")
                self.end()
                break
            chunk = self.read_event(event, raw)
            if chunk is not None:
                chunks.append(chunk)
            if self._is_complete:
                break

    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        """The chunk of one event, None to skip it; call `end` for the last one of a server without `[DONE]`."""
        return self._chunk(event, raw)

    def _has_ended(self) -> bool:
        """Without an end for each choice it is no answer."""
        return bool(self._open) and self._open == self._ended

    def _chunk(self, event: str, raw: bytes) -> StreamChunk:
        if event == "error":
            raise read_stream_error(find_error(raw) or WireError(), f"event {self.events}")
        try:
            found = _chunk.decode(raw)
        except BAD as error:
            raise UpstreamInvalid(
                f"event {self.events} of the target's stream is broken: {reason_of(error)}"
            ) from error
        choices = found.choices
        if found.error is not None or choices is None:
            fault = _fault_in(raw, f"event {self.events}")
            raise fault or UpstreamInvalid(f"event {self.events} of the target's stream has no `choices`")
        if b"\n" in raw:
            raw = raw.replace(b"\n", b" ")  # an event of several data lines: one line for the client
        if len(choices) == 1:
            delta, raw = self._delta(choices[0], raw, 0)
            deltas: tuple[Delta, ...] = (delta,)
        else:
            several = []
            for position, choice in enumerate(choices):
                delta, raw = self._delta(choice, raw, position)
                several.append(delta)
            deltas = tuple(several)
        return StreamChunk(
            id=found.id or "",
            model=found.model or "",
            created_s=found.created if type(found.created) is int else _seconds(found.created),
            deltas=deltas,
            usage=_usage(found.usage),
            raw=raw,
            price_terms=() if found.service_tier == self._tier else self._price_terms(found.service_tier),
        )

    def _price_terms(self, tier: object) -> tuple[PriceTerm, ...]:
        """Told when it changes: many servers repeat it in every event."""
        if tier is None:
            return ()
        self._tier = tier
        return told_terms(service_tier=tier)

    def _delta(self, choice: _StreamChoice, raw: bytes, position: int) -> tuple[Delta, bytes]:
        index = choice.index or 0
        if index not in self._open:
            self._open.add(index)
        found = choice.delta
        reason: FinishReason | None = None
        if choice.finish_reason:
            reason = finish_reason_of(choice.finish_reason)
            self._ended.add(index)
        if found is None:
            return self._apart(index, Delta(index=index, finish_reason=reason), None, choice), raw
        calls: tuple[ToolCallDelta, ...] = ()
        if found.tool_calls:
            calls, is_repaired = self._tool_calls(index, found.tool_calls)
            if is_repaired:
                raw = _number_tool_calls(raw, position, calls)
        elif found.function_call is not None:
            calls = (_old_call(found.function_call),)
        content = found.content
        if content is None or isinstance(content, str):
            text, thought = content or "", ""
        else:
            text, thought = _pieces(content)
        delta = Delta(
            index=index,
            role=found.role or "",
            text=text,
            reasoning=found.reasoning_content or found.reasoning or thought,
            refusal=found.refusal or "",
            tool_calls=calls,
            finish_reason=reason,
        )
        return delta if self._is_lane else self._apart(index, delta, found, choice), raw

    def _apart(self, index: int, delta: Delta, found: _Spoken | None, choice: _StreamChoice) -> Delta:
        """`delta` for other dialects: thoughts out of the text, signatures and citations read."""
        changes: dict[str, Any] = {}  # Any: fields of a Delta
        if delta.text or delta.finish_reason is not None:
            splitter = self._thinking.get(index)
            if splitter is None:
                splitter = self._thinking[index] = ThinkSplitter()
            thought, text = splitter.feed(delta.text) if delta.text else ("", "")
            if delta.finish_reason is not None:
                last_thought, last_text = splitter.close()
                thought, text = thought + last_thought, text + last_text
            if text != delta.text:
                changes["text"] = text
            if thought:
                changes["reasoning"] = delta.reasoning + thought
        if found is not None:
            if bytes(found.reasoning_details):
                changes |= _signed(_read_details(found.reasoning_details), has_text=bool(delta.reasoning))
            if bytes(found.annotations):
                changes["citations"] = read_citations(found.annotations)
        if choice.finish_reason and choice.finish_reason not in _SAID:
            changes["native_finish"] = choice.finish_reason
        return msgspec.structs.replace(delta, **changes) if changes else delta

    def _tool_calls(self, choice: int, pieces: list[_ToolCallPiece]) -> tuple[tuple[ToolCallDelta, ...], bool]:
        """The pieces with their positions, and whether a position had to be found for one."""
        calls = []
        is_repaired = False
        for piece in pieces:
            at, last_id = self._tools.get(choice, (-1, ""))
            if piece.index is not None:
                at = piece.index
            else:
                is_repaired = True
                if at < 0 or (piece.id and piece.id != last_id):
                    at += 1
            self._tools[choice] = (at, piece.id or last_id)
            function = piece.function
            calls.append(
                ToolCallDelta(
                    position=at,
                    id=piece.id or "",
                    name=(function.name or "") if function is not None else "",
                    arguments=_arguments(function.arguments) if function is not None else "",
                )
            )
        return tuple(calls), is_repaired


def _fault_in(body: bytes, where: str = "inside a 200 answer") -> UpstreamFault | None:
    error = find_error(body)
    return None if error is None else read_stream_error(error, where)


def finish_reason_of(word: str) -> FinishReason:
    """Raise `UpstreamInterrupted` for a word that says the answer was cut short."""
    if word in BROKEN:
        raise UpstreamInterrupted(f"the target cut its answer short ({word})")
    return FINISH_REASONS.get(word, "stop")


def _choice(choice: _WireChoice, position: int, is_lane: bool) -> Choice:
    if choice.message is None or not choice.finish_reason:
        missing = "message" if choice.message is None else "finish_reason"
        raise UpstreamInvalid(f"choice {position} of the target's answer has no `{missing}`")
    message = choice.message
    content = message.content
    text, thought = (content, "") if content is None or isinstance(content, str) else _pieces(content)
    reasoning = message.reasoning_content or message.reasoning or thought
    citations: tuple[Citation, ...] = ()
    parts: list[Part] = []
    if not is_lane:
        if text and not reasoning and CLOSE in text:
            reasoning, text = split(text)
        citations = read_citations(message.annotations)
        parts += [_thought(detail) for detail in _read_details(message.reasoning_details)]
    if reasoning and not parts:
        parts.append(ReasoningPart(text=reasoning))
    if text:
        parts.append(TextPart(text=text, citations=citations))
    for number, call in enumerate(message.tool_calls or ()):
        if call.function is not None:
            name, arguments = call.function.name or "", _arguments(call.function.arguments)
            parts.append(ToolCallPart(id=call.id or f"call_{number}", name=name, arguments=arguments))
    if message.function_call is not None:
        old = _old_call(message.function_call)
        parts.append(ToolCallPart(id=old.id, name=old.name, arguments=old.arguments))
    return Choice(
        index=position if choice.index is None else choice.index,
        parts=tuple(parts),
        finish_reason=finish_reason_of(choice.finish_reason),
        refusal=message.refusal or "",
        native_finish="" if choice.finish_reason in _SAID else choice.finish_reason,
    )


def read_citations(raw: Raw) -> tuple[Citation, ...]:
    """Pages that an answer cites; other kinds of annotation have no counterpart, and strange ones cost no answer."""
    try:
        annotations = _annotations.decode(raw) if bytes(raw) else None
    except BAD:
        return ()
    return tuple(
        [
            Citation(
                url=found.url or "",
                title=found.title or "",
                cited_text=found.content or "",
                start=found.start_index,
                end=found.end_index,
            )
            for annotation in annotations or ()
            if (found := annotation.url_citation) is not None
        ]
    )


def _read_details(raw: Raw) -> list[_Detail]:
    try:
        return (_details.decode(raw) if bytes(raw) else None) or []
    except BAD:
        return []


def _thought(detail: _Detail) -> ReasoningPart:
    return ReasoningPart(
        text=detail.text or detail.summary or "",
        signature=detail.signature or "",
        redacted=detail.data or "",
        id=detail.id or "",
        is_summary=detail.summary is not None,
    )


def _signed(details: list[_Detail], *, has_text: bool) -> dict[str, Any]:  # Any: fields of a Delta
    """What details say beyond the plain text of a thought, which most servers send beside them."""
    found: dict[str, Any] = {}  # Any: as above
    for detail in details:
        if detail.signature:
            found["signature"] = detail.signature
        if detail.data:
            found["redacted"] = detail.data
        if detail.id:
            found["reasoning_id"] = detail.id
        if not has_text and (detail.text or detail.summary):
            found["reasoning"] = found.get("reasoning", "") + (detail.text or detail.summary or "")
    return found


def _pieces(content: list[_ContentPiece]) -> tuple[str, str]:
    """Text and thought of content in parts."""
    text = "".join(piece.text or "" for piece in content)
    thought = "".join(
        piece.thinking if isinstance(piece.thinking, str) else "".join(said.text or "" for said in piece.thinking)
        for piece in content
        if piece.thinking
    )
    return text, thought


def _arguments(value: str | dict[str, Any] | None) -> str:  # Any: JSON values
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def _old_call(call: _FunctionPiece) -> ToolCallDelta:
    name = call.name or ""
    return ToolCallDelta(position=0, id="call_0" if name else "", name=name, arguments=_arguments(call.arguments))


def _number_tool_calls(raw: bytes, position: int, calls: tuple[ToolCallDelta, ...]) -> bytes:
    """`raw` with an `index` on each tool call piece of its choice: clients cannot put the pieces together without."""
    try:
        body = msgspec.json.decode(raw)
    except BAD as error:  # a field that the typed reading skips is no UTF-8
        raise UpstreamInvalid(f"the target's stream holds an event that is no JSON: {reason_of(error)}") from error
    for piece, call in zip(body["choices"][position]["delta"]["tool_calls"], calls, strict=True):
        piece["index"] = call.position
    return msgspec.json.encode(body)


def _seconds(value: int | float | str | None) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _usage(raw: Raw) -> Usage | None:
    """Counts in the canonical shape; None when there are none that can be read (the pipeline then estimates)."""
    data = bytes(raw)
    if not data or data == b"null":
        return None
    try:
        found = _usage_decoder.decode(data)
    except BAD:
        return None  # a paid, complete answer does not become a failure because its counts are nonsense
    if found.prompt_tokens is None and found.completion_tokens is None:
        return None
    if min(found.prompt_tokens or 0, found.completion_tokens or 0) < 0:
        return None  # nonsense is estimated, not believed to be nothing
    prompt, completion = found.prompt_tokens_details, found.completion_tokens_details
    cached = prompt.cached_tokens if prompt is not None else None
    return Usage(
        input_tokens=found.prompt_tokens or 0,
        cached_input_tokens=cached or found.prompt_cache_hit_tokens or found.cached_tokens or 0,
        cache_write_tokens=(prompt.cache_write_tokens or 0) if prompt is not None else 0,
        output_tokens=found.completion_tokens or 0,
        reasoning_tokens=(completion.reasoning_tokens or 0) if completion is not None else 0,
        input_audio_tokens=(prompt.audio_tokens or 0) if prompt is not None else 0,
        output_audio_tokens=(completion.audio_tokens or 0) if completion is not None else 0,
    )


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _FunctionPiece(Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None  # Any: JSON values


class _ToolCallPiece(Struct):
    index: int | None = None
    id: str | None = None
    function: _FunctionPiece | None = None


class _Said(Struct):
    text: str | None = None


class _ContentPiece(Struct):
    text: str | None = None
    thinking: str | list[_Said] | None = None


class _Detail(Struct):
    """OpenRouter's carrier of signed and encrypted thoughts."""

    text: str | None = None
    summary: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None


class _UrlCitation(Struct):
    url: str | None = None
    title: str | None = None
    content: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class _Annotation(Struct):
    url_citation: _UrlCitation | None = None


class _Spoken(Struct):
    """A message or a delta: the same fields."""

    role: str | None = None
    content: str | list[_ContentPiece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCallPiece] | None = None
    reasoning_details: Raw = Raw()
    annotations: Raw = Raw()
    function_call: _FunctionPiece | None = None


class _WireChoice(Struct):
    index: int | None = None
    message: _Spoken | None = None
    finish_reason: str | None = None


class _StreamChoice(Struct):
    index: int | None = None
    delta: _Spoken | None = None
    finish_reason: str | None = None


class _Completion(Struct):
    id: str | None = None
    model: str | None = None
    created: int | float | str | None = None
    choices: list[_WireChoice] | None = None
    usage: Raw = Raw()
    service_tier: Any = None  # Any: a word, where it is one
    error: Any = None  # Any: only whether it is there; `find_error` reads it


class _Chunk(Struct):
    id: str | None = None
    model: str | None = None
    created: int | float | str | None = None
    choices: list[_StreamChoice] | None = None
    usage: Raw = Raw()
    service_tier: Any = None  # Any: a word, where it is one
    error: Any = None  # Any: only whether it is there; `find_error` reads it


class _PromptDetails(Struct):
    cached_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(Struct):
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None


class _WireUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek
    cached_tokens: int | None = None  # Moonshot


_completion = msgspec.json.Decoder(_Completion)
_chunk = msgspec.json.Decoder(_Chunk)
_usage_decoder = msgspec.json.Decoder(_WireUsage, strict=False)  # some servers send numbers as strings
_details = msgspec.json.Decoder(list[_Detail] | None)
_annotations = msgspec.json.Decoder(list[_Annotation] | None)
