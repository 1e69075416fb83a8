"""The queue in front of a target is bounded, fair, and never loses a place."""

from __future__ import annotations

import asyncio

import pytest

from yuzui.core.errors import UpstreamBusy
from yuzui.io.queue import TargetQueue


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_limit_lets_everybody_in_at_once() -> None:
    async def story() -> None:
        queue = TargetQueue("t", 0, 0)
        for _ in range(100):
            await queue.enter()
        assert queue.load == (100, 0)

    asyncio.run(story())


def test_first_come_first_served_and_the_place_changes_hands() -> None:
    async def story() -> None:
        queue = TargetQueue("t", 1, 2)
        await queue.enter()
        order: list[str] = []

        async def wait(name: str) -> None:
            await queue.enter()
            order.append(name)

        first, second = asyncio.create_task(wait("first")), asyncio.create_task(wait("second"))
        await settle()
        assert queue.load == (1, 2)
        queue.leave()
        await settle()
        assert order == ["first"]
        assert queue.load == (1, 1)
        queue.leave()
        await asyncio.gather(first, second)
        assert order == ["first", "second"]
        queue.leave()
        assert queue.load == (0, 0)

    asyncio.run(story())


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    async def story() -> None:
        queue = TargetQueue("t", 1, 0)
        await queue.enter()
        with pytest.raises(UpstreamBusy) as caught:
            await queue.enter()
        assert caught.value.code == "target_queue_full"
        assert caught.value.retry_after_s

    asyncio.run(story())


@pytest.mark.parametrize("place_is_granted_first", [True, False])
def test_giving_up_while_waiting_loses_no_place(place_is_granted_first: bool) -> None:
    async def story() -> None:
        queue = TargetQueue("t", 1, 5)
        await queue.enter()
        waiter = asyncio.create_task(queue.enter())
        await settle()
        if place_is_granted_first:
            queue.leave()  # the future is resolved, the task has not run yet
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        if not place_is_granted_first:
            queue.leave()
        assert queue.load == (0, 0)
        await queue.enter()
        assert queue.load == (1, 0)

    asyncio.run(story())


def test_more_room_after_a_reload_lets_the_first_in_line_in() -> None:
    async def story() -> None:
        queue = TargetQueue("t", 1, 3)
        await queue.enter()
        waiting = [asyncio.create_task(queue.enter()) for _ in range(3)]
        await settle()
        queue.resize(3, 3)
        await settle()
        assert [task.done() for task in waiting] == [True, True, False]
        assert queue.load == (3, 1)
        queue.resize(0, 0)
        await settle()
        assert queue.load == (4, 0)

    asyncio.run(story())


def test_less_room_after_a_reload_is_reached_as_places_come_back() -> None:
    async def story() -> None:
        queue = TargetQueue("t", 3, 3)
        for _ in range(3):
            await queue.enter()
        queue.resize(1, 3)
        waiting = asyncio.create_task(queue.enter())
        await settle()
        queue.leave()
        queue.leave()
        await settle()
        assert not waiting.done() and queue.load == (1, 1)
        queue.leave()
        await settle()
        assert waiting.done() and queue.load == (1, 0)

    asyncio.run(story())
