"""Cohere's embedding API, version 2.

Usage: `meta.billed_units.input_tokens` → `input_tokens`. What the vendor embeds for must be said; a client that does
not say it gets vectors of documents. Sources (2026-11-26): https://docs.cohere.com/v2/reference/embed, `cohere` 7.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode, sane
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Block, Dropped, pass_knobs
from yuzui.providers.native_usage import counts_of
from yuzui.providers.openai import write_path

MOST_INPUTS: Final = 96
INPUT_TYPES: Final[Mapping[str, str]] = {
    "": "search_document",  # required by the API; most vectors are made to be found
    "document": "search_document",
    "query": "search_query",
    "classification": "classification",
    "clustering": "clustering",
}
_KNOBS: Final = frozenset({"truncate", "max_tokens", "priority"})


class CohereEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/v2/embed`."""

    dialect: Dialect = "cohere_embed"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = texts_of(request, most=MOST_INPUTS), Dropped()
        body: Block = {
            "model": target.model,
            "texts": list(asked.inputs),
            "input_type": INPUT_TYPES.get(asked.purpose, INPUT_TYPES[""]),
            # Half the bytes of numbers, and exactly the numbers that the client wants.
            "embedding_types": ["base64" if asked.wants_base64 else "float"],
        }
        if asked.dimensions is not None:
            body["output_dimension"] = asked.dimensions
        pass_knobs(body, asked.knobs, _KNOBS, dropped)
        return write_wire(asked, target, write_path(target, "cohere_embeddings", "/v2/embed"), body, dropped)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "a list of embeddings")
        raws = found.embeddings.base64 or found.embeddings.float or []
        return Vectors(model=wire.model if wire else "", vectors=read_vectors(raws, wire), usage=read_meta(found.meta))


def read_meta(meta: Meta | None) -> Usage | None:
    """What an embedding or a reranking consumed, as the vendor bills it."""
    units = meta.billed_units if meta is not None else None
    told = counts_of(units.input_tokens, units.search_units) if units is not None else None
    if meta is None or told is None:
        return None
    return Usage(input_tokens=told[0], cached_input_tokens=sane(meta.cached_tokens), searches=told[1])


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Units(msgspec.Struct):
    """Numbers with a fraction, as the API sends them."""

    input_tokens: float | None = None
    search_units: float | None = None


class Meta(msgspec.Struct):
    """`meta` of an embedding or a reranking."""

    billed_units: _Units | None = None
    cached_tokens: float | None = None


class _ByType(msgspec.Struct):
    float: list[msgspec.Raw] | None = None
    base64: list[msgspec.Raw] | None = None


class _Embeddings(msgspec.Struct):
    embeddings: _ByType
    meta: Meta | None = None


_answer = msgspec.json.Decoder(_Embeddings)

CODEC: Final = CohereEmbeddingsCodec()
