"""When a failing target is left alone, for how long, and who tries it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from yuzui.core.errors import UpstreamFault


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRules:
    """When to open and for how long. `longest_open_s` bounds how late a healed target is noticed."""

    failures_in_a_row: int = 5
    """As Envoy's `consecutive_5xx`.
    Source: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier (2026-11)."""
    window_s: float = 10.0
    least_outcomes: int = 20
    """Fewer outcomes in a window say nothing about a rate."""
    failure_share: float = 0.5
    shortest_open_s: float = 1.0
    longest_open_s: float = 4.0
    probe_every_s: float = 1.0
    calm_s: float = 60.0
    """After this long without opening, the next opening is a short one again."""
    probe_expires_s: float = 30.0
    """A probe whose outcome nobody reported stops blocking the next one after this time."""


class Breakers:
    """One circuit breaker per target: closed → open (left alone) → half open (one probe) → closed or open for longer.

    The router leaves out what is `blocked`, unless that is all there is: then the breaker steps aside, because the
    target's own answer is worth more than a refusal made up by us.
    """

    __slots__ = ("_circuits", "_clock", "_jitter", "_rules", "_tripped")

    def __init__(
        self, *, clock: Callable[[], float], jitter: Callable[[], float], rules: BreakerRules | None = None
    ) -> None:
        """`clock`: monotonic seconds; `jitter`: uniform in [0, 1)."""
        self._clock = clock
        self._jitter = jitter
        self._rules = rules or BreakerRules()
        self._circuits: dict[str, _Circuit] = {}
        self._tripped: dict[str, _Circuit] = {}

    def blocked(self) -> frozenset[str]:
        """Targets that take no request now: open, or half open with a probe under way."""
        if not self._tripped:
            return _NONE
        now_s = self._clock()
        return frozenset(
            name
            for name, circuit in self._tripped.items()
            if now_s < circuit.open_until_s or not self._may_probe(circuit, now_s)
        )

    def claim(self, target: str) -> None:
        """A request was planned for `target`: nobody else plans for it for `probe_every_s` while it is tripped.

        Planning and sending are apart (the reservation is written in between): without the claim every request of that
        moment would become a probe. A claim that is never used costs one interval.
        """
        circuit = self._tripped.get(target)
        if circuit is not None:
            circuit.probe_at_s = self._clock()

    def started(self, target: str) -> None:
        """An attempt goes out. To a tripped target it is the probe, also when it is the last resort before its time."""
        circuit = self._tripped.get(target)
        if circuit is not None:
            circuit.probe_at_s = self._clock()
            circuit.is_probing = True

    def succeeded(self, target: str) -> None:
        """The target answered to the end."""
        if target in self._tripped:
            self.revived(target)
            return
        circuit = self._circuits.get(target)
        if circuit is not None:  # a target that never failed needs no bookkeeping
            circuit.in_a_row = 0
            self._count(circuit, is_failure=False)

    def revived(self, target: str) -> None:
        """The target began to answer: closes a tripped circuit, but only through a probe, not through a straggler that
        was sent before it opened."""
        tripped = self._tripped.get(target)
        if tripped is not None and tripped.is_probing:
            del self._tripped[target]
            tripped.start_over(self._clock())

    def failed(self, target: str, fault: UpstreamFault) -> None:
        """The target failed with `fault`. One that the client caused frees a probe's place and counts for nothing."""
        if not fault.counts_for_breaker:
            self.abandoned(target)
            return
        tripped = self._tripped.get(target)
        if tripped is not None:
            if tripped.is_probing:
                self._open(target, tripped)
            return
        circuit = self._circuits.get(target)
        if circuit is None:
            circuit = self._circuits[target] = _Circuit(window_from_s=self._clock())
        circuit.in_a_row += 1
        self._count(circuit, is_failure=True)
        if circuit.in_a_row >= self._rules.failures_in_a_row or self._fails_too_often(circuit):
            self._open(target, circuit)

    def abandoned(self, target: str) -> None:
        """The attempt ended without saying anything about the target (the client left, the request was wrong)."""
        tripped = self._tripped.get(target)
        if tripped is not None:
            tripped.is_probing = False

    def _may_probe(self, circuit: _Circuit, now_s: float) -> bool:
        if circuit.is_probing and now_s - circuit.probe_at_s < self._rules.probe_expires_s:
            return False
        return now_s - circuit.probe_at_s >= self._rules.probe_every_s

    def _open(self, target: str, circuit: _Circuit) -> None:
        rules = self._rules
        now_s = self._clock()
        if now_s - circuit.open_until_s > rules.calm_s:
            circuit.openings = 0
        longest_s = min(rules.shortest_open_s * 2**circuit.openings, rules.longest_open_s)
        # Equal jitter: half fixed, half random, so that many gateways do not probe in step.
        circuit.open_until_s = now_s + longest_s * (0.5 + 0.5 * self._jitter())
        circuit.openings = min(circuit.openings + 1, 16)
        circuit.is_probing = False
        circuit.probe_at_s = now_s  # the failure just seen is as good as a probe: none for `probe_every_s`
        self._tripped[target] = circuit

    def _count(self, circuit: _Circuit, *, is_failure: bool) -> None:
        now_s = self._clock()
        if now_s - circuit.window_from_s >= self._rules.window_s:
            circuit.window_from_s = now_s
            circuit.outcomes = circuit.failures = 0
        circuit.outcomes += 1
        circuit.failures += is_failure

    def _fails_too_often(self, circuit: _Circuit) -> bool:
        return (
            circuit.outcomes >= self._rules.least_outcomes
            and circuit.failures >= self._rules.failure_share * circuit.outcomes
        )


_NONE: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class _Circuit:
    window_from_s: float
    in_a_row: int = 0
    outcomes: int = 0
    failures: int = 0
    openings: int = 0
    open_until_s: float = 0.0
    is_probing: bool = False
    probe_at_s: float = float("-inf")

    def start_over(self, now_s: float) -> None:
        """Closed again; `openings` stays, so that a target that flaps is left alone for longer."""
        self.window_from_s = now_s
        self.in_a_row = self.outcomes = self.failures = 0
        self.is_probing = False
