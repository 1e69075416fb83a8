"""An event loop whose time jumps to the next timer instead of passing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from typing_extensions import override

T = TypeVar("T")


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Time jumps to the next timer instead of passing."""

    now = 0.0

    @override
    def time(self) -> float:
        return self.now

    @override
    def _run_once(self) -> None:  # type: ignore[misc]  # the one seam that asyncio offers for this
        if not self._ready:  # type: ignore[attr-defined]  # see above
            due = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # see above
            if due:
                self.now = max(self.now, min(due))
        super()._run_once()  # type: ignore[misc]  # see above


def run(story: Callable[[FakeTimeLoop], Awaitable[T]]) -> T:
    """Run `story` on a loop of its own; it gets the loop, whose `now` is the time."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, FakeTimeLoop)

        async def main() -> T:
            return await story(loop)

        return runner.run(main())
