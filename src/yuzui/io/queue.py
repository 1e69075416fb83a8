"""A bounded queue in front of a target that can only do so much at once."""

from __future__ import annotations

import asyncio
from collections import deque

from yuzui.core.errors import UpstreamBusy


class TargetQueue:
    """At most `concurrency` inside, `most_waiting` outside, first come first served; 0 concurrency means no limit."""

    def __init__(self, target: str, concurrency: int, most_waiting: int) -> None:
        self._target = target
        self._concurrency = concurrency
        self._most_waiting = most_waiting
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limits(self) -> tuple[int, int]:
        return (self._concurrency, self._most_waiting)

    @property
    def load(self) -> tuple[int, int]:
        """(inside, waiting)"""
        return (self._inside, len(self._waiting))

    def resize(self, concurrency: int, most_waiting: int) -> None:
        """New limits after a reload. Who is inside stays and keeps counting; who waits is let in if there is room."""
        self._concurrency, self._most_waiting = concurrency, most_waiting
        while self._waiting and self._has_room:
            place = self._waiting.popleft()
            if not place.done():
                self._inside += 1
                place.set_result(None)

    @property
    def _has_room(self) -> bool:
        return not self._concurrency or self._inside < self._concurrency

    async def enter(self) -> None:
        """Return when there is a place; raise `UpstreamBusy` at once when the queue is full."""
        if self._has_room and not self._waiting:
            self._inside += 1
            return
        if len(self._waiting) >= self._most_waiting:
            fault = UpstreamBusy(
                f"target {self._target!r} is busy: {self._inside} requests run and {len(self._waiting)} wait",
                code="target_queue_full",
                status=429,
                retry_after_s=2.0,
            )
            fault.counts_for_breaker = False  # the target is well: it is our own queue that is full
            raise fault
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # the place was handed to us in the moment in which we gave up
            else:
                self._waiting.remove(place)
            raise

    def leave(self) -> None:
        """Give the place back; the first in the queue takes it over."""
        while self._waiting and (not self._concurrency or self._inside <= self._concurrency):
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)  # the count stays: the place changes hands
                return
        self._inside -= 1
