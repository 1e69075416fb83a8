"""DashScope's rerank API for texts.

Usage: `usage.total_tokens` → `input_tokens`; searches are counted by us. Sources (2026-11-26):
https://www.alibabacloud.com/help/en/model-studio/text-rerank-api, the vendor's client `dashscope` 2.0.2
(`v2/resources/rerank.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Ranked, Ranking
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers._dashscope_native_faults import read_fault, stream_fault
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers.dashscope_native import native_headers
from yuzui.providers.dashscope_native_embeddings import Total, read_total
from yuzui.providers.native_request import Block, Dropped, pass_knobs, ranking_of, searches_of
from yuzui.providers.openai import write_path
from yuzui.providers.openai_errors import WireError
from yuzui.providers.openai_rerank import RerankWire

PATH: Final = "/services/rerank/text-rerank/text-rerank"
_KNOBS: Final = frozenset({"instruct"})


class DashScopeRerankCodec(OperationCodec):
    """`POST {base_url}/services/rerank/text-rerank/text-rerank`."""

    dialect: Dialect = "dashscope_rerank"
    operation: Operation = "rerank"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = ranking_of(request), Dropped()
        parameters: Block = {"return_documents": False}  # the client's dialect has them already
        if asked.top_n is not None:
            parameters["top_n"] = asked.top_n
        pass_knobs(parameters, asked.knobs, _KNOBS, dropped)
        body: Block = {
            "model": target.model,
            "input": {"query": asked.query, "documents": list(asked.documents)},
            "parameters": parameters,
        }
        return RerankWire(
            path=write_path(target, "dashscope_native_rerank", PATH),
            headers=native_headers(target, is_stream=False),
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped.names,
            model=target.model,
            count=len(asked.documents),
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Ranking:
        found = decode(body, _answer, "a ranking")
        if found.code:
            raise stream_fault(WireError(message=found.message, code=found.code), "inside a 200 answer")
        if found.output is None:
            raise UpstreamInvalid("the target's answer has no `output.results`")
        usage = read_total(found.usage)
        return Ranking(
            id=found.request_id or "",
            model=wire.model if wire else "",
            results=tuple([Ranked(index=one.index, score=one.relevance_score) for one in found.output.results]),
            usage=None if usage is None else msgspec.structs.replace(usage, searches=searches_of(wire)),
        )

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Output(msgspec.Struct):
    results: list[_Result]


class _Answer(msgspec.Struct):
    output: _Output | None = None
    usage: Total | None = None
    request_id: str | None = None
    code: str | None = None
    message: str | None = None


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = DashScopeRerankCodec()
