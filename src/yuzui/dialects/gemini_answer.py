"""An answer of another dialect in Google's spelling, its errors, and the wire structs that its stream shares.

Sources (2026-11-26): `google-genai` 3.6.1, types.py `GenerateContentResponse`; https://ai.google.dev/api/generate-content;
errors: https://cloud.google.com/apis/design/errors.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    DocumentPart,
    FinishReason,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import YuzuiError
from yuzui.core.reasoning import seal
from yuzui.core.usage import Usage
from yuzui.dialects._field_names import GEMINI, in_words_of

FINISH_REASONS: Final[Mapping[FinishReason, str]] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",  # Google has no word of its own for it
    "content_filter": "SAFETY",
}
INVALID_ARGUMENTS: Final = "invalid_arguments"
"""Where the text of a call's arguments goes that is no JSON object: `args` must be one."""
_STATUSES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_TYPES: Final = "type.googleapis.com/google.rpc."

encode: Final = msgspec.json.Encoder().encode
_read_arguments = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def write_answer(response: ChatResponse, origin: str, request_id: str) -> bytes:
    """The body of a whole answer."""
    return encode(
        WireAnswer(
            candidates=[_candidate(choice, origin) for choice in response.choices],
            usage=UNSET if response.usage is None else write_usage(response.usage),
            model=response.model,
            id=response.id or request_id,
        )
    )


def write_usage(usage: Usage) -> WireUsage:
    """Google's counts: the prompt includes what was read from the cache, the candidates leave out the thoughts."""
    return WireUsage(
        prompt=usage.input_tokens,
        candidates=usage.output_tokens - usage.reasoning_tokens,
        total=usage.input_tokens + usage.output_tokens,
        cached=usage.cached_input_tokens or UNSET,
        thoughts=usage.reasoning_tokens or UNSET,
        prompt_details=_details(usage.input_tokens, usage.input_audio_tokens),
        candidates_details=_details(usage.output_tokens - usage.reasoning_tokens, usage.output_audio_tokens),
    )


def write_part(part: Part) -> WirePart | None:
    """`part` as it may be shown to a client of this dialect; None for what its answers have no word for."""
    match part:
        case TextPart():
            return WirePart(text=part.text) if part.text else None
        case ToolCallPart():
            return WirePart(call=write_call(part.id, part.name, part.arguments))
        case ImagePart() | DocumentPart() if part.data:
            return WirePart(data=WireBlob(type=part.media_type, data=part.data))
    return None


def sealed(part: ReasoningPart, origin: str) -> str:
    """A thought of another vendor, all but its words, for the place of Google's signature: so it comes back whole."""
    return b64encode(seal(part, origin).encode()).decode()


def write_call(call_id: str, name: str, arguments: str) -> WireCall:
    """A function call, whole. Its arguments stay as the model wrote them, if they are an object."""
    return WireCall(id=call_id or UNSET, name=name, args=_arguments(arguments))


def error_object(error: YuzuiError, request_id: str) -> dict[str, object]:
    """The `error` of a body or of a stream. `google-genai` picks the exception by `code`, so that it comes first."""
    message, param = in_words_of(GEMINI, error)
    metadata = {"code": error.code, "request_id": request_id}
    if param:
        metadata["param"] = param
    details: list[dict[str, object]] = [
        {"@type": f"{_TYPES}ErrorInfo", "reason": error.code.upper(), "domain": "yuzui", "metadata": metadata},
        {"@type": f"{_TYPES}RequestInfo", "requestId": request_id},
    ]
    if error.retry_after_s is not None:
        details.append({"@type": f"{_TYPES}RetryInfo", "retryDelay": f"{error.retry_after_s:g}s"})
    status = _STATUSES.get(error.status, "INTERNAL" if error.status >= 500 else "INVALID_ARGUMENT")
    return {"code": error.status, "message": message, "status": status, "details": details}


def grounding(cited: Sequence[tuple[Citation, WireSegment | UnsetType]]) -> dict[str, object] | UnsetType:
    """Citations as Google's grounding: sources, and which passage rests on which of them."""
    if not cited:
        return UNSET
    chunks: dict[tuple[str, str, str, int | None], int] = {}
    supports: list[dict[str, object]] = []
    for citation, segment in cited:
        text = citation.cited_text if not citation.url else ""
        number = chunks.setdefault((citation.url, citation.title, text, citation.document), len(chunks))
        if segment is not UNSET:
            supports.append({"segment": segment, "groundingChunkIndices": [number]})
    found: dict[str, object] = {"groundingChunks": [_source(url, title, text) for url, title, text, _ in chunks]}
    if supports:
        found["groundingSupports"] = supports
    return found


def segment(text: str, start: int | None, end: int | None, part: int | UnsetType = UNSET) -> WireSegment | UnsetType:
    """The passage of `text` from character `start` to `end`: Google counts bytes."""
    if start is None or end is None or not 0 <= start <= end <= len(text):
        return UNSET
    begin = len(text[:start].encode("utf-8", "replace"))
    passage = text[start:end]
    return WireSegment(part=part, start=begin, end=begin + len(passage.encode("utf-8", "replace")), text=passage)


def _candidate(choice: Choice, origin: str) -> WireCandidate:
    parts: list[WirePart] = []
    cited: list[tuple[Citation, WireSegment | UnsetType]] = []
    signature = ""
    for part in choice.parts:
        if isinstance(part, ReasoningPart):
            # Without words it stands on the next part, as Google has it: clients leave out empty thoughts.
            if signature:
                parts.append(WirePart(text="", signature=signature))
            signature = sealed(part, origin)
            if part.text:
                parts.append(WirePart(text=part.text, thought=True, signature=signature))
                signature = ""
            continue
        written = write_part(part)
        if written is None:
            continue
        if isinstance(part, TextPart):
            cited += _passages(part, len(parts))
        if signature:
            written.signature, signature = signature, ""
        parts.append(written)
    if signature:
        parts.append(WirePart(text="", signature=signature))
    if choice.refusal:
        parts.append(WirePart(text=choice.refusal))
    return WireCandidate(
        content=WireContent(parts=parts or [WirePart(text="")]),  # clients take an answer without a part for none
        finish_reason="SAFETY" if choice.refusal else FINISH_REASONS[choice.finish_reason],
        index=choice.index,
        grounding=grounding(cited),
    )


def _passages(part: TextPart, number: int) -> Iterable[tuple[Citation, WireSegment | UnsetType]]:
    for citation in part.citations:
        start, end = (0, len(part.text)) if citation.start is None else (citation.start, citation.end)
        yield citation, segment(part.text, start, end, number)


def _source(url: str, title: str, text: str) -> dict[str, object]:
    if url:
        return {"web": {"uri": url, "title": title}}
    return {"retrievedContext": {"title": title, "text": text}}


def _arguments(text: str) -> msgspec.Raw:
    if not text.strip():
        return msgspec.Raw(b"{}")  # how several vendors spell a call without arguments
    try:
        _read_arguments(text)
        return msgspec.Raw(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return msgspec.Raw(encode({INVALID_ARGUMENTS: text.encode("utf-8", "replace").decode()}))


def _details(tokens: int, audio: int) -> list[dict[str, object]] | UnsetType:
    if not audio:
        return UNSET
    return [{"modality": "TEXT", "tokenCount": tokens - audio}, {"modality": "AUDIO", "tokenCount": audio}]


# ---- wire structs ---------------------------------------------------------------------------------------------------


class WireCall(Struct):
    name: str
    args: msgspec.Raw
    id: str | UnsetType = UNSET


class WireBlob(Struct, rename={"type": "mimeType"}):
    type: str
    data: str


class WirePart(Struct, rename={"signature": "thoughtSignature", "call": "functionCall", "data": "inlineData"}):
    text: str | UnsetType = UNSET
    thought: bool | UnsetType = UNSET
    call: WireCall | UnsetType = UNSET
    data: WireBlob | UnsetType = UNSET
    signature: str | UnsetType = UNSET


class WireContent(Struct):
    parts: list[WirePart]
    role: str = "model"


class WireSegment(Struct, rename={"part": "partIndex", "start": "startIndex", "end": "endIndex"}):
    start: int
    end: int
    text: str
    part: int | UnsetType = UNSET


class WireCandidate(Struct, rename={"finish_reason": "finishReason", "grounding": "groundingMetadata"}):
    content: WireContent
    index: int
    finish_reason: str | UnsetType = UNSET
    grounding: dict[str, object] | UnsetType = UNSET


class WireUsage(
    Struct,
    rename={
        "prompt": "promptTokenCount",
        "candidates": "candidatesTokenCount",
        "total": "totalTokenCount",
        "cached": "cachedContentTokenCount",
        "thoughts": "thoughtsTokenCount",
        "prompt_details": "promptTokensDetails",
        "candidates_details": "candidatesTokensDetails",
    },
):
    prompt: int
    candidates: int
    total: int
    cached: int | UnsetType = UNSET
    thoughts: int | UnsetType = UNSET
    prompt_details: list[dict[str, object]] | UnsetType = UNSET
    candidates_details: list[dict[str, object]] | UnsetType = UNSET


class WireAnswer(Struct, rename={"usage": "usageMetadata", "model": "modelVersion", "id": "responseId"}):
    candidates: list[WireCandidate]
    model: str
    id: str
    usage: WireUsage | UnsetType = UNSET
    yuzui: Mapping[str, Any] | UnsetType = UNSET  # Any: the trailer's JSON values
