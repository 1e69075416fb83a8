"""Reranking by the open servers and the vendors that took over Jina's shape; the two shapes are data.

Sources: https://api.jina.ai/redoc (rerank), https://docs.siliconflow.com (rerank: `meta.tokens`),
https://docs.voyageai.com/reference/reranker-api (`data`), vllm, entrypoints/pooling/scoring/protocol.py,
https://huggingface.github.io/text-embeddings-inference (`/rerank`); read 2026-11-26. llama.cpp's server in
xllamacpp==2026.10.11549, recorded 2026-11-26: strings only, ignores `return_documents`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Ranked, Ranking, RerankRequest
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import (
    OperationCodec,
    Patched,
    apply_quirks,
    decode,
    fault_in,
    headers_of,
    path_of,
    read_usage,
    sane,
)

DOCUMENTS_PER_SEARCH: Final = 100  # https://docs.cohere.com/docs/how-does-cohere-pricing-work (2026-11)
_BYTES_PER_TOKEN: Final = 4  # an estimate, flagged


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a server spells a reranking."""

    documents: str = "documents"
    return_documents: str = "return_documents"
    top_n: str = "top_n"
    """"": it has no limit, and all documents come back."""
    model: str = "model"
    """"": it serves one model and knows no names."""


SHAPES: Final[Mapping[str, Shape]] = {
    "jina": Shape(),
    "tei": Shape(documents="texts", return_documents="return_text", top_n="", model=""),
}
"""By `targets.parameters.rerank_shape`; `jina` unless the row or the operator says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RerankWire(WireRequest):
    """What reading the answer needs to know of its request."""

    count: int = 0
    """Documents sent."""


class OpenAIRerankCodec(OperationCodec):
    """`POST {base_url}/rerank`."""

    dialect: Dialect = "rerank"
    operation: Operation = "rerank"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        if not isinstance(request, RerankRequest):
            raise UnsupportedFeature("this target's model ranks documents only; send a query and documents",
                                     param="model")  # fmt: skip
        name = target.parameters.get("rerank_shape", "jina")
        shape = SHAPES.get(name)
        if shape is None:
            raise UnsupportedFeature(f"no rerank_shape {name!r} is known; use {' or '.join(SHAPES)}", param="model")
        is_lane = request.dialect == self.dialect and shape == SHAPES["jina"]
        patched = _patch(request, target) if is_lane else _body_of(request, target, shape)
        apply_quirks(patched, target)
        return RerankWire(
            path=path_of(target, "openai_rerank", "/rerank"),
            headers=headers_of(target, accept="application/json"),
            body=strict_json.write(patched.body),
            is_stream=False,
            dropped=tuple(patched.dropped),
            is_lane=is_lane,
            model=target.model,
            count=len(request.documents),
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Ranking:
        found = decode(body, _answer, "a ranking")
        if isinstance(found, list):
            found = _Answer(results=found)
        results = found.results if found.results is not None else found.data
        if not results:  # there is at least one document, so there is at least one place
            raise fault_in(body) or UpstreamInvalid("the target's answer has no `results`")
        # Only what has the dialect's own words may go on as it is.
        is_plain = found.results is not None and all(item.relevance_score is not None for item in results)
        return Ranking(
            id=found.id or "",
            model=found.model or (wire.model if wire is not None else ""),
            results=tuple([_ranked(item) for item in results]),
            usage=_usage_of(found, wire),
            raw=body if wire is not None and wire.is_lane and is_plain else b"",
            raw_dialect=self.dialect,
        )


def _patch(request: RerankRequest, target: Target) -> Patched:
    """The client's own body. An object that holds nothing but its text becomes that text: every server reads it."""
    body = dict(request.body)
    body["model"] = target.model
    if any(_is_mere_text(item) for item in body["documents"]):
        body["documents"] = [item["text"] if _is_mere_text(item) else item for item in body["documents"]]
    return Patched(body=body)


def _is_mere_text(item: str | dict[str, Any]) -> bool:  # Any: checked JSON
    return not isinstance(item, str) and item.keys() == {"text"}


def _body_of(request: RerankRequest, target: Target, shape: Shape) -> Patched:
    """What every shape can say. A limit that the server does not know is kept when the answer is written."""
    patched = Patched(body={"query": request.query, shape.documents: list(request.documents)})
    if shape.model:
        patched.body[shape.model] = target.model
    if shape.top_n and request.top_n is not None:
        patched.body[shape.top_n] = request.top_n
    patched.dropped.extend(sorted(request.knobs))  # the documents are given back by the dialect, which has them
    return patched


def _ranked(item: _Item) -> Ranked:
    score = item.relevance_score if item.relevance_score is not None else item.score
    if item.index is None or score is None or not math.isfinite(score):
        raise UpstreamInvalid("a result of the target's ranking has no `index` or no `relevance_score`")
    return Ranked(index=item.index, score=score)


def _usage_of(found: _Answer, wire: WireRequest | None) -> Usage | None:
    """Tokens and searches; tokens that nobody told are estimated from what was sent."""
    meta = found.meta or _NO_META
    billed = meta.billed_units or _NO_BILL
    count = wire.count if isinstance(wire, RerankWire) else 0
    searches = sane(billed.search_units) or -(-count // DOCUMENTS_PER_SEARCH)
    told = read_usage(found.usage) or read_usage(meta.tokens)
    if told is None and billed.input_tokens is not None:
        told = Usage(input_tokens=sane(billed.input_tokens))
    if told is not None:
        return msgspec.structs.replace(told, searches=searches)
    if billed.search_units is not None:
        return Usage(searches=searches)
    if wire is None:
        return None
    tokens = -(-len(wire.body) // _BYTES_PER_TOKEN)
    return Usage(input_tokens=tokens, searches=searches, is_estimated=True, note="missing")


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Item(Struct):
    index: int | None = None
    relevance_score: float | None = None
    score: float | None = None  # TEI


class _Billed(Struct):
    search_units: float | None = None  # Cohere writes 1.0
    input_tokens: float | None = None


class _Meta(Struct):
    billed_units: _Billed | None = None
    tokens: Raw = Raw()


class _Answer(Struct, kw_only=True):
    id: str | None = None
    model: str | None = None
    results: list[_Item] | None = None
    data: list[_Item] | None = None  # Voyage
    usage: Raw = Raw()
    meta: _Meta | None = None
    error: Any = None  # Any: `fault_in` reads it


_NO_META: Final = _Meta()
_NO_BILL: Final = _Billed()
_answer = msgspec.json.Decoder(_Answer | list[_Item])

CODEC: Final = OpenAIRerankCodec()
