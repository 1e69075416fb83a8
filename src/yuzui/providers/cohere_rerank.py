"""Cohere's rerank API, version 2: the shape that the client dialect `rerank` speaks, so its requests take the lane.

It has no `return_documents`: a client that wants its documents back gets them from its dialect.
Usage: `meta.billed_units.search_units` → `searches`.
Sources (2026-11-26): https://docs.cohere.com/v2/reference/rerank, `cohere` 7.3.1 (`v2/raw_client.py`).
"""

from __future__ import annotations

from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Ranked, Ranking
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import OperationCodec, decode, headers_of
from yuzui.providers.cohere_embeddings import Meta, read_meta
from yuzui.providers.native_request import Block, Dropped, pass_knobs, ranking_of
from yuzui.providers.openai import write_path

_KNOBS: Final = frozenset({"max_tokens_per_doc", "relevant_spans", "priority"})
_NOT_HERE: Final = ("rank_fields", "max_chunks_per_doc")
"""Knobs of the API's first version, which the second does not know."""


class CohereRerankCodec(OperationCodec):
    """`POST {base_url}/v2/rerank`."""

    dialect: Dialect = "rerank"
    operation: Operation = "rerank"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        asked, is_lane = ranking_of(request), request.dialect == self.dialect
        dropped = Dropped()
        body: Block
        if is_lane:
            body = dict(asked.body)
            body.pop("return_documents", None)
            for name in _NOT_HERE:
                if body.pop(name, None) is not None:
                    dropped(name)
        else:
            body = {"query": asked.query}
            if asked.top_n is not None:
                body["top_n"] = asked.top_n
            pass_knobs(body, asked.knobs, _KNOBS, dropped)
        body["model"] = target.model
        body["documents"] = list(asked.documents)  # objects with a `text` are not taken here
        return WireRequest(
            path=write_path(target, "cohere_rerank", "/v2/rerank"),
            headers=headers_of(target, accept="application/json"),
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped.names,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Ranking:
        found = decode(body, _answer, "a ranking")
        is_lane = wire is not None and wire.is_lane
        return Ranking(
            id=found.id or "",
            model=wire.model if wire else "",
            results=tuple([Ranked(index=one.index, score=one.relevance_score) for one in found.results]),
            usage=read_meta(found.meta),
            raw=body if is_lane else b"",
            raw_dialect=self.dialect if is_lane else None,
        )


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Result(msgspec.Struct):
    index: int
    relevance_score: float


class _Ranking(msgspec.Struct):
    results: list[_Result]
    id: str | None = None
    meta: Meta | None = None


_answer = msgspec.json.Decoder(_Ranking)

CODEC: Final = CohereRerankCodec()
