"""Vectors from servers that keep to what was asked, and from those that do not."""

from __future__ import annotations

import json
import math
from array import array
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.answers import EmbeddingRequest
from yuzui.core.chat import ChatRequest, Meaning
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.core.usage import Usage
from yuzui.dialects.openai_embeddings import DIALECT
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_embeddings import CODEC, read_vector


def target(**parameters: str) -> Target:
    return Target(
        name="t", provider="p", codec="openai", model="m-1", base_url="https://x.test/v1", premises="vendor",
        clearance=0, jurisdiction="", parameters=parameters,
    )  # fmt: skip


def lane(**body: Any) -> WireRequest:  # Any: JSON values
    return CODEC.write_request(DIALECT.read_request({"model": "auto", **body}), target(), output_cap=None)


def foreign(**fields: Any) -> EmbeddingRequest:  # Any: fields of the request
    return EmbeddingRequest(
        dialect="nobody's", operation="embeddings", model="auto", body={}, read_meaning=lambda _: Meaning(messages=()),
        **({"inputs": ("a", "b")} | fields),
    )  # fmt: skip


def packed(*numbers: float) -> str:
    return b64encode(array("f", numbers)).decode()


def answer(*embeddings: object, **more: object) -> bytes:
    return json.dumps({"data": [{"embedding": e, "vendor": 1} for e in embeddings], "model": "m", **more}).encode()


def test_numbers_where_base64_was_asked_are_respelled_and_the_rest_stays() -> None:
    found = CODEC.read_response(answer([0.5, 0.25], extra=[1]), lane(input="a", encoding_format="base64"))
    assert json.loads(found.raw) == {
        "data": [{"embedding": packed(0.5, 0.25), "vendor": 1}], "model": "m", "extra": [1]}  # fmt: skip


def test_base64_where_numbers_were_asked_is_respelled() -> None:
    found = CODEC.read_response(answer(packed(0.5, 0.25)), lane(input="a"))
    assert json.loads(found.raw)["data"] == [{"embedding": [0.5, 0.25], "vendor": 1}]
    assert found.raw_dialect == "openai_embeddings"


@pytest.mark.parametrize("vector", [[1.0, 2.0, 3.0], packed(1.0, 2.0, 3.0)])
def test_ignored_dimensions_are_a_fault(vector: object) -> None:
    with pytest.raises(UpstreamInvalid, match="vectors of 3 numbers where `dimensions` asks for 2") as caught:
        CODEC.read_response(answer(vector), lane(input="a", dimensions=2))
    assert (caught.value.status, caught.value.param, caught.value.counts_for_breaker) == (400, "dimensions", False)
    assert CODEC.read_response(answer(vector), lane(input="a", dimensions=3)).model == "m"


def test_there_must_be_one_vector_for_each_input() -> None:
    for given_input, count in (("a", 1), (["a", "b"], 2), ([1, 2, 3], 1), ([[1, 2], [3]], 2)):
        assert CODEC.read_response(answer(*[[1.0]] * count), lane(input=given_input))
        with pytest.raises(UpstreamInvalid, match="for"):
            CODEC.read_response(answer(*[[1.0]] * (count + 1)), lane(input=given_input))


def test_another_dialects_request_is_written_and_read_in_order() -> None:
    wire = CODEC.write_request(foreign(dimensions=2, purpose="query", knobs={"x": 1}), target(), output_cap=None)
    assert json.loads(wire.body) == {"model": "m-1", "input": ["a", "b"], "dimensions": 2}
    assert (wire.is_lane, wire.dropped) == (False, ("input_type", "x"))
    body = b'{"data":[{"index":1,"embedding":[3,4]},{"index":0,"embedding":"' + packed(1, 2).encode() + b'"}]}'
    found = CODEC.read_response(body, wire)
    assert [list(vector) for vector in found.vectors] == [[1, 2], [3, 4]]
    assert (found.model, found.usage, found.raw) == ("m-1", None, b"")


def test_a_target_that_embeds_queries_otherwise_is_told() -> None:
    wire = CODEC.write_request(foreign(purpose="query"), target(purpose_field="task"), output_cap=None)
    assert json.loads(wire.body)["task"] == "retrieval.query"
    assert wire.dropped == ()


def test_tokens_and_chats_are_refused() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        CODEC.write_request(foreign(has_tokens=True, inputs=()), target(), output_cap=None)
    assert caught.value.param == "input"
    chat = ChatRequest(dialect="x", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target(), output_cap=None)


@pytest.mark.parametrize(
    "body",
    [b'{"\xff":1,"data":[{"embedding":[1]}]}', b'{"data":[{"embedding":"\xc2"}]}', b'{"data":[{"embedding":{}}]}'],
)
def test_what_cannot_be_read_is_a_fault_when_it_must_be_read(body: bytes) -> None:
    asked = lane(input="a", encoding_format="base64" if b"[1]" in body else "float")
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body, asked)
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body, lane(input="a", dimensions=2))


@pytest.mark.parametrize("raw", [b'"!"', b'"QUI="', b'["a"]', b"[[1]]", b"{}", b"1", b'"AADAfw=="', b'"AACAfw=="'])
def test_what_is_no_vector_is_refused(raw: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_vector(msgspec.Raw(raw))


def test_usage_is_the_upstreams() -> None:
    found = CODEC.read_response(answer([1.0], usage={"prompt_tokens": 3, "total_tokens": 3}), lane(input="a"))
    assert found.usage == Usage(input_tokens=3)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=40))
def test_both_spellings_read_the_same(numbers: list[float]) -> None:
    plain = read_vector(msgspec.Raw(msgspec.json.encode(numbers)))
    dense = read_vector(msgspec.Raw(msgspec.json.encode(packed(*numbers))))
    assert list(plain) == list(dense) == numbers
    assert math.hypot(*plain) == math.hypot(*dense)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    for wire in (None, lane(input="a")):
        with pytest.raises(UpstreamInvalid):
            CODEC.read_response(body, wire)
