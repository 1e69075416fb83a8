"""A whole answer of another dialect in the words of the Messages API; and what its stream shares with it.

Source: https://platform.claude.com/docs/en/api/messages, `anthropic` 2.14.0, types/message.py, usage.py and
refusal_stop_details.py (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from yuzui.core.call_ids import to_client
from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Choice,
    Citation,
    DocumentPart,
    FinishReason,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import YuzuiError
from yuzui.core.reasoning import seal
from yuzui.core.usage import Usage
from yuzui.dialects._field_names import MESSAGES, in_words_of

Json = dict[str, Any]  # Any: JSON values

INVALID_ARGUMENTS: Final = "invalid_arguments"
"""Where the text of a call's arguments goes that are no JSON object: `input` must be one, and the client may look."""
STOP_REASONS: Final[dict[FinishReason, str]] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_NATIVE_REASONS: Final = frozenset(("pause_turn", "model_context_window_exceeded", "compaction"))
"""Reasons of this API that say more than the hub's words: kept where a vendor gives them."""
_TIERS: Final = {"standard": "standard", "default": "standard", "priority": "priority", "batch": "batch"}
_ERROR_TYPES: Final = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""Status → class of error. Source: https://platform.claude.com/docs/en/api/errors (2026-11-26)."""

_encoder = msgspec.json.Encoder()
_read_arguments = msgspec.json.Decoder().decode


def write_answer(response: ChatResponse, request: ChatRequest, facts: AnswerFacts) -> bytes:
    """The body of a non-streamed answer."""
    choice = response.choices[0]  # nobody can ask for more than one here
    content = _content(choice, request, facts)
    stop = Stop()
    stop.has_calls = any(block["type"] == "tool_use" for block in content)
    stop.note(choice.finish_reason, choice.stop_sequence, choice.native_finish, choice.refusal)
    return _encoder.encode(
        {
            "id": response.id or message_id(facts.request_id),
            "type": "message",
            "role": "assistant",
            "model": response.model or request.model,
            "content": content,
            **stop.fields(),
            "usage": write_usage(response.usage or Usage(), response.service_tier),
        }
    )


def message_id(request_id: str) -> str:
    """For an answer whose vendor gave it no name."""
    return f"msg_{request_id}"


class Stop:
    """Why an answer ended, as far as it is known."""

    __slots__ = ("_finish", "_native", "_refusal", "_sequence", "has_calls")

    def __init__(self) -> None:
        self._finish: FinishReason = "stop"
        self._native = ""
        self._sequence = ""
        self._refusal = ""
        self.has_calls = False

    def note(self, finish: FinishReason, sequence: str, native: str, refusal: str) -> None:
        self._finish, self._sequence, self._native = finish, sequence, native
        self._refusal = self._refusal or refusal

    def note_refusal(self, text: str) -> None:
        """The model's own words in place of an answer; they grow piece by piece."""
        self._refusal += text

    @property
    def reason(self) -> str:
        if self._native in _NATIVE_REASONS:
            return self._native
        if self._finish == "content_filter" or (self._refusal and self._finish == "stop"):
            return "refusal"
        if self._finish == "stop" and self._sequence:
            return "stop_sequence"
        # Servers disagree on what ends an answer with calls; agents look at nothing but this word.
        if self._finish in ("stop", "tool_calls"):
            return "tool_use" if self.has_calls else "end_turn"
        return STOP_REASONS[self._finish]

    def fields(self) -> Json:
        reason = self.reason
        fields: Json = {
            "stop_reason": reason,
            "stop_sequence": self._sequence if reason == "stop_sequence" else None,
        }
        if reason == "refusal":
            fields["stop_details"] = {"type": "refusal", "category": None, "explanation": self._refusal or None}
        return fields


def write_usage(usage: Usage, service_tier: str = "") -> Json:
    """This API's counts: the input leaves out what was read from or written to the cache."""
    written_1h = usage.cache_write_1h_tokens
    counts: Json = {
        "input_tokens": max(usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens, 0),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": max(usage.cache_write_tokens - written_1h, 0),
            "ephemeral_1h_input_tokens": written_1h,
        },
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    if usage.server_tools:
        calls = {"web_search": 0, "web_fetch": 0} | dict(usage.server_tools)
        counts["server_tool_use"] = {f"{name}_requests": count for name, count in calls.items()}
    if service_tier in _TIERS:
        counts["service_tier"] = _TIERS[service_tier]
    return counts


def write_input(arguments: str) -> msgspec.Raw:
    """A call's arguments as the object that `input` must be; text that is none stands under `INVALID_ARGUMENTS`."""
    if not arguments or arguments.isspace() or arguments == "null":
        return _NO_INPUT
    if is_object(arguments):
        return msgspec.Raw(arguments.encode())
    return msgspec.Raw(_encoder.encode({INVALID_ARGUMENTS: arguments}))


_NO_INPUT: Final = msgspec.Raw(b"{}")


def is_object(arguments: str) -> bool:
    """Whether `arguments` are a whole JSON object."""
    try:
        return isinstance(_read_arguments(arguments), dict)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False


def write_citations(citations: Iterable[Citation], request: ChatRequest) -> list[Json]:
    """Those that this API has a form for: pages of the web, and documents of the request."""
    return [written for citation in citations if (written := _citation(citation, request)) is not None]


def _citation(citation: Citation, request: ChatRequest) -> Json | None:
    if citation.url:
        return {
            "type": "web_search_result_location",
            "cited_text": citation.cited_text,
            "encrypted_index": "",
            "title": citation.title or None,
            "url": citation.url,
        }
    if citation.document is None:
        return None
    begin = _position(citation, request)
    return {
        "type": "char_location",
        "cited_text": citation.cited_text,
        "document_index": citation.document,
        "document_title": citation.title or None,
        "start_char_index": begin,
        "end_char_index": begin + len(citation.cited_text),
        "file_id": citation.file_id or None,
    }


def _position(citation: Citation, request: ChatRequest) -> int:
    """Where the cited text stands in its document; 0 where the document cannot be read."""
    documents = [
        part for message in request.meaning.messages for part in message.parts if isinstance(part, DocumentPart)
    ]
    number = citation.document or 0
    text = documents[number].text if 0 <= number < len(documents) else ""
    return max(text.find(citation.cited_text), 0)


def thinking_block(part: ReasoningPart, origin: str, *, is_omitted: bool = False) -> Json:
    """A thought, sealed so that it comes back whole and nobody but its own vendor gets it.

    `is_omitted`: the client does not want to read it (`thinking.display`), so its words are in the seal alone.
    """
    if part.redacted and not part.text:
        return {"type": "redacted_thinking", "data": seal(part, origin)}
    if is_omitted:
        return {"type": "thinking", "thinking": "", "signature": seal(part, origin, with_text=True)}
    return {"type": "thinking", "thinking": part.text, "signature": seal(part, origin)}


def error_object(error: YuzuiError, request_id: str) -> Json:
    """The `error` object of a body or a stream event. `details.error_code` is where this API names a cause."""
    status = error.status
    kind = _ERROR_TYPES.get(status) or ("api_error" if status >= 500 else "invalid_request_error")
    message, param = in_words_of(MESSAGES, error)
    details: Json = {"error_code": error.code}
    if param:
        details["param"] = param
    return {
        "type": "error",
        "error": {"type": kind, "message": message, "details": details},
        "request_id": request_id,
    }


def _content(choice: Choice, request: ChatRequest, facts: AnswerFacts) -> list[Json]:
    content = [
        block for number, part in enumerate(choice.parts) if (block := _block(part, number, request, facts)) is not None
    ]
    if choice.refusal and choice.finish_reason != "content_filter":
        content.append({"type": "text", "text": choice.refusal})  # what the model said in place of an answer
    return content


def _block(part: Part, number: int, request: ChatRequest, facts: AnswerFacts) -> Json | None:
    match part:
        case TextPart(text=text):
            if not text.strip():
                return None  # the API refuses such a block when it comes back
            block: Json = {"type": "text", "text": text}
            if part.citations and (citations := write_citations(part.citations, request)):
                block["citations"] = citations
            return block
        case ReasoningPart():
            return thinking_block(part, facts.origin, is_omitted=request.meaning.wants_thoughts is False)
        case ToolCallPart():
            return {
                "type": "tool_use",
                "id": call_id(part.id, number, facts.request_id),
                "name": part.name,
                "input": write_input(part.arguments),
            }
        case _:
            return None  # kinds that only a request can hold


def call_id(given: str, number: int, request_id: str) -> str:
    """A call's name in this API's alphabet; one is made up where the vendor gave none."""
    return to_client(given or f"toolu_{request_id}_{number}")
