"""Answers of Converse and ConverseStream as core.chat.

Usage: `inputTokens` leaves out what was read from and written to the cache; see docs/reference/usage/bedrock.md.
Source: botocore==1.44.8, bedrock-runtime service model: ConverseResponse, ConverseStreamOutput (read 2026-11-26).
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    FinishReason,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.price_terms import PriceTerm, told_terms
from yuzui.core.usage import Usage
from yuzui.providers._reading import BAD, MOST_COUNTED, object_text, part_count, reason_of

FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
"""Any other reason, of those to come, is `length`: the answer may be incomplete, so never `stop`."""
_BROKEN: Final = frozenset(("malformed_model_output", "malformed_tool_use"))
"""The model wrote what Bedrock could not read: a fault, never an answer."""
_TELLING: Final = frozenset(("model_context_window_exceeded", "guardrail_intervened", "content_filtered"))
"""Words that say more than ours."""


def read_answer(body: bytes, answer_tool: str, model: str) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer. `answer_tool`: see `WireRequest`."""
    try:
        found = _answer.decode(body)
    except BAD as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {reason_of(error)}") from error
    if found.output is None or found.output.message is None or found.stopReason is None:
        raise UpstreamInvalid("the target's answer is not finished: `output.message` or `stopReason` is missing")
    parts = tuple([part for block in found.output.message.content for part in _read_block(block, answer_tool)])
    has_calls = any(isinstance(part, ToolCallPart) for part in parts)
    choice = Choice(
        index=0,
        parts=parts,
        finish_reason=finish_of(found.stopReason, has_calls=has_calls, answer_tool=answer_tool),
        stop_sequence=stop_sequence_of(found.additionalModelResponseFields),
        native_finish=native_finish_of(found.stopReason),
    )
    tier = found.serviceTier.type if found.serviceTier is not None else ""
    return ChatResponse(
        id="",
        model=model,
        created_s=0,
        choices=(choice,),
        usage=read_usage(found.usage),
        service_tier=tier,
        price_terms=price_terms_of(found.serviceTier, found.performanceConfig),
    )


def price_terms_of(tier: WireTier | None, performance: WirePerformance | None) -> tuple[PriceTerm, ...]:
    return told_terms(
        service_tier=tier.type if tier is not None else "",
        latency=performance.latency if performance is not None else "",
    )


def finish_of(stop_reason: str, *, has_calls: bool, answer_tool: str) -> FinishReason:
    """Raise `UpstreamInvalid` for a reason that says the answer is broken."""
    if stop_reason in _BROKEN:
        raise UpstreamInvalid(f"the target could not read what its model wrote ({stop_reason})")
    if answer_tool and stop_reason == "tool_use" and not has_calls:
        return "stop"
    return FINISH_REASONS.get(stop_reason, "length")


def native_finish_of(stop_reason: str) -> str:
    return stop_reason if stop_reason in _TELLING or stop_reason not in FINISH_REASONS else ""


def stop_sequence_of(fields: Raw) -> str:
    """Which stop sequence it was, where the model says and we asked."""
    if not bytes(fields):
        return ""
    try:
        return _extra.decode(fields).stop_sequence or ""
    except BAD:
        return ""


def read_usage(raw: Raw) -> Usage | None:
    """Counts in the canonical shape; None when there are none that can be read (the pipeline then estimates).

    Whether `inputTokens` includes the cache is told by `totalTokens`: the documents leave it open, and the sum of all
    four counts is what Bedrock answers with.
    """
    data = bytes(raw)
    if not data or data == b"null":
        return None
    try:
        found = _usage.decode(data)
    except BAD:
        return None  # a paid, complete answer does not become a failure because its counts are nonsense
    if found.inputTokens is None or found.outputTokens is None:
        return None
    if not (0 <= found.inputTokens <= MOST_COUNTED and 0 <= found.outputTokens <= MOST_COUNTED):
        return None
    read, written = part_count(found.cacheReadInputTokens), part_count(found.cacheWriteInputTokens)
    total = found.inputTokens + read + written
    if found.totalTokens == found.inputTokens + found.outputTokens and found.inputTokens >= read + written:
        total = found.inputTokens
    return Usage(
        input_tokens=total,
        cached_input_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=sum(
            part_count(part.inputTokens) for part in found.cacheDetails or () if part.ttl == "1h"
        ),
        output_tokens=found.outputTokens,
    )


def citation_of(found: WireCitation) -> Citation:
    """Places inside a document are not characters of the answer, so only the document and its words are told."""
    place = found.location or _Location()
    inside = place.documentChar or place.documentPage or place.documentChunk
    web = place.web.url if place.web is not None else None
    return Citation(
        url=web or (found.source or "" if (found.source or "").startswith(("http://", "https://")) else ""),
        title=found.title or "",
        cited_text="".join([piece.text or "" for piece in found.sourceContent or ()]),
        document=inside.documentIndex if inside is not None else None,
    )


def _read_block(block: _Block, answer_tool: str) -> list[Part]:
    if block.text is not None:
        return [TextPart(text=block.text)]
    if block.toolUse is not None:
        call = block.toolUse
        if call.type == "server_tool_use":
            return []  # a tool of the vendor's, already answered
        if not (call.toolUseId and call.name):
            raise UpstreamInvalid("the target's answer holds a tool call without id or name")
        arguments = object_text(call.input, "a tool call whose input is")
        if call.name == answer_tool:
            return [TextPart(text=arguments)]
        return [ToolCallPart(id=call.toolUseId, name=call.name, arguments=arguments)]
    if block.reasoningContent is not None:
        thought = block.reasoningContent
        if thought.redactedContent:
            return [ReasoningPart(text="", redacted=thought.redactedContent)]
        said = thought.reasoningText or _ReasoningText()
        return [ReasoningPart(text=said.text, signature=said.signature)] if said.text or said.signature else []
    if block.citationsContent is not None:
        cited = block.citationsContent
        text = "".join([piece.text or "" for piece in cited.content or ()])
        return [TextPart(text=text, citations=tuple([citation_of(one) for one in cited.citations or ()]))]
    return []  # results of the vendor's own tools, pictures, and kinds to come


# ---- wire structs; names as on the wire -----------------------------------------------------------------------------


class _Place(Struct, frozen=True):
    documentIndex: int | None = None


class _Web(Struct, frozen=True):
    url: str | None = None


class _Location(Struct, frozen=True):
    web: _Web | None = None
    documentChar: _Place | None = None
    documentPage: _Place | None = None
    documentChunk: _Place | None = None


class _Piece(Struct, frozen=True):
    text: str | None = None


class WireCitation(Struct, frozen=True):
    title: str | None = None
    source: str | None = None
    sourceContent: tuple[_Piece, ...] | None = None
    location: _Location | None = None


class _Cited(Struct, frozen=True):
    content: tuple[_Piece, ...] | None = None
    citations: tuple[WireCitation, ...] | None = None


class _ReasoningText(Struct, frozen=True):
    text: str = ""
    signature: str = ""


class _Reasoning(Struct, frozen=True):
    reasoningText: _ReasoningText | None = None
    redactedContent: str | None = None


class _ToolUse(Struct, frozen=True):
    toolUseId: str = ""
    name: str = ""
    input: Raw = Raw()
    type: str = ""


class _Block(Struct, frozen=True):
    text: str | None = None
    toolUse: _ToolUse | None = None
    reasoningContent: _Reasoning | None = None
    citationsContent: _Cited | None = None


class _Message(Struct, frozen=True):
    content: tuple[_Block, ...] = ()


class _Output(Struct, frozen=True):
    message: _Message | None = None


class WireTier(Struct, frozen=True):
    type: str = ""


class WirePerformance(Struct, frozen=True):
    latency: str = ""


class _Answer(Struct, frozen=True):
    output: _Output | None = None
    stopReason: str | None = None
    usage: Raw = Raw()
    additionalModelResponseFields: Raw = Raw()
    serviceTier: WireTier | None = None
    performanceConfig: WirePerformance | None = None


class _Extra(Struct, frozen=True):
    stop_sequence: str | None = None


class _CacheDetail(Struct, frozen=True):
    ttl: str = ""
    inputTokens: int = 0


class _Usage(Struct, frozen=True):
    inputTokens: int | None = None
    outputTokens: int | None = None
    totalTokens: int | None = None
    cacheReadInputTokens: int | None = None
    cacheWriteInputTokens: int | None = None
    cacheDetails: tuple[_CacheDetail, ...] | None = None


_answer = msgspec.json.Decoder(_Answer)
_extra = msgspec.json.Decoder(_Extra)
_usage = msgspec.json.Decoder(_Usage)
