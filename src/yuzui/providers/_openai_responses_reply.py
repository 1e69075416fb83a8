"""Whole answers of the Responses API as core.chat, and the wire structs, counts and faults that its stream shares.

Usage: `input_tokens` includes what was read from and written to the cache, `output_tokens` includes reasoning; see
docs/reference/usage/openai_responses.md. Source: openai==3.57.0, types/responses/response.py, response_usage.py,
response_error.py (read 2026-11-26).
"""

from __future__ import annotations

from typing import Any, Final

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
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.price_terms import told_terms
from yuzui.core.usage import Usage
from yuzui.providers._reading import BAD, MOST_COUNTED, part_count, reason_of
from yuzui.providers.openai_errors import WireError, find_error, read_stream_error

INCOMPLETE: Final[dict[str, FinishReason]] = {"max_output_tokens": "length", "content_filter": "content_filter"}
"""Any other reason (`max_messages`, `steered`, those to come) is `length`: the answer is not whole, so never `stop`."""
SERVER_TOOLS: Final = {
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
}
_REJECTED: Final = frozenset(
    (
        "invalid_prompt",
        "data_residency_mismatch",
        "bio_policy",
        "misalignment_policy_violation",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
    )
)


def read_answer(body: bytes) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer, the vendor's fault when it tells one."""
    try:
        found = _response.decode(body)
    except BAD as error:
        fault = _fault_in(body)
        if fault is not None:
            raise fault from error
        raise UpstreamInvalid(f"the target's answer is not a response: {reason_of(error)}") from error
    if found.error is not None:
        raise fault_of(found.error, "inside a 200 answer")
    if found.output is None:
        raise _fault_in(body) or UpstreamInvalid("the target's answer has no `output`")
    if found.status in ("failed", "cancelled"):
        raise UpstreamInterrupted(f"the target's answer is {found.status}", code="upstream_error")
    if found.status not in (None, "completed", "incomplete"):
        raise UpstreamInvalid(f"the target's answer is not finished: `status` is {found.status[:40]!r}")
    finish, native = finish_of(found, any(item.type in _CALLS for item in found.output))
    choice = Choice(
        index=0,
        parts=tuple(part for item in found.output for part in _read_item(item)),
        finish_reason=finish,
        refusal="".join(piece.refusal or "" for item in found.output for piece in pieces_of(item)),
        native_finish=native,
    )
    return ChatResponse(
        id=found.id or "",
        model=found.model or "",
        created_s=seconds(found.created_at),
        choices=(choice,),
        usage=read_usage(found),
        raw=body,
        raw_dialect="openai_responses",
        service_tier=found.service_tier or "",
        price_terms=told_terms(service_tier=found.service_tier),
    )


def finish_of(response: WireResponse, has_calls: bool) -> tuple[FinishReason, str]:
    """Why the answer ended, in our word and, where it says more, in the vendor's."""
    if response.status == "incomplete":
        details = response.incomplete_details
        reason = (details.reason if details is not None else None) or ""
        finish = INCOMPLETE.get(reason, "length")
        return finish, "" if reason in INCOMPLETE else reason
    return ("tool_calls" if has_calls else "stop"), ""


def read_usage(response: WireResponse) -> Usage | None:
    """Counts in the canonical shape; None when there are none that can be read (the pipeline then estimates)."""
    data = bytes(response.usage)
    if not data or data == b"null":
        return None
    try:
        found = _usage_decoder.decode(data)
    except BAD:
        return None  # a paid, complete answer does not become a failure because its counts are nonsense
    if found.input_tokens is None and found.output_tokens is None:
        return None
    if not (0 <= (found.input_tokens or 0) <= MOST_COUNTED and 0 <= (found.output_tokens or 0) <= MOST_COUNTED):
        return None
    read, wrote = found.input_tokens_details or _InputDetails(), found.output_tokens_details or _OutputDetails()
    long_lived = read.cache_write_tokens_details or _WriteDetails()
    tools, images = _count_tools(response)
    return Usage(
        input_tokens=found.input_tokens or 0,
        cached_input_tokens=part_count(read.cached_tokens),
        cache_write_tokens=part_count(read.cache_write_tokens),
        cache_write_1h_tokens=part_count(long_lived.ttl_12h_tokens),
        output_tokens=found.output_tokens or 0,
        reasoning_tokens=part_count(wrote.reasoning_tokens),
        server_tools=tools,
        images=images,
    )


def _count_tools(response: WireResponse) -> tuple[tuple[tuple[str, int], ...], int]:
    """Calls of the vendor's tools, and the pictures among them. Searches as the vendor bills them, where it says."""
    counts: dict[str, int] = {}
    for item in response.output or ():
        name = SERVER_TOOLS.get(item.type)
        if item.type == "web_search_call" and (item.action is None or item.action.type in ("", "search")):
            name = "web_search"  # opening and searching a page is part of the search
        if name is not None:
            counts[name] = counts.get(name, 0) + 1
    billed = response.tool_usage.web_search if response.tool_usage is not None else None
    if billed is not None and billed.num_requests is not None:
        counts["web_search"] = part_count(billed.num_requests)
    tools = tuple((name, count) for name, count in sorted(counts.items()) if count > 0)
    return tools, counts.get("image_generation", 0)


def thought_of(item: WireItem) -> ReasoningPart | None:
    """A reasoning item's thought: its own words where a server shows them, else the vendor's summary."""
    own = [piece.text for piece in pieces_of(item) if piece.text]
    summary = [piece.text for piece in item.summary or () if piece.text]
    if not (own or summary or item.encrypted_content):
        return None
    return ReasoningPart(
        text="\n\n".join(own or summary),
        redacted=item.encrypted_content or "",
        id=item.id or "",
        is_summary=not own,
    )


def citation_of(note: WireAnnotation) -> Citation | None:
    if note.type == "url_citation":
        return Citation(url=note.url or "", title=note.title or "", start=note.start_index, end=note.end_index)
    if note.type in ("file_citation", "container_file_citation", "file_path"):
        title = note.filename or ""
        return Citation(file_id=note.file_id or "", title=title, start=note.start_index, end=note.end_index)
    return None


def pieces_of(item: WireItem) -> list[WirePiece]:
    return item.content if isinstance(item.content, list) else []


def arguments_of(item: WireItem) -> str:
    """The text of a call's arguments or, of a custom tool's, its input."""
    value = item.input if item.type == "custom_tool_call" else item.arguments
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()


def call_id_of(item: WireItem) -> str:
    """Raise `UpstreamInvalid` for a call that cannot be answered."""
    call_id = item.call_id or item.id
    if not (call_id and item.name):
        raise UpstreamInvalid("the target's answer holds a tool call without id or name")
    return call_id


def is_call(item: WireItem) -> bool:
    """A call that the client is to answer."""
    return item.type in _CALLS


def fault_of(error: WireFailure, where: str) -> UpstreamFault:
    """The fault for `error` of a response, of a failed one or of an `error` event."""
    code = str(error.code or "").lower()
    kind = error.type
    if code in _REJECTED or "image" in code:
        kind = "invalid_request_error"
    fault = read_stream_error(WireError(message=error.message, type=kind, code=error.code), where)
    fault.may_have_run = True  # it was at work already
    return fault


def seconds(value: float | None) -> int:
    return int(value) if value is not None and 0 <= value <= MOST_COUNTED else 0


_CALLS: Final = frozenset(("function_call", "custom_tool_call"))


def _read_item(item: WireItem) -> list[Part]:
    if item.type == "message":
        return [_read_text(piece) for piece in pieces_of(item) if piece.text]
    if item.type == "reasoning":
        thought = thought_of(item)
        return [thought] if thought is not None else []
    if is_call(item):
        is_custom = item.type == "custom_tool_call"
        call_id = call_id_of(item)
        return [ToolCallPart(id=call_id, name=item.name or "", arguments=arguments_of(item), is_custom=is_custom)]
    return []  # what the vendor's own tools did travels on the lane


def _read_text(piece: WirePiece) -> TextPart:
    citations = [citation for note in piece.annotations or () if (citation := citation_of(note)) is not None]
    return TextPart(text=piece.text or "", citations=tuple(citations))


def _fault_in(body: bytes) -> UpstreamFault | None:
    error = find_error(body)
    return None if error is None else read_stream_error(error, "inside a 200 answer")


# ---- wire structs ---------------------------------------------------------------------------------------------------


class WireAnnotation(Struct, frozen=True):
    type: str = ""
    url: str | None = None
    title: str | None = None
    file_id: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None


class WirePiece(Struct, frozen=True):
    """A content part of a message or of a thought."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: list[WireAnnotation] | None = None


class _Action(Struct, frozen=True):
    type: str = ""


class WireItem(Struct, frozen=True):
    """An output item of any type; what a type lacks is absent."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None  # Any: text, or an object in items of a vendor's own tools
    input: Any = None  # Any: as above
    content: list[WirePiece] | str | None = None
    summary: list[WirePiece] | None = None
    encrypted_content: str | None = None
    action: _Action | None = None


class WireFailure(Struct, frozen=True):
    code: str | int | None = None
    message: str | None = None
    type: str | None = None


class _Incomplete(Struct, frozen=True):
    reason: str | None = None


class _SearchUsage(Struct, frozen=True):
    num_requests: int | None = None


class _ToolUsage(Struct, frozen=True):
    web_search: _SearchUsage | None = None


class WireResponse(Struct, frozen=True):
    id: str | None = None
    model: str | None = None
    created_at: float | None = None
    status: str | None = None
    error: WireFailure | None = None
    incomplete_details: _Incomplete | None = None
    output: list[WireItem] | None = None
    usage: Raw = Raw()
    tool_usage: _ToolUsage | None = None
    service_tier: str | None = None


class _WriteDetails(Struct, frozen=True):
    ttl_12h_tokens: int | None = None


class _InputDetails(Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_tokens_details: _WriteDetails | None = None


class _OutputDetails(Struct, frozen=True):
    reasoning_tokens: int | None = None


class _WireUsage(Struct, frozen=True):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: _InputDetails | None = None
    output_tokens_details: _OutputDetails | None = None


_response = msgspec.json.Decoder(WireResponse)
_usage_decoder = msgspec.json.Decoder(_WireUsage, strict=False)  # some servers send numbers as strings
