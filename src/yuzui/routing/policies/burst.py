"""Own premises first, as long as no queue forms there; then vendors first, until it is gone.

Only what may see the request is ever ordered here: a label that forbids vendors makes requests wait. Where the budget
does not hold the vendors, the pipeline comes back to what costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy, is_full, waiting


class Burst:
    depends_on: frozenset[Dependence] = frozenset(("health",))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        own = [target for target in candidates if target.premises == "own"]
        others = [target for target in candidates if target.premises != "own"]
        others.sort(key=lambda target: is_full(target, facts))
        # The operator's order counts among those without a queue; behind them the shortest queue.
        own.sort(key=lambda target: (is_full(target, facts), waiting(target, facts)))
        if own and waiting(own[0], facts) < facts.burst_queue and not is_full(own[0], facts):
            return [*own, *others]
        return [*others, *own]


POLICY: Policy = Burst()
