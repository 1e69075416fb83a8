"""Answers of a target that speaks Responses: untouched, but for the state that is ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from msgspec.structs import replace

from yuzui.core.chat import AnswerFacts, ChatRequest, ChatResponse, Choice, StreamChunk
from yuzui.core.errors import UpstreamInterrupted, UpstreamInvalid
from yuzui.dialects import openai_responses_lane as lane
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects.openai_responses import DIALECT

Client = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req_0123", is_lane=True, at_s=1)
VENDORS: dict[str, Any] = {  # Any: JSON values
    "id": "resp_vendor", "object": "response", "created_at": 1, "status": "completed", "model": "m-1",
    "output": [{"type": "message", "id": "msg_vendor", "status": "completed", "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "text": "Hi"}]}],
    "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "store": False, "previous_response_id": None,
    "x_new": {"a": 1.50},
}  # fmt: skip


def request(*, follows: str = "", **body: Any) -> ChatRequest:  # Any: JSON values
    return replace(DIALECT.read_request({"model": "auto", "input": "Hi", "stream": True, **body}), follows=follows)


def spell(value: object) -> bytes:
    return json.dumps(value).replace("1.5", "1.50").encode()  # a spelling that no encoder would choose


def event(kind: str, number: int, **fields: Any) -> StreamChunk:  # Any: JSON values
    return StreamChunk(id="resp_vendor", event=kind, raw=spell({"type": kind, "sequence_number": number, **fields}))


CREATED = event("response.created", 0, response={**VENDORS, "output": [], "status": "in_progress"})
DELTA = event("response.output_text.delta", 1, item_id="msg_vendor", delta="Hi", x_new=1.5)
COMPLETED = event("response.completed", 2, response=VENDORS)


def writer(asked: ChatRequest) -> StreamWriter:
    return DIALECT.stream_writer(asked, FACTS)


def data_of(sent: bytes) -> list[bytes]:
    return [line.removeprefix(b"data: ") for line in sent.split(b"\n") if line.startswith(b"data: ")]


def whole(asked: ChatRequest, raw: bytes) -> bytes:
    choice = Choice(index=0, parts=(), finish_reason="stop")
    answer = ChatResponse(
        id="resp_vendor", model="m", created_s=1, choices=(choice,), usage=None, raw=raw, raw_dialect="openai_responses"
    )
    return DIALECT.write_response(answer, asked, FACTS)


def test_a_whole_answer_that_is_not_kept_is_handed_on_as_it_is() -> None:
    raw = spell(VENDORS)
    assert whole(request(store=False), raw) == raw


@pytest.mark.parametrize(("store", "follows"), [(True, ""), (True, "resp_9"), (False, "resp_9")])
def test_a_whole_answer_carries_our_state_and_the_rest_byte_for_byte(store: bool, follows: str) -> None:
    got = whole(request(store=store, follows=follows), spell(VENDORS))
    assert json.loads(got) == {
        **VENDORS,
        "id": "resp_0123",
        "store": store,
        "previous_response_id": follows or None,
    }
    assert b'"x_new":{"a": 1.50}' in got
    assert list(json.loads(got)) == list(VENDORS)


def test_a_stream_that_is_not_kept_is_handed_on_as_it_is() -> None:
    stream = writer(request(store=False))
    sent = stream.write(CREATED) + stream.write(DELTA)
    assert data_of(sent) == [CREATED.raw, DELTA.raw]
    assert stream.write(COMPLETED) == b""
    last = json.loads(data_of(stream.finish({"request_id": "r"}))[0])
    assert last == {**json.loads(COMPLETED.raw), "yuzui": {"request_id": "r"}}


def test_response_objects_of_a_stream_that_is_kept_are_ours() -> None:
    stream = writer(request(follows="resp_9"))
    sent = stream.write(CREATED) + stream.write(DELTA) + stream.write(COMPLETED)
    kept = json.loads(stream.kept())
    assert kept["id"] == "resp_0123" and kept["output"] == VENDORS["output"]
    created, delta, completed = data_of(sent + stream.finish({}))
    assert delta == DELTA.raw
    assert json.loads(completed)["response"] == kept
    assert json.loads(created)["response"]["id"] == "resp_0123"
    for data in (created, completed):
        response = json.loads(data)["response"]
        assert (response["store"], response["previous_response_id"]) == (True, "resp_9")
        assert b'"x_new":{"a": 1.50}' in data


def test_what_follows_the_end_waits_too() -> None:
    stream = writer(request())
    stream.write(COMPLETED)
    assert stream.write(DELTA) == b""
    assert stream.finish({}).startswith(b"event: response.completed\n")


def test_a_flood_behind_the_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lane, "MOST_HELD_BYTES", 2 * len(COMPLETED.raw))
    stream = writer(request())
    stream.write(COMPLETED)
    with pytest.raises(UpstreamInvalid):
        for _ in range(20):
            stream.write(DELTA)


def test_counts_without_an_event_are_not_told() -> None:
    assert writer(request()).write(StreamChunk(id="x")) == b""


@pytest.mark.parametrize(("store", "name"), [(True, "resp_0123"), (False, "resp_vendor")])
def test_a_failure_goes_on_counting_and_names_the_answer_as_before(
    client_that_gets: Client, store: bool, name: str
) -> None:
    stream = writer(request(store=store))
    sent = stream.write(CREATED) + stream.write(DELTA)
    stream.write(COMPLETED)
    sent += stream.fail(UpstreamInterrupted("it broke"), "req_0123")
    error, failed = [json.loads(data) for data in data_of(sent)][2:]
    assert (error["type"], error["sequence_number"]) == ("error", 2)
    assert (failed["type"], failed["sequence_number"], failed["response"]["id"]) == ("response.failed", 3, name)
    with client_that_gets(200, sent, "text/event-stream") as client:
        with client.responses.create(model="auto", input="Hi", stream=True) as got:
            with pytest.raises(openai.APIError, match="it broke"):
                list(got)


def test_the_official_client_reads_a_stream_of_ours(client_that_gets: Client) -> None:
    stream = writer(request())
    sent = stream.write(CREATED) + stream.heartbeat() + stream.write(DELTA) + stream.write(COMPLETED)
    sent += stream.finish({})
    with client_that_gets(200, sent, "text/event-stream") as client:
        with client.responses.create(model="auto", input="Hi", stream=True) as got:
            last = list(got)[-1]
    assert last.type == "response.completed" and last.response.id == "resp_0123"
