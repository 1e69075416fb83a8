"""A whole answer of another dialect, in the chat-completions spelling; and the wire structs that its stream shares.

Source: https://developers.openai.com/api/reference/resources/chat (openai-python 3.54, 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from yuzui.core.chat import AnswerFacts, ChatResponse, Choice, Citation, Delta, ReasoningPart, TextPart, ToolCallPart
from yuzui.core.custom_tools import unwrap
from yuzui.core.usage import Usage

_encoder = msgspec.json.Encoder()


def write_answer(response: ChatResponse, facts: AnswerFacts, custom: frozenset[str] = frozenset()) -> bytes:
    """The body of a non-streamed answer. `custom`: tools of the client that take free text."""
    origin = facts.origin
    return _encoder.encode(
        _Completion(
            id=response.id or facts.request_id,  # several vendors name neither
            created=response.created_s or facts.at_s,
            model=response.model,
            choices=[_choice(choice, origin, custom) for choice in response.choices],
            usage=UNSET if response.usage is None else write_usage(response.usage),
            service_tier=response.service_tier or UNSET,
        )
    )


def custom_tools(body: Mapping[str, Any]) -> frozenset[str]:  # Any: checked JSON
    """Names of the tools in a chat body that take free text; most bodies have none."""
    tools = body.get("tools")
    if not isinstance(tools, list):
        return frozenset()
    return frozenset(tool["custom"]["name"] for tool in tools if tool.get("type") == "custom")


def write_citations(citations: Sequence[Citation]) -> list[WireAnnotation]:
    """Pages only: this dialect cites nothing else."""
    return [
        WireAnnotation(
            url_citation=_UrlCitation(
                url=citation.url, title=citation.title, start_index=citation.start or 0, end_index=citation.end or 0
            )
        )
        for citation in citations
        if citation.url
    ]


def write_usage(usage: Usage) -> WireUsage:
    """OpenAI's counts: the prompt includes what was read from the cache, the completion includes reasoning."""
    return WireUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=_PromptDetails(
            cached_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            audio_tokens=usage.input_audio_tokens or UNSET,
        ),
        completion_tokens_details=_CompletionDetails(
            reasoning_tokens=usage.reasoning_tokens, audio_tokens=usage.output_audio_tokens or UNSET
        ),
    )


def write_details(thought: ReasoningPart | Delta, text: str, origin: str) -> list[WireDetail]:
    """OpenRouter's carrier for what must return to the vendor unchanged; nothing for a thought that nobody signed."""
    if not (thought.redacted or thought.signature):
        return []
    name = (thought.id if isinstance(thought, ReasoningPart) else thought.reasoning_id) or UNSET
    from_whom = origin or UNSET
    details = []
    if thought.redacted:
        details.append(WireDetail(type="reasoning.encrypted", data=thought.redacted, id=name, format=from_whom))
    if thought.signature:
        details.append(
            WireDetail(
                type="reasoning.text", text=text or UNSET, signature=thought.signature, id=name, format=from_whom
            )
        )
    return details


def write_origin(origin: str) -> list[WireDetail]:
    """Says of a thought that nobody signed, and whose words stand in `reasoning_content`, whose it is."""
    return [WireDetail(type="reasoning.text", format=origin)] if origin else []


def _choice(choice: Choice, origin: str, custom: frozenset[str]) -> _WireChoice:
    text = [part.text for part in choice.parts if isinstance(part, TextPart)]
    thoughts = [part for part in choice.parts if isinstance(part, ReasoningPart)]
    calls = [_call(part, custom) for part in choice.parts if isinstance(part, ToolCallPart)]
    reasoning = "".join(thought.text for thought in thoughts)
    if any(thought.signature or thought.redacted for thought in thoughts):
        # One signed thought makes all of them travel as details: their order matters to the vendor that signed.
        details = [
            detail
            for thought in thoughts
            for detail in write_details(thought, thought.text, thought.origin or origin)
            or [WireDetail(type="reasoning.text", text=thought.text, format=thought.origin or origin or UNSET)]
        ]
    else:
        details = write_origin(thoughts[0].origin or origin) if reasoning else []
    citations = _citations([part for part in choice.parts if isinstance(part, TextPart)])
    return _WireChoice(
        index=choice.index,
        finish_reason=choice.finish_reason,
        message=_WireMessage(
            content="".join(text) if text else None,
            refusal=choice.refusal or None,
            reasoning_content=reasoning or UNSET,
            reasoning_details=details or UNSET,
            tool_calls=calls or UNSET,
            annotations=write_citations(citations) or UNSET,
        ),
    )


def _citations(parts: Sequence[TextPart]) -> list[Citation]:
    """Each at its place in the one text that the parts become."""
    found: list[Citation] = []
    before = 0
    for part in parts:
        for citation in part.citations:
            if before and citation.start is not None and citation.end is not None:
                citation = structs.replace(citation, start=citation.start + before, end=citation.end + before)
            found.append(citation)
        before += len(part.text)
    return found


def _call(part: ToolCallPart, custom: frozenset[str]) -> WireToolCall:
    if part.is_custom or part.name in custom:
        text = part.arguments if part.is_custom else unwrap(part.arguments)
        return WireToolCall(id=part.id, type="custom", custom=WireCustom(name=part.name, input=text))
    return WireToolCall(id=part.id, function=WireFunction(name=part.name, arguments=part.arguments))


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _PromptDetails(Struct):
    cached_tokens: int
    cache_write_tokens: int
    audio_tokens: int | UnsetType = UNSET


class _CompletionDetails(Struct):
    reasoning_tokens: int
    audio_tokens: int | UnsetType = UNSET


class WireUsage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails
    completion_tokens_details: _CompletionDetails


class WireFunction(Struct):
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class WireCustom(Struct):
    name: str | UnsetType = UNSET
    input: str | UnsetType = UNSET


class _UrlCitation(Struct):
    url: str
    title: str
    start_index: int
    end_index: int


class WireAnnotation(Struct, kw_only=True):
    type: Literal["url_citation"] = "url_citation"
    url_citation: _UrlCitation


class WireToolCall(Struct, kw_only=True):
    index: int | UnsetType = UNSET
    id: str | UnsetType = UNSET
    type: Literal["function", "custom"] | UnsetType = "function"
    function: WireFunction | UnsetType = UNSET
    custom: WireCustom | UnsetType = UNSET


class WireDetail(Struct, kw_only=True):
    type: str
    text: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    data: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    format: str | UnsetType = UNSET
    index: int | UnsetType = UNSET
    """In streams only: the official client puts the pieces of a list together by it."""


class _WireMessage(Struct, kw_only=True):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None
    reasoning_content: str | UnsetType
    reasoning_details: list[WireDetail] | UnsetType
    tool_calls: list[WireToolCall] | UnsetType
    annotations: list[WireAnnotation] | UnsetType


class _WireChoice(Struct, kw_only=True):
    index: int
    message: _WireMessage
    logprobs: None = None
    finish_reason: str


class _Completion(Struct, kw_only=True):
    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[_WireChoice]
    usage: WireUsage | UnsetType
    service_tier: str | UnsetType = UNSET


class WireDelta(Struct, kw_only=True):
    role: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[WireDetail] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    tool_calls: list[WireToolCall] | UnsetType = UNSET
    annotations: list[WireAnnotation] | UnsetType = UNSET


class WireStreamChoice(Struct, kw_only=True):
    index: int
    delta: WireDelta
    logprobs: None = None
    finish_reason: str | None


class WireChunk(Struct, kw_only=True):
    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[WireStreamChoice]
    usage: WireUsage | UnsetType = UNSET
    yuzui: dict[str, Any] | UnsetType = UNSET  # Any: the trailer's JSON values
