from __future__ import annotations

import math

import msgspec
import pytest

from yuzui.core.watching import WatchState
from yuzui.evaluation.promise_watch import PromiseWatch, Terms

TERMS = Terms(promised=0.02, alpha=0.01)


def until_alarm(watch: PromiseWatch, loss: float = 1.0) -> str:
    for at_ns in range(1, 500):
        stage = watch.add(loss, at_ns, is_audit=True)
        if stage is not None:
            return stage
    raise AssertionError("no alarm")


def test_a_broken_promise_stays_broken_and_shows_why() -> None:
    watch = PromiseWatch(TERMS, WatchState())
    assert until_alarm(watch) == "broken"
    state = watch.state
    assert state.stage == "broken" and state.since_ns == state.last_ns == state.audited
    assert watch.log_wealth >= math.log(100)
    before = msgspec.json.encode(state)
    assert watch.add(-1.0, 999, is_audit=True) is None and msgspec.json.encode(state) == before


def test_it_tightens_step_by_step_before_it_gives_up() -> None:
    watch = PromiseWatch(Terms(promised=0.02, alpha=0.01, on_broken="tighten", stricter=(0.2, 0.1)), WatchState())
    found = []
    for _ in range(3):
        found.append((until_alarm(watch), watch.state.threshold))
    assert found == [("tightened", 0.2), ("tightened", 0.1), ("broken", 0.1)]


def test_each_stage_has_a_test_of_its_own() -> None:
    watch = PromiseWatch(Terms(promised=0.02, alpha=0.01, on_broken="tighten", stricter=(0.2,)), WatchState())
    watch.pay(5)
    watch.note_ungraded("no_verdict")
    until_alarm(watch)
    state = watch.state
    assert (state.seen, state.audited, state.wealths, state.ungraded, state.cost_nano) == (0, 0, [], {}, 0)
    assert state.all_audited > 0 and state.all_cost_nano == 5 and watch.log_wealth == pytest.approx(0)


def test_with_nothing_stricter_it_falls_back_at_once() -> None:
    watch = PromiseWatch(Terms(promised=0.02, alpha=0.01, on_broken="tighten"), WatchState())
    assert until_alarm(watch) == "broken"


def test_a_person_may_begin_anew() -> None:
    watch = PromiseWatch(TERMS, WatchState())
    until_alarm(watch)
    watch.resume(77)
    assert (watch.state.stage, watch.state.since_ns, watch.state.seen) == ("holds", 77, 0)
    assert until_alarm(watch) == "broken"


def test_what_the_books_keep_goes_on_as_if_nothing_had_been() -> None:
    whole, first = PromiseWatch(TERMS, WatchState()), PromiseWatch(TERMS, WatchState())
    losses = [0.0, 1.0, 0.0, -1.0] * 100
    for at_ns, loss in enumerate(losses):
        whole.add(loss, at_ns, is_audit=loss != 0)
    for at_ns, loss in enumerate(losses[:301]):
        first.add(loss, at_ns, is_audit=loss != 0)
    kept = msgspec.json.decode(msgspec.json.encode(first.state), type=WatchState)
    second = PromiseWatch(TERMS, kept)
    for at_ns, loss in enumerate(losses[301:], 301):
        second.add(loss, at_ns, is_audit=loss != 0)
    assert msgspec.json.encode(second.state) == msgspec.json.encode(whole.state)
    assert second.log_wealth == pytest.approx(whole.log_wealth)
    assert (second.state.audited, second.state.referred) == (200, 200)


def test_what_cannot_be_compared_leaves_as_much_of_the_reference_out() -> None:
    watch = PromiseWatch(TERMS, WatchState())
    assert watch.graded_share == 1
    watch.add(0.0, 1, is_audit=True)
    for _ in range(3):
        watch.note_ungraded("failed")
    assert watch.graded_share == 0.25


def test_another_tests_wealth_is_refused() -> None:
    with pytest.raises(ValueError, match="another"):
        PromiseWatch(TERMS, WatchState(seen=300, wealths=[[0.0]]))
