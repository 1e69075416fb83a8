"""Runs the tests that a request brings with the code of an answer to it, in the sandbox: a signal of cascades.

The same limits hold where a cascade is fitted, certified and served: what ran out of time in one must in the others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from yuzui.config import Config
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import TestsRun
from yuzui.io.sandbox import Limits, Sandbox
from yuzui.routing.own_tests import program_of

LIMITS: Final = Limits(wall_s=5.0, cpu_s=4, memory_bytes=512 * 1024 * 1024)
PATIENCE_S: Final = 5.0
"""For the programs of others: a client that sends endless ones must not keep the rest waiting for their answers."""


def places_of(config: Config) -> tuple[Path, ...]:
    """What of a gateway no program shall read, besides its data: its configuration's folder, and its secrets."""
    own = [config.source.parent.absolute()] if config.source is not None else []
    return (*own, *config.secret_files)


class CodeTests:
    """`hidden`: folders and files that no program shall read, besides those that the sandbox hides anyway."""

    def __init__(self, hidden: Sequence[Path] = (), *, at_once: int = 0) -> None:
        """`at_once`: programs; 0: half of the cores, so that those who wait for other answers feel little of it."""
        self.hide(hidden)
        most = at_once or max(1, (os.cpu_count() or 1) // 2)
        self._pool = ThreadPoolExecutor(most, "code-tests")
        self._places = asyncio.Semaphore(most)

    def hide(self, hidden: Sequence[Path]) -> None:
        """From the next program on these places, instead of those that were named before."""
        self._sandbox = Sandbox(limits=LIMITS, hidden=hidden)

    def problem(self) -> str:
        """Why no code can be run here; "" where it can."""
        try:
            self._sandbox.check()
        except ConfigError as error:
            return error.message
        return ""

    def run_all(self, asked: Sequence[tuple[str, str]]) -> list[TestsRun]:
        """(prompt, answer) each. Raise `ConfigError` where there is no sandbox."""
        if problem := self.problem():
            raise ConfigError(problem)
        found = list(self._pool.map(lambda one: self._run(*one), asked))
        whole = [one for one in found if one is not None]
        if len(whole) < len(found):
            raise ConfigError(f"{len(found) - len(whole)} of {len(found)} programs could not be started: try again")
        return whole

    async def run(self, question: str, answer: str) -> TestsRun | None:
        """None where the program could not be started, or not soon: nothing is known then."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._places.acquire()
        except TimeoutError:
            return None
        loop = asyncio.get_running_loop()
        try:
            running = self._pool.submit(self._run, question, answer)
        except BaseException:
            self._places.release()
            raise
        running.add_done_callback(
            lambda _: _tell(loop, self._places.release)
        )  # also where nobody waits for it any more
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """What waits is dropped; what runs ends by itself within its limits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, question: str, answer: str) -> TestsRun | None:
        program = program_of(question, answer)
        if program is None:
            return TestsRun()
        told = self._sandbox.run(program.source)
        return None if told.is_fault else TestsRun(count=program.tests, passed=told.ok)


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # it is over
        loop.call_soon_threadsafe(what)
