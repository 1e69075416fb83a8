"""What is continued counts: its size, its tokens, its level; and a long one is read beside the event loop."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from fault_upstream import FaultUpstream
from faults.dialect_kit import Asked, ask, body_of, chat_request, run, speaks
from faults_kit import code_of, key_of, status_of
from gateway_kit import RunningGateway
from yuzui import keeping
from yuzui.dialects import openai_responses_state as state


def following(previous: str, text: str) -> Asked:
    body = {"model": "vendor/chat", "input": text, "previous_response_id": previous}
    return Asked(path="/v1/responses", body=json.dumps(body).encode())


def id_of(answer: bytes) -> str:
    return str(json.loads(body_of(answer))["id"])


def test_what_is_continued_counts_against_the_tokens_of_a_minute() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one", tokens_per_minute=10_000)
        first = await ask(running, chat_request("responses", "vendor/chat", text="word " * 1000), key)
        assert status_of(first) == 200
        second = await ask(running, following(id_of(first), "word " * 700), key)
        assert status_of(second) == 200
        third = await ask(running, following(id_of(second), "word " * 700), key)
        assert (status_of(third), code_of(third)) == (429, "rate_limit_exceeded"), "it would come to more than 10,000"
        assert status_of(await ask(running, following(id_of(first), "x"), key)) == 200, "nothing of it was counted"

    run(speaks(), story)


@pytest.mark.parametrize(("words", "is_beside"), [(100, False), (60_000, True)])
def test_a_long_conversation_is_read_beside_the_event_loop(
    words: int, is_beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []
    follow = state.follow

    def noted(*args: Any) -> Any:  # Any: as `follow`
        threads.append(threading.current_thread())
        return follow(*args)

    monkeypatch.setattr(state, "follow", noted)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        first = await ask(running, chat_request("responses", "vendor/chat", text="word " * words), key)
        assert status_of(await ask(running, following(id_of(first), "And?"), key)) == 200
        assert b"word word" in vendor.calls[-1].body
        assert [thread is not threading.main_thread() for thread in threads] == [is_beside]

    run(speaks(), story)
    assert words * 5 < keeping.INLINE_BYTES or is_beside


def test_what_continues_a_sensitive_answer_is_as_sensitive() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one", floor="restricted")
        first = await ask(running, chat_request("responses", "assistant"), key)
        assert status_of(first) == 200 and not vendor.calls
        record = (await running.records())[-1]
        assert record.sensitivity == "restricted"
        answer = await ask(running, following(id_of(first), "And?"), key)
        assert (status_of(answer), code_of(answer)) == (403, "no_permitted_target")

    run(speaks(), story, own=speaks())
