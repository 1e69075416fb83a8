"""A circuit's life: closed, open, half open, closed; told as conversations with a fake clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import FakeClock
from yuzui.core.errors import UpstreamFault, UpstreamRefused, UpstreamUnreachable
from yuzui.routing.breaker import BreakerRules, Breakers

DOWN = UpstreamUnreachable("refused")
RULES = BreakerRules()


def breakers(clock: FakeClock, jitter: float = 1.0) -> Breakers:
    return Breakers(clock=clock, jitter=lambda: jitter)


def fail(circuits: Breakers, times: int, fault: UpstreamFault = DOWN) -> None:
    for _ in range(times):
        circuits.started("a")
        circuits.failed("a", fault)


def clients_fault() -> UpstreamFault:
    fault = UpstreamRefused("the prompt is wrong", upstream_status=400)
    fault.counts_for_breaker = False
    return fault


def test_it_opens_after_five_failures_in_a_row_and_not_before() -> None:
    circuits = breakers(FakeClock())
    fail(circuits, 4)
    assert circuits.blocked() == frozenset()
    fail(circuits, 1)
    assert circuits.blocked() == {"a"}


def test_a_success_in_between_starts_the_row_again() -> None:
    circuits = breakers(FakeClock())
    for _ in range(4):  # 16 failures of 20 outcomes would be a rate
        fail(circuits, 2)
        circuits.succeeded("a")
    assert circuits.blocked() == frozenset()


def test_it_opens_at_half_of_twenty_outcomes_though_never_in_a_row() -> None:
    circuits = breakers(FakeClock())
    for done in range(10):
        assert circuits.blocked() == frozenset(), done
        circuits.failed("a", DOWN)
        circuits.succeeded("a")
    circuits.failed("a", DOWN)
    assert circuits.blocked() == {"a"}


def test_failures_spread_over_several_windows_do_not_add_up_to_a_rate() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    for _ in range(100):
        circuits.failed("a", DOWN)
        circuits.succeeded("a")
        clock.now_s += RULES.window_s / 9
    assert circuits.blocked() == frozenset()


def test_what_the_client_caused_never_opens_it() -> None:
    circuits = breakers(FakeClock())
    fail(circuits, 1000, clients_fault())
    assert circuits.blocked() == frozenset()


def test_one_target_fails_for_itself() -> None:
    circuits = breakers(FakeClock())
    fail(circuits, 5)
    circuits.failed("b", DOWN)
    assert circuits.blocked() == {"a"}


def test_open_times_double_up_to_a_limit_and_a_healed_target_is_noticed_within_five_seconds() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    fail(circuits, 5)
    waits = []
    for _ in range(6):
        began = clock.now_s
        while "a" in circuits.blocked():
            clock.now_s += 0.01
        waits.append(round(clock.now_s - began, 1))
        fail(circuits, 1)
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0, 4.0]
    healed_at = clock.now_s
    while "a" in circuits.blocked():
        clock.now_s += 0.01
    circuits.started("a")
    circuits.revived("a")
    assert circuits.blocked() == frozenset()
    assert clock.now_s - healed_at <= 5.0


def test_a_probe_keeps_everyone_else_away_until_it_is_over() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    fail(circuits, 5)
    clock.now_s += 5
    assert circuits.blocked() == frozenset()
    circuits.started("a")
    clock.now_s += 20
    assert circuits.blocked() == {"a"}
    circuits.succeeded("a")
    assert circuits.blocked() == frozenset()


def test_planning_for_a_half_open_target_keeps_the_next_request_away_for_a_second() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    fail(circuits, 5)
    clock.now_s += 5
    circuits.claim("a")
    assert circuits.blocked() == {"a"}
    clock.now_s += 1.0
    assert circuits.blocked() == frozenset()  # whoever claimed it never came: not lost


def test_a_probe_whose_client_left_says_nothing_and_frees_the_place() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    fail(circuits, 5)
    clock.now_s += 5
    circuits.started("a")
    circuits.abandoned("a")
    clock.now_s += 1
    assert circuits.blocked() == frozenset()
    circuits.started("a")
    circuits.failed("a", DOWN)
    assert circuits.blocked() == {"a"}


def test_a_straggler_from_before_the_opening_neither_closes_nor_extends_it() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    fail(circuits, 5)
    circuits.succeeded("a")
    assert circuits.blocked() == {"a"}
    clock.now_s += 0.9
    circuits.failed("a", DOWN)
    clock.now_s += 0.2
    assert circuits.blocked() == frozenset()


def test_a_calm_minute_forgets_how_often_it_opened() -> None:
    clock = FakeClock()
    circuits = breakers(clock)
    for _ in range(3):
        fail(circuits, 5)
        clock.now_s += 5
        circuits.started("a")
        circuits.succeeded("a")
    clock.now_s += RULES.calm_s + 5
    fail(circuits, 5)
    clock.now_s += RULES.shortest_open_s
    assert circuits.blocked() == frozenset()


@pytest.mark.parametrize(("jitter", "reopens_after_s"), [(0.0, 2.0), (0.5, 3.0), (1.0, 4.0)])
def test_jitter_shortens_by_at_most_half(jitter: float, reopens_after_s: float) -> None:
    clock = FakeClock()
    circuits = breakers(clock, jitter)
    fail(circuits, 5)
    for _ in range(4):
        clock.now_s += 5
        fail(circuits, 1)
    clock.now_s += reopens_after_s - 0.01
    assert circuits.blocked() == {"a"}
    clock.now_s += 0.02
    assert circuits.blocked() == frozenset()


@given(steps=st.lists(st.tuples(st.sampled_from(["ask", "leave", "fail"]), st.floats(0, 3)), max_size=200))
def test_after_the_opening_no_two_probes_start_within_a_second(steps: list[tuple[str, float]]) -> None:
    clock = FakeClock()
    circuits = breakers(clock, 0.0)
    fail(circuits, 5)
    last_probe_s = float("-inf")
    for step, wait_s in steps:
        clock.now_s += wait_s
        if step == "ask" and "a" not in circuits.blocked():
            circuits.claim("a")
            circuits.started("a")
            assert clock.now_s - last_probe_s >= 1.0
            last_probe_s = clock.now_s
        elif step == "fail":
            circuits.failed("a", DOWN)
        elif step == "leave":
            circuits.abandoned("a")
