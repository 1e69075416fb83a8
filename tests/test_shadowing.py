"""Copies to a target that answers no client: what is learnt of it, and what nobody may notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fault_upstream import Call
from guarantee_kit import EASY
from watch_kit import PUBLIC, Places, Scene, run, scene
from yuzui.core.watching import ShadowState
from yuzui.shadowing import Copied, note

SHADOW = 'shadow = { target = "house/other", share = 1.0, budget = 1.0, deadline_s = 1.0 }\n'
SECRET = "My card is 4111 1111 1111 1111. What is the capital of France and a tree number 412?"


def is_shadow(call: Call) -> bool:
    return b'"other"' in call.body


def shadow_of(at: Scene) -> ShadowState:
    (state,) = at.running.service.watching.shadows.values()
    return state


def says(shadow: object) -> Places:
    return Places(own=lambda call: shadow if is_shadow(call) else "The answer is 42")


def test_a_copy_tells_latency_cost_and_agreement(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, SHADOW, places=says("So the answer is 42.")) as at:
            record, headers = await at.ask()
            assert record.target == "house/small" and "other" not in headers["x-yuzui-target"]
            await at.settled()
            at.places.own = says("The answer is 7").own
            await at.ask()
            await at.settled()
            state = shadow_of(at)
            assert (state.asked, state.answered, state.comparable, state.agreed) == (2, 2, 2, 1)
            assert state.duration_ms > 0 or state.slowest_ms == 0
            assert 0 < state.likeness <= 2 and state.cost_nano == 0
            asides = await at.asides()
            assert {one.operation for one in asides} == {"shadow"} and asides[0].part_of == record.id
            assert {(one.key_id, one.app, one.target) for one in asides} == {
                ("shadow:support", "shadow", "house/other")
            }
            metrics = at.running.service._metrics.scrape().decode()
            assert 'yuzui_shadow_copies{shadow="support house/other"} 2.0' in metrics
        async with scene(tmp_path, SHADOW, places=says("The answer is 42")) as at:
            await at.ask()
            await at.settled()
            assert shadow_of(at).asked == 3, "the books remember"

    run(story)


@pytest.mark.parametrize(("answer", "code"), [(None, "upstream_error"), ("slow", "upstream_timeout")])
def test_a_shadow_that_fails_or_hangs_is_counted_and_no_client_notices(
    tmp_path: Path, answer: str | None, code: str
) -> None:
    places = says(answer)
    if answer == "slow":

        def hanging(call: Call) -> object:
            places.delay_s["own"] = 0.0 if is_shadow(call) else 3.0  # of the next call, which is the copy
            return "The answer is 42"

        places.own = hanging

    async def story() -> None:
        async with scene(tmp_path, SHADOW, places=places) as at:
            record, _ = await at.ask()
            assert record.outcome == "answered"
            await at.settled()
            state = shadow_of(at)
            assert (state.asked, state.answered) == (1, 0) and sum(state.failed.values()) == 1
            if answer == "slow":
                assert state.failed == {code: 1}
            assert at.running.service.books.verify_sums() == []

    run(story)


def test_sensitive_requests_and_forbidden_places_get_no_copy(tmp_path: Path) -> None:
    to_vendor = SHADOW.replace("house/other", "vendor/big")

    async def story() -> None:
        async with scene(tmp_path, to_vendor) as at:
            await at.ask(SECRET)
            key = at.running.add_key(own_only=True)
            await at.running.client(key).chat.completions.create(
                model="support", messages=[{"role": "user", "content": EASY}]
            )
            await at.settled()
            assert at.places.asked["vendor"] == [] and await at.asides() == []
            assert shadow_of(at).dropped == {"not_permitted": 1}
        other = tmp_path / "other"
        other.mkdir()
        async with scene(other, to_vendor, tail=PUBLIC.replace("public", "internal")) as at:
            await at.ask()
            await at.settled()
            assert at.places.asked["vendor"] == []

    run(story)


def test_a_shadow_has_a_budget_of_its_own(tmp_path: Path) -> None:
    poor = SHADOW.replace("house/other", "vendor/big").replace("budget = 1.0", "budget = 0.000001")

    async def story() -> None:
        async with scene(tmp_path, poor) as at:
            for _ in range(3):
                await at.ask()
            await at.settled()
            assert at.places.asked["vendor"] == [] and 1 <= shadow_of(at).dropped["budget"] <= 3
            await at.ask()
            await at.settled()
            assert shadow_of(at).dropped["budget"] <= 3, "nothing is drawn on the rest of the day"
            assert await asyncio.to_thread(at.running.service.books.verify_sums) == []

    run(story)


def test_sums_are_kept_of_what_was_answered() -> None:
    state = ShadowState()
    note(state, Copied(duration_ms=5, usual_duration_ms=7, spent_nano=3, usual_nano=9, agrees=None, likeness=0.5), 11)
    note(state, Copied(duration_ms=2, usual_duration_ms=7, spent_nano=3, usual_nano=9, agrees=True, likeness=1.0), 12)
    assert (state.answered, state.duration_ms, state.usual_duration_ms, state.slowest_ms) == (2, 7, 14, 5)
    assert (state.cost_nano, state.usual_cost_nano, state.comparable, state.agreed) == (6, 18, 1, 1)
    assert (state.likeness, state.last_ns) == (1.5, 12)
