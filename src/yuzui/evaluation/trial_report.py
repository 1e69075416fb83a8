"""Both sides of a trial beside each other, from audit records: rates, latencies, cost, grades, each with its interval.

Requests count for the side that they were drawn for, whoever answered in the end: what a failing arm costs its clients
is part of what it costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan, sqrt
from statistics import NormalDist, fmean, variance
from typing import Final

from yuzui.audit.record import RequestRecord, first_tried
from yuzui.core.money import NANO
from yuzui.core.trial import ARM, CONTROL, FILTERED, NO_FAILURE
from yuzui.evaluation.bootstrap import percentile

LEVEL: Final = 0.95
_Z: Final = NormalDist().inv_cdf((1 + LEVEL) / 2)
LEAST: Final = 8  # fewer say more about luck than about the arm


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A value with its 95 % interval; NaN where there is too little to say."""

    value: float
    low: float = nan
    high: float = nan
    count: int = 0


UNKNOWN: Final = Figure(value=nan)


@dataclass(slots=True)
class Side:
    """What one side was asked and did."""

    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Code → requests whose first target failed so."""
    outcomes: Counter[str] = field(default_factory=Counter)
    answered_elsewhere: int = 0
    """By another target than the first of the plan."""
    first_token_ms: list[float] = field(default_factory=list)
    duration_ms: list[float] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    """Book currency, of every request that was settled."""
    input_tokens: list[float] = field(default_factory=list)
    output_tokens: list[float] = field(default_factory=list)
    grades: list[float] = field(default_factory=list)
    estimated: int = 0

    def add(self, record: RequestRecord, grade: float | None) -> None:
        self.requests += 1
        self.outcomes[record.outcome] += 1
        code = first_failure(record)
        if code:
            self.failures[code] += 1
        if record.outcome == "answered":
            self.duration_ms.append(float(record.duration_ms))
            if record.plan and record.target != record.plan[0]:
                self.answered_elsewhere += 1
            elif record.first_token_ms:
                self.first_token_ms.append(float(record.first_token_ms))
        self.cost.append(record.cost.total / NANO if record.cost is not None else 0.0)
        if record.usage is not None:
            self.input_tokens.append(float(record.usage.input))
            self.output_tokens.append(float(record.usage.output))
            self.estimated += record.usage.is_estimated
        if grade is not None:
            self.grades.append(grade)


@dataclass(slots=True)
class Sides:
    """All that records say of one trial."""

    arm: Side = field(default_factory=Side)
    control: Side = field(default_factory=Side)
    neither: Counter[str] = field(default_factory=Counter)
    """Reason → requests that count for no side."""
    first_at: str = ""
    last_at: str = ""


def gather(records: Iterable[RequestRecord], trial: str, grades: Mapping[str, float]) -> Sides:
    """`grades`: request id → score in [0, 1], as far as somebody graded."""
    sides = Sides()
    for record in records:
        role = record.trials.get(trial)
        if role is None:
            continue
        sides.first_at = min(sides.first_at or record.at, record.at)
        sides.last_at = max(sides.last_at, record.at)
        if role == ARM:
            sides.arm.add(record, grades.get(record.id))
        elif role == CONTROL:
            sides.control.add(record, grades.get(record.id))
        else:
            sides.neither[role] += 1
    return sides


def first_failure(record: RequestRecord) -> str:
    """How the target that was asked first failed; "" where it did not, or none was asked."""
    first = first_tried(record.attempts)
    if first is None:
        return ""
    if first.outcome == "ok" and first.detail == FILTERED:
        return FILTERED
    return "" if first.outcome in NO_FAILURE else first.outcome


# ---- figures --------------------------------------------------------------------------------------------------------


def rate(happened: int, count: int) -> Figure:
    """Wilson's score interval (Wilson, 1927)."""
    if not count:
        return UNKNOWN
    share = happened / count
    middle = share + _Z**2 / (2 * count)
    reach = _Z * sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return Figure(
        value=share, low=max(0.0, (middle - reach) / scale), high=min(1.0, (middle + reach) / scale), count=count
    )


def rate_difference(arm: Figure, control: Figure) -> Figure:
    """Newcombe's hybrid of two Wilson intervals (Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    if not arm.count or not control.count:
        return UNKNOWN
    value = arm.value - control.value
    down = sqrt((arm.value - arm.low) ** 2 + (control.high - control.value) ** 2)
    up = sqrt((arm.high - arm.value) ** 2 + (control.value - control.low) ** 2)
    return Figure(value=value, low=value - down, high=value + up, count=min(arm.count, control.count))


def mean(values: Sequence[float]) -> Figure:
    """Normal approximation."""
    if not values:
        return UNKNOWN
    value, count = fmean(values), len(values)
    if count < LEAST:
        return Figure(value=value, count=count)
    reach = _Z * sqrt(variance(values) / count)
    return Figure(value=value, low=value - reach, high=value + reach, count=count)


def mean_difference(arm: Sequence[float], control: Sequence[float]) -> Figure:
    """Normal approximation with unequal variances (Welch)."""
    if not arm or not control:
        return UNKNOWN
    value, count = fmean(arm) - fmean(control), min(len(arm), len(control))
    if count < LEAST:
        return Figure(value=value, count=count)
    reach = _Z * sqrt(variance(arm) / len(arm) + variance(control) / len(control))
    return Figure(value=value, low=value - reach, high=value + reach, count=count)


def quantile(values: Sequence[float], share: float) -> Figure:
    """Between order statistics whose ranks are the binomial's bounds, by its normal approximation."""
    if not values:
        return UNKNOWN
    ordered, count = sorted(values), len(values)
    value = percentile(ordered, share)
    reach = _Z * sqrt(count * share * (1 - share))
    low, high = int(count * share - reach), int(-(-(count * share + reach) // 1))
    if low < 0 or high >= count:
        return Figure(value=value, count=count)
    return Figure(value=value, low=ordered[low], high=ordered[high], count=count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the report; `name` is in the words, `unit` one of `share`, `ms`, `money`, `tokens`, `score`."""

    name: str
    unit: str
    arm: Figure
    control: Figure
    difference: Figure = UNKNOWN


def rows(sides: Sides) -> list[Row]:
    arm, control = sides.arm, sides.control
    failing = rate(arm.failures.total(), arm.requests), rate(control.failures.total(), control.requests)
    unanswered = [rate(side.outcomes["failed"], side.requests) for side in (arm, control)]
    found = [
        Row(name="failure_rate", unit="share", arm=failing[0], control=failing[1],
            difference=rate_difference(*failing)),
        Row(name="unanswered_rate", unit="share", arm=unanswered[0], control=unanswered[1],
            difference=rate_difference(*unanswered)),
    ]  # fmt: skip
    for name, values in (("first_token", "first_token_ms"), ("duration", "duration_ms")):
        for words, share in (("p50", 0.5), ("p95", 0.95)):
            mine, theirs = getattr(arm, values), getattr(control, values)
            found.append(Row(name=f"{name}_{words}", unit="ms", arm=quantile(mine, share),
                             control=quantile(theirs, share), difference=_apart(mine, theirs, share)))  # fmt: skip
    for name, unit, values in (
        ("cost", "money", "cost"), ("input_tokens", "tokens", "input_tokens"),
        ("output_tokens", "tokens", "output_tokens"), ("quality", "score", "grades"),
    ):  # fmt: skip
        mine, theirs = getattr(arm, values), getattr(control, values)
        if name != "quality" or mine or theirs:
            found.append(Row(name=name, unit=unit, arm=mean(mine), control=mean(theirs),
                             difference=mean_difference(mine, theirs)))  # fmt: skip
    return found


def _apart(arm: Sequence[float], control: Sequence[float], share: float) -> Figure:
    """The difference of two quantiles, without an interval: theirs tell whether they lie apart."""
    if not arm or not control:
        return UNKNOWN
    return Figure(value=percentile(arm, share) - percentile(control, share), count=min(len(arm), len(control)))
