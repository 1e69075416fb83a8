"""Fastest: by the expected wait for the first token."""

from __future__ import annotations

from dataclasses import replace

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.fastest import POLICY, expected_wait_ms


def test_the_shortest_measured_wait_comes_first() -> None:
    facts = Facts(latency_ms={HOUSE.name: 900.0, CHEAP.name: 300.0, DEAR.name: 500.0})
    assert POLICY.order([HOUSE, CHEAP, DEAR], facts) == [CHEAP, DEAR, HOUSE]


def test_what_was_never_measured_is_tried_to_measure_it() -> None:
    assert POLICY.order([HOUSE, DEAR], Facts(latency_ms={HOUSE.name: 5.0}))[0] == DEAR


def test_a_queue_multiplies_the_wait_once_all_slots_are_taken() -> None:
    small = replace(HOUSE, max_concurrency=2, max_queue=10)
    waits = [
        expected_wait_ms(small, Facts(latency_ms={HOUSE.name: 100.0}, in_flight={HOUSE.name: inside}))
        for inside in (0, 1, 3, 5)
    ]
    assert waits == [100.0, 100.0, 200.0, 300.0]
