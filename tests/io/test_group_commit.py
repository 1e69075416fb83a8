"""Many callers share one commit: order, bounds, failure, shutdown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuzui.core.errors import GatewayFault
from yuzui.io.group_commit import GroupCommit


class Doubling:
    """Answers n with 2 n; keeps the batches. `gate` holds the first batch until the test opens it."""

    def __init__(self, gate: threading.Event | None = None) -> None:
        self.batches: list[list[int]] = []
        self.gate = gate

    def __call__(self, jobs: list[int]) -> Sequence[int | Exception]:
        if self.gate is not None:
            self.gate.wait(5)
        self.batches.append(jobs)
        return [2 * job for job in jobs]


def jobs_of(commit: Doubling) -> list[int]:
    return [job for batch in commit.batches for job in batch]


def run(
    commit: Callable[[list[int]], Sequence[int | Exception]], jobs: Sequence[int], most_at_once: int = 256
) -> list[object]:
    async def main() -> list[object]:
        return list(await asyncio.gather(*(group.submit(job) for job in jobs), return_exceptions=True))

    group: GroupCommit[int, int] = GroupCommit(commit, linger_s=0, most_at_once=most_at_once)
    try:
        return asyncio.run(main())
    finally:
        group.stop()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=60), st.integers(1, 9))
def test_every_caller_gets_its_own_answer_and_jobs_keep_their_order(jobs: list[int], most_at_once: int) -> None:
    commit = Doubling()
    assert run(commit, jobs, most_at_once=most_at_once) == [2 * job for job in jobs]
    assert [job for batch in commit.batches for job in batch] == jobs
    assert all(1 <= len(batch) <= most_at_once for batch in commit.batches)


def test_what_gathers_during_a_commit_becomes_one_batch() -> None:
    gate = threading.Event()
    commit = Doubling(gate)

    async def main() -> None:
        first = group.submit(0)
        rest = [group.submit(n) for n in range(1, 50)]
        gate.set()
        await asyncio.gather(first, *rest)

    group: GroupCommit[int, int] = GroupCommit(commit, linger_s=0)
    asyncio.run(main())
    group.stop()
    assert len(commit.batches) <= 2
    assert jobs_of(commit) == list(range(50))


def test_too_many_waiting_jobs_are_refused_and_those_that_end_a_request_are_refused_last() -> None:
    gate = threading.Event()

    async def main() -> list[int]:
        taken = [group.submit(n) for n in range(3)]
        with pytest.raises(GatewayFault) as refused:
            group.submit(3)
        assert refused.value.code == "ledger_busy"
        taken += [group.submit(n, is_ending=True) for n in range(3, 6)]
        with pytest.raises(GatewayFault):
            group.submit(6, is_ending=True)
        gate.set()
        answers = await asyncio.gather(*taken)
        assert group.pending == 0
        return [*answers, await group.submit(4)]

    group: GroupCommit[int, int] = GroupCommit(Doubling(gate), most_pending=3, linger_s=0)
    assert asyncio.run(main()) == [0, 2, 4, 6, 8, 10, 8]
    group.stop()


def test_each_job_can_fail_alone() -> None:
    def commit(jobs: list[int]) -> list[int | Exception]:
        return [ValueError(job) if job % 2 else job for job in jobs]

    answers = run(commit, range(4))
    assert [isinstance(answer, ValueError) for answer in answers] == [False, True, False, True]


def test_a_commit_that_raises_fails_every_job_and_the_thread_lives_on() -> None:
    calls = []

    def commit(jobs: list[int]) -> list[int | Exception]:
        calls.append(jobs)
        if len(calls) == 1:
            raise RuntimeError("a bug")
        return list(jobs)

    async def main() -> int:
        with pytest.raises(RuntimeError, match="a bug"):
            await group.submit(1)
        return await group.submit(2)

    group: GroupCommit[int, int] = GroupCommit(commit, linger_s=0)
    assert asyncio.run(main()) == 2
    group.stop()


def test_a_cancelled_caller_does_not_stop_its_job() -> None:
    gate = threading.Event()
    commit = Doubling(gate)

    async def main() -> None:
        group.submit(7).cancel()
        gate.set()
        assert await group.submit(8) == 16

    group: GroupCommit[int, int] = GroupCommit(commit, linger_s=0)
    asyncio.run(main())
    group.stop()
    assert jobs_of(commit) == [7, 8]


def test_stopping_commits_what_is_queued_and_refuses_more() -> None:
    gate = threading.Event()
    commit = Doubling(gate)

    async def main() -> None:
        for n in range(20):
            group.submit(n)
        gate.set()
        await asyncio.to_thread(group.stop)
        group.stop()
        with pytest.raises(GatewayFault, match="shutting down"):
            group.submit(21)

    group: GroupCommit[int, int] = GroupCommit(commit, most_at_once=3, linger_s=0)
    asyncio.run(main())
    assert jobs_of(commit) == list(range(20))
