"""The first target drawn by its share of the weights, the others behind it by falling weight."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy


class Weighted:
    depends_on: frozenset[Dependence] = frozenset(("fraction",))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        given = facts.weights
        weights = [max(0, given.get(target.name, target.weight)) for target in candidates]
        by_weight = sorted(zip(weights, candidates, strict=True), key=lambda pair: -pair[0])
        ordered = [target for _, target in by_weight]
        sums = list(accumulate(weights))
        if not sums or not sums[-1]:
            return ordered  # nothing has a share: the operator's order
        point = facts.fraction * sums[-1]
        # Strictly greater, so that a weight of 0 is never drawn and 0.0 draws the first share.
        drawn = next(target for target, upper in zip(candidates, sums, strict=True) if upper > point)
        ordered.remove(drawn)
        return [drawn, *ordered]


POLICY: Policy = Weighted()
