"""Moderations read, and the verdicts read back by the official client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest

from yuzui.core.answers import Blob, Count
from yuzui.core.chat import AnswerFacts
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid
from yuzui.dialects.openai_moderations import DIALECT

FACTS = AnswerFacts(request_id="req-1")
PICTURE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}


@pytest.mark.parametrize(
    ("given", "features"), [("a", frozenset()), (["a", "b"], frozenset()), ([PICTURE], frozenset({"images"}))]
)
def test_texts_and_pictures_are_read(given: object, features: frozenset[str]) -> None:
    request = DIALECT.read_request({"input": given})
    assert (request.model, request.operation, request.features) == ("auto", "moderations", features)


@pytest.mark.parametrize(
    "given",
    [
        [],
        1,
        [1],
        ["a", PICTURE],
        [{"type": "video"}],
        [{"type": "text"}],
        [{"type": "image_url", "image_url": {"url": "file:///x"}}],
    ],
)
def test_any_other_input_is_refused(given: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.read_request({"input": given})
    assert (caught.value.param or "").startswith("input")


def test_nothing_else_can_say_it() -> None:
    with pytest.raises(UnsupportedFeature, match="moderation"):
        DIALECT.read_request({"input": "a"}).meaning  # noqa: B018  # asking for it is the test


def test_the_official_client_reads_the_verdict(client_that_gets: Callable[[int, bytes, str], openai.OpenAI]) -> None:
    result: dict[str, Any] = {
        "flagged": True,
        "categories": {"violence": True},
        "category_scores": {"violence": 0.9},
    }  # Any: JSON
    raw = json.dumps({"id": "modr-1", "model": "m", "results": [result]}).encode()
    blob = Blob(usage=None, raw=raw, raw_dialect="openai_moderations")
    body = DIALECT.write_response(blob, DIALECT.read_request({"input": "a"}), FACTS)
    assert body is raw
    found = client_that_gets(200, body, "application/json").moderations.create(input="a")
    assert found.results[0].flagged
    assert found.results[0].categories.violence


def test_an_answer_of_another_operation_is_no_answer() -> None:
    with pytest.raises(UpstreamInvalid):
        DIALECT.write_response(Count(input_tokens=1), DIALECT.read_request({"input": "a"}), FACTS)
