"""The rerank API of IBM watsonx.ai.

Usage: `input_token_count` → `input_tokens`; searches are counted by us. Sources (2026-11-26):
https://cloud.ibm.com/apidocs/watsonx-ai#text-rerank, `@ibm-cloud/watsonx-ai` 1.7.16 (`types/vml_v1.d.ts`:
`TextRerankParams`, `RerankResponse`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Ranked, Ranking
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode
from yuzui.providers._watsonx_answer import read_fault
from yuzui.providers._watsonx_request import place_of
from yuzui.providers.native_request import Block, Dropped, pass_knobs, ranking_of, searches_of
from yuzui.providers.native_usage import count_of
from yuzui.providers.openai import write_headers
from yuzui.providers.openai_rerank import RerankWire

_KNOBS: Final = frozenset({"truncate_input_tokens"})


class WatsonxRerankCodec(OperationCodec):
    """`POST {base_url}/ml/v1/text/rerank`."""

    dialect: Dialect = "watsonx_rerank"
    operation: Operation = "rerank"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, dropped = ranking_of(request), Dropped()
        place = place_of(target, "text/rerank")
        parameters: Block = {}
        if asked.top_n is not None:
            parameters["return_options"] = {"top_n": asked.top_n}
        pass_knobs(parameters, asked.knobs, _KNOBS, dropped)
        body: Block = {
            **place.fields,
            "query": asked.query,
            "inputs": [{"text": document} for document in asked.documents],
        }
        if parameters:
            body["parameters"] = parameters
        return RerankWire(
            path=place.path,
            headers=write_headers(target, is_stream=False),
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped.names,
            model=target.model,
            count=len(asked.documents),
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Ranking:
        found = decode(body, _answer, "a ranking")
        count = count_of(found.input_token_count)
        return Ranking(
            id="",
            model=found.model_id or (wire.model if wire else ""),
            results=tuple([Ranked(index=result.index, score=result.score) for result in found.results]),
            usage=None if count is None else Usage(input_tokens=count, searches=searches_of(wire)),
        )

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Result(msgspec.Struct):
    index: int
    score: float


class _Answer(msgspec.Struct):
    results: list[_Result]
    model_id: str | None = None
    input_token_count: int | None = None


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = WatsonxRerankCodec()
