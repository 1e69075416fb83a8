"""Embeddings read and written, and read back by the official client."""

from __future__ import annotations

import json
import math
from array import array
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.answers import EmbeddingRequest, Vectors
from yuzui.core.chat import AnswerFacts
from yuzui.core.errors import InvalidRequest, NoPermittedTarget, UnsupportedFeature, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.dialects.openai_embeddings import DIALECT, to_base64, to_numbers

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req-1")
VECTORS = ((0.6, -0.8, 1e-9), (0.25, 0.5, -0.125))


def read(**body: Any) -> EmbeddingRequest:  # Any: JSON values
    request = DIALECT.read_request({"model": "auto", **body})
    assert isinstance(request, EmbeddingRequest)
    return request


@pytest.mark.parametrize(
    ("given_input", "inputs", "has_tokens"),
    [
        ("a", ("a",), False),
        (["a", "b"], ("a", "b"), False),
        ([{"text": "a"}, {"text": "b", "type": "text"}], ("a", "b"), False),
        ([1, 2], (), True),
        ([[1, 2], [3]], (), True),
    ],
)
def test_inputs_are_texts_or_tokens(given_input: object, inputs: tuple[str, ...], has_tokens: bool) -> None:
    request = read(input=given_input)
    assert (request.inputs, request.has_tokens, request.operation) == (inputs, has_tokens, "embeddings")
    assert request.body["input"] == given_input


@pytest.mark.parametrize("wrong", [[], ["a", 1], [[1], []], [1.5], None, {"text": "a"}, [[1], "a"], [["a"]]])
def test_any_other_input_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(input=wrong)
    assert (caught.value.param or "").startswith("input")


def test_a_picture_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedFeature, match=r"input\[0\]"):
        read(input=[{"image": "https://x.test/a.png"}])


def test_what_a_vector_is_for_is_understood_in_the_vendors_words() -> None:
    assert read(input="a", task="retrieval.query").purpose == "query"
    assert read(input="a", input_type="passage").purpose == "document"
    request = read(input="a", input_type="image", user="u", truncate="END", late_chunking=None)
    assert request.purpose == ""
    assert request.knobs == {"input_type": "image", "user": "u", "truncate": "END"}


def test_there_is_no_chat_in_it() -> None:
    with pytest.raises(UnsupportedFeature):
        read(input="a").meaning  # noqa: B018  # asking for it is the test


@pytest.mark.parametrize("vectors", [VECTORS, tuple(array("f", vector) for vector in VECTORS)])
def test_the_official_client_reads_numbers(vectors: Any, client_that_gets: ClientThatGets) -> None:  # Any: both kinds
    response = Vectors(model="m", vectors=vectors, usage=Usage(input_tokens=7))
    body = DIALECT.write_response(response, read(input=["a", "b"]), FACTS)
    found = client_that_gets(200, body, "application/json").embeddings.create(
        model="m", input="x", encoding_format="float"
    )
    assert [item.embedding for item in found.data] == [list(vector) for vector in vectors]
    assert ([item.index for item in found.data], found.usage.prompt_tokens) == ([0, 1], 7)


def test_the_official_client_reads_base64(client_that_gets: ClientThatGets) -> None:
    response = Vectors(model="m", vectors=VECTORS, usage=None)
    body = DIALECT.write_response(response, read(input=["a", "b"], encoding_format="base64"), FACTS)
    found = client_that_gets(200, body, "application/json").embeddings.create(model="m", input="x")
    assert [item.embedding for item in found.data] == [array("f", vector).tolist() for vector in VECTORS]
    assert "usage" not in json.loads(body)


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_a_vector_keeps_its_values_and_its_norm(vector: list[float]) -> None:
    packed = array("f")
    packed.frombytes(b64decode(to_base64(vector)))
    assert packed.tolist() == vector == list(to_numbers(packed))
    assert math.hypot(*to_numbers(packed)) == math.hypot(*vector)


def test_the_lane_hands_on_the_bytes() -> None:
    raw = b'{ "data": [] }'
    assert (
        DIALECT.write_response(
            Vectors(model="m", vectors=(), usage=None, raw=raw, raw_dialect="openai_embeddings"), read(input="a"), FACTS
        )
        is raw
    )


def test_an_answer_of_another_operation_is_no_answer() -> None:
    from yuzui.core.answers import Blob

    with pytest.raises(UpstreamInvalid):
        DIALECT.write_response(Blob(usage=None, raw=b"{}", raw_dialect=None), read(input="a"), FACTS)


def test_errors_become_the_official_clients_exceptions(client_that_gets: ClientThatGets) -> None:
    error = NoPermittedTarget("nowhere")
    with pytest.raises(openai.PermissionDeniedError, match="nowhere"):
        client_that_gets(403, DIALECT.write_error(error, "req-9"), "application/json").embeddings.create(
            model="m", input="x"
        )
