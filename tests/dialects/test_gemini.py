"""The Gemini dialect and its neighbours: counting, embeddings; what their wire cases do not say."""

from __future__ import annotations

import json
from array import array
from typing import Any

import pytest

from yuzui.core.answers import Count, EmbeddingRequest, Vectors
from yuzui.core.chat import AnswerFacts, ChatRequest, ChatResponse, RequestLine, TextPart
from yuzui.core.errors import InvalidRequest, NotFound
from yuzui.core.usage import Usage
from yuzui.dialects.gemini import DIALECT
from yuzui.dialects.gemini_count_tokens import DIALECT as COUNTING
from yuzui.dialects.gemini_embeddings import DIALECT as EMBEDDING
from yuzui.dialects.gemini_stream import HubWriter, LaneWriter

FACTS = AnswerFacts(request_id="req-1", origin="deepseek")
HI = {"contents": [{"parts": [{"text": "hi"}]}]}


def line(method: str) -> RequestLine:
    return RequestLine(path=f"/v1beta/models/auto:{method}")


def embedding(body: dict[str, Any], method: str = "embedContent") -> EmbeddingRequest:  # Any: JSON values
    request = EMBEDDING.read_request(body, line(method))
    assert isinstance(request, EmbeddingRequest)
    return request


def test_a_whole_answer_of_the_own_dialect_goes_on_untouched() -> None:
    request = DIALECT.read_request(HI, line("generateContent"))
    answer = ChatResponse(id="", model="", created_s=0, choices=(), usage=None, raw=b'{"x" : 1}', raw_dialect="gemini")
    assert DIALECT.write_response(answer, request, FACTS) == b'{"x" : 1}'
    assert DIALECT.answer_type(request).startswith("application/json")


def test_the_writer_is_the_one_of_the_lane_only_on_the_lane() -> None:
    request = DIALECT.read_request(HI, line("streamGenerateContent"))
    assert isinstance(DIALECT.stream_writer(request, FACTS), HubWriter)
    assert isinstance(DIALECT.stream_writer(request, AnswerFacts(request_id="r", is_lane=True)), LaneWriter)


# ---- counting -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        HI | {"systemInstruction": {"parts": [{"text": "be brief"}]}},
        {
            "generateContentRequest": {
                "model": "models/auto",
                "system_instruction": {"parts": {"text": "be brief"}},
                **HI,
            }
        },
        {"generate_content_request": {"systemInstruction": {"parts": [{"text": "be brief"}]}, **HI}},
    ],
)
def test_a_request_to_be_counted_stands_in_the_body_or_inside_it(body: dict[str, Any]) -> None:
    request = COUNTING.read_request(body, line("countTokens"))
    assert (request.operation, request.model) == ("count_tokens", "auto")
    assert [message.parts for message in request.meaning.messages] == [
        (TextPart(text="be brief"),),
        (TextPart(text="hi"),),
    ]


@pytest.mark.parametrize("body", [HI | {"generateContentRequest": HI}, {"generateContentRequest": 5}])
def test_a_count_of_two_things_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="either"):
        COUNTING.read_request(body, line("countTokens"))


def test_a_count_is_told_in_googles_word() -> None:
    request = COUNTING.read_request(HI, line("countTokens"))
    assert json.loads(COUNTING.write_response(Count(input_tokens=5), request, FACTS)) == {"totalTokens": 5}
    raw = Count(input_tokens=5, raw=b'{"totalTokens" : 5}', raw_dialect="gemini_count_tokens")
    assert COUNTING.write_response(raw, request, FACTS) == raw.raw
    with pytest.raises(NotFound):
        COUNTING.read_request(HI, line("generateContent"))


# ---- embeddings -----------------------------------------------------------------------------------------------------


def test_the_settings_of_an_embedding() -> None:
    request = embedding(
        {
            "content": {"parts": [{"text": "a"}, {"text": "b"}]},
            "task_type": "RETRIEVAL_DOCUMENT",
            "title": "t",
            "output_dimensionality": 8,
        }
    )
    assert request.inputs == ("ab",)
    assert (request.purpose, request.dimensions, request.has_tokens) == ("document", 8, False)
    assert request.knobs == {"title": "t"}
    assert request.meaning.messages[0].parts == (TextPart(text="ab"),)


def test_vertex_has_the_same_settings_elsewhere() -> None:
    config = {"taskType": "SEMANTIC_SIMILARITY", "outputDimensionality": 8, "autoTruncate": False}
    request = embedding({"content": {"parts": {"text": "a"}}, "embedContentConfig": config})
    assert (request.purpose, request.dimensions) == ("", 8)
    assert request.knobs == {"taskType": "SEMANTIC_SIMILARITY", "autoTruncate": False}


def batch(*items: dict[str, Any]) -> dict[str, Any]:  # Any: JSON values
    return {"requests": [{"content": {"parts": [{"text": "a"}]}} | item for item in items]}


@pytest.mark.parametrize(
    ("items", "is_lane_only"),
    [
        (({}, {}), False),
        (({"taskType": "CLUSTERING"}, {"taskType": "CLUSTERING"}), False),
        (({"taskType": "CLUSTERING"}, {}), True),
        (({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},), True),
    ],
)
def test_what_only_google_embeds_is_known(items: tuple[dict[str, Any], ...], is_lane_only: bool) -> None:
    assert embedding(batch(*items), "batchEmbedContents").has_tokens is is_lane_only


@pytest.mark.parametrize(
    ("body", "method", "said"),
    [
        ({}, "embedContent", "`content` is missing"),
        ({"content": {"parts": []}}, "embedContent", "`content.parts` is missing"),
        ({}, "batchEmbedContents", "`requests` is missing"),
        ({"requests": [{}]}, "batchEmbedContents", r"`requests\[0\].content` is missing"),
        (batch({"content": {}}), "batchEmbedContents", r"`requests\[0\].content.parts` is missing"),
    ],
)
def test_an_embedding_of_nothing_is_refused(body: dict[str, Any], method: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        embedding(body, method)


def test_vectors_have_the_shape_of_the_method() -> None:
    vectors = Vectors(model="m", vectors=(array("f", [0.5, 1.0]), (0.25, 0.0)), usage=Usage(input_tokens=3))
    several = embedding(batch({}, {}), "batchEmbedContents")
    assert json.loads(EMBEDDING.write_response(vectors, several, FACTS)) == {
        "embeddings": [{"values": [0.5, 1.0]}, {"values": [0.25, 0.0]}],
        "usageMetadata": {"promptTokenCount": 3},
    }
    one = embedding({"content": {"parts": [{"text": "a"}]}})
    assert json.loads(EMBEDDING.write_response(Vectors(model="m", vectors=((1.0,),), usage=None), one, FACTS)) == {
        "embedding": {"values": [1.0]}
    }


@pytest.mark.parametrize("dialect", [COUNTING, EMBEDDING])
def test_only_chat_is_streamed(dialect: Any) -> None:
    request = ChatRequest(
        dialect="x",
        model="m",
        body={},
        read_meaning=lambda _: DIALECT.read_request(HI, line("generateContent")).meaning,
    )
    with pytest.raises(NotImplementedError):
        dialect.stream_writer(request, FACTS)
