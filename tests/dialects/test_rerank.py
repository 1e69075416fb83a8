"""Reranking as clients of Cohere and Jina ask for it and read it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuzui.core.answers import Ranked, Ranking, RerankRequest, Vectors
from yuzui.core.chat import AnswerFacts
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects.rerank import DIALECT

FACTS = AnswerFacts(request_id="req-1")
BODY: dict[str, Any] = {
    "model": "auto",
    "query": "q",
    "documents": ["a", {"text": "b", "title": "T"}, "c"],
}  # Any: JSON


def read(**more: Any) -> RerankRequest:  # Any: JSON values
    request = DIALECT.read_request(BODY | more)
    assert isinstance(request, RerankRequest)
    return request


def write(
    request: RerankRequest, *scores: tuple[int, float], usage: Usage | None = None
) -> dict[str, Any]:  # Any: JSON
    ranking = Ranking(id="", model="", results=tuple(Ranked(index=i, score=s) for i, s in scores), usage=usage)
    found: dict[str, Any] = json.loads(DIALECT.write_response(ranking, request, FACTS))  # Any: JSON values
    return found


def lane(request: RerankRequest, raw: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    results = tuple(Ranked(index=item["index"], score=item["relevance_score"]) for item in raw["results"])
    ranking = Ranking(
        id="", model="", results=results, usage=None, raw=json.dumps(raw).encode(), raw_dialect="rerank"
    )  # fmt: skip
    found: dict[str, Any] = json.loads(DIALECT.write_response(ranking, request, FACTS))  # Any: JSON values
    return found


def test_a_request_is_read() -> None:
    request = read(top_n=2, return_documents=True, max_tokens_per_doc=9, rank_fields=None)
    assert (request.query, request.documents, request.top_n) == ("q", ("a", "b", "c"), 2)
    assert (request.returns_documents, request.knobs, request.operation) == (True, {"max_tokens_per_doc": 9}, "rerank")


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"query": 1}, "query"),
        ({"query": {"image": "x"}}, "query"),
        ({"documents": []}, "documents"),
        ({"documents": ["a", 2]}, "documents[1]"),
        ({"documents": [{"title": "x"}]}, "documents[0]"),
        ({"top_n": 0}, "top_n"),
        ({"topN": 1}, "topN"),
        ({"model": ""}, "model"),
    ],
)
def test_a_wrong_field_is_named(more: dict[str, Any], param: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        read(**more)
    assert caught.value.param == param


def test_pictures_and_chats_are_refused() -> None:
    with pytest.raises(UnsupportedFeature, match="picture"):
        read(documents=[{"text": "a", "image": "https://x.test/a.png"}])
    with pytest.raises(UnsupportedFeature):
        read().meaning  # noqa: B018  # asking for it is the test


def test_an_answer_of_another_shape_is_sorted_cut_and_given_its_documents() -> None:
    found = write(read(top_n=2, return_documents=True), (0, 0.1), (1, 0.9), (2, 0.5), usage=Usage(input_tokens=7))
    assert found == {
        "id": "req-1",
        "model": "auto",
        "results": [
            {"index": 1, "relevance_score": 0.9, "document": {"text": "b", "title": "T"}},
            {"index": 2, "relevance_score": 0.5, "document": {"text": "c"}},
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }


def test_searches_are_told_where_cohere_tells_them() -> None:
    found = write(read(), (0, 0.1), usage=Usage(searches=1))
    assert found["meta"] == {"billed_units": {"search_units": 1}}
    assert found["results"] == [{"index": 0, "relevance_score": 0.1}]
    assert "usage" not in write(read(), (0, 0.1))


def test_equal_scores_keep_the_targets_order() -> None:
    assert [r["index"] for r in write(read(), (2, 0.5), (0, 0.5), (1, 0.5))["results"]] == [2, 0, 1]


def test_the_lane_hands_on_the_bytes() -> None:
    raw = b'{ "results": [{"index": 0, "relevance_score": 1}] }'
    ranking = Ranking(id="", model="", results=(Ranked(index=0, score=1),), usage=None, raw=raw, raw_dialect="rerank")
    assert DIALECT.write_response(ranking, read(), FACTS) is raw
    assert DIALECT.write_response(ranking, read(top_n=1), FACTS) is raw


def test_what_a_server_left_out_is_added_and_the_rest_stays() -> None:
    raw = {"vendor": 1, "results": [{"index": 1, "relevance_score": 0.9, "x": 2}, {"index": 0, "relevance_score": 0.1}]}
    found = lane(read(return_documents=True), raw)
    assert found["vendor"] == 1
    assert found["results"] == [
        {"index": 1, "relevance_score": 0.9, "x": 2, "document": {"text": "b", "title": "T"}},
        {"index": 0, "relevance_score": 0.1, "document": {"text": "a"}},
    ]
    assert lane(read(top_n=1), raw)["results"] == raw["results"][:1]  # type: ignore[index]  # a list, as it stands above


def test_what_is_no_utf8_is_a_fault_when_it_must_be_read() -> None:
    raw = b'{"\xff":1,"results":[{"index":0,"relevance_score":1}]}'
    ranking = Ranking(id="", model="", results=(Ranked(index=0, score=1),), usage=None, raw=raw, raw_dialect="rerank")
    assert DIALECT.write_response(ranking, read(), FACTS) is raw
    with pytest.raises(UpstreamInvalid, match="UTF-8"):
        DIALECT.write_response(ranking, read(return_documents=True), FACTS)


def test_a_document_that_nobody_sent_is_a_fault() -> None:
    for index in (-1, 3):
        with pytest.raises(UpstreamInvalid):
            write(read(), (index, 1.0))


def test_an_answer_of_another_operation_is_no_answer() -> None:
    with pytest.raises(UpstreamInvalid):
        DIALECT.write_response(Vectors(model="m", vectors=(), usage=None), read(), FACTS)
