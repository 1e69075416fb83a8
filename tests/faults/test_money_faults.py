"""Money through the real server: hard caps under concurrency, lying targets, clocks that jump, keys that end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from faults.load_kit import (
    Journal,
    Served,
    answers,
    ask,
    call,
    chat,
    check_books,
    command,
    data_dir,
    new_key,
    start,
    two_targets,
    until_true,
    write_config,
)
from gateway_kit import RunningGateway, gateway
from yuzui.accounting.prices import parse_price
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO
from yuzui.io.books import BudgetRow, SqliteBooks
from yuzui.wiring import make_snapshot

INPUT_NANO, CACHED_NANO, OUTPUT_NANO = 1000, 100, 2000  # per token, as in `two_targets`
DAY_NS = 86_400 * 10**9


@asynccontextmanager
async def selling(vendor: Script, *, more: str = "", price: str = "") -> AsyncGenerator[RunningGateway, None]:
    async with FaultUpstream(answers) as own, FaultUpstream(vendor) as second:
        config = two_targets(own, second, more=more)
        if price:
            config = config.replace('price = { currency = "USD", input = 1, cached_input = 0.1, output = 2 }', price)
        async with gateway(config, {"VENDOR_KEY": "vendor-secret"}) as running:
            yield running


def address_of(running: RunningGateway) -> tuple[str, int]:
    host, port = running.base_url.removeprefix("http://").split(":")
    return host, int(port)


def tells(**usage: object) -> Script:
    async def script(call: Call) -> None:
        await call.json(completion("Good morning!", usage=usage))

    return script


async def rows_of(running: RunningGateway, key_id: str) -> list[BudgetRow]:
    assert await asyncio.to_thread(running.service.books.verify_sums) == []
    return await asyncio.to_thread(running.service.books.budgets, key_id)


# ---- hard caps ------------------------------------------------------------------------------------------------------


def test_many_requests_at_once_never_pass_a_hard_cap_of_the_real_server(tmp_path: Path) -> None:
    """The cap holds about fifty of three hundred: not one more is let in, and everybody gets a clear answer."""

    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            key_id, key = new_key(tmp_path, "--budget", "0.1")
            served = await asyncio.to_thread(start, tmp_path)
            try:
                bodies = [chat(max_tokens=500, stream=bool(n % 3 == 0)) for n in range(300)]
                replies = await asyncio.gather(*[ask(served.address, body, key=key) for body in bodies])
                admitted = [reply for reply in replies if reply.status == 200]
                refused = [reply for reply in replies if reply.status != 200]
                assert {(r.status, r.code) for r in refused} <= {(429, "budget_exceeded")}
                assert refused and len(admitted) == len(vendor.calls) >= 10
                assert {reply.headers.get("x-should-retry") for reply in refused} == {"false"}
                assert served.stop() == 0
            finally:
                served.kill()
            check_books(tmp_path, Journal(replies))
            row = budget_of(tmp_path, key_id)
            assert row.spent_nano == len(admitted) * (10 * INPUT_NANO + 5 * OUTPUT_NANO) <= row.cap_nano
            code, out = command(tmp_path, "costs", "--by", "key", "--json")
            assert code == 0 and key_id in out

    asyncio.run(main())


def budget_of(folder: Path, key_id: str) -> BudgetRow:
    books = SqliteBooks.open(data_dir(folder), exclusive=False)
    try:
        (row,) = books.budgets(key_id)
        return row
    finally:
        books.stop()


def test_a_reserved_amount_is_never_exceeded_by_what_a_lying_target_says() -> None:
    async def main() -> None:
        for usage in (
            {"prompt_tokens": 10**12, "completion_tokens": 10**12, "total_tokens": 2 * 10**12},
            {"prompt_tokens": 10**30, "completion_tokens": 10**30, "total_tokens": 1},
            {"prompt_tokens": 10, "completion_tokens": 9_000_000, "total_tokens": 9_000_010},
        ):
            limits: tuple[dict[str, Any], ...] = ({}, {"max_tokens": 50}, {"n": 2})  # Any: JSON
            for more in limits:
                async with selling(tells(**usage)) as running:
                    key = running.add_key(app="team", budget_nano=NANO)
                    answer = await ask(address_of(running), chat(**more), key=key)
                    assert answer.status == 200, answer.body
                    record = await running.record_of(answer.request_id)
                    (row,) = await rows_of(running, "key_team")
                    assert record.usage is not None and record.usage.note == "clamped" and record.usage.is_estimated
                    assert 0 < row.spent_nano <= row.cap_nano, (usage, more)
                    assert row.reserved_nano == 0

    asyncio.run(main())


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": -7, "total_tokens": -12},
        {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
         "prompt_tokens_details": {"cached_tokens": 10**9}, "completion_tokens_details": {"reasoning_tokens": 10**9}},
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
         "prompt_tokens_details": {"cached_tokens": -10**9}},
        {},
    ],
)  # fmt: skip
def test_usage_that_cannot_be_is_never_a_credit_and_never_more_than_its_whole(usage: dict[str, Any]) -> None:
    async def main() -> None:
        async with selling(tells(**usage)) as running:
            key = running.add_key(app="team", budget_nano=NANO)
            answer = await ask(address_of(running), chat(max_tokens=100), key=key)
            assert answer.status == 200, answer.body
            (row,) = await rows_of(running, "key_team")
            assert 0 <= row.spent_nano <= 10**7
            record = await running.record_of(answer.request_id)
            assert record.usage is not None
            assert 0 <= record.usage.cached_input <= record.usage.input
            assert 0 <= record.usage.reasoning <= record.usage.output

    asyncio.run(main())


def test_cached_tokens_are_priced_once() -> None:
    async def main() -> None:
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
                 "prompt_tokens_details": {"cached_tokens": 80}}  # fmt: skip
        async with selling(tells(**usage)) as running:
            answer = await ask(address_of(running), chat())
            record = await running.record_of(answer.request_id)
            assert record.cost is not None
            assert record.cost.amount == 20 * INPUT_NANO + 80 * CACHED_NANO + 10 * OUTPUT_NANO
            assert record.cost.price_version

    asyncio.run(main())


def test_a_whole_answer_without_usage_is_estimated_flagged_and_not_free() -> None:
    async def script(call: Call) -> None:
        body = completion("word " * 40)
        del body["usage"]
        await call.json(body)

    async def main() -> None:
        async with selling(script) as running:
            key = running.add_key(app="team", budget_nano=NANO)
            answer = await ask(address_of(running), chat(), key=key)
            record = await running.record_of(answer.request_id)
            assert record.usage is not None and record.usage.is_estimated and record.usage.output >= 40
            (row,) = await rows_of(running, "key_team")
            assert row.spent_nano >= 40 * OUTPUT_NANO

    asyncio.run(main())


def test_an_aborted_stream_is_billed_from_what_was_counted() -> None:
    async def endless(call: Call) -> None:
        await call.start_stream()
        for _ in range(50):
            await call.event(piece("word "))
        await call.client_left(10)

    async def main() -> None:
        async with selling(endless) as running:
            key = running.add_key(app="team", budget_nano=NANO)
            line = await call(address_of(running), chat(stream=True), key=key)
            await line.read_head()
            while line.answer.text.count("word") < 50:
                await line.read_some()
            line.close()
            async with asyncio.timeout(5):
                while not (records := await running.records()):
                    await asyncio.sleep(0.02)
            assert records[0].outcome == "aborted"
            usage = records[0].usage
            assert usage is not None and usage.is_estimated and 50 <= usage.output <= 63
            (row,) = await rows_of(running, "key_team")
            assert row.spent_nano == usage.input * INPUT_NANO + usage.output * OUTPUT_NANO and row.reserved_nano == 0

    asyncio.run(main())


# ---- prices ---------------------------------------------------------------------------------------------------------


def test_an_unknown_price_refuses_and_names_the_fix() -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            lines = [line for line in two_targets(own, vendor).splitlines() if not line.startswith("price = {")]
            config_text = "\n".join(lines).replace('model = "big"', 'model = "nobody-sells-this"')
            async with gateway(config_text, {"VENDOR_KEY": "vendor-secret"}) as running:
                for stream in (False, True):
                    answer = await ask(address_of(running), chat("vendor/big", stream=stream))
                    assert answer.status >= 400 and not vendor.calls
                    words = answer.json["error"]["message"]
                    assert "price" in words and "vendor/big" in words and "free" in words, words
                assert (await ask(address_of(running), chat("assistant"))).headers["x-yuzui-target"] == "house/small"

    asyncio.run(main())


def test_a_currency_without_a_rate_is_never_taken_for_the_book_currency() -> None:
    price = 'price = { currency = "CNY", input = 1, output = 2 }'

    async def main() -> None:
        with pytest.raises(ConfigError, match=r"no rate from CNY to USD; write `CNY"):
            async with selling(answers, price=price):
                pass
        async with selling(answers, price=price, more='[money]\nrates = { CNY = "0.14" }') as running:
            key = running.add_key(app="team", budget_nano=NANO)
            answer = await ask(address_of(running), chat("vendor/big"), key=key)
            record = await running.record_of(answer.request_id)
            assert record.cost is not None and (record.cost.currency, record.cost.rate) == ("CNY", "0.14")
            assert (record.cost.amount, record.cost.book) == (20_000, 2_800)

    asyncio.run(main())


def test_a_price_that_changes_while_a_request_runs_does_not_change_its_cost() -> None:
    go_on = asyncio.Event()

    async def waits(call: Call) -> None:
        await go_on.wait()
        await answers(call)

    async def main() -> None:
        async with selling(waits) as running:
            reply = asyncio.create_task(ask(address_of(running), chat()))
            await asyncio.sleep(0.2)
            snapshot = running.service.gateway.snapshot
            dearer = parse_price({"currency": "USD", "input": 100, "output": 200}, "price")
            targets = tuple(replace(t, price=dearer) if t.name == "vendor/big" else t for t in snapshot.config.targets)
            running.service.gateway.snapshot = make_snapshot(
                replace(snapshot.config, targets=targets), running.data_dir
            )
            go_on.set()
            old = await running.record_of((await reply).request_id)
            new = await running.record_of((await ask(address_of(running), chat())).request_id)
            assert old.cost is not None and new.cost is not None
            assert old.cost.amount == 10 * INPUT_NANO + 5 * OUTPUT_NANO
            assert new.cost.amount == 100 * old.cost.amount
            assert old.cost.price_version != new.cost.price_version

    asyncio.run(main())


# ---- clocks ---------------------------------------------------------------------------------------------------------


class JumpingClock:
    """Wall time as the test says; the monotonic clock goes on as it must."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def now_ns(self) -> int:
        return self.at_ns

    def monotonic(self) -> float:
        return time.monotonic()


def test_a_clock_that_jumps_never_resets_a_budget_and_a_charge_stays_in_its_window() -> None:
    """Forward over midnight in the middle of a request, back a day, forward a year: caps hold in every window."""
    go_on = asyncio.Event()
    go_on.set()

    async def waits(call: Call) -> None:
        await go_on.wait()
        await answers(call)

    noon = 1_795_003_200_000_000_000 // DAY_NS * DAY_NS + DAY_NS // 2

    async def main() -> None:
        async with selling(waits) as running:
            clock = JumpingClock(noon)
            world = running.service.gateway.world
            running.service.gateway.world = replace(world, clock=clock)
            cap = 1_250_000  # room for a few: each costs 20,000 and reserves 1,150,000
            key = running.add_key(app="team", budget_nano=cap, budget_period="day")

            async def spend() -> int:
                """Ask until the cap says no; how many were let in."""
                count = 0
                while (await ask(address_of(running), chat(max_tokens=5), key=key)).status == 200:
                    count += 1
                    assert count < 1000
                return count

            first = await spend()
            assert first >= 2
            clock.at_ns = noon + DAY_NS
            second = await spend()
            assert second == first
            for back in (noon, noon + 5_000_000_000, noon + DAY_NS, noon - 3600 * 10**9):
                clock.at_ns = back
                assert await spend() == 0, "an old window is as full as it was"
            clock.at_ns = noon + 365 * DAY_NS
            assert await spend() == first

            clock.at_ns = noon + 10 * DAY_NS + DAY_NS // 2 - 1  # the last instant of a day
            go_on.clear()
            late = asyncio.create_task(ask(address_of(running), chat(max_tokens=5), key=key))
            await until_true(5, lambda: running.service.gateway.running)
            await asyncio.sleep(0.1)
            clock.at_ns += 10
            go_on.set()
            assert (await late).status == 200
            rows = {row.window: row for row in await rows_of(running, "key_team")}
            assert len(rows) == 4 and all(
                row.spent_nano <= row.cap_nano and not row.reserved_nano for row in rows.values()
            )
            assert sorted(row.spent_nano for row in rows.values())[0] == 20_000, "charged to the day it was let in"

    asyncio.run(main())


# ---- keys that end --------------------------------------------------------------------------------------------------


def test_a_revoked_rotated_or_expired_key_stops_within_a_second_while_the_server_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with FaultUpstream(answers) as own, FaultUpstream(answers) as vendor:
            write_config(tmp_path, two_targets(own, vendor))
            served: Served = await asyncio.to_thread(start, tmp_path)
            try:
                assert (await ask(served.address, chat())).status == 200, "loopback, and no key yet"
                staying_id, staying = new_key(tmp_path)
                await stops(served, "")  # the first key closes the open door
                revoked_id, revoked = new_key(tmp_path)
                rotated_id, rotated = new_key(tmp_path)
                _, short = new_key(tmp_path, "--expires", "2s")
                for key in (staying, revoked, rotated, short):
                    await works(served, key)
                assert command(tmp_path, "keys", "revoke", revoked_id, "--json")[0] == 0
                await stops(served, revoked)
                code, out = command(tmp_path, "keys", "rotate", rotated_id, "--grace", "0", "--json")
                assert code == 0
                await stops(served, rotated)
                await works(served, json.loads(out)["key"])
                await stops(served, short, within_s=3.5)
                for wrong in ("yz-" + "a" * 43, "yz-", "Bearer", " " * 40, staying[:-1], staying + "a", "\u00e4" * 20):
                    answer = await ask(served.address, chat(), key=wrong)
                    assert (answer.status, answer.code) == (401, "invalid_api_key"), wrong
                assert (await ask(served.address, chat(), key=staying)).status == 200
                assert command(tmp_path, "keys", "revoke", staying_id, "--json")[0] == 0
                await stops(served, staying)
                assert (await ask(served.address, chat())).status == 401, "no key left is not an open door"
            finally:
                served.kill()

    asyncio.run(main())


async def works(served: Served, key: str) -> None:
    async with asyncio.timeout(3):
        while (await ask(served.address, chat(), key=key)).status != 200:
            await asyncio.sleep(0.02)


async def stops(served: Served, key: str, within_s: float = 1.5) -> None:
    """Promised is a second; half of one more for a busy machine."""
    async with asyncio.timeout(within_s):
        while (await ask(served.address, chat(), key=key)).status != 401:
            await asyncio.sleep(0.02)
