"""Routing numbers of banks."""

from __future__ import annotations

from privacy.kit import values


def test_a_number_is_found_behind_its_name() -> None:
    assert values("routing number 021000021.", "us_routing_number") == ["021000021"]
    assert values("ABA: 124003117", "us_routing_number") == ["124003117"]


def test_others_are_left_alone() -> None:
    assert values("021000021", "us_routing_number") == []
    assert values("routing 1234567", "us_routing_number") == values("abacus 021000021", "us_routing_number") == []
