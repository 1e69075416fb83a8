"""Own premises before vendors; inside each group the operator's order, with a full queue behind one that has room."""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy, is_full


class OwnFirst:
    depends_on: frozenset[Dependence] = frozenset(("health",))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        # A full own queue stays before every vendor: sending own work out because of load is the operator's decision
        # (`fallback`), taken when the queue really refuses.
        return sorted(candidates, key=lambda target: (target.premises != "own", is_full(target, facts)))


POLICY: Policy = OwnFirst()
