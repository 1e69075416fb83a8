"""The Messages dialect as a whole: what it hears, and what a request is to the rest of the gateway."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import AnswerFacts, RequestLine
from yuzui.dialects.anthropic_messages import DIALECT
from yuzui.dialects.anthropic_messages_stream import HubWriter, LaneWriter

PLAIN: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}  # Any: JSON


def test_a_request_is_read_for_routing_without_its_meaning() -> None:
    line = RequestLine(headers={"anthropic-beta": "x-2026-01-01"})
    body = PLAIN | {"stream": True, "tools": [{"name": "f", "input_schema": {}}]}
    request = DIALECT.read_request(body, line)
    assert (request.dialect, request.operation, request.model) == ("anthropic_messages", "chat", "m")
    assert (request.stream, request.max_output_tokens, request.n) == (True, 10, 1)
    assert request.features == {"tools"}
    assert request.body is body and request.line is line
    assert "meaning" not in vars(request)
    assert DIALECT.answer_type(request).startswith("text/event-stream")


def test_it_hears_what_the_lane_hands_on() -> None:
    assert DIALECT.hears == {"anthropic-beta", "anthropic-version"}


@pytest.mark.parametrize(("is_lane", "writer"), [(True, LaneWriter), (False, HubWriter)])
def test_the_lane_has_a_writer_of_its_own(is_lane: bool, writer: type) -> None:
    request = DIALECT.read_request(PLAIN)
    assert isinstance(DIALECT.stream_writer(request, AnswerFacts(request_id="r", is_lane=is_lane)), writer)


SESSION = "0d9c8f5e-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("user_id", "want"),
    [
        (f"user_abc_account_def_session_{SESSION}", SESSION),
        (f"user_abc_account__session_{SESSION}", SESSION),
        (f'{{"device_id":"d","account_uuid":"","session_id":"{SESSION}"}}', SESSION),
        (f'{{"session_id": "{SESSION}"}}', SESSION),
        ("user-17", ""),
        ("my_session_is_mine", ""),
        ('{"session_id": ""}', ""),
        (None, ""),
    ],
)
def test_the_session_of_an_agent_is_its_conversation(user_id: str | None, want: str) -> None:
    assert DIALECT.read_request(PLAIN | {"metadata": {"user_id": user_id}}).conversation_id == want
