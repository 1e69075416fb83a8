"""Counting of tokens in Anthropic's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuzui.core.answers import Count
from yuzui.core.chat import AnswerFacts
from yuzui.core.errors import InvalidRequest
from yuzui.dialects.anthropic_count_tokens import DIALECT

PLAIN: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}  # Any: JSON values
FACTS = AnswerFacts(request_id="req_1")


def test_a_count_means_what_the_message_would() -> None:
    request = DIALECT.read_request(PLAIN | {"system": "s", "tools": [{"name": "f", "input_schema": {}}]})
    assert (request.operation, request.stream) == ("count_tokens", False)
    assert request.features == {"tools"}
    assert [message.role for message in request.meaning.messages] == ["system", "user"]


def test_a_count_is_never_streamed() -> None:
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.read_request(PLAIN | {"stream": True})
    assert caught.value.param == "stream"


@pytest.mark.parametrize("is_estimated", [False, True])
def test_the_answer_is_a_number(is_estimated: bool) -> None:
    request = DIALECT.read_request(PLAIN)
    body = DIALECT.write_response(Count(input_tokens=12, is_estimated=is_estimated), request, FACTS)
    assert json.loads(body) == {"input_tokens": 12}


def test_the_lane_s_answer_goes_on_as_it_is() -> None:
    raw = b'{"input_tokens": 12,  "more": 1}'
    count = Count(input_tokens=12, raw=raw, raw_dialect="anthropic_count_tokens")
    assert DIALECT.write_response(count, DIALECT.read_request(PLAIN), FACTS) == raw


def test_an_error_has_the_shape_of_a_message_s() -> None:
    written = json.loads(DIALECT.write_error(InvalidRequest("x"), "req_1"))
    assert written["error"]["type"] == "invalid_request_error"
