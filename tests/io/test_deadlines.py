"""The time limits of an attempt, on a loop whose clock is moved by hand."""

from __future__ import annotations

import asyncio

import pytest

from fake_time import FakeTimeLoop, run
from yuzui.core.errors import UpstreamTimeout
from yuzui.core.target import Timeouts
from yuzui.io.deadlines import Deadlines

LIMITS = Timeouts(first_token_s=5, between_tokens_s=2, total_s=20)


@pytest.mark.parametrize(
    ("sleeps", "code", "at"),
    [
        ([6.0], "upstream_first_token_timeout", 5.0),
        ([4.0, 3.0], "upstream_between_tokens_timeout", 6.0),
        ([0.5, 3.0], "upstream_between_tokens_timeout", 2.5),  # long before the first token's limit would have passed
        ([1.0] + [1.5] * 20, "upstream_total_timeout", 20.0),
    ],
)
def test_each_limit_fires_on_time_and_names_itself(sleeps: list[float], code: str, at: float) -> None:
    async def story(loop: FakeTimeLoop) -> None:
        with pytest.raises(UpstreamTimeout) as caught:
            async with Deadlines(LIMITS, "t") as deadlines:
                for pause in sleeps:
                    deadlines.waiting()
                    await asyncio.sleep(pause)
                    deadlines.arrived()
        assert caught.value.code == code
        assert caught.value.status == 504
        assert loop.now == pytest.approx(at, abs=0.01)

    run(story)


def test_a_slow_client_is_not_the_targets_silence() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        async with Deadlines(LIMITS, "t") as deadlines:
            deadlines.waiting()
            await asyncio.sleep(1)
            deadlines.arrived()
            await asyncio.sleep(10)  # we write to a slow client: the target is not waited for

    run(story)


def test_other_errors_and_outer_cancellations_pass_unchanged() -> None:
    async def story(loop: FakeTimeLoop) -> None:
        with pytest.raises(KeyError):
            async with Deadlines(LIMITS, "t"):
                raise KeyError("x")

        async def body() -> None:
            async with Deadlines(LIMITS, "t"):
                await asyncio.sleep(100)

        task = asyncio.create_task(body())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story)
