"""The hub: a request's meaning is built when somebody asks, once, and not otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from yuzui.core.chat import ChatRequest, Delta, Meaning, Message, ResponseFormat, StreamChunk, TextPart


def request(calls: list[Mapping[str, Any]]) -> ChatRequest:  # Any: checked JSON
    def read(body: Mapping[str, Any]) -> Meaning:  # Any: see above
        calls.append(body)
        return Meaning(messages=(Message(role="user", parts=(TextPart(text=body["text"]),)),))

    return ChatRequest(dialect="openai_chat", model="m", body={"text": "hello"}, read_meaning=read)


def test_the_lane_never_pays_for_the_meaning() -> None:
    calls: list[Mapping[str, Any]] = []
    made = request(calls)
    assert (made.model, made.stream, made.features) == ("m", False, frozenset())
    assert calls == []


def test_the_meaning_is_built_once_from_the_checked_body() -> None:
    calls: list[Mapping[str, Any]] = []
    made = request(calls)
    assert made.meaning is made.meaning
    assert made.meaning.messages[0].parts == (TextPart(text="hello"),)
    assert calls == [made.body]


def test_a_meaning_that_cannot_be_read_is_an_error_each_time_it_is_asked_for() -> None:
    def read(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
        raise ValueError("no such part")

    made = ChatRequest(dialect="openai_chat", model="m", body={}, read_meaning=read)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such part"):
            _ = made.meaning


def test_nothing_on_the_way_can_change_a_request() -> None:
    made = request([])
    with pytest.raises(AttributeError):
        made.model = "other"  # type: ignore[misc]  # that is the point
    with pytest.raises(AttributeError):
        StreamChunk().deltas = (Delta(),)  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("description", "schema", "whole"),
    [
        ("", None, {"type": "object"}),
        ("", {"type": "string"}, {"type": "string"}),
        ("d", None, {"type": "object", "description": "d"}),
        ("d", {"type": "string"}, {"type": "string", "description": "d"}),
        ("d", {"type": "string", "description": "own"}, {"type": "string", "description": "d\n\nown"}),
    ],
)
def test_a_schema_takes_up_the_description_beside_it(
    description: str, schema: dict[str, Any] | None, whole: dict[str, Any]
) -> None:
    before = dict(schema or {})
    assert ResponseFormat(kind="json_schema", description=description, schema=schema).whole_schema == whole
    assert before == (schema or {}), "the client's own JSON is never changed"


def test_two_requests_do_not_share_their_knobs() -> None:
    assert Meaning(messages=()).knobs == {}
    assert Meaning(messages=()).knobs is not Meaning(messages=()).knobs
