"""From which volume on own replicas cost no more than a vendor: once, and for good.

Own cost climbs in steps (one more replica), the vendor's in a line. Just after a step the vendor may be cheaper again,
so there are two answers: `first`, where own is first no dearer, and `lasting`, from where on it stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from yuzui.economics.ownership import Ownership

Never = Literal["", "marginal", "capacity", "far"]
"""Why there is none: each request's power alone costs more; a full replica costs more than its work is worth at the
vendor; beyond what anybody would build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """Requests per month; None: never, and `never` says why."""

    first: int | None
    first_replicas: int = 0
    lasting: int | None = None
    never: Never = ""


def break_even(own: Ownership, request_nano: Fraction) -> BreakEven:
    """Against a vendor that asks `request_nano` for a mean request."""
    gain = request_nano - own.marginal_nano
    if gain <= 0:
        return BreakEven(first=None, never="marginal")
    if own.per_replica_nano >= gain * Fraction(own.limit_per_replica):
        return BreakEven(first=None, never="capacity")

    def cost(replicas: int) -> Fraction:
        return own.for_all_nano + replicas * own.per_replica_nano

    # Replicas that share a queue take more each the more there are, so once a number of them pays, all larger ones do.
    count = _least(own.most_replicas, lambda r: cost(r) <= gain * own.most_requests(r))
    if count is None:
        return BreakEven(first=None, never="far")
    first = _up(cost(count) / gain)
    after = _least(own.most_replicas, lambda r: r > 1 and cost(r) <= gain * own.most_requests(r - 1))
    lasting = None if after is None else max(first, _up(cost(after - 1) / gain))
    return BreakEven(first=first, first_replicas=count, lasting=lasting)


def _least(most: int, holds: Callable[[int], bool]) -> int | None:
    """The smallest number from 1 to `most` for which `holds`, which stays true once it is."""
    low, high = 0, 1
    while not holds(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high


def _up(value: Fraction) -> int:
    return max(1, -(-value.numerator // value.denominator))
