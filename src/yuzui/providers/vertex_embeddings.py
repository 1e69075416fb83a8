"""Vectors by Google's Vertex AI: Gemini models by `:batchEmbedContents`, the older text models by `:predict`.

Its fields stand elsewhere than the Gemini API's, so no client's body goes through untouched.
Sources (2026-11-26): `google-genai` 3.6.1, models.py `embed_content`;
https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/embeddings/get-text-embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Answer, Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._gemini_faults import read_fault
from yuzui.providers._gemini_place import vertex_place, write_headers
from yuzui.providers._gemini_stream import StreamDecoder
from yuzui.providers._gemini_turns import Json
from yuzui.providers._gemini_vectors import content, read_vectors, settings, texts_of
from yuzui.providers._reading import BAD

MOST_TEXTS: Final = 250  # of one `:predict`
_PREDICT: Final = ":predict"


class VertexEmbeddings(Codec):
    dialect: Dialect = "vertex_embeddings"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked = texts_of(request, MOST_TEXTS)
        how = settings(asked)
        body: Json
        if "gemini" in target.model:
            method = ":batchEmbedContents"
            common = {"embedContentConfig": how} if how else {}
            body = {"requests": [{"content": content(text), **common} for text in asked.inputs]}
        else:
            method = _PREDICT
            task = how.pop("taskType", None)
            common = {"task_type": task} if task else {}
            body = {"instances": [{"content": text, **common} for text in asked.inputs]}
            if how:
                body["parameters"] = how
        return WireRequest(
            path=vertex_place(target) + method,
            headers=write_headers(target),
            body=strict_json.write(body),
            is_stream=False,
            dropped=tuple(asked.knobs),
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        model = wire.model if wire is not None else ""
        if wire is not None and wire.path.endswith(_PREDICT):
            return _read_predictions(body, model)
        vectors, usage = read_vectors(body)
        return Vectors(model=model, vectors=vectors, usage=usage)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(is_lane=False)  # never asked for: vectors are not streamed

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def _read_predictions(body: bytes, model: str) -> Vectors:
    try:
        found = _read(body).predictions
    except BAD as error:
        raise UpstreamInvalid("the target's answer holds no vectors") from error
    vectors = [prediction.embeddings.values for prediction in found]
    if not vectors or not all(vectors):
        raise UpstreamInvalid("the target's answer holds no vectors")
    counts = [prediction.embeddings.statistics.token_count for prediction in found]
    usage = Usage(input_tokens=int(sum(counts))) if min(counts) >= 0 and any(counts) else None
    return Vectors(model=model, vectors=tuple(vectors), usage=usage)


class _Statistics(msgspec.Struct):
    token_count: float = 0.0


class _Embedded(msgspec.Struct):
    values: list[float]
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


class _Prediction(msgspec.Struct):
    embeddings: _Embedded


class _Predictions(msgspec.Struct):
    predictions: list[_Prediction]


_read = msgspec.json.Decoder(_Predictions).decode

CODEC: Final = VertexEmbeddings()
