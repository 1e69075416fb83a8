"""DashScope's embedding API for texts.

Usage: `usage.total_tokens` → `input_tokens`, as all of them are read. Sources (2026-11-26):
https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api, the vendor's client `dashscope` 2.0.2
(`v2/resources/embeddings.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Vectors
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._dashscope_native_faults import read_fault, stream_fault
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers.dashscope_native import native_headers
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Block, Dropped, pass_knobs
from yuzui.providers.native_usage import count_of
from yuzui.providers.openai import write_path
from yuzui.providers.openai_errors import WireError

MOST_INPUTS: Final = 25  # of the older models; newer ones take 10 and say so themselves
PATH: Final = "/services/embeddings/text-embedding/text-embedding"
_KNOBS: Final = frozenset({"output_type", "instruct"})


class DashScopeEmbeddingsCodec(OperationCodec):
    """`POST {base_url}/services/embeddings/text-embedding/text-embedding`."""

    dialect: Dialect = "dashscope_embeddings"
    operation: Operation = "embeddings"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = texts_of(request, most=MOST_INPUTS), Dropped()
        parameters: Block = {}
        if asked.dimensions is not None:
            parameters["dimension"] = asked.dimensions
        if asked.purpose in ("query", "document"):
            parameters["text_type"] = asked.purpose
        elif asked.purpose:
            dropped("input_type")
        pass_knobs(parameters, asked.knobs, _KNOBS, dropped)
        body: Block = {"model": target.model, "input": {"texts": list(asked.inputs)}, "parameters": parameters}
        path = write_path(target, "dashscope_native_embeddings", PATH)
        return write_wire(asked, target, path, body, dropped, native_headers(target, is_stream=False))

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Vectors:
        found = decode(body, _answer, "a list of embeddings")
        if found.code:
            raise stream_fault(WireError(message=found.message, code=found.code), "inside a 200 answer")
        items = found.output.embeddings if found.output else []
        items.sort(key=_position)
        return Vectors(
            model=wire.model if wire else "",
            vectors=read_vectors([item.embedding for item in items], wire),
            usage=read_total(found.usage),
        )

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def read_total(usage: Total | None) -> Usage | None:
    """What an embedding or a reranking read."""
    total = count_of(usage.total_tokens) if usage is not None else None
    return None if total is None else Usage(input_tokens=total)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class Total(msgspec.Struct):
    """`usage` of an embedding or a reranking."""

    total_tokens: int | None = None


class _Item(msgspec.Struct):
    embedding: msgspec.Raw
    text_index: int | None = None


class _Output(msgspec.Struct):
    embeddings: list[_Item] = []


class _Answer(msgspec.Struct):
    output: _Output | None = None
    usage: Total | None = None
    code: str | None = None
    message: str | None = None


def _position(item: _Item) -> int:
    return item.text_index or 0


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = DashScopeEmbeddingsCodec()
