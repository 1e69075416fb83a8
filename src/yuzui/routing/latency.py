"""How long each target takes to its first token, and how many requests are inside it."""

from __future__ import annotations

from collections.abc import Callable

NEW_SHARE = 0.3  # weight of the newest measurement; the last five make up 83 % of the average
HALF_LIFE_S = 60.0  # an average that nobody renews halves in this time, so that a slow target is measured again


class Latencies:
    """Exponentially weighted averages that fade. `clock`: monotonic seconds."""

    __slots__ = ("_clock", "_measured", "in_flight")

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._measured: dict[str, tuple[float, float]] = {}
        self.in_flight: dict[str, int] = {}
        """Target → requests between `started` and `finished`. Live: read it, do not keep it."""

    def started(self, target: str) -> None:
        """An attempt takes a place. Exactly one `finished` must follow, in a `finally`."""
        self.in_flight[target] = self.in_flight.get(target, 0) + 1

    def finished(self, target: str) -> None:
        left = self.in_flight.get(target, 0) - 1
        if left > 0:
            self.in_flight[target] = left
        else:
            self.in_flight.pop(target, None)

    def first_token(self, target: str, latency_ms: float) -> None:
        """Milliseconds from sending to the first token, or the time waited in vain when none came."""
        before = self._measured.get(target)
        average = latency_ms if before is None else before[0] + NEW_SHARE * (latency_ms - before[0])
        self._measured[target] = (average, self._clock())

    def first_token_ms(self) -> dict[str, float]:
        """Target → expected milliseconds now. A target that was never measured has no entry."""
        now_s = self._clock()
        return {
            target: average * 0.5 ** (max(0.0, now_s - at_s) / HALF_LIFE_S)
            for target, (average, at_s) in self._measured.items()
        }
