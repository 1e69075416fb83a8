"""The embedding API of IBM watsonx.ai.

Usage: `input_token_count` → `input_tokens`. Sources (2026-11-26): https://cloud.ibm.com/apidocs/watsonx-ai#text-embeddings,
`@ibm-cloud/watsonx-ai` 1.7.16 (`types/vml_v1.d.ts`: `TextEmbeddingsParams`, `EmbeddingsResponse`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UnsupportedFeature, UpstreamFault
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers._watsonx_answer import read_fault
from yuzui.providers._watsonx_request import place_of
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Block, Dropped, pass_knobs
from yuzui.providers.native_usage import count_of

MOST_INPUTS: Final = 1000
_KNOBS: Final = frozenset({"truncate_input_tokens"})


class WatsonxEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/ml/v1/text/embeddings`."""

    dialect: Dialect = "watsonx_embeddings"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = texts_of(request, most=MOST_INPUTS), Dropped()
        if asked.dimensions is not None:
            raise UnsupportedFeature(
                "this target's vectors have one length; leave `dimensions` out or choose another model",
                param="dimensions",
            )
        place = place_of(target, "text/embeddings")
        body: Block = {**place.fields, "inputs": list(asked.inputs)}
        if asked.purpose:
            dropped("input_type")
        parameters: Block = {}
        pass_knobs(parameters, asked.knobs, _KNOBS, dropped)
        if parameters:
            body["parameters"] = parameters
        return write_wire(asked, target, place.path, body, dropped)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "a list of embeddings")
        count = count_of(found.input_token_count)
        return Vectors(
            model=found.model_id or (wire.model if wire else ""),
            vectors=read_vectors([result.embedding for result in found.results], wire),
            usage=None if count is None else Usage(input_tokens=count),
        )

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Result(msgspec.Struct):
    embedding: msgspec.Raw


class _Answer(msgspec.Struct):
    results: list[_Result]
    model_id: str | None = None
    input_token_count: int | None = None


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = WatsonxEmbeddingsCodec()
