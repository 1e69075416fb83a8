"""A request of the gateway's own: its leaf, its money, its limits. What judges and audits make of it is tested there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from fault_upstream import Call, FaultUpstream
from faults_kit import answers, never, run, until_recorded
from gateway_kit import RunningGateway
from yuzui.aside import Aside, Heard, ask
from yuzui.core.asides import OWN_OPERATIONS
from yuzui.core.caller import Budget, Caller
from yuzui.core.chat import ChatResponse, TextPart
from yuzui.core.decision import AllowedSet
from yuzui.core.errors import BudgetExceeded, UpstreamFault, UpstreamInvalid, UpstreamTimeout
from yuzui.core.sensitivity import Sensitivity

PAYER = Caller(key_id="watch:assistant", app="watch", budget=Budget(cap_nano=10**9, period="day"))


def aside_of(running: RunningGateway, target: str = "vendor/big", level: int = 0, **changes: object) -> Aside:
    config = running.service.gateway.snapshot.config
    made = Aside(
        operation="audit", part_of="req_1", who="the reference",
        body={"model": target, "messages": [{"role": "user", "content": "Good morning?"}]},
        target=next(one for one in config.targets if one.name == target),
        allowed=AllowedSet(frozenset(("vendor/big", "house/small"))),
        sensitivity=Sensitivity(level=level, causes=(), kinds={}), caller=PAYER, why="audits req_1", deadline_ms=3000,
    )  # fmt: skip  # one thing
    return replace(made, **changes)  # type: ignore[arg-type]  # a test's own fields


def said(response: ChatResponse) -> str:
    return "".join([part.text for part in response.choices[0].parts if isinstance(part, TextPart)])


async def asked(running: RunningGateway, aside: Aside, read: Callable[[ChatResponse], str] = said) -> Heard[str]:
    gateway = running.service.gateway
    return await ask(gateway.snapshot, gateway.world, aside, read)


def test_it_has_a_leaf_of_its_own_and_is_paid_by_whom_it_names() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        heard = await asked(running, aside_of(running))
        assert heard.value == "Good morning!" and heard.spent_nano == 20_000
        (record,) = await running.records()
        assert (record.operation, record.part_of, record.why) == ("audit", "req_1", "audits req_1")
        assert record.operation in OWN_OPERATIONS and record.allowed == ("vendor/big",)
        assert (record.key_id, record.app, record.outcome, record.target) == (PAYER.key_id, "watch", "answered",
                                                                             "vendor/big")  # fmt: skip
        (row,) = running.service.books.budgets(PAYER.key_id)
        assert (row.spent_nano, row.reserved_nano, row.cap_nano) == (20_000, 0, 10**9) and len(row.window) == 10
        assert running.service.books.verify_sums() == []

    run(never, answers, story)


def test_a_spent_budget_asks_nobody() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        poor = replace(PAYER, budget=Budget(cap_nano=1, period="day"))
        with pytest.raises(BudgetExceeded):
            await asked(running, aside_of(running, caller=poor))
        assert vendor.calls == [] and await running.records() == []

    run(never, answers, story)


@pytest.mark.parametrize("case", ["label", "set"])
def test_it_goes_only_where_the_request_may_go_and_nothing_is_reserved(case: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        aside = aside_of(running, level=2) if case == "label" else aside_of(
            running, allowed=AllowedSet(frozenset(("house/small",)))
        )  # fmt: skip
        with pytest.raises(UpstreamInvalid, match="could not be asked: PermissionError"):
            await asked(running, aside)
        assert vendor.calls == [] and await running.records() == []
        assert "vendor/big" not in running.service.gateway.world.watch.latencies.in_flight

    run(never, never, story)


async def breaks(call: Call) -> None:
    await call.json({"error": {"message": "out of order"}}, "500 Internal Server Error")


async def hangs(call: Call) -> None:
    await asyncio.sleep(30)


@pytest.mark.parametrize(("script", "fault"), [(breaks, UpstreamFault), (hangs, UpstreamTimeout)])
def test_a_target_that_fails_is_recorded_and_its_breaker_hears_of_it(
    script: Callable[[Call], object], fault: type[Exception]
) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for _ in range(5):
            with pytest.raises(fault):
                await asked(running, aside_of(running, deadline_ms=200))
        records = await running.records()
        assert {(record.outcome, record.attempts[0].target) for record in records} == {("failed", "vendor/big")}
        assert "vendor/big" in running.service.gateway.world.watch.health().blocked
        assert running.service.books.verify_sums() == []

    run(never, script, story)  # type: ignore[arg-type]  # a script of a test


def test_what_reads_the_answer_may_refuse_it() -> None:
    def read(response: ChatResponse) -> str:
        raise ValueError("the judge gave no verdict")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        with pytest.raises(UpstreamInvalid, match="no verdict"):
            await asked(running, aside_of(running), read)
        (record,) = await running.records()
        assert record.outcome == "failed" and record.cost is not None and record.cost.book == 20_000

    run(never, answers, story)


def test_a_cancelled_one_is_settled_from_what_was_sent() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        asking = asyncio.create_task(asked(running, aside_of(running, deadline_ms=60_000)))
        async with asyncio.timeout(5):
            while not vendor.calls:
                await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        (record,) = await until_recorded(running)
        assert record.outcome == "aborted" and running.service.books.verify_sums() == []

    run(never, hangs, story)


def test_one_that_is_cancelled_while_it_reserves_leaves_nothing_reserved() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        asking = asyncio.create_task(asked(running, aside_of(running)))
        await asyncio.sleep(0)  # it waits for the books now
        await asyncio.sleep(0)
        asking.cancel()
        assert isinstance((await asyncio.gather(asking, return_exceptions=True))[0], asyncio.CancelledError)
        (record,) = await until_recorded(running)
        assert (record.outcome, record.attempts, record.cost) == ("aborted", (), None)
        (row,) = running.service.books.budgets(PAYER.key_id)
        assert (row.reserved_nano, row.spent_nano) == (0, 0) and vendor.calls == []

    run(never, never, story)
