"""Knows how many callers share one commit: a writer thread takes what has gathered and answers all of it at once."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from yuzui.core.errors import GatewayFault

Job = TypeVar("Job")
Answer = TypeVar("Answer")

SWITCH_INTERVAL_S = 0.0005
"""How long the event loop may keep the interpreter while the writer waits for it. SQLite runs without the interpreter
lock, and Python's default of 5 ms would be added to every statement under load."""


class GroupCommit(Generic[Job, Answer]):
    """Feed jobs from an event loop; `commit` runs in one thread of its own, on all that are waiting, in order."""

    def __init__(
        self,
        commit: Callable[[list[Job]], Sequence[Answer | Exception]],
        *,
        most_pending: int = 8192,
        most_at_once: int = 256,
        linger_s: float = 0.0005,
        linger_from: int = 4,
        name: str = "books",
    ) -> None:
        """`commit` answers every job in its order: a value, or the exception that its caller gets.

        When the last batch had at least `linger_from` jobs, the next one waits `linger_s` for company: each batch costs
        a flush of the disk and two changes of thread, whatever its size. A lone caller never waits.
        """
        self._commit = commit
        self._most_pending = most_pending
        self._most_at_once = most_at_once
        self._linger_s = linger_s
        self._linger_from = linger_from
        self._queue: queue.SimpleQueue[tuple[Job, asyncio.Future[Answer]] | None] = queue.SimpleQueue()
        self._pending = 0
        self._is_open = True
        if sys.getswitchinterval() > SWITCH_INTERVAL_S:
            sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._thread = threading.Thread(target=self._run, name=f"{name}-writer", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Jobs that wait or are being committed: the queue depth for metrics."""
        return self._pending

    def submit(self, job: Job, *, is_ending: bool = False) -> asyncio.Future[Answer]:
        """A future for the answer; raise `GatewayFault` when too many wait or the writer was stopped.

        `is_ending`: the job ends something that was let in before; twice as many may wait, so that a full queue refuses
        what is new and not the record of what was done. The job is committed even if nobody waits for the future.
        """
        if self._pending >= self._most_pending * (2 if is_ending else 1):
            raise GatewayFault("the books cannot keep up; retry shortly", code="ledger_busy", retry_after_s=1.0)
        if not self._is_open:
            raise GatewayFault("the gateway is shutting down", code="shutting_down", retry_after_s=1.0)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._pending += 1
        self._queue.put((job, future))
        return future

    def stop(self) -> None:
        """Commit what is queued, then end the thread. Blocks until that is done; later calls do nothing."""
        if self._is_open:
            self._is_open = False
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        last_size = 0
        is_running = True
        while is_running:
            entry = self._queue.get()
            if entry is not None and last_size >= self._linger_from:
                time.sleep(self._linger_s)
            batch: list[tuple[Job, asyncio.Future[Answer]]] = []
            while entry is not None:
                batch.append(entry)
                if len(batch) == self._most_at_once:
                    break
                try:
                    entry = self._queue.get_nowait()
                except queue.Empty:
                    break
            else:
                is_running = False
            last_size = len(batch)
            if batch:
                self._answer(batch)

    def _answer(self, batch: list[tuple[Job, asyncio.Future[Answer]]]) -> None:
        try:
            answers = self._commit([job for job, _ in batch])
        except Exception as error:  # the edge of this thread: whatever it was, every caller must hear of it
            answers = [error] * len(batch)
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Answer], Answer | Exception]]] = {}
        for (_, future), answer in zip(batch, answers, strict=True):
            by_loop.setdefault(future.get_loop(), []).append((future, answer))
        for loop, answered in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._deliver, answered)
            except RuntimeError:  # that loop is closed: the jobs are committed, and nobody is left to tell
                self._pending -= len(answered)

    def _deliver(self, answered: list[tuple[asyncio.Future[Answer], Answer | Exception]]) -> None:
        self._pending -= len(answered)
        for future, answer in answered:
            if future.done():  # its caller was cancelled
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
