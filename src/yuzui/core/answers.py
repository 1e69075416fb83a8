"""Answers of every operation; a chat's is in `core.chat`. `raw` is the upstream's body when the lane may hand it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.usage import Usage

NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Vectors:
    """Embeddings: one vector per input, in the order of the inputs."""

    model: str
    vectors: tuple[Sequence[float], ...]
    """Tuples, lists or `array`s of numbers; empty when `raw` may go on as it is, for nobody then looks at them."""
    usage: Usage | None
    raw: bytes = b""
    raw_dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One document of a rerank answer: its number in the request and how relevant it is, higher is more."""

    index: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """Documents, the most relevant first."""

    id: str
    model: str
    results: tuple[Ranked, ...]
    usage: Usage | None
    raw: bytes = b""
    raw_dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many tokens a request would be. Counting consumes nothing."""

    input_tokens: int
    is_estimated: bool = False
    usage: Usage | None = NOTHING_USED
    raw: bytes = b""
    raw_dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """An answer that only ever travels on the same-dialect lane: sound, pictures, verdicts, transcripts."""

    usage: Usage | None
    raw: bytes
    raw_dialect: Dialect | None
    texts: tuple[str, ...] = ()
    """What it says in words, for the conversation's memory."""


Answer = ChatResponse | Vectors | Ranking | Count | Blob


class EmbeddingRequest(ChatRequest, frozen=True, kw_only=True, dict=True):
    """`inputs` are texts, or token numbers that only the lane can carry."""

    inputs: tuple[str, ...]
    has_tokens: bool = False
    dimensions: int | None = None
    wants_base64: bool = False
    purpose: str = ""
    """`query`, `document`, `classification`, `clustering`, or "": vendors embed them differently."""
    knobs: Mapping[str, Any] = msgspec.field(default_factory=dict)  # Any: JSON values, only reported as dropped


class RerankRequest(ChatRequest, frozen=True, kw_only=True, dict=True):
    query: str
    documents: tuple[str, ...]
    top_n: int | None = None
    returns_documents: bool = False
    knobs: Mapping[str, Any] = msgspec.field(default_factory=dict)  # Any: as above
