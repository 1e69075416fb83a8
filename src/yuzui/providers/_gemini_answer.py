"""Whole answers of generateContent as core.chat, and the wire structs that a stream of them shares.

Usage: Google's prompt includes what came from the cache, its candidates leave out the thoughts, and what its own tools
brought back is a count apart; see docs/reference/usage/gemini.md. Sources (2026-11-26):
https://ai.google.dev/api/generate-content#UsageMetadata, https://ai.google.dev/gemini-api/docs/google-search (segments
count bytes), `google-genai` 3.6.1, types.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    FinishReason,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.price_terms import PriceTerm, told_terms
from yuzui.core.usage import Usage
from yuzui.providers._gemini_faults import find_error, stream_fault
from yuzui.providers._reading import BAD, object_text, reason_of

_FILTERED: Final = frozenset(
    {
        "BLOCKLIST", "ESCALATION", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_SAFETY", "LANGUAGE",
        "MODEL_ARMOR", "PROHIBITED_CONTENT", "PUP_LIMITED_DISABLED", "RECITATION", "SAFETY", "SPII",
    }
)  # fmt: skip
UNKNOWN_FINISH: Final[FinishReason] = "length"
"""For MALFORMED_FUNCTION_CALL, OTHER, CONTINUATION and words to come: the answer may be incomplete, so never "stop"."""
NOT_FINISHED: Final = "FINISH_REASON_UNSPECIFIED"
_TIERS: Final[Mapping[str, str]] = {"ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}


def read_answer(body: bytes, *, is_lane: bool) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer, the vendor's fault when it is an error."""
    try:
        found = read_wire(body)
    except BAD as error:
        raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {reason_of(error)}") from error
    choices = [_choice(candidate, found, number) for number, candidate in enumerate(found.candidates or ())]
    if not choices:
        blocked = found.promptFeedback.blockReason if found.promptFeedback else None
        if not blocked:
            fault = find_error(body)
            if fault is not None:
                raise stream_fault(fault)
            raise UpstreamInvalid("the target's answer has neither `candidates` nor a reason why")
        assert found.promptFeedback is not None
        refusal = refusal_of(blocked, found.promptFeedback.blockReasonMessage)
        choices = [Choice(index=0, parts=(), finish_reason="content_filter", refusal=refusal, native_finish=blocked)]
    searches = max([searches_of(candidate) for candidate in found.candidates or ()], default=0)
    return ChatResponse(
        id=found.responseId or "",
        model=found.modelVersion or "",
        created_s=0,
        choices=tuple(choices),
        usage=read_usage(found.usageMetadata, searches),
        raw=body if is_lane else b"",
        raw_dialect="gemini" if is_lane else None,
        service_tier=_TIERS.get((found.usageMetadata.trafficType or "") if found.usageMetadata else "", ""),
        price_terms=price_terms_of(found.usageMetadata),
    )


def price_terms_of(found: WireUsage | None) -> tuple[PriceTerm, ...]:
    """Vertex tells its `trafficType`, the Gemini API a `serviceTier`."""
    return told_terms(service_tier=found.serviceTier or found.trafficType) if found is not None else ()


def read_usage(found: WireUsage | None, searches: int = 0) -> Usage | None:
    """Counts in the canonical shape; None when there are none that can be believed (the pipeline then estimates)."""
    if found is None or found.promptTokenCount is None:
        return None
    prompt, of_tools = found.promptTokenCount, found.toolUsePromptTokenCount or 0
    candidates, thoughts = found.candidatesTokenCount or 0, found.thoughtsTokenCount or 0
    if min(prompt, thoughts, candidates, of_tools) < 0:
        return None  # nonsense is estimated, not believed to be nothing
    return Usage(
        input_tokens=prompt + of_tools,
        cached_input_tokens=found.cachedContentTokenCount or 0,
        # What came from the cache is priced as such, whatever it is.
        input_audio_tokens=max(_audio(found.promptTokensDetails) - _audio(found.cacheTokensDetails), 0),
        output_tokens=candidates + thoughts,
        reasoning_tokens=thoughts,
        output_audio_tokens=_audio(found.candidatesTokensDetails),
        server_tools=(("web_search", searches),) if searches else (),
    )


def call_id(answer_id: str, index: int, position: int, call: WireCall) -> str:
    """A name for a call that has none: always the same for the same answer, and another in each answer."""
    if answer_id and len(answer_id) <= 24:
        return f"call_{answer_id}_{index}_{position}" if index else f"call_{answer_id}_{position}"
    seed = f"{answer_id}/{index}/{position}/{call.name}/".encode("utf-8", "replace") + bytes(call.args)
    return "call_" + hashlib.sha256(seed).hexdigest()[:24]


def _choice(candidate: WireCandidate, found: WireAnswer, number: int) -> Choice:
    if candidate.finishReason in (None, "", NOT_FINISHED):
        raise UpstreamInvalid(f"candidate {number} of the target's answer has no `finishReason`")
    index = number if candidate.index is None else candidate.index
    parts: list[Part] = []
    calls = 0
    texts: list[str] = []
    for part in (candidate.content.parts or ()) if candidate.content is not None else ():
        signature = part.thoughtSignature or ""
        if part.thought:
            parts.append(ReasoningPart(text=part.text or "", signature=signature, is_summary=True))
            continue
        if signature:
            parts.append(ReasoningPart(text="", signature=signature))
        if part.text:
            texts.append(part.text)
            parts.append(TextPart(text=part.text))
        elif part.functionCall is not None:
            call = part.functionCall
            made = call.id or call_id(found.responseId or "", index, calls, call)
            parts.append(ToolCallPart(id=made, name=call.name or "", arguments=arguments_of(call)))
            calls += 1
        elif part.inlineData is not None and part.inlineData.mimeType.startswith("image/"):
            parts.append(ImagePart(data=part.inlineData.data, media_type=part.inlineData.mimeType))
    if texts:
        _cite(parts, citations_of(candidate, "".join(texts)))
    finish = finish_of(candidate.finishReason, has_calls=calls > 0)
    is_refused = finish == "content_filter" and not texts
    return Choice(
        index=index,
        parts=tuple(parts),
        finish_reason=finish,
        refusal=refusal_of(candidate.finishReason, candidate.finishMessage) if is_refused else "",
        native_finish=candidate.finishReason,
    )


def _cite(parts: list[Part], cited: list[Citation]) -> None:
    """Give each text the citations that end in it, counted from its own beginning."""
    offset = 0
    places = [(number, part) for number, part in enumerate(parts) if isinstance(part, TextPart)]
    for number, part in places:
        end = offset + len(part.text)
        is_last = number == places[-1][0]
        mine = [
            _moved(citation, offset)
            for citation in cited
            if (is_last if citation.end is None else offset < citation.end <= end)
        ]
        if mine:
            parts[number] = TextPart(text=part.text, citations=tuple(mine))
        offset = end


def _moved(citation: Citation, offset: int) -> Citation:
    if not offset or citation.start is None or citation.end is None:
        return citation
    return Citation(
        url=citation.url,
        title=citation.title,
        cited_text=citation.cited_text,
        file_id=citation.file_id,
        start=max(citation.start - offset, 0),
        end=citation.end - offset,
    )


def citations_of(candidate: WireCandidate, text: str) -> list[Citation]:
    """Sources of passages, and of recited text; places are characters of `text`, where Google counts bytes."""
    found: list[Citation] = []
    encoded = text.encode("utf-8", "replace")
    grounding = candidate.groundingMetadata
    if grounding is not None:
        sources = [_source(chunk) for chunk in grounding.groundingChunks or ()]
        cited: set[int] = set()
        for support in grounding.groundingSupports or ():
            start, end = _place(support.segment, encoded)
            for number in support.groundingChunkIndices or ():
                if 0 <= number < len(sources):
                    cited.add(number)
                    url, title, quoted = sources[number]
                    found.append(Citation(url=url, title=title, cited_text=quoted, start=start, end=end))
        for number, (url, title, quoted) in enumerate(sources):
            if number not in cited:
                found.append(Citation(url=url, title=title, cited_text=quoted))
    recited = candidate.citationMetadata
    if recited is not None:
        for source in recited.citationSources or recited.citations or ():
            start, end = _place(_Segment(startIndex=source.startIndex, endIndex=source.endIndex), encoded)
            found.append(Citation(url=source.uri or "", title=source.title or "", start=start, end=end))
    return found


def _source(chunk: _Chunk) -> tuple[str, str, str]:
    """Address, title and quoted text of a source."""
    if chunk.web is not None:
        return chunk.web.uri or "", chunk.web.title or "", ""
    if chunk.retrievedContext is not None:
        context = chunk.retrievedContext
        return context.uri or "", context.title or "", context.text or ""
    return (chunk.maps.uri or "", chunk.maps.title or "", "") if chunk.maps is not None else ("", "", "")


def _place(segment: _Segment | None, encoded: bytes) -> tuple[int | None, int | None]:
    if segment is None or segment.endIndex is None:
        return None, None
    start, end = segment.startIndex or 0, segment.endIndex
    if not 0 <= start <= end <= len(encoded):
        return None, None
    before = len(encoded[:start].decode("utf-8", "ignore"))
    return before, before + len(encoded[start:end].decode("utf-8", "ignore"))


def searches_of(candidate: WireCandidate) -> int:
    grounding = candidate.groundingMetadata
    return len(grounding.webSearchQueries or ()) if grounding is not None else 0


def finish_of(word: str, *, has_calls: bool) -> FinishReason:
    if word == "STOP":
        return "tool_calls" if has_calls else "stop"
    if word == "MAX_TOKENS":
        return "length"
    return "content_filter" if word in _FILTERED else UNKNOWN_FINISH


def refusal_of(reason: str, words: str | None) -> str:
    return words or f"The model declined to answer ({reason})."


def arguments_of(call: WireCall) -> str:
    """The call's arguments as the vendor wrote them."""
    return object_text(call.args, "a function call whose arguments are")


def _audio(details: list[_Count] | None) -> int:
    if not details:
        return 0
    return sum(detail.tokenCount or 0 for detail in details if detail.modality == "AUDIO")


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Blob(Struct):
    mimeType: str = ""
    data: str = ""


class WireCall(Struct):
    name: str | None = None
    id: str | None = None
    args: msgspec.Raw = msgspec.Raw()


class WirePart(Struct):
    text: str | None = None
    thought: bool | None = None
    thoughtSignature: str | None = None
    functionCall: WireCall | None = None
    inlineData: _Blob | None = None
    executableCode: Any = None  # Any: this one and the next are only looked whether they are there
    codeExecutionResult: Any = None
    toolCall: Any = None
    toolResponse: Any = None

    @property
    def is_of_server_tools(self) -> bool:
        """What a tool of the vendor's did: only the lane shows it."""
        said = (self.executableCode, self.codeExecutionResult, self.toolCall, self.toolResponse)
        return any(value is not None for value in said)


class _Content(Struct):
    parts: list[WirePart] | None = None


class _Place(Struct):
    uri: str | None = None
    title: str | None = None
    text: str | None = None


class _Chunk(Struct):
    web: _Place | None = None
    retrievedContext: _Place | None = None
    maps: _Place | None = None


class _Segment(Struct):
    startIndex: int | None = None
    endIndex: int | None = None


class _Support(Struct):
    segment: _Segment | None = None
    groundingChunkIndices: list[int] | None = None


class _Grounding(Struct):
    groundingChunks: list[_Chunk] | None = None
    groundingSupports: list[_Support] | None = None
    webSearchQueries: list[str] | None = None


class _Recited(Struct):
    startIndex: int | None = None
    endIndex: int | None = None
    uri: str | None = None
    title: str | None = None


class _Recitations(Struct):
    citationSources: list[_Recited] | None = None
    citations: list[_Recited] | None = None


class WireCandidate(Struct):
    content: _Content | None = None
    index: int | None = None
    finishReason: str | None = None
    finishMessage: str | None = None
    groundingMetadata: _Grounding | None = None
    citationMetadata: _Recitations | None = None


class WireFeedback(Struct):
    blockReason: str | None = None
    blockReasonMessage: str | None = None


class _Count(Struct):
    modality: str | None = None
    tokenCount: int | None = None


class WireUsage(Struct):
    promptTokenCount: int | None = None
    cachedContentTokenCount: int | None = None
    candidatesTokenCount: int | None = None
    thoughtsTokenCount: int | None = None
    toolUsePromptTokenCount: int | None = None
    promptTokensDetails: list[_Count] | None = None
    cacheTokensDetails: list[_Count] | None = None
    candidatesTokensDetails: list[_Count] | None = None
    trafficType: str | None = None
    serviceTier: Any = None  # Any: a word, where it is one


class WireAnswer(Struct):
    candidates: list[WireCandidate] | None = None
    promptFeedback: WireFeedback | None = None
    usageMetadata: WireUsage | None = None
    modelVersion: str | None = None
    responseId: str | None = None


read_wire = msgspec.json.Decoder(WireAnswer).decode
