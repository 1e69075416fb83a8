"""Pinned: the operator's order, whatever the facts."""

from __future__ import annotations

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.routing.policies._contract import Facts
from yuzui.routing.policies.pinned import POLICY


def test_nothing_moves_a_pinned_order() -> None:
    facts = Facts(latency_ms={DEAR.name: 9e9}, in_flight={DEAR.name: 99}, rates={"USD": 1.0}, input_tokens=9)
    assert POLICY.order([DEAR, HOUSE, CHEAP], facts) == [DEAR, HOUSE, CHEAP]
