from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream
from yuzui.core.target import Quirks, Target, Timeouts
from yuzui.economics.measurement import Sample
from yuzui.io.clock import SystemClock
from yuzui.io.load_driver import Load, LoadDriver
from yuzui.io.upstream import HttpUpstream
from yuzui.providers.catalogue import find_codecs
from yuzui.providers.scripted import play

Json = dict[str, Any]  # Any: JSON values


def load(concurrency: int = 2, requests: int = 6, max_s: float = 20.0, **more: Any) -> Load:
    return Load(concurrency=concurrency, prompt_words=8, max_output_tokens=4, requests=requests, max_s=max_s, **more)


def chunk(text: str = "", usage: Json | None = None, finish: str | None = None) -> Json:
    choices = [{"index": 0, "delta": {"content": text}, "finish_reason": finish}] if text else []
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
        "usage": usage,
    }


async def answer(call: Call) -> None:
    await call.start_stream()
    for _ in range(3):
        await call.event(chunk("word "))
    await call.event(chunk("word", finish="stop"))
    await call.event(chunk(usage={"prompt_tokens": 20, "completion_tokens": 4, "total_tokens": 24}))
    await call.end_stream()


async def drive(
    script: Callable[[Call], Awaitable[None]], wish: Load, seed: int = 1
) -> tuple[list[Sample], float, list[Json]]:
    async with FaultUpstream(script) as server:
        target = Target(
            name="m", provider="openai", codec="openai", model="m", base_url=server.base_url, premises="own", clearance=0,
            jurisdiction="", quirks=Quirks(max_tokens_field="max_tokens"),
            timeouts=Timeouts(first_token_s=10, between_tokens_s=10, total_s=20),
        )  # fmt: skip

        async def no_engine(model: str) -> None:
            return None

        upstream = HttpUpstream(endpoint_of=no_engine, scripted=play)
        driver = LoadDriver(upstream, target, find_codecs()["openai"], SystemClock(), seed=seed)
        try:
            samples, window_s = await driver.run(wish)
        finally:
            await upstream.close()
        return samples, window_s, [json.loads(call.body) for call in server.calls]


def test_a_level_asks_so_often_and_notes_tokens_and_times() -> None:
    samples, window_s, bodies = asyncio.run(drive(answer, load()))
    assert len(samples) == len(bodies) == 6
    assert all((one.input_tokens, one.output_tokens, one.failure) == (20, 4, "") for one in samples)
    assert all(0 <= one.started_s <= one.first_token_s <= one.finished_s for one in samples)
    assert 0 < window_s <= max(one.finished_s for one in samples)


def test_no_more_than_so_many_run_at_once_and_so_many_do() -> None:
    running, most = 0, 0

    async def watch(call: Call) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        await answer(call)
        running -= 1

    asyncio.run(drive(watch, load(concurrency=3, requests=9)))
    assert most == 3


def test_every_prompt_is_another_and_a_seed_gives_the_same_ones_again() -> None:
    first = asyncio.run(drive(answer, load(concurrency=1)))[2]
    again = asyncio.run(drive(answer, load(concurrency=1)))[2]
    prompts = [body["messages"][0]["content"] for body in first]
    assert len({prompt.split()[0] for prompt in prompts}) == len(prompts)
    assert prompts == [body["messages"][0]["content"] for body in again]
    assert first[0]["max_tokens"] == 4 and first[0]["stream_options"]["include_usage"] is True
    assert "ignore_eos" not in first[0]


def test_full_length_answers_can_be_asked_for() -> None:
    bodies = asyncio.run(drive(answer, load(ignore_eos=True)))[2]
    assert all(body["ignore_eos"] is True for body in bodies)


def test_a_server_that_refuses_is_counted_by_code() -> None:
    async def busy(call: Call) -> None:
        await call.json({"error": {"message": "slow down"}}, status="429 Too Many Requests")

    samples, _, _ = asyncio.run(drive(busy, load()))
    assert len(samples) == 6 and all(one.failure and not one.output_tokens for one in samples)


def test_a_stream_that_breaks_off_is_no_answer() -> None:
    async def cut(call: Call) -> None:
        await call.start_stream()
        await call.event(chunk("word"))
        call.reset()

    samples, _, _ = asyncio.run(drive(cut, load(requests=2)))
    assert {one.failure for one in samples} == {"upstream_stream_interrupted"}


def test_a_server_that_tells_no_usage_measures_nothing() -> None:
    async def silent(call: Call) -> None:
        await call.start_stream()
        await call.event(chunk("word", finish="stop"))
        await call.end_stream()

    samples, _, _ = asyncio.run(drive(silent, load(requests=2)))
    assert {one.failure for one in samples} == {"usage_missing"}


def test_time_bounds_a_level_whatever_the_server_does() -> None:
    """The server never answers: after its time nothing new begins, after the grace what runs is cut."""

    async def hang(call: Call) -> None:
        await call.client_left(30)

    samples, window_s, bodies = asyncio.run(drive(hang, load(concurrency=2, requests=1000, max_s=0.2)))
    assert [one.failure for one in samples] == ["cut", "cut"]
    assert window_s == pytest.approx(0.2) and len(bodies) == 2
