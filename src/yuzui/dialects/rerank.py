"""The rerank dialect that Cohere and Jina share: a query and documents in, the documents by relevance out.

Sources: https://docs.cohere.com/reference/rerank (cohere==7.3.1: `V2RerankResponse`, and version 1 with
`return_documents`), https://api.jina.ai/redoc (rerank), https://docs.vllm.ai (Jina- and Cohere-compatible rerank API);
read 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from typing_extensions import override

from yuzui.core.answers import Answer, Ranked, Ranking, RerankRequest
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import LaneDialect, lane_only, others, read_fields

_UNDERSTOOD: Final = frozenset(("model", "query", "documents", "top_n", "return_documents"))


class Rerank(LaneDialect):
    """`POST /v1/rerank` and `POST /v2/rerank`."""

    name: Dialect = "rerank"
    operation: Operation = "rerank"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        wire = read_fields(body, _Request)
        return RerankRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model, "model"),
            body=body,
            query=_text_of(wire.query, "query"),
            documents=tuple([_text_of(item, f"documents[{index}]") for index, item in enumerate(wire.documents)]),
            top_n=wire.top_n,
            returns_documents=bool(wire.return_documents),
            knobs=others(body, _UNDERSTOOD),
            read_meaning=lane_only("a reranking as a chat"),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        if not isinstance(response, Ranking) or not isinstance(request, RerankRequest):
            raise UpstreamInvalid("the target's answer holds no ranking")
        _check(response, request)
        if response.raw_dialect == self.name and response.raw:
            return _completed(response.raw, request)
        results = sorted(response.results, key=_by_relevance)[: request.top_n]
        usage = response.usage
        return _encoder.encode(
            _Response(
                id=response.id or facts.request_id,
                model=response.model or request.model,
                results=[_result(found, request) for found in results],
                usage=UNSET if usage is None else _Usage(usage.input_tokens, usage.input_tokens + usage.output_tokens),
                meta=_Meta(_Billed(usage.searches)) if usage is not None and usage.searches else UNSET,
            )
        )


def _text_of(value: str | Mapping[str, Any], param: str) -> str:  # Any: checked JSON
    """A text, or an object that has one; nothing here could tell how sensitive a picture is."""
    if isinstance(value, str):
        return value
    text = value.get("text")
    if not isinstance(text, str):
        raise InvalidRequest(f"`{param}` has no `text`; send a string or an object with a `text`", param=param)
    if not _PICTURES.isdisjoint(value):
        raise UnsupportedFeature(f"`{param}`: only texts are ranked here; remove the picture", param=param)
    return text


def _check(response: Ranking, request: RerankRequest) -> None:
    count = len(request.documents)
    if any(not 0 <= found.index < count for found in response.results):
        raise UpstreamInvalid(f"the target ranked a document that is none of the {count} in the request")


def _by_relevance(found: Ranked) -> float:
    return -found.score


def _result(found: Ranked, request: RerankRequest) -> _Result:
    document = _document(found.index, request) if request.returns_documents else UNSET
    return _Result(index=found.index, relevance_score=found.score, document=document)


def _document(index: int, request: RerankRequest) -> Mapping[str, Any]:  # Any: the client's own object
    sent = request.body.get("documents")
    own = sent[index] if isinstance(sent, list) and index < len(sent) else None
    return own if isinstance(own, dict) else {"text": request.documents[index]}


def _completed(raw: bytes, request: RerankRequest) -> bytes:
    """`raw`, with what the client asked for and its server left out: the documents (llama.cpp), the limit."""
    top_n = request.top_n
    if not request.returns_documents and top_n is None:
        return raw
    try:
        answer = _fields.decode(raw)
        results = _items.decode(answer["results"])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # what nobody asked for is read here for the first time
        raise UpstreamInvalid("the target's answer is not UTF-8") from error
    lacking = [item for item in results if "document" not in item] if request.returns_documents else []
    if not lacking and (top_n is None or len(results) <= top_n):
        return raw
    for item in lacking:
        item["document"] = Raw(_encoder.encode(_document(_number.decode(item["index"]), request)))
    answer["results"] = Raw(_encoder.encode(results[:top_n]))
    return _encoder.encode(answer)


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Request(Struct, kw_only=True):
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    query: str | dict[str, Any]  # Any: `_text_of` checks it
    documents: Annotated[list[str | dict[str, Any]], Meta(min_length=1)]  # Any: as above
    top_n: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    return_documents: bool | None = None


class _Result(Struct, kw_only=True):
    index: int
    relevance_score: float
    document: Mapping[str, Any] | UnsetType  # Any: the client's own object


class _Usage(Struct):
    prompt_tokens: int
    total_tokens: int


class _Billed(Struct):
    search_units: int


class _Meta(Struct):
    billed_units: _Billed


class _Response(Struct, kw_only=True):
    """Jina's `usage` and Cohere's `meta` beside each other: clients of either look for their own."""

    id: str
    model: str
    results: list[_Result]
    usage: _Usage | UnsetType
    meta: _Meta | UnsetType


_PICTURES: Final = frozenset(("image", "image_url", "content", "video"))
_encoder = msgspec.json.Encoder()
_fields = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[dict[str, Raw]])
_number = msgspec.json.Decoder(int)

DIALECT: Final = Rerank()
