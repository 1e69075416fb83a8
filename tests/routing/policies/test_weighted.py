"""Weighted: shares of the first place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.weighted import POLICY

WEIGHTS = {HOUSE.name: 7, CHEAP.name: 3, DEAR.name: 0}


def test_the_first_place_is_shared_exactly_by_weight() -> None:
    firsts = Counter(
        POLICY.order([HOUSE, CHEAP, DEAR], Facts(weights=WEIGHTS, fraction=step / 1000))[0].name for step in range(1000)
    )
    assert firsts == {HOUSE.name: 700, CHEAP.name: 300}


def test_the_others_follow_by_falling_weight() -> None:
    order = POLICY.order([DEAR, HOUSE, CHEAP], Facts(weights=WEIGHTS, fraction=0.99))
    assert order == [CHEAP, HOUSE, DEAR]


def test_without_any_share_the_operators_order_stands() -> None:
    weightless = [replace(target, weight=0) for target in (DEAR, HOUSE)]
    assert POLICY.order(weightless, Facts(fraction=0.7)) == weightless
