"""What both of Google's services share in making vectors of texts.

Sources (2026-11-26): https://ai.google.dev/api/embeddings, `google-genai` 3.6.1, models.py `embed_content`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from yuzui.core.answers import EmbeddingRequest
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers._gemini_answer import WireUsage, read_usage
from yuzui.providers._gemini_turns import Json
from yuzui.providers._reading import BAD

TASKS: Final[Mapping[str, str]] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


def texts_of(request: ChatRequest, most: int) -> EmbeddingRequest:
    """`request`, if this service can say it: raise `UnsupportedFeature` otherwise."""
    assert isinstance(request, EmbeddingRequest)  # a dialect of this operation makes nothing else
    if request.has_tokens:
        raise UnsupportedFeature("this target embeds texts only; send strings in `input`", param="input")
    if len(request.inputs) > most:
        raise UnsupportedFeature(f"this target embeds at most {most} texts at once; send fewer", param="input")
    return request


def settings(request: EmbeddingRequest) -> Json:
    found: Json = {}
    if request.purpose in TASKS:
        found["taskType"] = TASKS[request.purpose]
    if request.dimensions is not None:
        found["outputDimensionality"] = request.dimensions
    return found


def content(text: str) -> Json:
    return {"parts": [{"text": text}]}


def read_vectors(body: bytes) -> tuple[tuple[Sequence[float], ...], Usage | None]:
    """Vectors of `embedContent` and `batchEmbedContents`; raise `UpstreamInvalid` when there are none."""
    try:
        found = _read_embedded(body)
    except BAD as error:
        raise UpstreamInvalid("the target's answer holds no vectors") from error
    vectors = [vector.values for vector in found.embeddings or ([found.embedding] if found.embedding else [])]
    if not vectors or not all(vectors):
        raise UpstreamInvalid("the target's answer holds no vectors")
    return tuple(vectors), read_usage(found.usageMetadata)


class _Vector(msgspec.Struct):
    values: list[float]


class _Embedded(msgspec.Struct):
    embedding: _Vector | None = None
    embeddings: list[_Vector] | None = None
    usageMetadata: WireUsage | None = None


_read_embedded = msgspec.json.Decoder(_Embedded).decode
