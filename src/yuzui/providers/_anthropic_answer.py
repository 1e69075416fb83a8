"""Whole answers of the Messages API as core.chat, and the wire structs that its streams share.

Sources (read 2026-11-22): https://platform.claude.com/docs/en/api/messages,
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons;
https://platform.claude.com/docs/en/build-with-claude/citations (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

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
from yuzui.providers._anthropic_faults import WireError, stream_fault
from yuzui.providers._anthropic_usage import UsageReader, WireUsage
from yuzui.providers._reading import BAD

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
UNKNOWN_FINISH: FinishReason = "length"  # pause_turn and reasons to come: the answer may be incomplete, so never "stop"
_SAID = frozenset({"end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal"})
"""Reasons that the hub's words tell in full."""


class StopDetails(msgspec.Struct, frozen=True):
    category: str | None = None
    explanation: str | None = None


class WireCitation(msgspec.Struct, frozen=True):
    """Of any of the API's five kinds."""

    type: str = ""
    cited_text: str | None = None
    url: str | None = None
    source: str | None = None
    title: str | None = None
    document_title: str | None = None
    document_index: int | None = None
    file_id: str | None = None


class WireBlock(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: msgspec.Raw = msgspec.Raw(b"{}")
    citations: tuple[WireCitation, ...] | None = None


class _Answer(msgspec.Struct, frozen=True):
    """A whole body, or an error that came with status 200."""

    type: str
    id: str = ""
    model: str = ""
    content: tuple[WireBlock, ...] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: WireUsage | None = None
    error: WireError | None = None


_read_answer = msgspec.json.Decoder(_Answer).decode


def read_answer(body: bytes, *, is_lane: bool, answer_tool: str) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer, the vendor's fault when it is an error.

    `answer_tool`: the tool whose input is the answer's text.
    """
    try:
        answer = _read_answer(body)
    except BAD as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {error}") from error
    if answer.error is not None:
        raise stream_fault(answer.error)
    if answer.type != "message" or answer.content is None or answer.stop_reason is None:
        raise UpstreamInvalid("the target's answer is not a finished message: `content` or `stop_reason` is missing")
    blocks = answer.content
    parts = [part for block in blocks if (part := _read_block(block)) is not None]
    finish = FINISH_REASONS.get(answer.stop_reason, UNKNOWN_FINISH)
    if answer_tool:
        parts, finish = _unwrap(parts, finish, answer_tool)
    choice = Choice(
        index=0,
        parts=tuple(parts),
        finish_reason=finish,
        refusal=refusal_of(answer.stop_reason, answer.stop_details),
        stop_sequence=answer.stop_sequence or "",
        native_finish=native_finish(answer.stop_reason),
    )
    counts = UsageReader()
    counts.read(answer.usage)
    return ChatResponse(
        id=answer.id,
        model=answer.model,
        created_s=0,
        choices=(choice,),
        usage=counts.usage,
        price_terms=counts.price_terms,
        raw=body if is_lane else b"",
        raw_dialect="anthropic_messages" if is_lane else None,
    )


def _unwrap(parts: list[Part], finish: FinishReason, tool: str) -> tuple[list[Part], FinishReason]:
    """The answer out of the tool's call. What was said beside it would make the answer no JSON: it is left out."""
    if not any(isinstance(part, ToolCallPart) and part.name == tool for part in parts):
        return parts, finish
    kept = [
        TextPart(text=part.arguments) if isinstance(part, ToolCallPart) and part.name == tool else part
        for part in parts
        if not isinstance(part, TextPart)
    ]
    has_calls = any(isinstance(part, ToolCallPart) for part in kept)
    return kept, "stop" if finish == "tool_calls" and not has_calls else finish


def _read_block(block: WireBlock) -> Part | None:
    match block.type:
        case "text":
            return TextPart(text=block.text, citations=read_citations(block.citations or (), 0, len(block.text)))
        case "thinking":
            return ReasoningPart(text=block.thinking, signature=block.signature)
        case "redacted_thinking":
            return ReasoningPart(text="", redacted=block.data)
        case "tool_use":
            if not (block.id and block.name):
                raise UpstreamInvalid("the target's answer holds a tool call without id or name")
            return ToolCallPart(id=block.id, name=block.name, arguments=write_input(block.input))
    return None  # blocks of server-side tools, whose results the text cites, and kinds to come


def read_citations(citations: Iterable[WireCitation], start: int, end: int) -> tuple[Citation, ...]:
    """Citations of the text from `start` to `end`: this API cites whole blocks of text."""
    return tuple(
        [
            Citation(
                url=found.url or found.source or "",
                title=found.title or found.document_title or "",
                cited_text=found.cited_text or "",
                file_id=found.file_id or "",
                document=found.document_index,
                start=start,
                end=end,
            )
            for found in citations
            if found.url or found.source or found.file_id or found.document_index is not None
        ]
    )


def write_input(value: msgspec.Raw) -> str:
    """The call's arguments as the vendor wrote them: an object, checked because `Raw` is only skipped over."""
    data = bytes(value).strip()
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UpstreamInvalid("the target's answer holds a tool call whose input is not UTF-8") from error
    if not data.startswith(b"{"):
        raise UpstreamInvalid("the target's answer holds a tool call whose input is not an object")
    return text


def refusal_of(stop_reason: str, details: StopDetails | None) -> str:
    if stop_reason != "refusal":
        return ""
    if details is not None and details.explanation:
        return details.explanation
    category = f" (category: {details.category})" if details is not None and details.category else ""
    return f"The model declined to answer{category}."


def native_finish(stop_reason: str) -> str:
    """The vendor's word, where the hub's would say less."""
    return "" if stop_reason in _SAID else stop_reason
