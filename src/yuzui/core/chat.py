"""The hub: what every client dialect and every upstream codec translate to and from.

A request carries both its checked JSON (`body`, for the same-dialect lane, which patches and never re-encodes) and,
built only when someone asks, its meaning (`messages`, `tools`, …, for translation to another dialect).

All of it is msgspec structs, although nothing here is bytes: a part costs a tenth of a frozen dataclass to make, and a
request of 2 KB has about thirty. Derive a changed one with `msgspec.structs.replace`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

from yuzui.core.price_terms import PriceTerm, read_terms
from yuzui.core.usage import Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]
Dialect = str
"""A wire format by name, on either side: equal names on both ends take the same-dialect lane."""
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Feature = Literal["tools", "images", "audio", "files", "json_schema", "logprobs", "n", "web_search", "server_tools"]
"""`server_tools`: tools that the vendor runs itself, other than a web search (code, files, MCP, a computer)."""
Operation = Literal[
    "chat", "completions", "count_tokens", "embeddings", "rerank", "moderations", "transcription", "speech", "images"
]
CacheLifetime = Literal["", "5m", "1h"]
"""How long a vendor is asked to keep the prompt up to and including a part; "" is not at all."""


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a client said outside its body, as far as a dialect may hear it."""

    path: str = ""
    """As sent, percent-encoding undone: Gemini names model and method there."""
    query: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Only those that a dialect asks for in `ClientDialect.hears`, in lower case."""


NO_LINE = RequestLine()


class AnswerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a dialect must know of an answer besides its content, to write it."""

    request_id: str
    is_lane: bool = False
    """The upstream speaks the client's dialect, so what it sent may go on as it is."""
    origin: str = ""
    """The provider of the target that answers (`deepseek`): stamped on reasoning, which may only return there."""
    at_s: int = 0
    """Seconds since 1970 when the request came in."""


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a passage of an answer comes from; `start` and `end` are characters of the text part that it belongs to."""

    url: str = ""
    title: str = ""
    cited_text: str = ""
    file_id: str = ""
    document: int | None = None
    """Number of the document in the request, from 0."""
    start: int | None = None
    end: int | None = None


class TextPart(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    citations: tuple[Citation, ...] = ()
    cache: CacheLifetime = ""


class ImagePart(msgspec.Struct, frozen=True, kw_only=True):
    """Either `url` (never fetched by us), inline `data` (base64) with its `media_type`, or the vendor's `file_id`."""

    url: str = ""
    data: str = ""
    media_type: str = ""
    detail: str = ""
    file_id: str = ""
    cache: CacheLifetime = ""


class DocumentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be read: `url` (never fetched by us), `data` (base64), plain `text`, or the vendor's own `file_id`."""

    url: str = ""
    data: str = ""
    text: str = ""
    file_id: str = ""
    media_type: str = ""
    title: str = ""
    """Its title or file name."""
    context: str = ""
    wants_citations: bool = False
    cache: CacheLifetime = ""


class AudioPart(msgspec.Struct, frozen=True, kw_only=True):
    """Sound to be heard: `data` in base64, `media_type` like `audio/wav`."""

    data: str
    media_type: str


class OpaquePart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that only the same-dialect lane can carry; `kind` is its wire name."""

    kind: str


class ReasoningPart(msgspec.Struct, frozen=True, kw_only=True):
    """What the model thought. `signature` must return to the vendor unchanged; `redacted` holds encrypted thinking.

    A signature without text belongs to the part that follows it (Gemini signs calls and texts). Reasoning never becomes
    ordinary text, and never reaches another provider than the one it came from: see `core.reasoning`.
    """

    text: str
    signature: str = ""
    redacted: str = ""
    id: str = ""
    """The vendor's own name of this thought (`rs_…` in OpenAI's Responses)."""
    is_summary: bool = False
    """`text` is a summary that the vendor made of the thought, not the thought itself."""
    origin: str = ""
    """Provider that it came from; "" when nobody knows."""


class ToolCallPart(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    arguments: str
    """JSON text exactly as the model wrote it, may be empty; free text when `is_custom`."""
    is_custom: bool = False


class ToolResultPart(msgspec.Struct, frozen=True, kw_only=True):
    call_id: str
    parts: tuple[TextPart | ImagePart | DocumentPart, ...]
    name: str = ""
    """The tool's name, where the dialect repeats it."""
    is_error: bool = False
    cache: CacheLifetime = ""


Part = TextPart | ImagePart | DocumentPart | AudioPart | OpaquePart | ReasoningPart | ToolCallPart | ToolResultPart


class Message(msgspec.Struct, frozen=True, kw_only=True):
    role: Role
    parts: tuple[Part, ...]
    name: str = ""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None  # Any: a JSON schema
    is_strict: bool = False
    is_custom: bool = False
    """Takes free text instead of a JSON object; see `core.custom_tools` for targets that have none."""
    grammar: Mapping[str, Any] | None = None  # Any: the `format` of a custom tool, as its client sent it
    cache: CacheLifetime = ""


class WebSearch(msgspec.Struct, frozen=True, kw_only=True):
    """A search of the web that the vendor runs while it answers."""

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    most_uses: int | None = None
    context_size: str = ""
    """`low`, `medium`, `high`, or "" for the vendor's default."""
    location: Mapping[str, str] = msgspec.field(default_factory=dict)
    """`city`, `region`, `country`, `timezone`, as far as given."""


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["text", "json_object", "json_schema"]
    name: str = ""
    description: str = ""
    schema: Mapping[str, Any] | None = None  # Any: a JSON schema
    is_strict: bool = False

    @property
    def whole_schema(self) -> Mapping[str, Any]:  # Any: a JSON schema
        """The schema of an answer, with `description` in it: for vendors that have no place for that beside it."""
        schema = self.schema or {"type": "object"}
        if not self.description:
            return schema
        inner = schema.get("description")
        said = f"{self.description}\n\n{inner}" if isinstance(inner, str) and inner else self.description
        return {**schema, "description": said}


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a request that need building; see `ChatRequest.meaning`."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    response_format: ResponseFormat | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    """`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`."""
    thinking_budget: int | None = None
    """Most tokens of thought; 0: none, -1: as the model likes. A codec takes it or `reasoning_effort`."""
    wants_thoughts: bool | None = None
    """Whether the client wants to see (a summary of) the thoughts; None: as the vendor does it."""
    web_search: WebSearch | None = None
    server_tools: tuple[str, ...] = ()
    """Wire names of other tools that the vendor is to run: only the same-dialect lane can say them."""
    user: str | None = None
    knobs: Mapping[str, object] = msgspec.field(default_factory=dict)
    """Tuning knobs by their OpenAI wire name (`seed`, `logit_bias`, …), or `top_k`, or the client's own name for what
    OpenAI does not have: a codec maps or reports them as dropped."""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, dict=True):  # dict: for the cached_property
    """One request as the client meant it."""

    dialect: Dialect
    operation: Operation = "chat"
    model: str
    body: Mapping[str, Any]  # Any: the checked JSON, never changed in place
    line: RequestLine = NO_LINE
    stream: bool = False
    wants_usage: bool = False
    """The client asked for the usage chunk at the end of its stream."""
    n: int = 1
    max_output_tokens: int | None = None
    features: frozenset[Feature] = frozenset()
    """What a target must be able to do to answer this at all."""
    conversation_id: str = ""
    """The client's own name for the conversation, if it sent one."""
    follows: str = ""
    """The id of a kept answer that this request continues: the pipeline fetches it, `ClientDialect.follow` adds it."""
    keeps: bool = False
    """The client wants to come back to the answer: it is kept in the books for as long as the operator allows."""
    joins: str = ""
    """The id of a kept conversation: what is asked and answered here is added to it."""
    joined: bytes = b""
    """That conversation as it was found, once `ClientDialect.follow` has seen it."""
    read_meaning: Callable[[Mapping[str, Any]], Meaning]  # Any: see body

    @cached_property
    def meaning(self) -> Meaning:
        return self.read_meaning(self.body)

    @cached_property
    def price_terms(self) -> frozenset[PriceTerm]:
        """What of the request changes the vendor's price; which of it a target is sent, its codec knows."""
        return read_terms(self.body)


# ---- answers --------------------------------------------------------------------------------------------------------


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    index: int
    parts: tuple[Part, ...]
    finish_reason: FinishReason
    refusal: str = ""
    stop_sequence: str = ""
    """Which of the client's stop sequences ended it, where the vendor says."""
    native_finish: str = ""
    """The vendor's own word for the reason, when it says more than `finish_reason`: `pause_turn`, `SAFETY`."""


class ChatResponse(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer. `raw` is the upstream's JSON body when client and upstream share the dialect `raw_dialect`."""

    id: str
    model: str
    created_s: int
    choices: tuple[Choice, ...]
    usage: Usage | None
    raw: bytes = b""
    raw_dialect: Dialect | None = None
    service_tier: str = ""
    price_terms: tuple[PriceTerm, ...] = ()
    """At which terms it was made, as far as the vendor says."""


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What one choice says in one chunk. A msgspec struct because there is one per streamed chunk."""

    index: int = 0
    role: str = ""
    text: str = ""
    reasoning: str = ""
    signature: str = ""
    """Ends the thought that is being written (or stands alone, see `ReasoningPart`)."""
    redacted: str = ""
    reasoning_id: str = ""
    """Begins a thought of this name."""
    is_summary: bool = False
    refusal: str = ""
    citations: tuple[Citation, ...] = ()
    """Of the text that was written last."""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: FinishReason | None = None
    stop_sequence: str = ""
    native_finish: str = ""


class ToolCallDelta(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of one tool call; `id` and `name` come with the first piece, `arguments` grows."""

    position: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    is_custom: bool = False


class StreamChunk(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream stream event, understood. The stream's terminator is not a chunk: see `Decoder`."""

    id: str = ""
    model: str = ""
    created_s: int = 0
    deltas: tuple[Delta, ...] = ()
    usage: Usage | None = None
    raw: bytes = b""
    """The event's JSON as the upstream sent it, for the same-dialect lane; empty when it must be re-written."""
    event: str = ""
    """The name that `raw` came under, in dialects that name their events."""
    has_content: bool = False
    """`raw` gives the client something that no delta tells: sound, a picture."""
    price_terms: tuple[PriceTerm, ...] = ()
    """At which terms the answer is made, told at least once when the vendor says."""
