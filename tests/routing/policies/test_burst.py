from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.core.marginal import MarginalCost
from yuzui.core.target import Target
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.burst import POLICY

ONE = replace(HOUSE, name="house/one", max_concurrency=4, max_queue=10)
TWO = replace(HOUSE, name="house/two", max_concurrency=4, max_queue=10)


def order(candidates: list[Target], queue: int = 1, **in_flight: int) -> list[str]:
    facts = Facts(in_flight={f"house/{name}": count for name, count in in_flight.items()}, burst_queue=queue)
    return [target.name for target in POLICY.order(candidates, facts)]


def test_own_comes_first_while_a_place_is_free() -> None:
    assert order([DEAR, ONE, TWO]) == ["house/one", "house/two", DEAR.name]
    assert order([DEAR, ONE, TWO], one=3) == ["house/one", "house/two", DEAR.name]


def test_another_own_target_without_a_queue_comes_before_any_vendor() -> None:
    assert order([DEAR, ONE, TWO], one=6) == ["house/two", "house/one", DEAR.name]


def test_vendors_come_first_once_a_queue_has_formed_everywhere() -> None:
    assert order([ONE, TWO, CHEAP, DEAR], one=5, two=6) == [CHEAP.name, DEAR.name, "house/one", "house/two"]


def test_the_threshold_is_the_operators() -> None:
    assert order([ONE, DEAR], queue=3, one=6)[0] == "house/one"
    assert order([ONE, DEAR], queue=3, one=7)[0] == DEAR.name


def test_a_full_queue_bursts_whatever_the_threshold() -> None:
    assert order([ONE, DEAR], queue=1000, one=14)[0] == DEAR.name


def test_a_label_that_forbids_vendors_makes_requests_wait() -> None:
    """What is not permitted is not among the candidates: the shortest queue comes first."""
    assert order([ONE, TWO], one=9, two=7) == ["house/two", "house/one"]


def test_measured_places_count_before_the_limit_of_the_line() -> None:
    measured = replace(ONE, marginal=MarginalCost(currency="USD", input_pico=0, output_pico=0, slots=2))
    assert order([measured, DEAR], one=3)[0] == DEAR.name


@given(st.permutations([ONE, TWO, CHEAP, DEAR]), st.integers(0, 20), st.integers(0, 20), st.integers(1, 9))
def test_nobody_is_lost_or_added(candidates: list[Target], one: int, two: int, queue: int) -> None:
    found = order(candidates, queue, one=one, two=two)
    assert sorted(found) == sorted(target.name for target in candidates)


@pytest.mark.parametrize("in_flight", [0, 3, 4])
def test_it_bursts_exactly_when_one_waits(in_flight: int) -> None:
    waits = in_flight + 1 > 4
    assert (order([ONE, DEAR], one=in_flight + 1)[0] == DEAR.name) is waits
