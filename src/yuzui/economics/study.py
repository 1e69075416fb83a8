"""One whole answer: every machine under the same work, beside every vendor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from yuzui.core.errors import ConfigError
from yuzui.economics.break_even import BreakEven, break_even
from yuzui.economics.energy import Footprint, GridFactor, footprint
from yuzui.economics.inputs import Inputs, Machine, Told, Traffic
from yuzui.economics.measurement import Latency, Measurement
from yuzui.economics.ownership import AS_WRITTEN, Factors, Ownership, PricedVendor, cheapest
from yuzui.economics.queueing import erlang_c
from yuzui.economics.sensitivity import Outcome, Swing, tornado
from yuzui.economics.throughput import Curve, Level, Line, fit, fit_line


@dataclass(frozen=True, slots=True, kw_only=True)
class AgainstVendor:
    vendor: PricedVendor
    month_nano: Fraction
    break_even: BreakEven


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineStudy:
    """One machine, for the work as it is."""

    machine: Machine
    curve: Curve
    speed_told: Told
    latencies: tuple[Latency, ...]
    """As measured and as the curve says; empty for levels by hand."""
    first_token: Line | None
    """Mean seconds to the first token over requests at once."""
    own: Ownership
    service_cv2: float
    service_cv2_is_measured: bool
    replicas: int
    wait_share: float
    """Of requests in the busiest hour that wait at all."""
    mean_wait_s: float
    goal_wait_s: float
    month_nano: Fraction
    marginal_month_nano: Fraction
    reserved_per_million: tuple[Fraction, Fraction]
    """(input, output): all of it, over the work."""
    marginal_per_million: tuple[Fraction, Fraction]
    """(input, output): what the work draws on top of what stands there anyway."""
    against: tuple[AgainstVendor, ...]
    footprint: Footprint | None
    base: Outcome | None
    """Against `versus`."""
    swings: tuple[Swing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    inputs: Inputs
    date: dt.date
    traffic: Traffic
    vendors: tuple[PricedVendor, ...]
    versus: PricedVendor | None
    """Whom the sensitivities are against: the one that was named, else the cheapest."""
    grid: GridFactor | None
    machines: tuple[MachineStudy, ...]


def study(
    inputs: Inputs,
    *,
    date: dt.date,
    traffic: Traffic | None,
    measurements: Mapping[str, Measurement],
    vendors: Sequence[PricedVendor],
    grid: GridFactor | None,
    versus: str = "",
) -> Study:
    """`traffic`: in place of that of the inputs; `measurements`: file name → its content. Raise `ConfigError`."""
    work = traffic or inputs.traffic
    if work is None:
        raise ConfigError("no [traffic] table; write one, or take it from the books with --from-books")
    if work.input_tokens + work.output_tokens <= 0:
        raise ConfigError("traffic: a request without tokens costs nothing; write the tokens per request")
    against = cheapest(vendors, work)
    if versus:
        against = next((vendor for vendor in vendors if vendor.name == versus), None)
        if against is None:
            known = ", ".join(vendor.name for vendor in vendors) or "none"
            raise ConfigError(f"no vendor is named {versus!r}; known are {known}")
    machines = tuple(
        [_study(inputs, machine, work, measurements, vendors, against, grid) for machine in inputs.machines]
    )
    return Study(
        inputs=inputs, date=date, traffic=work, vendors=tuple(vendors), versus=against, grid=grid, machines=machines
    )


def speed_of(machine: Machine, measurements: Mapping[str, Measurement]) -> tuple[Curve, Told, float | None]:
    """(curve, where it comes from, measured squared variation of the output). Raise `ConfigError`."""
    speed = machine.speed
    levels: Sequence[Level] = speed.levels
    weight, told, variation = speed.input_weight, speed.told, None
    if speed.measured:
        found = measurements[speed.measured]
        main = found.main_levels
        levels = [one.level for one in main]
        weight = found.input_weight if weight is None else weight
        told = Told(
            source=f"yuzui tco measure: {found.model} at {found.server}", date=dt.date.fromisoformat(found.date)
        )
        variation = max(main, key=lambda one: one.concurrency).output_cv2 if main else None
    if weight is None:
        raise ConfigError(
            f"machine {machine.name!r}: what an input token costs was not measured; measure two prompt lengths "
            "(--prompt-words 64,512), or write speed.input_token_weight"
        )
    assert told is not None  # levels by hand have a source
    try:
        return fit(levels, weight), told, variation
    except ValueError as error:
        raise ConfigError(f"machine {machine.name!r}: {error}") from error


def _study(
    inputs: Inputs,
    machine: Machine,
    work: Traffic,
    measurements: Mapping[str, Measurement],
    vendors: Sequence[PricedVendor],
    versus: PricedVendor | None,
    grid: GridFactor | None,
) -> MachineStudy:
    curve, told, variation = speed_of(machine, measurements)
    measured = measurements.get(machine.speed.measured)
    latencies = tuple(measured.latencies(curve)) if measured is not None else ()
    # A script's prompts all ask for the same length: their variation says little about real work, so 1 is the floor.
    cv2 = work.service_cv2 if work.service_cv2 is not None else max(1.0, variation or 0.0)

    def build(factors: Factors) -> Ownership:
        return Ownership(machine, curve, work, inputs.goal, service_cv2=cv2, factors=factors)

    own = build(AS_WRITTEN)
    requests = work.requests_per_month
    replicas = own.replicas_for(requests)
    month = own.month_nano(requests, replicas)
    marginal = requests * own.marginal_nano
    mean_wait, goal_wait = own.waits_s(requests, replicas)
    base, swings = (None, []) if versus is None else tornado(build, versus, requests, inputs.swings)
    return MachineStudy(
        machine=machine,
        curve=curve,
        speed_told=told,
        latencies=latencies,
        first_token=fit_line([(one.concurrency, one.first_token_s) for one in latencies]) if latencies else None,
        own=own,
        service_cv2=cv2,
        service_cv2_is_measured=work.service_cv2 is None and variation is not None and variation > 1,
        replicas=replicas,
        wait_share=erlang_c(replicas * own.slots, own.busiest_per_s(requests) * own.service_s),
        mean_wait_s=mean_wait,
        goal_wait_s=goal_wait,
        month_nano=month,
        marginal_month_nano=marginal,
        reserved_per_million=own.per_million(month, requests),
        marginal_per_million=own.per_million(marginal, requests),
        against=tuple(
            [
                AgainstVendor(
                    vendor=vendor,
                    month_nano=requests * vendor.request_nano(work),
                    break_even=break_even(own, vendor.request_nano(work)),
                )
                for vendor in vendors
            ]
        ),
        footprint=footprint(own, requests, replicas, grid),
        base=base,
        swings=tuple(swings),
    )
