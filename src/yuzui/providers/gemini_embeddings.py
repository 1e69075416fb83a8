"""Vectors by Google's Gemini API: `:batchEmbedContents`, and for clients of its own dialect also `:embedContent`.

Source: https://ai.google.dev/api/embeddings (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Answer, Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._gemini_faults import read_fault
from yuzui.providers._gemini_place import gemini_place, write_headers
from yuzui.providers._gemini_stream import StreamDecoder
from yuzui.providers._gemini_turns import Json
from yuzui.providers._gemini_vectors import content, read_vectors, settings, texts_of

MOST_TEXTS: Final = 100  # what the service says when there are more


class GeminiEmbeddings(Codec):
    dialect: Dialect = "gemini_embeddings"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        is_lane = request.dialect == self.dialect
        dropped: tuple[str, ...] = ()
        method = "batchEmbedContents"
        if is_lane:
            method = request.line.path.rpartition(":")[2]
            body = _patched(request, target, is_batch=method == "batchEmbedContents")
        else:
            asked = texts_of(request, MOST_TEXTS)
            common = {"model": _name(target), **settings(asked)}
            body = {"requests": [{"content": content(text), **common} for text in asked.inputs]}
            dropped = tuple(asked.knobs)
        return WireRequest(
            path=f"{gemini_place(target)}:{method}",
            headers=write_headers(target),
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        vectors, usage = read_vectors(body)
        model = wire.model if wire is not None else ""
        if wire is not None and wire.is_lane:
            return Vectors(model=model, vectors=(), usage=usage, raw=body, raw_dialect=self.dialect)
        return Vectors(model=model, vectors=vectors, usage=usage)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(is_lane=False)  # never asked for: vectors are not streamed

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def _name(target: Target) -> str:
    return gemini_place(target).removeprefix("/")


def _patched(request: ChatRequest, target: Target, *, is_batch: bool) -> Json:
    """The client's own body: the model that it names beside the path must be the path's."""
    body = dict(request.body)
    if body.get("model") is not None:
        body["model"] = _name(target)
    if is_batch:
        asked = body["requests"]
        items = asked if isinstance(asked, list) else [asked]
        body["requests"] = [{**item, "model": _name(target)} for item in items]
    return body


CODEC: Final = GeminiEmbeddings()
