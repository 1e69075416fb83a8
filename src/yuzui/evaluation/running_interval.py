"""A mean of losses with an interval that is right at all times at once, so that one may look whenever one likes.

The predictable plug-in empirical-Bernstein confidence sequence: Theorem 2 of Waudby-Smith and Ramdas, "Estimating means
of bounded random variables by betting" (JRSS B 86, 2024, arXiv:2010.09686). It holds for the mean of the next loss
given all before it, if that does not change; where it does, the interval is about a weighted mean of the past, and
whether a promise holds now is for the e-process.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, log1p, sqrt
from typing import Final

from yuzui.core.watching import IntervalSums

MISS: Final = 0.05
"""The interval misses the mean, ever, with this probability at most."""
_LARGEST_WEIGHT: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    mean: float
    """Plain: sum over count."""
    low: float
    high: float


def add(sums: IntervalSums, loss: float) -> None:
    """Change `sums` by a loss from -1 to 1, mapped to 0 to 1 as the theorem wants it."""
    value = (loss + 1) / 2
    mean = (0.5 + sums.total) / (sums.count + 1)
    variance = (0.25 + sums.squares) / (sums.count + 1)
    step = sums.count + 1
    weight = min(sqrt(2 * log(2 / MISS) / (variance * step * log1p(step))), _LARGEST_WEIGHT)
    sums.count = step
    sums.weights += weight
    sums.weighted += weight * value
    sums.spread += (value - mean) ** 2 * (-log1p(-weight) - weight)
    sums.total += value
    sums.squares += (value - (0.5 + sums.total) / (step + 1)) ** 2


def interval(sums: IntervalSums) -> Interval | None:
    """None before the first loss."""
    if not sums.count:
        return None
    middle, half = sums.weighted / sums.weights, (log(2 / MISS) + sums.spread) / sums.weights
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return Interval(mean=2 * sums.total / sums.count - 1, low=2 * low - 1, high=2 * high - 1)
