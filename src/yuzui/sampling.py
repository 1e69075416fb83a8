"""Which refusals are recorded one by one, and which are only counted."""

from __future__ import annotations

from yuzui.core.errors import YuzuiError
from yuzui.exchange import Exchange


class RefusalSampler:
    """Keeps a flood from strangers, or beyond a rate limit, from becoming a flood of durable writes.

    The first `PER_SECOND` refusals of each such code in a second are recorded one by one; the rest are counted, and the
    next recorded one carries the count. Every other refusal is always recorded.
    """

    PER_SECOND = 20
    SAMPLED = frozenset({"rate_limit_exceeded"})

    def __init__(self) -> None:
        self._window = 0
        self._seen: dict[str, int] = {}
        self._suppressed: dict[str, int] = {}

    def wants(self, error: YuzuiError, now: float, exchange: Exchange) -> bool:
        """Whether this refusal is to be recorded; puts the count of unrecorded ones into `exchange`."""
        if exchange.has_intent or (exchange.caller is not None and error.code not in self.SAMPLED):
            return True
        if int(now) != self._window:
            self._window = int(now)
            self._seen.clear()
        seen = self._seen[error.code] = self._seen.get(error.code, 0) + 1
        if seen > self.PER_SECOND:
            self._suppressed[error.code] = self._suppressed.get(error.code, 0) + 1
            return False
        exchange.suppressed = self._suppressed.pop(error.code, 0)
        return True
