"""Trials in a whole gateway: who is asked, what the record says, and how an arm is stopped, here and everywhere."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from fault_upstream import Call, FaultUpstream, completion
from gateway_kit import gateway
from guarantee_kit import EASY, certificate, write_router
from guarantee_kit import config as guaranteed
from trial_kit import Scene, scene
from yuzui.core.booking import TrialOrder
from yuzui.io.books import SqliteBooks
from yuzui.trials import Trials

SECRET = "My card is 4111 1111 1111 1111."


async def until_in_force(at: Scene, action: str) -> TrialOrder:
    books = at.running.service.books
    for _ in range(400):
        found = [one for one in await asyncio.to_thread(books.trial_orders_in_force) if one.action == action]
        if found and not await asyncio.to_thread(books.open_trial_orders):
            return found[0]
        await asyncio.sleep(0.02)
    raise AssertionError(f"no trial was {action}ped")


def test_a_share_of_conversations_goes_to_the_arm_and_stays_there() -> None:
    async def story() -> None:
        async with scene("percent = 30") as at:
            firsts = [await at.ask("Hello", conversation=f"c{number}") for number in range(120)]
            arms = [record.trials["next"] for record, _ in firsts]
            drawn = arms.count("arm")
            assert 18 <= drawn <= 56  # binomial(120, 0.3): outside once in 10,000 keys
            for number, (record, headers) in enumerate(firsts):
                role = record.trials["next"]
                assert headers["x-yuzui-trial"] == f"next/{role}"
                assert record.target == ("house/new" if role == "arm" else "house/old")
                assert ("house/new" in record.allowed) == (role == "arm")
                if number < 30:
                    again, _ = await at.ask("And now?", conversation=f"c{number}")
                    assert again.trials == record.trials
            metrics = at.running.service._metrics.scrape().decode()
            assert 'yuzui_trial_requests_total{arm="arm",code="",model="assistant",outcome="answered"' in metrics

    asyncio.run(story())


def test_the_share_is_the_same_in_the_next_process_and_a_larger_one_only_adds(tmp_path: Path) -> None:
    async def drawn(percent: int) -> set[int]:
        async with scene(f"percent = {percent}", data_dir=tmp_path) as at:
            asked = [(await at.ask("Hello", conversation=f"c{number}"))[0] for number in range(40)]
            return {number for number, record in enumerate(asked) if record.trials["next"] == "arm"}

    few, same, more = asyncio.run(drawn(20)), asyncio.run(drawn(20)), asyncio.run(drawn(60))
    assert few == same
    assert few < more


def test_without_a_name_a_conversation_is_known_by_its_user_or_its_beginning() -> None:
    async def story() -> None:
        async with scene("percent = 50") as at:
            for user in ("ann", "bob", "eve"):
                roles = {(await at.ask(f"Question {n}", user=user))[0].trials["next"] for n in range(6)}
                assert len(roles) == 1
            for text in ("What is a levee?", "Tell me of Dujiangyan", "Li Bing?"):
                roles = {(await at.ask(text))[0].trials["next"] for _ in range(4)}
                assert len(roles) == 1
            both = {(await at.ask(f"Question {n}"))[0].trials["next"] for n in range(24)}
            assert both == {"arm", "control"}

    asyncio.run(story())


def test_only_the_named_keys_teams_and_apps_are_in_the_trial() -> None:
    async def story() -> None:
        async with scene('teams = ["support"]\nkeys = ["key_pilot"]') as at:
            add = at.running.add_key
            inside = [add(app="desk", team="support", seed=1), add(app="pilot", seed=2)]
            outside = add(app="shop", team="sales", seed=3)
            for key in inside:
                record, headers = await at.ask("Hello", key=key)
                assert (record.target, headers["x-yuzui-trial"]) == ("house/new", "next/arm")
            record, headers = await at.ask("Hello", key=outside)
            assert (record.target, record.trials) == ("house/old", {})
            assert "x-yuzui-trial" not in headers

    asyncio.run(story())


def test_a_label_that_forbids_the_arm_keeps_the_request_away_and_out_of_the_count() -> None:
    async def story() -> None:
        async with scene("percent = 100", premises="vendor", clearance="internal") as at:
            record, headers = await at.ask(SECRET)
            assert (record.target, record.trials) == ("house/old", {"next": "clearance"})
            assert record.allowed == ("house/old",)
            assert "x-yuzui-trial" not in headers
            assert "trial next: not with house/new (clearance)" in record.why
            assert at.asked == ["old"]
            assert not at.running.service.trials.take_changed()

    asyncio.run(story())


def test_an_arm_makes_nothing_possible_that_is_refused_without_it() -> None:
    async def story() -> None:
        text = 'percent = 100\n\n[[models]]\nname = "cheap"\ncandidates = ["house/new"]\n'
        text += '[[models.trials]]\nname = "back"\narm = "house/old"\npercent = 100\n'
        async with scene(text, premises="vendor", clearance="internal") as at:
            client = at.running.client()
            answer = await client.chat.completions.with_raw_response.create(
                model="cheap", messages=[{"role": "user", "content": "Hello"}]
            )
            assert answer.headers["x-yuzui-trial"] == "back/arm"
            with pytest.raises(Exception, match="no target behind model 'cheap' may see"):
                await client.chat.completions.create(model="cheap", messages=[{"role": "user", "content": SECRET}])
            assert at.asked == ["old"]

    asyncio.run(story())


def test_when_the_arm_fails_control_answers_the_client() -> None:
    async def story() -> None:
        async with scene("percent = 100") as at:
            at.sick.add("new")
            for stream in (False, True):
                record, _ = await at.ask("Hello", stream=stream)
                assert record.target == "house/old" and record.outcome == "answered"
                assert [one.target for one in record.attempts] == ["house/new", "house/old"]
                assert record.trials == {"next": "arm"}
            metrics = at.running.service._metrics.scrape().decode()
            code = record.attempts[0].outcome
            labels = f'arm="arm",code="{code}",model="assistant",outcome="answered",trial="next"'
            assert f"yuzui_trial_requests_total{{{labels}}} 2.0" in metrics

    asyncio.run(story())


def test_a_stream_from_the_arm_says_so_in_its_headers() -> None:
    async def story() -> None:
        async with scene("percent = 100") as at:
            record, headers = await at.ask("Hello", stream=True)
            assert (record.target, headers["x-yuzui-trial"]) == ("house/new", "next/arm")

    asyncio.run(story())


def test_an_arm_that_fails_in_a_row_is_rolled_back_here_after_a_restart_and_for_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def first() -> None:
        async with scene("percent = 100\nrollback = { failures_in_a_row = 3 }", data_dir=tmp_path, sick={"new"}) as at:
            for _ in range(3):
                await at.ask("Hello")
            record, headers = await at.ask("Hello")  # at once, before anything is written
            assert (record.target, record.trials) == ("house/old", {})
            assert "x-yuzui-trial" not in headers
            order = await until_in_force(at, "stop")
            assert (order.by, order.reason) == ("", "failed 3 times in a row")
            leaf = await at.running.record_of(order.id)
            assert leaf.outcome == "trial_stopped" and leaf.trial is not None and leaf.trial.by == ""
            other = SqliteBooks.open(tmp_path, exclusive=False)  # a second process on the same books
            try:
                seen = Trials(b"k" * 32, states=other.trial_states(), orders=other.trial_orders_in_force())
                assert set(seen.stopped()) == {"assistant\nnext\nhouse/new"}
            finally:
                other.stop()
            assert b'yuzui_trial_stopped{trial="assistant/next"} 1.0' in at.running.service._metrics.scrape()

    async def second() -> None:
        async with scene("percent = 100", data_dir=tmp_path) as at:
            record, _ = await at.ask("Hello")
            assert (record.target, at.asked) == ("house/old", ["old"])

    with caplog.at_level(logging.WARNING, "yuzui"):
        asyncio.run(first())
    assert [one for one in caplog.records if one.message == "trial_rolled_back"]
    asyncio.run(second())


def test_an_order_of_a_named_person_stops_and_resumes_a_running_gateway(tmp_path: Path) -> None:
    def an_order(id: str, action: str, by: str, at_ns: int) -> TrialOrder:
        return TrialOrder(
            id=id, at_ns=at_ns, action=action, model="assistant", name="next", arm="house/new", by=by,  # type: ignore[arg-type]  # one of two words
            os_user="u", reason="because",
        )  # fmt: skip

    async def story() -> None:
        async with scene("percent = 100", data_dir=tmp_path) as at:
            assert (await at.ask("Hello"))[0].target == "house/new"
            books = SqliteBooks.open(tmp_path, exclusive=False)
            try:
                books.add_trial_order(an_order("trl_1", "stop", "Eve", 1))
                books.add_trial_order(an_order("trl_2", "stop", "Ann", 2))
                order = await until_in_force(at, "stop")
                assert (order.id, order.by) == ("trl_2", "Ann")
                assert "trials.operators" in books.answer_to_trial_order("trl_1").refused
                assert books.answer_to_trial_order("trl_2").index is not None
                await asyncio.sleep(0.05)
                assert (await at.ask("Hello"))[0].target == "house/old"
                books.add_trial_order(an_order("trl_3", "resume", "Ann", 3))
                await until_in_force(at, "resume")
                await asyncio.sleep(0.05)
                assert (await at.ask("Hello"))[0].target == "house/new"
            finally:
                books.stop()

    asyncio.run(story())


def test_a_budget_that_does_not_hold_the_arm_leaves_the_request_to_control() -> None:
    async def story() -> None:
        async with scene("percent = 100") as at:
            key = at.running.add_key(app="poor", budget_nano=10, seed=7)
            record, headers = await at.ask("Hello", key=key)
            assert (record.target, record.trials) == ("house/old", {"next": "budget"})
            assert "the budget does not hold it" in record.why
            assert "x-yuzui-trial" not in headers

    asyncio.run(story())


def test_what_the_arm_of_a_guaranteed_model_answers_is_outside_the_promise(tmp_path: Path) -> None:
    async def story() -> None:
        asked: list[str] = []

        async def serve(call: Call) -> None:
            asked.append("own")
            await call.json(completion("hello"))

        async with FaultUpstream(serve) as own, FaultUpstream(serve) as vendor:
            sha256 = write_router(tmp_path / "r.json", certificate())
            text = guaranteed(tmp_path / "r.json", sha256, own=own.base_url, vendor=vendor.base_url)
            text += '\n[[models.trials]]\nname = "next"\narm = "house/other"\npercent = 100\noutside_guarantee = true\n'
            async with gateway(text, {"BIG": "k"}) as running:
                answer = await running.client().chat.completions.with_raw_response.create(
                    model="support", messages=[{"role": "user", "content": EASY}]
                )
                record = await running.record_of(answer.headers["x-yuzui-request-id"])
        assert (record.target, record.trials) == ("house/other", {"next": "arm"})
        assert answer.headers["x-yuzui-guarantee"] == "none"
        assert record.routed is not None and record.routed.guarantee == "none"

    asyncio.run(story())


def test_an_arm_that_fails_more_often_than_control_is_rolled_back_by_the_comparison() -> None:
    async def story() -> None:
        rules = "percent = 50\nrollback = { failures_in_a_row = 0, first_token_ratio = 0, alpha = 0.2 }"
        async with scene(rules) as at:
            by_role: dict[
                str, str
            ] = {}  # the draw is this deployment's own: one conversation of each side is found first
            for number in range(200):
                record, _ = await at.ask("Hello", conversation=f"c{number}")
                by_role.setdefault(record.trials["next"], f"c{number}")
                if len(by_role) == 2:
                    break
            at.sick.add("new")
            before = at.asked.count("new")
            for role in ("control", "control", "control", "arm") * 5:  # few enough that no breaker opens
                record, _ = await at.ask("Hello", conversation=by_role[role])
                assert record.outcome == "answered"
                if not record.trials:
                    break
            order = await until_in_force(at, "stop")
            assert order.reason.startswith("fails more often than control: ")
            assert "evidence" in order.reason and at.asked.count("new") - before <= 5

    asyncio.run(story())
