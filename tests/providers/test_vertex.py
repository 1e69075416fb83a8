"""Vertex AI: the same words elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.answers import EmbeddingRequest, Vectors
from yuzui.core.chat import ChatRequest, Meaning, Message, TextPart
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.target import Auth, Target
from yuzui.core.usage import Usage
from yuzui.providers import vertex_count_tokens, vertex_embeddings
from yuzui.providers._contract import WireRequest
from yuzui.providers.catalogue import load_rows
from yuzui.providers.vertex import CODEC, ROW


def target(model: str = "gemini-3.8-flash", **changes: Any) -> Target:  # Any: fields of Target
    fields: dict[str, Any] = {  # Any: see above
        "name": "vendor/vertex", "provider": "vertex", "codec": "vertex", "model": model, "base_url": ROW.base_url,
        "premises": "vendor", "clearance": 0, "jurisdiction": "US", "parameters": {"project_id": "p-1", "location": "eu"},
    }  # fmt: skip
    return Target(**(fields | changes))


def request() -> ChatRequest:
    meaning = Meaning(messages=(Message(role="user", parts=(TextPart(text="hi"),)),))
    return ChatRequest(dialect="openai_chat", model="auto", body={}, read_meaning=lambda _: meaning)


def test_the_row_says_what_a_target_must_have() -> None:
    assert load_rows()["vertex"] is ROW
    assert set(ROW.needs) == {"project_id", "location"}
    assert ROW.parameters == {"location": "global"}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-4-argon", "publishers/google/models/gemini-4-argon"),
        ("publishers/mistralai/models/m", "publishers/mistralai/models/m"),
        ("endpoints/7", "endpoints/7"),
    ],
)
def test_a_model_is_found_under_project_and_location(model: str, path: str) -> None:
    wire = CODEC.write_request(request(), target(model), output_cap=None)
    assert wire.path == f"/v1/projects/p-1/locations/eu/{path}:generateContent"


def test_a_short_lived_token_leaves_no_key_in_the_headers() -> None:
    by_token = target(auth=Auth(kind="google_service_account"))
    headers = CODEC.write_request(request(), by_token, output_cap=None).headers
    assert not {"x-goog-api-key", "authorization"} & headers.keys()


def test_a_count_says_only_what_vertex_reads() -> None:
    wire = vertex_count_tokens.CODEC.write_request(request(), target(), output_cap=None)
    assert wire.path.endswith("gemini-3.8-flash:countTokens")
    assert wire.body == b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}'


def embedding(**changes: Any) -> EmbeddingRequest:  # Any: fields of EmbeddingRequest
    meaning = Meaning(messages=())
    return EmbeddingRequest(
        dialect="openai_embeddings", operation="embeddings", model="auto", body={}, inputs=("a",),
        read_meaning=lambda _: meaning, **changes,
    )  # fmt: skip


def predict() -> WireRequest:
    return vertex_embeddings.CODEC.write_request(embedding(dimensions=4), target("text-embedding-005"), output_cap=None)


def test_older_text_models_are_asked_by_predict() -> None:
    wire = predict()
    assert wire.path.endswith("/text-embedding-005:predict")
    assert wire.body == b'{"instances":[{"content":"a"}],"parameters":{"outputDimensionality":4}}'
    body = b'{"predictions":[{"embeddings":{"values":[0.5],"statistics":{"token_count":2}}}]}'
    assert vertex_embeddings.CODEC.read_response(body, wire) == Vectors(
        model="text-embedding-005", vectors=([0.5],), usage=Usage(input_tokens=2)
    )


@pytest.mark.parametrize(
    "body", [b"{}", b'{"predictions":[]}', b'{"predictions":[{"embeddings":{"values":[]}}]}', b"\xff"]
)
def test_predictions_without_vectors_are_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        vertex_embeddings.CODEC.read_response(body, predict())


def test_counts_that_vertex_does_not_tell_are_unknown() -> None:
    answer = vertex_embeddings.CODEC.read_response(b'{"predictions":[{"embeddings":{"values":[0.5]}}]}', predict())
    assert answer.usage is None
