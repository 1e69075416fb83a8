"""Means and differences of means with bootstrap intervals over examples; pairs stay together.

Percentile and BCa intervals: Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import NormalDist, fmean
from typing import Final, Literal, Protocol

Method = Literal["bca", "percentile"]
DEFAULT_REDRAWS: Final = 2_000
LEAST_EXAMPLES: Final = 8  # with fewer an interval says more about luck than about the models
_NORMAL: Final = NormalDist()


class Draws(Protocol):
    """Randomness that the caller seeds; `random.Random` has it."""

    def choices(self, population: Sequence[float], *, k: int) -> list[float]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean and the bounds of its interval; both are NaN where there are too few examples."""

    value: float
    low: float
    high: float
    count: int
    """Examples."""

    @property
    def is_known(self) -> bool:
        return self.low == self.low  # NaN is not equal to itself

    @property
    def excludes_zero(self) -> bool:
        return self.is_known and (self.low > 0 or self.high < 0)


def interval(
    values: Sequence[float],
    draws: Draws,
    *,
    level: float = 0.95,
    redraws: int = DEFAULT_REDRAWS,
    method: Method = "bca",
) -> Interval:
    """Of the mean of `values`. For a difference of two models pass the differences, one per example.

    Raise `ValueError` without values, or for a level that is none.
    """
    if not values or not 0 < level < 1:
        raise ValueError("an interval needs values and a level between 0 and 1")
    count = len(values)
    mean = fmean(values)
    if count < LEAST_EXAMPLES:
        return Interval(value=mean, low=nan, high=nan, count=count)
    if min(values) == max(values):
        return Interval(value=mean, low=nan, high=nan, count=count)  # redrawing one value says nothing about others
    means = sorted([sum(draws.choices(values, k=count)) / count for _ in range(redraws)])
    tails = ((1 - level) / 2, (1 + level) / 2)
    low, high = tails if method == "percentile" else _corrected(values, mean, means, tails)
    return Interval(value=mean, low=_quantile(means, low), high=_quantile(means, high), count=count)


def _corrected(
    values: Sequence[float], mean: float, means: Sequence[float], tails: tuple[float, float]
) -> tuple[float, float]:
    """The quantiles that BCa reads: for the bias of the redraws and for the skewness of the values."""
    below = sum(one < mean for one in means) + sum(one == mean for one in means) / 2
    share = min(max(below / len(means), 0.5 / len(means)), 1 - 0.5 / len(means))
    bias = _NORMAL.inv_cdf(share)
    # Leaving one out moves the mean by (mean - value) / (n - 1): the jackknife needs no second pass.
    distances = [value - mean for value in values]
    squares = sum(distance**2 for distance in distances)
    speed = sum(distance**3 for distance in distances) / (6 * squares**1.5)

    def at(tail: float) -> float:
        shifted = bias + _NORMAL.inv_cdf(tail)
        return _NORMAL.cdf(bias + shifted / (1 - speed * shifted))

    return at(tails[0]), at(tails[1])


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = min(max(share, 0.0), 1.0) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie, in between by distance. Raise `ValueError` for none."""
    if not values:
        raise ValueError("no values")
    return _quantile(sorted(values), share)
