"""Response objects and their items as the Responses API spells them, and a whole answer of another dialect as one.

The names of items are made of the request's: `msg_<request>_<place in the output>`. So an answer has the same ones
streamed and whole, and whoever refers to an item says whose answer it belongs to.
Source: openai 3.54.0 (`openai/types/responses/response.py`, `response_output_item.py`), read 2026-11-26.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    ChatResponse,
    Citation,
    FinishReason,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.custom_tools import unwrap
from yuzui.core.reasoning import seal
from yuzui.core.usage import Usage
from yuzui.dialects.openai_responses_tools import Declared, declared_tools

_encoder: Final = msgspec.json.Encoder()
_ITEM_NAME: Final = re.compile(r"(?:rs|msg|fc|ctc)_(.+)_\d+")
_INCOMPLETE: Final[Mapping[FinishReason, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}

Status = Literal["in_progress", "completed", "incomplete", "failed"]


def response_id(request_id: str) -> str:
    """`req_X` → `resp_X`."""
    return f"resp_{request_id.removeprefix('req_')}"


def whose_item(name: str) -> str:
    """The response that an item of ours belongs to; the name itself if it is none of ours."""
    found = _ITEM_NAME.fullmatch(name)
    return f"resp_{found[1]}" if found is not None else name


def write_answer(response: ChatResponse, request: ChatRequest, facts: AnswerFacts) -> bytes:
    """The body of a non-streamed answer."""
    choice = response.choices[0]
    output = _Output(facts, declared_tools(request.body), shows_summaries(request.body))
    for part in choice.parts:
        match part:
            case ReasoningPart():
                output.think(part)
            case TextPart():
                output.say(part)
            case ToolCallPart():
                output.call(part)
            case _:
                pass  # no model says pictures, files or sound here: codecs do not make them
    if choice.refusal:
        output.refuse(choice.refusal)
    incomplete = _INCOMPLETE.get(choice.finish_reason)
    return _encoder.encode(
        Heading(request, facts).response(
            response.model,
            "incomplete" if incomplete else "completed",
            output.items(is_cut=incomplete is not None),
            incomplete=incomplete,
            usage=response.usage,
            service_tier=response.service_tier,
        )
    )


def incomplete_reason(finish: FinishReason | None) -> str | None:
    return None if finish is None else _INCOMPLETE.get(finish)


class Heading:
    """What all response objects of one answer have in common."""

    __slots__ = ("_at_s", "_body", "_request", "id")

    def __init__(self, request: ChatRequest, facts: AnswerFacts) -> None:
        self._request = request
        self._body = request.body
        self._at_s = facts.at_s
        self.id = response_id(facts.request_id)

    def response(
        self,
        model: str,
        status: Status,
        output: Sequence[OutputItem],
        *,
        incomplete: str | None = None,
        error: ResponseError | None = None,
        usage: Usage | None = None,
        service_tier: str = "",
    ) -> Response:
        said = self._body.get
        reasoning, text = said("reasoning") or {}, said("text") or {}
        return Response(
            id=self.id,
            created_at=self._at_s,
            status=status,
            error=error,
            incomplete_details=None if incomplete is None else _Incomplete(incomplete),
            instructions=said("instructions"),
            max_output_tokens=said("max_output_tokens"),
            max_tool_calls=said("max_tool_calls"),
            model=model or self._request.model,
            output=output,
            parallel_tool_calls=said("parallel_tool_calls") is not False,
            previous_response_id=self._request.follows or None,
            prompt_cache_key=said("prompt_cache_key"),
            reasoning={"effort": reasoning.get("effort"), "summary": reasoning.get("summary")},
            safety_identifier=said("safety_identifier"),
            service_tier=service_tier or None,
            store=self._request.keeps,
            temperature=said("temperature"),
            text={"format": text.get("format") or {"type": "text"}, "verbosity": text.get("verbosity")},
            tool_choice=said("tool_choice") or "auto",
            tools=said("tools") or [],
            top_p=said("top_p"),
            truncation=said("truncation") or "disabled",
            usage=None if usage is None else write_usage(usage),
            user=said("user"),
            metadata=said("metadata") or {},
            conversation={"id": self._request.joins} if self._request.joins else UNSET,
        )


def write_usage(usage: Usage) -> WireUsage:
    """OpenAI's counts: the input includes what was read from or written to a cache, the output includes reasoning."""
    return WireUsage(
        input_tokens=usage.input_tokens,
        input_tokens_details=_InputDetails(
            cached_tokens=usage.cached_input_tokens, cache_write_tokens=usage.cache_write_tokens
        ),
        output_tokens=usage.output_tokens,
        output_tokens_details=_OutputDetails(reasoning_tokens=usage.reasoning_tokens),
        total_tokens=usage.input_tokens + usage.output_tokens,
    )


def write_citation(citation: Citation, start: int, end: int) -> AnyCitation:
    """`start` and `end` hold where `citation` does not say; they are characters of the whole text."""
    if citation.url:
        return UrlCitation(
            start_index=start,
            end_index=end,
            url=citation.url,
            title=citation.title,
            cited_text=citation.cited_text or UNSET,
        )
    # The request's own documents have no ids here: their number stands in for one.
    return FileCitation(
        file_id=citation.file_id or f"document_{citation.document or 0}",
        filename=citation.title,
        index=end,
        cited_text=citation.cited_text or UNSET,
    )


def shows_summaries(body: Mapping[str, Any]) -> bool:  # Any: checked JSON
    """Whether the client asked for summaries of thoughts. It then looks for thoughts there and nowhere else (LangChain,
    Pydantic AI, the Agents SDK, the AI SDK), so whatever thoughts there are must stand there."""
    reasoning = body.get("reasoning") or {}
    return bool(reasoning.get("summary") or reasoning.get("generate_summary"))


def thought_item(name: str, part: ReasoningPart, origin: str, *, as_summary: bool = False) -> ReasoningItem:
    """A summary is shown as one, a raw thought as content; sealed, because its vendor wants it back as it was."""
    summary: tuple[SummaryText, ...] = ()
    content: tuple[ReasoningText, ...] | UnsetType = UNSET
    if part.text:
        if part.is_summary or as_summary:
            summary = (SummaryText(part.text),)
        else:
            content = (ReasoningText(part.text),)
    return ReasoningItem(
        id=name,
        summary=summary,
        content=content,
        # Some clients return a thought as a shell around this, without the text beside it.
        encrypted_content=seal(part, origin, with_text=True),
    )


def call_name(answer: str, at: int, *, is_custom: bool) -> str:
    return f"{'ctc' if is_custom else 'fc'}_{answer}_{at}"


def call_item(
    name: str, call_id: str, tool: Declared, said: str, *, is_custom: bool, status: Status = "completed"
) -> OutputItem:
    """A call of `tool` with what the model `said` to it: free text, or a function's arguments."""
    space = tool.namespace or UNSET
    if is_custom:
        return CustomCallItem(id=name, status=status, call_id=call_id, name=tool.name, namespace=space, input=said)
    return FunctionCallItem(id=name, status=status, call_id=call_id, name=tool.name, namespace=space, arguments=said)


class _Output:
    """Output items of a whole answer, in the order in which its parts came."""

    def __init__(self, facts: AnswerFacts, declared: Mapping[str, Declared], shows_summaries: bool) -> None:
        self._shows_summaries = shows_summaries
        self._name = facts.request_id.removeprefix("req_")
        self._origin = facts.origin
        self._declared = declared
        self._items: list[OutputItem] = []
        self._content: list[MessagePart] | None = None  # of the message that is being said

    def think(self, part: ReasoningPart) -> None:
        self._content = None
        name = f"rs_{self._name}_{len(self._items)}"
        self._items.append(thought_item(name, part, self._origin, as_summary=self._shows_summaries))

    def say(self, part: TextPart) -> None:
        content = self._message()
        before = content[-1] if content and isinstance(content[-1], OutputText) else None
        offset = len(before.text) if before is not None else 0
        citations = [
            write_citation(
                citation,
                offset + (citation.start or 0),
                offset + (len(part.text) if citation.end is None else citation.end),
            )
            for citation in part.citations
        ]
        if before is None:
            content.append(OutputText(text=part.text, annotations=citations))
        else:
            content[-1] = OutputText(text=before.text + part.text, annotations=[*before.annotations, *citations])

    def refuse(self, text: str) -> None:
        self._message().append(RefusalPart(text))

    def call(self, part: ToolCallPart) -> None:
        self._content = None
        at = len(self._items)
        tool = self._declared.get(part.name, Declared(part.name))
        call_id = part.id or f"call_{self._name}_{at}"
        is_custom = tool.is_custom or part.is_custom
        if part.is_custom:
            said = part.arguments
        elif is_custom:
            said = unwrap(part.arguments)
        else:
            said = part.arguments or "{}"
        name = call_name(self._name, at, is_custom=is_custom)
        self._items.append(call_item(name, call_id, tool, said, is_custom=is_custom))

    def items(self, *, is_cut: bool) -> list[OutputItem]:
        if is_cut and self._items and not isinstance(self._items[-1], ReasoningItem):
            self._items[-1].status = "incomplete"
        return self._items

    def _message(self) -> list[MessagePart]:
        if self._content is None:
            self._content = []
            self._items.append(MessageItem(id=f"msg_{self._name}_{len(self._items)}", content=self._content))
        return self._content


# ---- wire structs --------------------------------------------------------------------------------------------------


class UrlCitation(Struct, kw_only=True, tag_field="type", tag="url_citation"):
    start_index: int
    end_index: int
    url: str
    title: str
    cited_text: str | UnsetType = UNSET


class FileCitation(Struct, kw_only=True, tag_field="type", tag="file_citation"):
    file_id: str
    filename: str
    index: int
    cited_text: str | UnsetType = UNSET


AnyCitation = UrlCitation | FileCitation


class OutputText(Struct, kw_only=True, tag_field="type", tag="output_text"):
    annotations: list[AnyCitation] = []
    logprobs: tuple[()] = ()
    text: str


class RefusalPart(Struct, tag_field="type", tag="refusal"):
    refusal: str


MessagePart = OutputText | RefusalPart


class SummaryText(Struct, tag_field="type", tag="summary_text"):
    text: str


class ReasoningText(Struct, tag_field="type", tag="reasoning_text"):
    text: str


class ReasoningItem(Struct, kw_only=True, tag_field="type", tag="reasoning"):
    """Without a status: OpenAI gives none, and refuses it when it comes back."""

    id: str
    summary: tuple[SummaryText, ...] = ()
    content: tuple[ReasoningText, ...] | UnsetType = UNSET
    encrypted_content: str | UnsetType = UNSET


class MessageItem(Struct, kw_only=True, tag_field="type", tag="message"):
    id: str
    status: Status = "completed"
    role: Literal["assistant"] = "assistant"
    content: Sequence[MessagePart] = ()


class FunctionCallItem(Struct, kw_only=True, tag_field="type", tag="function_call"):
    id: str
    status: Status = "completed"
    call_id: str
    name: str
    namespace: str | UnsetType = UNSET
    arguments: str = ""


class CustomCallItem(Struct, kw_only=True, tag_field="type", tag="custom_tool_call"):
    id: str
    status: Status = "completed"
    call_id: str
    name: str
    namespace: str | UnsetType = UNSET
    input: str = ""


OutputItem = ReasoningItem | MessageItem | FunctionCallItem | CustomCallItem


class _Incomplete(Struct):
    reason: str


class ResponseError(Struct):
    code: str
    message: str


class _InputDetails(Struct):
    cached_tokens: int
    cache_write_tokens: int


class _OutputDetails(Struct):
    reasoning_tokens: int


class WireUsage(Struct):
    input_tokens: int
    input_tokens_details: _InputDetails
    output_tokens: int
    output_tokens_details: _OutputDetails
    total_tokens: int


class Response(Struct, kw_only=True):
    """What the client said comes back as it said it, or as null: the defaults are the target's, and not known."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Status
    background: bool = False
    error: ResponseError | None
    incomplete_details: _Incomplete | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    model: str
    output: Sequence[OutputItem]
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt_cache_key: str | None
    reasoning: dict[str, str | None]
    safety_identifier: str | None
    service_tier: str | None
    store: bool
    temperature: float | None
    text: dict[str, Any]  # Any: as the client sent it
    tool_choice: str | dict[str, Any]  # Any: as the client sent it
    tools: list[dict[str, Any]]  # Any: as the client sent them
    top_logprobs: int = 0
    top_p: float | None
    truncation: str
    usage: WireUsage | None
    user: str | None
    metadata: dict[str, str]
    conversation: dict[str, str] | UnsetType = UNSET
