"""Whom the certified router chose, then the reference, then the operator's order.

Without an advice, which only a model without a router lacks, it is the operator's order. A failure leads to the
reference first: to anybody else only where nothing is claimed any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy


class Guaranteed:
    depends_on: frozenset[Dependence] = frozenset(("advice",))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        places = {name: place for place, name in reversed(list(enumerate(facts.preferred)))}
        return sorted(candidates, key=lambda target: places.get(target.name, len(places)))


POLICY: Policy = Guaranteed()
