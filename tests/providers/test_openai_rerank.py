"""Reranking in the shapes that servers have, and what it consumed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.answers import Ranked, RerankRequest
from yuzui.core.chat import AnswerFacts, ChatRequest, Meaning
from yuzui.core.errors import UnsupportedFeature, UpstreamBusy, UpstreamInvalid
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.dialects.rerank import DIALECT
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_rerank import CODEC


def target(*, quirks: Quirks = Quirks(), **parameters: str) -> Target:  # noqa: B008  # frozen
    return Target(
        name="t", provider="p", codec="openai", model="m-1", base_url="https://x.test", premises="own", clearance=0,
        jurisdiction="", parameters=parameters, quirks=quirks,
    )  # fmt: skip


def request_of(**more: Any) -> ChatRequest:  # Any: JSON values
    return DIALECT.read_request({"model": "auto", "query": "q", "documents": ["a", {"text": "b"}], **more})


def lane(**more: Any) -> WireRequest:  # Any: JSON values
    return CODEC.write_request(request_of(**more), target(), output_cap=None)


def test_tei_is_asked_and_read_in_its_own_shape() -> None:
    """https://huggingface.github.io/text-embeddings-inference, 2026-11-26."""
    request = request_of(top_n=1, return_documents=True, truncation=True)
    wire = CODEC.write_request(request, target(rerank_shape="tei"), output_cap=None)
    assert wire.path == "/rerank"
    assert json.loads(wire.body) == {"query": "q", "texts": ["a", "b"]}
    assert (wire.is_lane, wire.dropped) == (False, ("truncation",))
    found = CODEC.read_response(b'[{"index":1,"score":0.99,"text":"b"},{"index":0,"score":-4}]', wire)
    assert (found.results, found.raw) == ((Ranked(index=1, score=0.99), Ranked(index=0, score=-4.0)), b"")
    body = json.loads(DIALECT.write_response(found, request, AnswerFacts(request_id="req-1")))
    assert body["results"] == [{"index": 1, "relevance_score": 0.99, "document": {"text": "b"}}]
    assert body["model"] == "m-1"


def test_the_lane_keeps_unknown_fields_and_objects_that_hold_more_than_text() -> None:
    documents = [{"text": "a", "id": 7}, "b"]
    wire = lane(documents=documents, truncation=False)
    assert json.loads(wire.body) == {"model": "m-1", "query": "q", "documents": documents, "truncation": False}
    assert wire.is_lane


def test_another_dialects_request_is_written_from_its_parts() -> None:
    request = RerankRequest(
        dialect="nobody's", operation="rerank", model="auto", body={}, query="q", documents=("a", "b"), top_n=1,
        read_meaning=lambda _: Meaning(messages=()),
    )  # fmt: skip
    wire = CODEC.write_request(request, target(), output_cap=None)
    assert json.loads(wire.body) == {"model": "m-1", "query": "q", "documents": ["a", "b"], "top_n": 1}
    body = b'{"results":[{"index":0,"relevance_score":1}],"usage":{"total_tokens":3}}'
    assert CODEC.read_response(body, wire).raw == b""


def test_a_vendors_differences_are_data() -> None:
    quirks = Quirks(renames={"top_n": "top_k"}, paths={"openai_rerank": "/reranking/{model}"})
    wire = CODEC.write_request(request_of(top_n=1), target(quirks=quirks), output_cap=None)
    assert (json.loads(wire.body)["top_k"], wire.path) == (1, "/reranking/m-1")


@pytest.mark.parametrize(
    ("more", "usage"),
    [
        ('"usage":{"prompt_tokens":4,"total_tokens":5}', Usage(input_tokens=4, searches=1)),
        ('"usage":{"total_tokens":5}', Usage(input_tokens=5, searches=1)),
        ('"meta":{"tokens":{"input_tokens":6,"output_tokens":0}}', Usage(input_tokens=6, searches=1)),
        ('"meta":{"billed_units":{"search_units":2.0}}', Usage(searches=2)),
        ('"meta":{"billed_units":{"input_tokens":7.0}}', Usage(input_tokens=7, searches=1)),
        ('"usage":null', Usage(input_tokens=13, searches=1, is_estimated=True, note="missing")),
    ],
)
def test_tokens_and_searches_are_counted(more: str, usage: Usage) -> None:
    body = '{"results":[{"index":0,"relevance_score":1}],' + more + "}"
    assert CODEC.read_response(body.encode(), lane()).usage == usage


def test_a_search_has_a_hundred_documents() -> None:
    body = b'{"results":[{"index":0,"relevance_score":1}],"usage":{"total_tokens":1}}'
    for count, searches in ((1, 1), (100, 1), (101, 2), (250, 3)):
        usage = CODEC.read_response(body, lane(documents=["a"] * count)).usage
        assert usage is not None
        assert usage.searches == searches


def test_an_answer_in_other_words_is_understood_and_written_anew() -> None:
    """Voyage: https://docs.voyageai.com/reference/reranker-api, 2026-11-26."""
    body = b'{"object":"list","data":[{"relevance_score":0.4,"index":0}],"model":"rerank-3","usage":{"total_tokens":9}}'
    found = CODEC.read_response(body, lane())
    assert (found.results, found.raw) == ((Ranked(index=0, score=0.4),), b"")


def test_an_error_in_disguise_is_a_fault() -> None:
    with pytest.raises(UpstreamBusy):
        CODEC.read_response(b'{"error":{"code":"rate_limit_exceeded"}}', lane())


def test_chats_are_refused() -> None:
    chat = ChatRequest(dialect="x", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target(), output_cap=None)


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    for wire in (None, lane()):
        with pytest.raises(UpstreamInvalid):
            CODEC.read_response(body, wire)
