"""How fast a server is at which load: a saturating curve through measured levels, with what it leaves unexplained.

    X(n) = X_max * n / (n + h)

n: requests that run together; X: work per second; h: the number at which half of X_max is reached. By Little's law the
mean time of a request is n / X(n) = (n + h) / X_max: a straight line, which is what continuous batching shows until
memory runs out. The curve is never used beyond the largest measured n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_GRID = 200
_GOLDEN = (math.sqrt(5) - 1) / 2
_NARROWINGS = 80
LEAST_LEVELS = 2
WORST_RMS = 0.15
"""Relative; beyond it the curve does not describe what was measured: another load on it, or too few requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What was measured with `concurrency` requests kept running."""

    concurrency: int
    input_tokens_per_s: float
    output_tokens_per_s: float

    def work_per_s(self, input_weight: float) -> float:
        """In output tokens; an input token counts as `input_weight` of one."""
        return self.output_tokens_per_s + input_weight * self.input_tokens_per_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A fitted `X(n)`, in output tokens per second with input tokens weighed in."""

    most_per_s: float
    half_load: float
    input_weight: float
    points: tuple[tuple[int, float], ...]
    """(n, measured X), by n."""

    @property
    def largest(self) -> int:
        return self.points[-1][0]

    def work_per_s(self, concurrency: float) -> float:
        """Raise `ValueError` beyond what was measured: nobody knows where memory runs out."""
        if not 0 < concurrency <= self.largest:
            raise ValueError(f"measured up to {self.largest} requests at once, asked for {concurrency:g}")
        return self.most_per_s * concurrency / (concurrency + self.half_load)

    def request_s(self, concurrency: float, input_tokens: float, output_tokens: float) -> float:
        """Mean time of a request of that size while `concurrency` run."""
        work = output_tokens + self.input_weight * input_tokens
        return concurrency * work / self.work_per_s(concurrency)

    @property
    def residuals(self) -> tuple[float, ...]:
        """(fitted - measured) / measured, per point."""
        return tuple([self.work_per_s(n) / measured - 1 for n, measured in self.points])

    @property
    def rms_residual(self) -> float:
        return math.sqrt(sum(r * r for r in self.residuals) / len(self.points))

    @property
    def is_good(self) -> bool:
        return self.rms_residual <= WORST_RMS

    @property
    def is_saturating(self) -> bool:
        """Whether the bend lies inside of what was measured; otherwise only the slope is known, not the limit."""
        return self.half_load < self.largest


def fit(levels: Sequence[Level], input_weight: float) -> Curve:
    """The curve with the least relative squared residuals. Raise `ValueError` with fewer than two different levels."""
    points = sorted((level.concurrency, level.work_per_s(input_weight)) for level in levels)
    if len({n for n, _ in points}) < LEAST_LEVELS:
        raise ValueError("a curve needs at least two levels of concurrency; measure with --concurrency 1,2,4,8")
    if min(points)[0] < 1 or min(measured for _, measured in points) <= 0:
        raise ValueError("a level has no throughput; measure again with more requests")
    low, high = math.log(points[0][0] * 1e-3), math.log(points[-1][0] * 1e3)
    steps = [low + (high - low) * i / _GRID for i in range(_GRID + 1)]
    best = min(range(_GRID + 1), key=lambda i: _error(points, math.exp(steps[i]))[0])
    left, right = steps[max(0, best - 1)], steps[min(_GRID, best + 1)]
    for _ in range(_NARROWINGS):
        span = (right - left) * _GOLDEN
        if _error(points, math.exp(right - span))[0] < _error(points, math.exp(left + span))[0]:
            right = left + span
        else:
            left = right - span
    half_load = math.exp((left + right) / 2)
    return Curve(
        most_per_s=_error(points, half_load)[1], half_load=half_load, input_weight=input_weight, points=tuple(points)
    )


def _error(points: Sequence[tuple[int, float]], half_load: float) -> tuple[float, float]:
    """(sum of squared relative residuals, the best X_max) for this `half_load`: linear least squares."""
    shapes = [n / (n + half_load) / measured for n, measured in points]
    most = sum(shapes) / sum(shape * shape for shape in shapes)
    return sum((1 - most * shape) ** 2 for shape in shapes), most


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """y = at_zero + slope * x, least squares, with the root of its mean squared residual."""

    at_zero: float
    slope: float
    rms_residual: float


def fit_line(points: Sequence[tuple[float, float]]) -> Line:
    """Raise `ValueError` when all x are the same."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / max(count, 1)
    mean_y = sum(y for _, y in points) / max(count, 1)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        raise ValueError("a line needs two different loads")
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    at_zero = mean_y - slope * mean_x
    squares = sum((y - at_zero - slope * x) ** 2 for x, y in points)
    return Line(at_zero=at_zero, slope=slope, rms_residual=math.sqrt(squares / count))


def weigh_input(levels: Sequence[Level]) -> float | None:
    """What an input token costs of an output token, from levels with prompts of different length; None: not known.

    A busy machine spends each second on both: 1 = a * input/s + b * output/s. Least squares over a and b; the weight is
    a / b. Use levels of one concurrency, the largest.
    """
    ii = sum(level.input_tokens_per_s**2 for level in levels)
    oo = sum(level.output_tokens_per_s**2 for level in levels)
    io = sum(level.input_tokens_per_s * level.output_tokens_per_s for level in levels)
    i = sum(level.input_tokens_per_s for level in levels)
    o = sum(level.output_tokens_per_s for level in levels)
    determinant = ii * oo - io * io
    if determinant <= 1e-6 * ii * oo:  # all of one shape: the two cannot be told apart
        return None
    of_input, of_output = (i * oo - o * io) / determinant, (o * ii - i * io) / determinant
    return max(0.0, of_input / of_output) if of_output > 0 else None
