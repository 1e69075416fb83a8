"""The order in which the operator wrote the candidates, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy


class Pinned:
    depends_on: frozenset[Dependence] = frozenset()

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        return list(candidates)


POLICY: Policy = Pinned()
