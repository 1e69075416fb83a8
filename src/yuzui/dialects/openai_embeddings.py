"""The embeddings dialect: texts or token numbers in, vectors out, as numbers or as base64 of little-endian float32.

Source: openai==3.54.0, types/embedding_create_params.py, types/create_embedding_response.py and
lib/_parsing/_embeddings.py (asks for base64 unless told otherwise, takes numbers as well); read 2026-11-26.
Vendors' own fields that say what a vector is for: `input_type` (Cohere, NVIDIA, Voyage), `task` (Jina).
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from typing_extensions import override

from yuzui.core.answers import Answer, EmbeddingRequest, Vectors
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import LaneDialect, lane_only, one_kind, others, read_fields

_UNDERSTOOD: Final = frozenset(("model", "input", "encoding_format", "dimensions"))
_PURPOSES: Final[Mapping[str, str]] = {
    "query": "query",
    "search_query": "query",
    "retrieval.query": "query",
    "retrieval_query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval.passage": "document",
    "retrieval_document": "document",
    "classification": "classification",
    "clustering": "clustering",
    "separation": "clustering",
}
"""Vendors' words → the hub's. Any other word stays a field of the vendor's own."""


class OpenAIEmbeddings(LaneDialect):
    """`POST /v1/embeddings`."""

    name: Dialect = "openai_embeddings"
    operation: Operation = "embeddings"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        wire = read_fields(body, _Request)
        texts, has_tokens = _read_input(wire.input)
        knobs = others(body, _UNDERSTOOD)
        purpose = ""
        for name, word in (("input_type", wire.input_type), ("task", wire.task)):
            if word is not None and (found := _PURPOSES.get(word.lower())):
                purpose = purpose or found
                knobs.pop(name)
        check_name(wire.user or "", "user")
        return EmbeddingRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model, "model"),
            body=body,
            inputs=texts,
            has_tokens=has_tokens,
            dimensions=wire.dimensions,
            wants_base64=wire.encoding_format == "base64",
            purpose=purpose,
            knobs=knobs,
            read_meaning=lane_only("embeddings as a chat"),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        if not isinstance(response, Vectors) or not isinstance(request, EmbeddingRequest):
            raise UpstreamInvalid("the target's answer holds no embeddings")
        if response.raw_dialect == self.name and response.raw:
            return response.raw
        spell = to_base64 if request.wants_base64 else to_numbers
        usage = response.usage
        return _encoder.encode(
            _Response(
                data=[_Embedding(index=i, embedding=spell(vector)) for i, vector in enumerate(response.vectors)],
                model=response.model or request.model,
                usage=UNSET if usage is None else _Usage(usage.input_tokens, usage.input_tokens + usage.output_tokens),
            )
        )


def to_base64(vector: Sequence[float]) -> str:
    """Little-endian float32, as OpenAI packs them."""
    packed = vector if isinstance(vector, array) and vector.typecode == "f" else array("f", vector)
    if sys.byteorder == "big":
        packed = array("f", packed)  # a copy: the answer's own vector stays as it is
        packed.byteswap()
    return b64encode(packed).decode("ascii")


def to_numbers(vector: Sequence[float]) -> Sequence[float]:
    """Exactly the same values; JSON writers know no arrays."""
    return vector.tolist() if isinstance(vector, array) else vector


def _read_input(value: str | list[Any]) -> tuple[tuple[str, ...], bool]:  # Any: as msgspec checked it
    """The texts; or none, and that there is something else, which only the lane can carry."""
    if isinstance(value, str):
        return (value,), False
    kind = one_kind(value, "input")
    if kind is str:
        return tuple(value), False
    if kind is dict:
        return tuple([_read_text(item, f"input[{index}]") for index, item in enumerate(value)]), False
    if kind is list and not all(value):
        raise InvalidRequest("`input` holds an empty list of tokens; remove it", param="input")
    return (), True


def _read_text(item: Mapping[str, Any], param: str) -> str:  # Any: checked JSON
    """Jina's `{"text": …}`. Its pictures are refused: nothing here could tell how sensitive they are."""
    text = item.get("text")
    if not isinstance(text, str) or not item.keys() <= {"text", "type"}:
        raise UnsupportedFeature(f"`{param}`: only texts are embedded here; send a string", param=param)
    return text


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Request(Struct, kw_only=True):
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    input: str | Annotated[list[str | int | list[int] | dict[str, Any]], Meta(min_length=1)]  # Any: `_read_text` checks
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    user: Annotated[str, Meta(max_length=1024)] | None = None
    input_type: str | None = None
    task: str | None = None


class _Embedding(Struct, kw_only=True):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: str | Sequence[float]


class _Usage(Struct):
    prompt_tokens: int
    total_tokens: int


class _Response(Struct, kw_only=True):
    object: Literal["list"] = "list"
    data: list[_Embedding]
    model: str
    usage: _Usage | UnsetType


_encoder = msgspec.json.Encoder()

DIALECT: Final = OpenAIEmbeddings()
