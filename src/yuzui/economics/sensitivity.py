"""What the answer hangs on: one number at a time lower and higher, and whole curves over volume, load and time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction

from yuzui.core.errors import ConfigError
from yuzui.economics.break_even import BreakEven, break_even
from yuzui.economics.inputs import Outlook, Swings
from yuzui.economics.ownership import AS_WRITTEN, SECONDS_PER_MONTH, Factors, Ownership, PricedVendor

Build = Callable[[Factors], Ownership]
VOLUME_POINTS = 60
LOAD_POINTS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Own against one vendor under some factors; nano-units per month."""

    saving_nano: Fraction
    """What the vendor would ask, less what own replicas cost."""
    break_even: BreakEven


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """One number, lower and higher by `shares`, and what that makes of the saving. None: such a case has no answer."""

    name: str
    shares: tuple[Fraction, Fraction]
    low: Outcome | None
    high: Outcome | None

    def width(self, base: Outcome) -> Fraction:
        ends = [one.saving_nano for one in (self.low, self.high) if one is not None]
        return max([*ends, base.saving_nano]) - min([*ends, base.saving_nano])


def outcome(build: Build, vendor: PricedVendor, requests: int, factors: Factors = AS_WRITTEN) -> Outcome:
    own = build(factors)
    count = round(requests * factors.volume)
    per_request = vendor.request_nano(own.traffic, factors)
    return Outcome(saving_nano=count * per_request - own.month_nano(count), break_even=break_even(own, per_request))


def tornado(build: Build, vendor: PricedVendor, requests: int, swings: Swings) -> tuple[Outcome, list[Swing]]:
    """(as written, each number's swing, the widest first). The rate counts only for a vendor in another currency."""
    base = outcome(build, vendor, requests)
    found: list[Swing] = []
    for field in fields(Swings):
        if field.name == "fx" and not vendor.is_foreign:
            continue
        shares: tuple[Fraction, Fraction] = getattr(swings, field.name)
        ends = [_try(build, vendor, requests, field.name, 1 + share) for share in shares]
        found.append(Swing(name=field.name, shares=shares, low=ends[0], high=ends[1]))
    return base, sorted(found, key=lambda swing: -swing.width(base))


def _try(build: Build, vendor: PricedVendor, requests: int, name: str, factor: Fraction) -> Outcome | None:
    try:
        return outcome(build, vendor, requests, replace(AS_WRITTEN, **{name: factor}))
    except ConfigError:  # more replicas than anybody would build: no bar, and the table says so
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One line of a plot: its name and its points."""

    name: str
    points: tuple[tuple[float, float], ...]


def over_volume(own: Ownership, vendors: Sequence[PricedVendor], requests: int) -> list[Series]:
    """Cost per month (nano) over requests per month, from a tenth to ten times of what is planned. Own is drawn in its
    steps."""
    xs = sorted({max(1, round(requests * 10 ** (-1 + 2 * i / VOLUME_POINTS))) for i in range(VOLUME_POINTS + 1)})
    count, most = own.replicas_for(xs[0]), own.replicas_for(xs[-1])
    stride = max(1, (most - count) // VOLUME_POINTS)  # hundreds of steps are drawn as fewer: a line on any screen
    own_points: list[tuple[float, float]] = []
    for x in xs:
        while (edge := own.most_requests(count)) < x:
            own_points.append((edge, float(own.month_nano(edge, count))))
            count = min(count + stride, own.replicas_for(x))
            own_points.append((edge, float(own.month_nano(edge, count))))
        own_points.append((x, float(own.month_nano(x, count))))
    lines = [Series(name="own", points=tuple(own_points))]
    for vendor in vendors:
        each = vendor.request_nano(own.traffic)
        lines.append(Series(name=vendor.name, points=tuple([(x, float(x * each)) for x in xs])))
    return lines


def over_load(own: Ownership, vendors: Sequence[PricedVendor]) -> list[Series]:
    """Cost of a mean request (nano) over the mean utilisation of one replica, up to the most that is planned."""
    most = own.goal.max_utilisation / own.traffic.peak_factor
    steps = [most * (i + 1) / LOAD_POINTS for i in range(LOAD_POINTS)]
    full = SECONDS_PER_MONTH / own.machine_s  # requests per month of a replica that is never idle
    own_points = [
        (load, float((own.for_all_nano + own.per_replica_nano) / Fraction(full * load) + own.marginal_nano))
        for load in steps
    ]
    lines = [Series(name="own", points=tuple(own_points))]
    for vendor in vendors:
        each = float(vendor.request_nano(own.traffic))
        lines.append(Series(name=vendor.name, points=((steps[0], each), (steps[-1], each))))
    return lines


def over_time(own: Ownership, vendors: Sequence[PricedVendor], requests: int, outlook: Outlook) -> list[Series]:
    """Cost per month (nano) over the months ahead: work grows, vendors' prices change, own costs stay."""
    growth = math.log1p(own.traffic.growth_per_year) / 12
    change = math.log1p(outlook.vendor_price_change_per_year) / 12
    months = range(outlook.months + 1)
    counts = [max(1, round(requests * math.exp(growth * month))) for month in months]
    own_points = [(float(month), float(own.month_nano(count))) for month, count in zip(months, counts, strict=True)]
    lines = [Series(name="own", points=tuple(own_points))]
    for vendor in vendors:
        each = float(vendor.request_nano(own.traffic))
        points = [(float(m), each * n * math.exp(change * m)) for m, n in zip(months, counts, strict=True)]
        lines.append(Series(name=vendor.name, points=tuple(points)))
    return lines
