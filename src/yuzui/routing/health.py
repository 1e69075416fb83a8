"""What is known right now about how the targets do: one value for the router, from the breakers and the latencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from yuzui.core.errors import UpstreamFault
from yuzui.routing.breaker import Breakers
from yuzui.routing.latency import Latencies


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Long rankings that depend on health are remembered until `epoch` changes; the plan is always ordered anew."""

    latency_ms: Mapping[str, float] = field(default_factory=dict)
    in_flight: Mapping[str, int] = field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    """Targets whose breaker lets no request pass now."""
    epoch: int = 0
    claim: Callable[[str], None] | None = None
    """Told the first target of every plan, so that a target that is to be probed is probed by one request only."""


class Watch:
    """Breakers and latencies of all targets, fed by the pipeline; one per gateway, it outlives configurations.

    Each attempt: `started`, perhaps `first_token`, one of `succeeded` and `failed` (neither when the client left), and
    always `finished`.
    """

    __slots__ = ("_claim", "_clock", "_epoch", "_latency_ms", "breakers", "latencies")

    def __init__(self, *, clock: Callable[[], float], jitter: Callable[[], float]) -> None:
        """`clock`: monotonic seconds; `jitter`: uniform in [0, 1)."""
        self._clock = clock
        self.breakers = Breakers(clock=clock, jitter=jitter)
        self.latencies = Latencies(clock=clock)
        self._claim = self.breakers.claim
        self._epoch: int | None = None
        self._latency_ms: Mapping[str, float] = {}

    def health(self) -> Health:
        """The view for one decision. Latencies are at most a second old, blocked targets are exact."""
        epoch = int(self._clock())
        if epoch != self._epoch:
            self._epoch = epoch
            self._latency_ms = self.latencies.first_token_ms()
        return Health(
            latency_ms=self._latency_ms,
            in_flight=self.latencies.in_flight,
            blocked=self.breakers.blocked(),
            epoch=epoch,
            claim=self._claim,
        )

    def started(self, target: str) -> None:
        self.latencies.started(target)
        self.breakers.started(target)

    def first_token(self, target: str, latency_ms: float) -> None:
        """The answer begins: enough to trust a tripped target again, however long the rest takes."""
        self.latencies.first_token(target, latency_ms)
        self.breakers.revived(target)

    def succeeded(self, target: str) -> None:
        self.breakers.succeeded(target)

    def failed(self, target: str, fault: UpstreamFault) -> None:
        self.breakers.failed(target, fault)

    def finished(self, target: str) -> None:
        """The attempt is over, however it ended."""
        self.latencies.finished(target)
        if target not in self.latencies.in_flight:
            self.breakers.abandoned(target)
