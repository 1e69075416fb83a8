"""Latencies counted in buckets of at most 3 % width, their quantiles, and intervals by a Poisson bootstrap."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

_BITS: Final = 5  # 32 buckets per power of two: at most 1/32 wide
RESAMPLES: Final = 200
_EXACT_BELOW: Final = 30.0  # above it a Poisson count is drawn as a normal one


class Draws(Protocol):
    """Randomness, handed in: the same seed gives the same report."""

    def random(self) -> float: ...
    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float: ...


def bucket_of(value_ms: int) -> int:
    if value_ms < 1 << (_BITS + 1):
        return max(value_ms, 0)
    shift = value_ms.bit_length() - _BITS - 1
    return (shift << _BITS) + (value_ms >> shift)


def middle_of(bucket: int) -> float:
    """Milliseconds in the middle of a bucket."""
    if bucket < 1 << (_BITS + 1):
        return float(bucket)
    shift = (bucket >> _BITS) - 1
    low = (bucket - (shift << _BITS)) << shift
    return low + ((1 << shift) - 1) / 2


class Histogram:
    """Bucket → count; sparse, since one target's latencies lie close together."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}

    def add(self, value_ms: int) -> None:
        bucket = bucket_of(value_ms)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of a mixture: `requests` requests that take as long as those in `measured`."""

    requests: int
    measured: dict[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantile:
    value_ms: float
    low_ms: float
    high_ms: float
    """95 %, by bootstrap over the measured requests."""


def join(histograms: Iterable[Histogram]) -> dict[int, int]:
    joined: dict[int, int] = {}
    for histogram in histograms:
        for bucket, count in histogram.counts.items():
            joined[bucket] = joined.get(bucket, 0) + count
    return joined


def quantiles_of(parts: list[Part], levels: tuple[float, ...], draws: Draws) -> tuple[Quantile, ...] | None:
    """Of the mixture, one for each of `levels`; None where nothing was measured."""
    parts = [part for part in parts if part.requests and part.measured]
    if not parts:
        return None
    values = [_quantile(_mixed(parts, [part.measured for part in parts]), level) for level in levels]
    samples: list[list[float]] = [[] for _ in levels]
    for _ in range(RESAMPLES):
        drawn = [_resampled(part.measured, draws) for part in parts]
        mixed = _mixed(parts, drawn)
        if mixed:
            for sample, level in zip(samples, levels, strict=True):
                sample.append(_quantile(mixed, level))
    found = []
    for value, sample in zip(values, samples, strict=True):
        sample.sort()
        low, high = (sample[int(0.025 * len(sample))], sample[int(0.975 * len(sample))]) if sample else (value, value)
        found.append(Quantile(value_ms=value, low_ms=min(low, value), high_ms=max(high, value)))
    return tuple(found)


def _mixed(parts: list[Part], measured: list[dict[int, int]]) -> dict[int, float]:
    mixed: dict[int, float] = {}
    for part, counts in zip(parts, measured, strict=True):
        total = sum(counts.values())
        if not total:
            continue
        weight = part.requests / total
        for bucket, count in counts.items():
            mixed[bucket] = mixed.get(bucket, 0.0) + count * weight
    return mixed


def _quantile(counts: dict[int, float], level: float) -> float:
    """The smallest bucket that has at least `level` of all at or below it."""
    wanted = level * sum(counts.values())
    reached = 0.0
    last = 0
    for bucket in sorted(counts):
        last = bucket
        reached += counts[bucket]
        if reached >= wanted * (1 - 1e-12):
            break
    return middle_of(last)


def _resampled(counts: dict[int, int], draws: Draws) -> dict[int, int]:
    return {bucket: _poisson(count, draws) for bucket, count in counts.items()}


def _poisson(mean: float, draws: Draws) -> int:
    if mean >= _EXACT_BELOW:
        return max(0, round(draws.gauss(mean, math.sqrt(mean))))
    # Knuth, The Art of Computer Programming 2, section 3.4.1: products of uniform draws.
    limit, product, count = math.exp(-mean), draws.random(), 0
    while product > limit:
        product *= draws.random()
        count += 1
    return count
