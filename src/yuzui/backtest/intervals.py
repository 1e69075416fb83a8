"""How far a relative change may lie from the one that was measured, from sums over blocks of time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
LEAST_BLOCKS: Final = 5  # fewer say nothing about how blocks differ


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Relative: 0.05 is 5 % more."""

    change: float
    low: float | None = None
    """None, with `high`: too few blocks for an interval."""
    high: float | None = None


def ratio_change(blocks: Sequence[tuple[int, int]]) -> Change | None:
    """Of the sum of the second over that of the first; None where the first sum is zero and the second is not.

    The interval takes blocks (days, hours) as drawn independently, requests in one block not: the linearised ratio
    estimator of W. G. Cochran, Sampling Techniques, 3rd ed. 1977, section 6.3, with Student's t.
    """
    before, after = sum(block[0] for block in blocks), sum(block[1] for block in blocks)
    if not before:
        return Change(change=0.0) if not after else None
    ratio = after / before
    count = len(blocks)
    if count < LEAST_BLOCKS:
        return Change(change=ratio - 1)
    squares = sum((block[1] - ratio * block[0]) ** 2 for block in blocks)
    error = math.sqrt(count / (count - 1) * squares) / before
    reach = student_t(count - 1) * error
    return Change(change=ratio - 1, low=ratio - 1 - reach, high=ratio - 1 + reach)


def mean_change(differences: Sequence[float]) -> Change | None:
    """The mean of paired differences with Student's interval; None without any."""
    count = len(differences)
    if not count:
        return None
    mean = math.fsum(differences) / count
    if count < LEAST_BLOCKS:
        return Change(change=mean)
    variance = math.fsum((one - mean) ** 2 for one in differences) / (count - 1)
    reach = student_t(count - 1) * math.sqrt(variance / count)
    return Change(change=mean, low=mean - reach, high=mean + reach)


def bounded_change(mean: float, share: float, examples: int) -> Change:
    """A mean of differences in [-1, 1] of which only `share` are not zero, and nothing else is known: their variance is
    at most `share` less the mean's square, so the interval is as wide as it can be."""
    reach = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2) * math.sqrt(max(share - mean**2, 0.0) / examples)
    return Change(change=mean, low=max(mean - reach, -1.0), high=min(mean + reach, 1.0))


def student_t(freedom: int) -> float:
    """The two-sided quantile at `CONFIDENCE`, from the normal one by the expansion of Abramowitz and Stegun, 26.7.5;
    within 0.3 % from four degrees of freedom on."""
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / float(freedom) ** (power + 1) for power, term in enumerate(terms))
