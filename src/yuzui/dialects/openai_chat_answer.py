"""A whole answer of another dialect, in the chat-completions spelling; and the wire structs that its stream shares.

Source: https://developers.openai.com/api/reference/resources/chat (openai-python 3.54, 2026-11).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from yuzui.core.chat import ChatResponse, Choice, ReasoningPart, TextPart, ToolCallPart
from yuzui.core.usage import Usage

_encoder = msgspec.json.Encoder()


def write_answer(response: ChatResponse) -> bytes:
    """The body of a non-streamed answer."""
    return _encoder.encode(
        _Completion(
            id=response.id,
            created=response.created_s,
            model=response.model,
            choices=[_choice(choice) for choice in response.choices],
            usage=UNSET if response.usage is None else write_usage(response.usage),
        )
    )


def write_usage(usage: Usage) -> WireUsage:
    """OpenAI's counts: the prompt includes what was read from the cache, the completion includes reasoning."""
    return WireUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.input_tokens + usage.output_tokens,
        prompt_tokens_details=_PromptDetails(
            cached_tokens=usage.cached_input_tokens, cache_write_tokens=usage.cache_write_tokens
        ),
        completion_tokens_details=_CompletionDetails(reasoning_tokens=usage.reasoning_tokens),
    )


def write_details(text: str, signature: str, redacted: str) -> list[WireDetail]:
    """OpenRouter's carrier for what must return to the vendor unchanged; plain reasoning text needs none."""
    if redacted:
        return [WireDetail(type="reasoning.encrypted", data=redacted)]
    if signature:
        return [WireDetail(type="reasoning.text", text=text or UNSET, signature=signature)]
    return []


def _choice(choice: Choice) -> _WireChoice:
    text = [part.text for part in choice.parts if isinstance(part, TextPart)]
    thoughts = [part for part in choice.parts if isinstance(part, ReasoningPart)]
    calls = [
        WireToolCall(id=part.id, function=WireFunction(name=part.name, arguments=part.arguments))
        for part in choice.parts
        if isinstance(part, ToolCallPart)
    ]
    reasoning = "".join(thought.text for thought in thoughts)
    # One signed thought makes all of them travel as details: their order matters to the vendor that signed.
    details = [
        WireDetail(type="reasoning.text", text=thought.text)
        if not (thought.signature or thought.redacted)
        else write_details(thought.text, thought.signature, thought.redacted)[0]
        for thought in thoughts
    ]
    return _WireChoice(
        index=choice.index,
        finish_reason=choice.finish_reason,
        message=_WireMessage(
            content="".join(text) if text else None,
            refusal=choice.refusal or None,
            reasoning_content=reasoning or UNSET,
            reasoning_details=details if any(t.signature or t.redacted for t in thoughts) else UNSET,
            tool_calls=calls or UNSET,
        ),
    )


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _PromptDetails(Struct):
    cached_tokens: int
    cache_write_tokens: int


class _CompletionDetails(Struct):
    reasoning_tokens: int


class WireUsage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _PromptDetails
    completion_tokens_details: _CompletionDetails


class WireFunction(Struct):
    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class WireToolCall(Struct, kw_only=True):
    index: int | UnsetType = UNSET
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = "function"
    function: WireFunction


class WireDetail(Struct, kw_only=True):
    type: str
    text: str | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    data: str | UnsetType = UNSET


class _WireMessage(Struct, kw_only=True):
    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None
    reasoning_content: str | UnsetType
    reasoning_details: list[WireDetail] | UnsetType
    tool_calls: list[WireToolCall] | UnsetType


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


class WireDelta(Struct, kw_only=True):
    role: str | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: list[WireDetail] | UnsetType = UNSET
    refusal: str | UnsetType = UNSET
    tool_calls: list[WireToolCall] | UnsetType = UNSET


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
