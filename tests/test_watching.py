"""What happens to requests after their clients have the answers: over loopback, with the real gateway and its books."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path

import openai
import pytest

from fault_upstream import Call
from guarantee_kit import EASY, HARD, certificate, config, write_router
from watch_kit import JUDGED, PUBLIC, WATCH, Places, Scene, is_judging, run, scene, verdict
from yuzui.config import load
from yuzui.core.errors import ConfigError
from yuzui.core.guarantee import Advised
from yuzui.core.watching import WHY_UNGRADED, PromiseKey, WatchOrder, WatchState
from yuzui.watching import MOST_WAITING
from yuzui.wiring import Service

SECRET = "My card is 4111 1111 1111 1111. What is the capital of France and a tree number 412?"


def state_of(at: Scene) -> WatchState:
    (promise,) = at.running.service.watching.promises.known.values()
    return promise.state


def order(key: PromiseKey, **changes: str) -> WatchOrder:
    told = {"id": "wat_order", "by": "Ann Lee", "os_user": "ann", "reason": "the new weights are back"} | changes
    return WatchOrder(at_ns=1, key=key, **told)


async def answered_order(at: Scene, id: str) -> tuple[int | None, str]:
    async with asyncio.timeout(10):
        while True:
            told = await asyncio.to_thread(at.running.service.books.answer_to_watch_order, id)
            if told.index is not None or told.refused:
                return told.index, told.refused
            await asyncio.sleep(0.05)


def test_an_answer_of_the_candidate_is_asked_of_the_reference_and_compared(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path) as at:
            record, headers = await at.ask()
            assert (record.target, headers["x-yuzui-guarantee"]) == ("house/small", "certified")
            await at.settled()
            (aside,) = await at.asides()
            assert (aside.operation, aside.part_of, aside.target) == ("audit", record.id, "vendor/big")
            assert (aside.key_id, aside.app, aside.allowed) == ("watch:support", "watch", ("vendor/big",))
            assert aside.cost is not None and "capital" not in repr(aside) and "Paris" not in repr(aside)
            state = state_of(at)
            assert (state.audited, state.referred, state.sums.total) == (1, 0, 0.5)  # a loss of 0, mapped to a half
            assert state.cost_nano == aside.cost.book > 0
            assert at.running.service.books.verify_sums() == []

    run(story)


def test_what_the_reference_answered_counts_without_being_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path) as at:
            await at.ask(HARD)
            await at.settled()
            assert await at.asides() == [] and (state_of(at).audited, state_of(at).referred) == (0, 1)

    run(story)


def test_a_candidate_that_becomes_worse_loses_its_traffic_until_somebody_resumes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    places = Places()

    async def first() -> None:
        async with scene(tmp_path, places=places) as at:
            for _ in range(20):
                await at.ask()
            await at.settled()
            assert state_of(at).stage == "holds" and state_of(at).audited == 20
            places.own = lambda _: "Berlin"
            with caplog.at_level(logging.WARNING, "yuzui"):
                count = await at.until("broken")
            assert count < 60
            (warned,) = [one for one in caplog.records if one.message == "promise_broken"]
            assert warned.fields["model"] == "support"  # type: ignore[attr-defined]  # our own field
            record, headers = await at.ask()
            assert (record.target, headers["x-yuzui-guarantee"]) == ("vendor/big", "reference")
            assert record.routed is not None and record.routed.rule == "promise_broken"
            assert "the promise did not hold" in headers["x-yuzui-decision"]
            (leaf,) = [one for one in await at.running.records() if one.outcome == "promise_broken"]
            assert leaf.watch is not None and leaf.watch.audited == 20 + count and leaf.model == "support"
            assert leaf.watch.log_wealth is not None and leaf.watch.log_wealth > 4.6
            metrics = at.running.service._metrics.scrape().decode()
            assert 'yuzui_promise_broken{model="support"} 1.0' in metrics
            ready = (await asyncio.to_thread(at.running.service._parts))[:]
            assert all(not part.problem for part in ready)

    async def again() -> None:
        async with scene(tmp_path, places=places) as at:
            record, headers = await at.ask()
            assert record.routed is not None and record.routed.rule == "promise_broken"
            assert headers["x-yuzui-guarantee"] == "reference"
            (key,) = at.running.service.watching.promises.known
            books = at.running.service.books
            await asyncio.to_thread(books.add_watch_order, order(key, id="wat_1", reason=" "))
            assert "reason" in (await answered_order(at, "wat_1"))[1]
            await asyncio.to_thread(books.add_watch_order, order(key, id="wat_2"))
            index, refused = await answered_order(at, "wat_2")
            assert index is not None and not refused
            told = await at.running.record_of("wat_2")
            assert told.outcome == "promise_resumed" and told.watch is not None
            assert (told.watch.by, told.watch.os_user, told.watch.reason) == (
                "Ann Lee", "ann", "the new weights are back",
            )  # fmt: skip
            places.own = lambda _: "Paris"
            record, headers = await at.ask()
            assert (record.target, headers["x-yuzui-guarantee"]) == ("house/small", "certified")
            await asyncio.to_thread(books.add_watch_order, order(key, id="wat_3"))
            assert "neither broken" in (await answered_order(at, "wat_3"))[1]
            await at.settled()
            assert len([one for one in await at.running.records() if one.outcome == "promise_broken"]) == 1
            assert books.verify_sums() == []

    async def story() -> None:
        # One folder and one router: the port of a place changes, which is no part of what was promised.
        await first()
        await again()

    run(story)


def test_another_router_begins_anew(tmp_path: Path) -> None:
    places = Places(own=lambda _: "Berlin")

    async def story() -> None:
        async with scene(tmp_path, places=places) as at:
            await at.until("broken")
        async with scene(tmp_path, places=places, certified=certificate(threshold=0.29)) as at:
            record, _ = await at.ask()
            assert record.target == "house/small"

    run(story)


def test_it_tightens_first_where_the_operator_says_so(tmp_path: Path) -> None:
    more = WATCH.replace("share", 'on_broken = "tighten", share')

    async def story() -> None:
        async with scene(tmp_path, more, places=Places(own=lambda _: "Berlin")) as at:
            await at.until("tightened")
            assert state_of(at).threshold == 0.29
            record, headers = await at.ask()
            assert record.routed is not None and record.routed.threshold == 0.29
            assert headers["x-yuzui-guarantee"] == "certified"
            await at.until("broken")
            outcomes = [one.outcome for one in await at.running.records() if one.watch is not None]
            assert outcomes == ["promise_tightened", "promise_broken"]

    run(story)


@pytest.mark.parametrize(
    ("words", "loss"), [("reference", 1.0), ("answer", -1.0), ("first", 0.0), ("tie", 0.0), ("mumble", None)]
)
def test_a_judge_is_asked_in_both_orders(tmp_path: Path, words: str, loss: float | None) -> None:
    def vendor(call: Call) -> object:
        if not is_judging(call):
            return "Paris, on the Seine"
        place = "first" if call.body.index(b"Seine") < call.body.index(b"Berlin") else "second"
        other = {"first": "second", "second": "first"}
        said = {"reference": place, "answer": other[place]}.get(words, words)
        return verdict(said)

    async def story() -> None:
        async with scene(tmp_path, JUDGED, places=Places(own=lambda _: "Berlin", vendor=vendor)) as at:
            await at.ask()
            await at.settled()
            asides = await at.asides()
            assert [one.operation for one in asides] == ["audit", "audit_judge", "audit_judge"]
            state = state_of(at)
            if loss is None:
                assert state.audited == 0 and state.ungraded == {"no_verdict": 1}
            else:
                assert state.audited == 1 and 2 * state.sums.total - 1 == loss
            assert state.cost_nano == sum(one.cost.book for one in asides if one.cost is not None) > 0

    run(story)


def test_what_is_sensitive_or_masked_is_never_asked_again(tmp_path: Path) -> None:
    internal = PUBLIC.replace("public", "internal")

    async def story() -> None:
        async with scene(tmp_path) as at:
            await at.ask(SECRET)
            await at.settled()
            assert await at.asides() == [] and at.places.asked["vendor"] == []
        async with scene(tmp_path, tail=internal) as at:
            await at.ask()
            await at.settled()
            assert await at.asides() == [], "every request is internal, and the lowest level alone is audited"
        async with scene(tmp_path, WATCH.replace("share", 'max_level = "internal", share'), tail=internal) as at:
            await at.ask()
            await at.ask(SECRET)
            await at.settled()
            assert len(await at.asides()) == 1

    run(story)


def test_an_answer_that_says_what_is_sensitive_is_not_shown_to_anybody(tmp_path: Path) -> None:
    def vendor(call: Call) -> object:
        assert not is_judging(call)
        return "Paris"

    card = "It is on card 4111 1111 1111 " + "1111"

    async def story() -> None:
        async with scene(tmp_path, JUDGED, places=Places(own=lambda _: card, vendor=vendor)) as at:
            await at.ask()
            await at.settled()
            assert state_of(at).ungraded == {"too_sensitive": 1}
            assert not any(is_judging(call) for call in at.places.asked["vendor"])
        off = PUBLIC + '[answers]\naction = "off"\n'
        async with scene(tmp_path / "b", JUDGED, places=Places(own=lambda _: card, vendor=vendor), tail=off) as at:
            await at.ask()
            await at.settled()
            assert state_of(at).ungraded == {"too_sensitive": 1}, "the question is searched whoever searches answers"

    (tmp_path / "b").mkdir()
    run(story)


def test_what_the_organisations_own_judge_finds_in_an_answer_is_not_shown_to_the_judge_of_audits(
    tmp_path: Path,
) -> None:
    recipe = "The glaze is three parts ash to one part of the red clay from the second terrace."
    tail = PUBLIC + '[sensitivity.judge]\ntarget = "house/other"\nlabels = { trade_secret = "restricted" }\n'

    def own(call: Call) -> str:
        if b"data protection officer" not in call.body:
            return recipe
        return json.dumps({"trade_secret": "yes" if b"red clay" in call.body else "no"})

    def vendor(call: Call) -> str:
        return verdict("tie") if is_judging(call) else "Paris"

    async def story() -> None:
        async with scene(tmp_path, JUDGED, places=Places(own=own, vendor=vendor), tail=tail) as at:
            record, _ = await at.ask()
            assert record.target == "house/small"
            await at.settled()
            assert state_of(at).ungraded == {"too_sensitive": 1}
            assert not any(b"red clay" in call.body for call in at.places.asked["vendor"])
            asides = [one for one in await at.asides() if one.key_id == "watch:support"]
            assert {one.operation for one in asides} == {"audit", "judge"}, "who audits pays for that"

    run(story)


def test_a_key_that_may_not_see_the_reference_is_not_audited(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path) as at:
            key = at.running.add_key(own_only=True)
            await at.running.client(key).chat.completions.create(
                model="support", messages=[{"role": "user", "content": EASY}]
            )
            await at.settled()
            assert await at.asides() == [] and at.places.asked["vendor"] == []

    run(story)


def test_clients_do_not_wait_for_audits_and_what_hangs_ends(tmp_path: Path) -> None:
    more = WATCH.replace("deadline_s = 5.0", "deadline_s = 1.0")

    async def story() -> None:
        async with scene(tmp_path, more, places=Places(delay_s={"vendor": 30.0})) as at:
            began = time.monotonic()
            for _ in range(3):
                await at.ask()
            assert time.monotonic() - began < 20
            await at.settled()
            asides = await at.asides()
            assert {(one.outcome, one.error) for one in asides} == {("failed", "upstream_timeout")}
            assert state_of(at).ungraded == {"failed": 3} and set(state_of(at).ungraded) <= set(WHY_UNGRADED)

    run(story)


def test_audits_have_a_budget_of_their_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    more = WATCH.replace("budget = 100.0", "budget = 0.000001")

    async def story() -> None:
        async with scene(tmp_path, more) as at:
            with caplog.at_level(logging.WARNING, "yuzui"):
                await at.ask()
                await at.settled()
                await at.ask()
                await at.ask(HARD)
                await at.settled()
            assert len(at.places.asked["vendor"]) == 1, "HARD itself"
            state = state_of(at)
            assert state.ungraded == {"budget": 1} and state.referred == 0, "nothing is drawn on the rest of the day"
            assert [one.message for one in caplog.records].count("watch_budget_spent") == 1
            spent = {row.name: row.spent_nano for row in at.running.service.books.costs(0, 2**62, "key")}
            assert "watch:support" not in spent

    run(story)


def test_costs_are_booked_on_whom_the_operator_names(tmp_path: Path) -> None:
    more = WATCH.replace("share", 'app = "quality", team = "platform", share')

    async def story() -> None:
        async with scene(tmp_path, more) as at:
            await at.ask()
            await at.settled()
            books = at.running.service.books
            assert {row.name: row.spent_nano > 0 for row in books.costs(0, 2**62, "app")} == {
                "loopback": False, "quality": True,
            }  # fmt: skip
            assert [row.name for row in books.costs(0, 2**62, "team") if row.spent_nano] == ["platform"]

    run(story)


def test_what_does_not_fit_is_dropped_and_counted(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, places=Places(delay_s={"vendor": 2.0})) as at:
            record, _ = await at.ask()
            watching = at.running.service.watching
            exchange = next(iter(watching._running)).get_coro().cr_frame.f_locals["job"].exchange  # type: ignore[union-attr]
            assert exchange.id == record.id
            for _ in range(MOST_WAITING + 20):
                watching.offer(at.running.service.gateway.snapshot, exchange)
            dropped = watching.dropped["support", "queue_full"]
            assert 15 <= dropped <= 20 and state_of(at).ungraded == {"queue_full": dropped}
            watching._line = asyncio.Queue(MOST_WAITING)  # the rest would take a minute

    run(story)


def test_what_waits_takes_no_more_memory_than_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with scene(tmp_path, places=Places(delay_s={"vendor": 1.0})) as at:
            watching = at.running.service.watching
            await at.ask()
            exchange = next(iter(watching._running)).get_coro().cr_frame.f_locals["job"].exchange  # type: ignore[union-attr]
            monkeypatch.setattr("yuzui.watching.MOST_WAITING_BYTES", 10 * exchange.input_bound)
            for _ in range(4 + 30):
                watching.offer(at.running.service.gateway.snapshot, exchange)
            assert 5 <= watching.waiting <= 10 and watching.dropped["support", "queue_full"] >= 20
            await at.settled()
            watching.offer(at.running.service.gateway.snapshot, exchange)
            assert watching.waiting == 1, "what is done takes none"

    run(story)


def test_stopping_settles_what_is_on_its_way(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, places=Places(delay_s={"vendor": 20.0})) as at:
            await at.ask()
            async with asyncio.timeout(5):
                while not at.places.asked["vendor"]:
                    await asyncio.sleep(0.01)
        async with scene(tmp_path) as at:
            (aside,) = await at.asides()
            assert aside.outcome == "aborted"
            assert state_of(at).ungraded == {"shutdown": 1}
            assert at.running.service.books.verify_sums() == []

    run(story)


def test_a_streamed_answer_is_compared_as_well(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path) as at:
            stream = await at.running.client().chat.completions.create(
                model="support", messages=[{"role": "user", "content": EASY}], stream=True
            )
            assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream]) == "Paris"
            await at.settled()
            assert state_of(at).audited == 1 and state_of(at).sums.total == 0.5
            assert b'"stream"' not in at.places.asked["vendor"][0].body

    run(story)


def test_a_failing_candidate_counts_as_the_references_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, places=Places(own=lambda _: None)) as at:
            record, headers = await at.ask()
            assert (record.target, headers["x-yuzui-guarantee"]) == ("vendor/big", "reference")
            await at.settled()
            assert (state_of(at).audited, state_of(at).referred) == (0, 1)
            at.places.vendor = lambda _: None
            with pytest.raises(openai.APIStatusError):
                await at.ask()
            await at.settled()
            assert state_of(at).seen == 1

    run(story)


def test_a_comparison_that_needs_more_than_two_answers_refuses_the_start(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(ConfigError, match=r"models.support.watch.grade: numeric takes"):
            async with scene(tmp_path, WATCH.replace('"exact"', '"numeric:tolerence=1"')):
                pass

    run(story)


def test_a_reload_keeps_a_broken_promise_and_a_new_router_does_not(tmp_path: Path) -> None:
    path = tmp_path / "yuzui.toml"
    off = PUBLIC + "[sensitivity.names]\nenabled = false\n"

    def write(threshold: float, more: str = WATCH) -> None:
        sha256 = write_router(tmp_path / "r.json", certificate(threshold=threshold))
        path.write_text(config("r.json", sha256) + more + off, "utf-8")

    async def story() -> None:
        write(0.3)
        service = Service(load(path, {"BIG": "k"}), tmp_path / "data")
        await service.start()
        try:
            (promise,) = service.watching.promises.known.values()
            for _ in range(30):
                told = Advised(rule="certified", reference="vendor/big", chosen="house/small", policy="up_front",
                               router_sha256=promise.key.router_sha256, epsilon=0.02, delta=0.1, threshold=0.3,
                               examples=promise.certificate.data.examples,
                               data_sha256=promise.certificate.data.sha256)  # fmt: skip
                service.watching.promises.add(promise.key, told, 1.0, is_audit=True)
            assert service.gateway.snapshot.guaranteed["support"].is_broken
            for more in (WATCH.replace("1.0", "0.5"), ""):
                write(0.3, more)
                await service.reload()
                assert service.gateway.snapshot.guaranteed["support"].is_broken
                assert ("support" in service.gateway.snapshot.watched) == bool(more)
            write(0.29)
            await service.reload()
            assert not service.gateway.snapshot.guaranteed["support"].is_broken
            write(0.3)
            await service.reload()
            assert service.gateway.snapshot.guaranteed["support"].is_broken, "the books remember"
        finally:
            await service.stop()

    run(story)


def test_a_client_that_leaves_is_not_audited(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, places=Places(delay_s={"own": 1.0})) as at:
            leaving = asyncio.create_task(at.ask())
            async with asyncio.timeout(5):
                while not at.places.asked["own"]:
                    await asyncio.sleep(0.01)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            await at.running.close_clients()
            async with asyncio.timeout(5):
                while not await at.running.records():
                    await asyncio.sleep(0.02)
            await at.settled()
            assert [one.outcome for one in await at.running.records()] == ["aborted"] and state_of(at).seen == 0

    run(story)


def test_what_a_trial_put_in_front_says_nothing_about_the_promise(tmp_path: Path) -> None:
    async def story() -> None:
        trial = '\n[[models.trials]]\nname = "dear"\narm = "vendor/big"\npercent = 100\noutside_guarantee = true\n'
        async with scene(tmp_path, WATCH + trial) as at:
            record, _ = await at.ask()
            assert (record.target, record.trials) == ("vendor/big", {"dear": "arm"})
            assert record.routed is not None and record.routed.rule == "certified", "the candidate's, without the trial"
            await at.settled()
            assert (state_of(at).audited, state_of(at).referred) == (0, 0)

    run(story)
