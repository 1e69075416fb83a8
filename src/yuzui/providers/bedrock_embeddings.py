"""Embedding models on Bedrock, through InvokeModel: Amazon's Titan (one text at a time) and Cohere's.

Which of the two a model is, is read from its name, or said in `targets.parameters.family` (`titan`, `cohere`). Usage:
see docs/reference/usage/bedrock.md. Sources (read 2026-11-26):
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v3.html and …-embed-v4.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import EmbeddingRequest, Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._bedrock_faults import read_fault
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers._reading import MOST_COUNTED
from yuzui.providers.bedrock import path_of
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Block, Dropped, pass_knobs

MOST_COHERE_INPUTS: Final = 96
INPUT_TYPES: Final[Mapping[str, str]] = {
    "": "search_document",  # required by the API; most vectors are made to be found
    "document": "search_document",
    "query": "search_query",
    "classification": "classification",
    "clustering": "clustering",
}
_COHERE_KNOBS: Final = frozenset({"truncate", "max_tokens"})


class BedrockEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/model/{model}/invoke`."""

    dialect: Dialect = "bedrock_embed"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        dropped = Dropped()
        family = target.parameters.get("family") or target.model
        if "cohere" in family:
            asked = texts_of(request, most=MOST_COHERE_INPUTS)
            body = _cohere(asked, dropped)
        else:
            asked = texts_of(request, most=1)
            body = _titan(asked, dropped)
        path = path_of(target, target.quirks.paths.get("bedrock_embeddings") or "/model/{model}/invoke")
        return write_wire(asked, target, path, body, dropped)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "an embedding")
        if bytes(found.embedding):
            raws = [found.embedding]
        elif isinstance(found.embeddings, _ByType):
            raws = found.embeddings.float or []
        else:
            raws = found.embeddings or []
        count = found.inputTextTokenCount
        return Vectors(
            model=wire.model if wire is not None else "",
            vectors=read_vectors(raws, wire),
            usage=Usage(input_tokens=count) if count is not None and 0 <= count <= MOST_COUNTED else None,
        )

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def _titan(asked: EmbeddingRequest, dropped: Dropped) -> Block:
    body: Block = {"inputText": asked.inputs[0]}
    if asked.dimensions is not None:
        body["dimensions"] = asked.dimensions
    pass_knobs(body, asked.knobs, ("normalize",), dropped)
    return body


def _cohere(asked: EmbeddingRequest, dropped: Dropped) -> Block:
    body: Block = {
        "texts": list(asked.inputs),
        "input_type": INPUT_TYPES.get(asked.purpose, INPUT_TYPES[""]),
        "embedding_types": ["float"],
    }
    if asked.dimensions is not None:
        body["output_dimension"] = asked.dimensions
    pass_knobs(body, asked.knobs, _COHERE_KNOBS, dropped)
    return body


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _ByType(msgspec.Struct):
    float: list[msgspec.Raw] | None = None


class _Embedding(msgspec.Struct):
    embedding: msgspec.Raw = msgspec.Raw()
    inputTextTokenCount: int | None = None
    embeddings: _ByType | list[msgspec.Raw] | None = None


_answer = msgspec.json.Decoder(_Embedding)

CODEC: Final = BedrockEmbeddingsCodec()
