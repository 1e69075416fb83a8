"""Own first: premises decide, then the operator's order."""

from __future__ import annotations

from dataclasses import replace

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.own_first import POLICY

SECOND = replace(HOUSE, name="house/second")


def test_own_targets_come_first_and_each_group_keeps_the_operators_order() -> None:
    assert POLICY.order([DEAR, HOUSE, CHEAP, SECOND], Facts()) == [HOUSE, SECOND, DEAR, CHEAP]


def test_a_full_own_queue_lets_the_next_own_target_pass_but_no_vendor() -> None:
    small = replace(HOUSE, max_concurrency=1)
    facts = Facts(in_flight={HOUSE.name: 1})
    assert POLICY.order([small, DEAR, SECOND], facts) == [SECOND, small, DEAR]
