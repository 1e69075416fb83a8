"""The time limits of one upstream attempt, with one lazy timer instead of one per chunk.

Reading a chunk only stores two floats; the timer looks at them when it fires and re-arms itself for what is left. Time
that we spend writing to a slow client is not the target's silence and does not count.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal

from yuzui.core.errors import UpstreamTimeout
from yuzui.core.target import Timeouts

Phase = Literal["first_token", "whole_answer", "between_tokens", "total"]


class Deadlines:
    """`async with Deadlines(timeouts, name)`: raises `UpstreamTimeout` from its exit when a limit passed inside."""

    def __init__(self, timeouts: Timeouts, target: str, *, is_stream: bool = True) -> None:
        self._timeouts = timeouts
        self._first: Phase = "first_token" if is_stream else "whole_answer"
        self._first_s = timeouts.first_token_s if is_stream else timeouts.whole_answer_s
        self._target = target
        self._scope = asyncio.timeout(None)
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._waiting_since: float | None = self._started
        self._had_first = False
        self._expired: Phase | None = None
        self._timer: asyncio.TimerHandle | None = None

    def waiting(self) -> None:
        """We now wait for the target."""
        self._waiting_since = self._loop.time()

    def arrived(self) -> None:
        """The target sent something."""
        self._waiting_since = None
        if not self._had_first:
            self._had_first = True
            if self._timer is not None and self._timeouts.between_tokens_s < self._first_s:
                # Armed for the longer limit: it would look at the shorter one too late.
                self._timer.cancel()
                self._arm(self._timeouts.between_tokens_s)

    async def __aenter__(self) -> Deadlines:
        await self._scope.__aenter__()
        self._arm(min(self._first_s, self._timeouts.total_s))
        return self

    def _arm(self, delay_s: float) -> None:
        self._timer = self._loop.call_later(max(delay_s, 0.001), self._check)

    def _check(self) -> None:
        now = self._loop.time()
        total_left = self._started + self._timeouts.total_s - now
        limit = self._timeouts.between_tokens_s if self._had_first else self._first_s
        silence_left = limit if self._waiting_since is None else self._waiting_since + limit - now
        if total_left <= 0 or silence_left <= 0:
            if total_left <= 0:
                self._expired = "total"
            else:
                self._expired = "between_tokens" if self._had_first else self._first
            self._scope.reschedule(now)  # cancels the body, and only the body
        else:
            self._arm(min(total_left, silence_left))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._scope.__aexit__(kind, error, trace)
        except TimeoutError as timeout:
            phase = self._expired or "total"
            limit = getattr(self._timeouts, f"{phase}_s")
            raise UpstreamTimeout(
                f"target {self._target!r} passed its {phase}_s limit of {limit:g} s; raise targets.timeouts.{phase}_s "
                "if this is expected",
                code=f"upstream_{phase}_timeout",
            ) from timeout
