"""The shortest expected time to the first token; what has not been measured lately is tried first, to measure it."""

from __future__ import annotations

from collections.abc import Sequence

from yuzui.core.target import Target
from yuzui.routing.policies._contract import Dependence, Facts, Policy, is_full


class Fastest:
    depends_on: frozenset[Dependence] = frozenset(("health",))

    def order(self, candidates: Sequence[Target], facts: Facts) -> list[Target]:
        return sorted(candidates, key=lambda target: (is_full(target, facts), expected_wait_ms(target, facts)))


def expected_wait_ms(target: Target, facts: Facts) -> float:
    """Measured time to the first token, times the rounds that this queue takes where the number of slots is known."""
    latency_ms = facts.latency_ms.get(target.name, 0.0)
    if not target.max_concurrency:
        return latency_ms
    rounds = (facts.in_flight.get(target.name, 0) + 1) / target.max_concurrency
    return latency_ms * max(1.0, rounds)


POLICY: Policy = Fastest()
