"""What embedding codecs of vendors with a wire of their own do alike."""

from __future__ import annotations

from base64 import b64encode
from struct import pack

import pytest
from msgspec import Raw

from native_kit import embedding, reranking
from yuzui.core.errors import UnsupportedFeature, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers.native_embeddings import read_vectors, texts_of, write_wire
from yuzui.providers.native_request import Dropped

TARGET = Target(
    name="t", provider="p", codec="c", model="m", base_url="https://x.test", premises="vendor", clearance=0,
    jurisdiction="", api_key="k",
)  # fmt: skip
WIRE = write_wire(embedding("a", "b"), TARGET, "/embed", {"texts": ["a", "b"]}, Dropped(), {"x-own": "1"})


def test_texts_are_embedded_token_numbers_are_not() -> None:
    asked = embedding("a")
    assert texts_of(asked) is asked
    with pytest.raises(UnsupportedFeature, match="send strings") as caught:
        texts_of(embedding("1 2", has_tokens=True))
    assert caught.value.param == "input"


def test_more_texts_than_the_vendor_takes_are_refused_and_the_number_told() -> None:
    assert texts_of(embedding("a", "b"), most=2)
    with pytest.raises(UnsupportedFeature, match="at most 2"):
        texts_of(embedding("a", "b", "c"), most=2)


def test_a_model_that_embeds_only_embeds() -> None:
    with pytest.raises(UnsupportedFeature, match="embeddings only"):
        texts_of(reranking("q", "a"))


def test_what_is_sent_says_for_whom_and_how_many() -> None:
    assert WIRE.headers["authorization"] == "Bearer k"
    assert WIRE.headers["x-own"] == "1"
    assert (WIRE.path, WIRE.model, WIRE.count) == ("/embed", "m", 2)


def test_vectors_are_numbers_or_their_bytes() -> None:
    packed = b64encode(pack("<2f", 1.0, -0.5))
    first, second = read_vectors([Raw(b"[1, -0.5]"), Raw(b'"' + packed + b'"')], WIRE)
    assert list(first) == list(second) == [1.0, -0.5]


@pytest.mark.parametrize("raws", [[], [Raw(b"[1]")], [Raw(b"[1]")] * 3])
def test_each_text_gets_a_vector_or_the_answer_is_no_answer(raws: list[Raw]) -> None:
    with pytest.raises(UpstreamInvalid, match="2 inputs"):
        read_vectors(raws, WIRE)


@pytest.mark.parametrize("raw", [b'["a"]', b"{}", b'"not base64!"', b"null"])
def test_a_vector_holds_numbers(raw: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        read_vectors([Raw(b"[1]"), Raw(raw)], WIRE)
