"""The lowest expected cost in the book currency; what is free comes first, and own before vendor at the same cost."""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy, expected_cost, is_full


class Cheapest:
    depends_on: frozenset[Dependence] = frozenset(("size", "health"))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        # A target whose queue would refuse is no bargain, so having room comes before the price.
        return sorted(
            candidates,
            key=lambda target: (is_full(target, facts), expected_cost(target, facts), target.premises != "own"),
        )


POLICY: Policy = Cheapest()
