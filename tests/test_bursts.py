"""A queue in front of an own target, through a whole gateway: who goes out, who waits, and what the record says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fault_upstream import Call, FaultUpstream
from gateway_kit import RunningGateway, gateway

CONFIG = """
[[targets]]
name = "house/a"
provider = "vllm"
model = "m"
base_url = "{own}"
price = "free"
max_concurrency = 1
max_queue = 10

[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted"
clearance = "internal"
price = {{ currency = "USD", input = 5, output = 15 }}

[[models]]
name = "work"
candidates = ["house/a", "vendor/simulated"]
policy = "burst"
reference = "vendor/simulated"
"""
ANSWER = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
}  # fmt: skip


@dataclass(slots=True)
class Scene:
    running: RunningGateway
    open: asyncio.Event
    asked: list[asyncio.Task[tuple[str, str]]] = field(default_factory=list)

    async def ask(self, text: str = "hello", key: str = "none") -> tuple[str, str]:
        """(who answered, the decision's words)."""
        answer = await self.running.client(key).chat.completions.with_raw_response.create(
            model="work", messages=[{"role": "user", "content": text}], max_tokens=20
        )
        return answer.headers["x-yuzui-target"], answer.headers["x-yuzui-decision"]

    async def ask_beside(self, text: str = "hello", key: str = "none") -> None:
        """Begin to ask, and wait until the request stands in front of the own target."""
        latencies = self.running.service._watch.latencies
        before = latencies.in_flight.get("house/a", 0)
        self.asked.append(asyncio.create_task(self.ask(text, key)))
        async with asyncio.timeout(10):
            while latencies.in_flight.get("house/a", 0) == before:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene, None]:
    """An own server that answers nobody until `open` is set."""
    opened = asyncio.Event()

    async def hold(call: Call) -> None:
        await opened.wait()
        await call.json(ANSWER)

    async with FaultUpstream(hold) as own, gateway(CONFIG.format(own=own.base_url)) as running:
        yield Scene(running, opened)


def test_a_burst_begins_when_one_waits_and_ends_with_the_queue() -> None:
    async def story() -> None:
        async with scene() as at:
            await at.ask_beside()  # has the place
            await at.ask_beside()  # waits for it
            target, why = await at.ask()
            assert target == "vendor/simulated"
            assert "house/a has 2 in flight, 1 waiting (bursts at 1)" in why
            at.open.set()
            first, second = await asyncio.gather(*at.asked)
            assert (first[0], second[0]) == ("house/a", "house/a")
            target, why = await at.ask()
            assert target == "house/a" and "0 in flight, 0 waiting" in why
            assert at.running.service.books.verify_sums() == []

    asyncio.run(story())


def test_what_may_not_leave_waits() -> None:
    async def story() -> None:
        async with scene() as at:
            for _ in range(3):
                await at.ask_beside("my mail is ann.lee@example.com")
            at.open.set()
            answers = await asyncio.gather(*at.asked)
            assert {target for target, _ in answers} == {"house/a"}
            assert "refused for clearance: vendor/simulated" in answers[2][1]
            assert "1 waiting (bursts at 1)" in answers[2][1]

    asyncio.run(story())


def test_a_budget_that_does_not_hold_the_burst_keeps_it_at_home() -> None:
    async def story() -> None:
        async with scene() as at:
            key = at.running.add_key(app="poor", budget_nano=0)
            await at.ask_beside(key=key)
            await at.ask_beside(key=key)
            await at.ask_beside(key=key)
            at.open.set()
            answers = await asyncio.gather(*at.asked)
            assert {target for target, _ in answers} == {"house/a"}
            assert answers[2][1].endswith("the budget does not hold a burst: stays with house/a")
            records = {record.why: record for record in await at.running.records()}
            record = records[answers[2][1]]
            assert record.plan == ("house/a",) and record.outcome == "answered"
            assert record.cost is not None and record.cost.book == 0
            assert at.running.service.books.verify_sums() == []

    asyncio.run(story())


def test_savings_are_told_against_the_reference() -> None:
    async def story() -> None:
        async with scene() as at:
            at.open.set()
            for _ in range(3):
                await at.ask()
            (row,) = at.running.service.books.work_done(0, 2**62, [], []).rows
            assert (row.model, row.target, row.requests, row.output_tokens) == ("work", "house/a", 3, 9)

    asyncio.run(story())
