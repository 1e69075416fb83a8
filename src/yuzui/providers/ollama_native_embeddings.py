"""Ollama's own embedding API.

Usage: `prompt_eval_count` → `input_tokens`. Sources (2026-11-26): https://docs.ollama.com/api/embed, the vendor's
client `ollama` 0.6.3 (`_types.py`).
"""

from __future__ import annotations

from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Block, Dropped, pass_knobs
from yuzui.providers.native_usage import count_of
from yuzui.providers.openai import write_path

_KNOBS: Final = frozenset({"truncate", "options", "keep_alive"})


class OllamaEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/api/embed`."""

    dialect: Dialect = "ollama_embed"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = texts_of(request), Dropped()
        body: Block = {"model": target.model, "input": list(asked.inputs)}
        if asked.dimensions is not None:
            body["dimensions"] = asked.dimensions
        if asked.purpose:
            dropped("input_type")
        keep_alive = target.parameters.get("keep_alive")
        if keep_alive:
            body["keep_alive"] = keep_alive
        pass_knobs(body, asked.knobs, _KNOBS, dropped)
        return write_wire(asked, target, write_path(target, "ollama_native_embeddings", "/api/embed"), body, dropped)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "a list of embeddings")
        count = count_of(found.prompt_eval_count)
        return Vectors(
            model=found.model or "",
            vectors=read_vectors(found.embeddings, wire),
            usage=None if count is None else Usage(input_tokens=count),
        )


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Answer(msgspec.Struct):
    embeddings: list[msgspec.Raw]
    model: str | None = None
    prompt_eval_count: int | None = None


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = OllamaEmbeddingsCodec()
