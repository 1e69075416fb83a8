"""Averages that follow and fade; counts that return to zero."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import FakeClock
from yuzui.routing.latency import HALF_LIFE_S, Latencies


def test_the_first_measurement_counts_whole_and_later_ones_by_their_share() -> None:
    latencies = Latencies(clock=FakeClock())
    latencies.first_token("a", 100.0)
    assert latencies.first_token_ms() == {"a": 100.0}
    latencies.first_token("a", 200.0)
    assert latencies.first_token_ms() == {"a": pytest.approx(130.0)}


def test_an_old_average_fades_so_that_a_slow_target_is_measured_again() -> None:
    clock = FakeClock()
    latencies = Latencies(clock=clock)
    latencies.first_token("a", 800.0)
    clock.now_s += 3 * HALF_LIFE_S
    assert latencies.first_token_ms() == {"a": pytest.approx(100.0)}


@given(values=st.lists(st.floats(0, 1e6), min_size=1))
def test_an_average_lies_between_its_measurements(values: list[float]) -> None:
    latencies = Latencies(clock=FakeClock())
    for value in values:
        latencies.first_token("a", value)
    assert min(values) - 1e-6 <= latencies.first_token_ms()["a"] <= max(values) + 1e-6


@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from("ab")), max_size=60))
def test_in_flight_is_what_started_and_did_not_finish(steps: list[tuple[bool, str]]) -> None:
    latencies = Latencies(clock=FakeClock())
    expected = {"a": 0, "b": 0}
    for starts, target in steps:
        if starts:
            latencies.started(target)
            expected[target] += 1
        elif expected[target]:
            latencies.finished(target)
            expected[target] -= 1
    assert latencies.in_flight == {target: count for target, count in expected.items() if count}
