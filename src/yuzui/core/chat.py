"""The hub: what every client dialect and every upstream codec translate to and from.

A request carries both its checked JSON (`body`, for the same-dialect lane, which patches and never re-encodes) and,
built only when someone asks, its meaning (`messages`, `tools`, …, for translation to another dialect).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import msgspec

from yuzui.core.usage import Usage

Role = Literal["system", "developer", "user", "assistant", "tool"]
Dialect = Literal["openai_chat", "anthropic_messages", "scripted"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Feature = Literal["tools", "images", "audio", "files", "json_schema", "logprobs", "n", "web_search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePart:
    """Either `url` (never fetched by us) or inline `data` (base64) with its `media_type`."""

    url: str = ""
    data: str = ""
    media_type: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpaquePart:
    """A part that only the same-dialect lane can carry (audio, files, …); `kind` is its wire name."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningPart:
    """What the model thought. `signature` must return to the vendor unchanged; `redacted` holds encrypted thinking."""

    text: str
    signature: str = ""
    redacted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallPart:
    id: str
    name: str
    arguments: str
    """JSON text exactly as the model wrote it; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResultPart:
    call_id: str
    parts: tuple[TextPart | ImagePart, ...]


Part = TextPart | ImagePart | OpaquePart | ReasoningPart | ToolCallPart | ToolResultPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Role
    parts: tuple[Part, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSpec:
    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None  # Any: a JSON schema
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseFormat:
    kind: Literal["text", "json_object", "json_schema"]
    name: str = ""
    schema: Mapping[str, Any] | None = None  # Any: a JSON schema
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
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
    user: str | None = None
    knobs: Mapping[str, object] = field(default_factory=dict)
    """Tuning knobs by their OpenAI wire name (`seed`, `logit_bias`, …): a codec maps or reports them as dropped."""


@dataclass(frozen=True, kw_only=True)
class ChatRequest:  # no slots: cached_property needs __dict__
    """One request as the client meant it."""

    dialect: Dialect
    model: str
    body: Mapping[str, Any]  # Any: the checked JSON, never changed in place
    stream: bool = False
    wants_usage: bool = False
    """The client asked for the usage chunk at the end of its stream."""
    n: int = 1
    max_output_tokens: int | None = None
    features: frozenset[Feature] = frozenset()
    """What a target must be able to do to answer this at all."""
    conversation_id: str = ""
    """The client's own name for the conversation, if it sent one."""
    read_meaning: Callable[[Mapping[str, Any]], Meaning]  # Any: see body

    @cached_property
    def meaning(self) -> Meaning:
        return self.read_meaning(self.body)


# ---- answers --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    index: int
    parts: tuple[Part, ...]
    finish_reason: FinishReason
    refusal: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatResponse:
    """A whole answer. `raw` is the upstream's JSON body when client and upstream share the dialect `raw_dialect`."""

    id: str
    model: str
    created_s: int
    choices: tuple[Choice, ...]
    usage: Usage | None
    raw: bytes = b""
    raw_dialect: Dialect | None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """What one choice says in one chunk. A msgspec struct because there is one per streamed chunk."""

    index: int = 0
    role: str = ""
    text: str = ""
    reasoning: str = ""
    signature: str = ""
    redacted: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: FinishReason | None = None


class ToolCallDelta(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of one tool call; `id` and `name` come with the first piece, `arguments` grows."""

    position: int
    id: str = ""
    name: str = ""
    arguments: str = ""


class StreamChunk(msgspec.Struct, frozen=True, kw_only=True):
    """One upstream stream event, understood. The stream's terminator is not a chunk: see `Decoder`."""

    id: str = ""
    model: str = ""
    created_s: int = 0
    deltas: tuple[Delta, ...] = ()
    usage: Usage | None = None
    raw: bytes = b""
    """The event's JSON as the upstream sent it, for the same-dialect lane; empty when it must be re-written."""
