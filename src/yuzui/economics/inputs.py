"""tco.toml → frozen values: what an operator knows of machines, work, vendors and goals, each with source and date.

Unknown keys are errors with their path; names of keys carry their units. Money becomes integers (nano-units) here.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Final

import msgspec

from yuzui.accounting.prices import parse_price
from yuzui.config_checks import convert, convert_all
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO, Price
from yuzui.economics.depreciation import Method
from yuzui.economics.queueing import WaitGoal
from yuzui.economics.throughput import Level

MOST_PLACES = 100_000  # of one replica: no server runs more requests at once
HOURS_PER_MONTH = 730
"""365 days of 24 hours, over 12."""


EXAMPLE: Final = "an example: replace it"
"""The source of every number in the file that `yuzui tco init` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Where a number comes from, and of when it is."""

    source: str
    date: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Units of the report's currency per unit of another."""

    value: Fraction
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    requests_per_month: int
    input_tokens: Fraction
    """Per request, mean."""
    output_tokens: Fraction
    cached_share: Fraction
    """Of the input tokens: what a vendor would read from its cache."""
    batch_share: Fraction
    """Of the requests: what could wait for a vendor's batch price."""
    peak_factor: float
    """Arrivals in the busiest hour over the mean."""
    growth_per_year: float
    arrival_cv2: float
    service_cv2: float | None
    """None: as measured, else 1."""
    told: Told
    told_rest: Told | None = None
    """Of the shares, the growth and the variation of arrivals, where the rest is from the books, which do not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    price: int
    residual: int
    lifetime_months: int
    interest_per_year: Fraction
    method: Method
    age_months: int
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Rental:
    price_per_hour: int
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    idle_w: Fraction
    busy_w: Fraction
    pue: Fraction
    price_per_kwh: int
    """0 where the rent includes it: the energy still counts."""
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Monthly:
    """A fixed cost per month: of each replica, or of all together."""

    name: str
    amount: int
    is_per_replica: bool
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What is known of a server's speed: a file of `yuzui tco measure`, or levels by hand."""

    measured: str = ""
    levels: tuple[Level, ...] = ()
    input_weight: float | None = None
    """Of an input token, in output tokens; None: from the measurement."""
    slots: int = 0
    """Requests that run together on a replica; 0: the largest that was measured."""
    told: Told | None = None
    """None: the file tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What one replica of the model stands on. Money in nano-units of the report's currency."""

    name: str
    purchase: Purchase | None
    rental: Rental | None
    power: Power | None
    fixed: tuple[Monthly, ...]
    speed: Speed
    embodied_kg: Fraction
    """CO2e of making it; 0: not known, not counted."""
    embodied_lifetime_months: int
    told: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Another way to have the same work done. One of `target`, `lookup` and `price` says what it costs."""

    name: str
    target: str = ""
    """A target of yuzui.toml, with its price."""
    lookup: tuple[str, str] | None = None
    """(provider id of the price library, model)."""
    price: Price | None = None
    batch_discount: Fraction = Fraction(0)
    told: Told | None = None
    """None: the price's own version tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """CO2e of a kilowatt-hour: said, or looked up for a country in the installed data."""

    g_per_kwh: Fraction | None
    country: str
    told: Told | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Swings:
    """By how much a number may turn out lower and higher, as shares of itself: (-0.5, 0.2)."""

    vendor_price: tuple[Fraction, Fraction]
    volume: tuple[Fraction, Fraction]
    utilisation: tuple[Fraction, Fraction]
    power_price: tuple[Fraction, Fraction]
    machine_price: tuple[Fraction, Fraction]
    staff: tuple[Fraction, Fraction]
    speed: tuple[Fraction, Fraction]
    fx: tuple[Fraction, Fraction]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    months: int
    vendor_price_change_per_year: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    currency: str
    rates: Mapping[str, Rate]
    traffic: Traffic | None
    """None: it must come from the books."""
    goal: WaitGoal
    goal_told: Told
    machines: tuple[Machine, ...]
    vendors: tuple[Vendor, ...]
    grid: Grid | None
    swings: Swings
    outlook: Outlook


def read_inputs(text: str) -> Inputs:
    """Raise `ConfigError` naming the key and what to write instead."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {error}") from error
    top = convert(raw, _File, "")
    if not (len(top.currency) == 3 and top.currency.isascii() and top.currency.isupper()):
        raise ConfigError('currency: write a code of three capital letters, such as "USD" or "CNY"')
    if not top.machines:
        raise ConfigError("no [[machines]] table: say what an own model would run on")
    goal = convert(top.goal, _Goal, "goal")
    machines = tuple([_machine(table, f"machines[{n}]") for n, table in enumerate(top.machines)])
    vendors = tuple([_vendor(table, f"vendors[{n}]") for n, table in enumerate(top.vendors)])
    for path, names in (("machines", [m.name for m in machines]), ("vendors", [v.name for v in vendors])):
        for n, name in enumerate(names):
            if not name or name in names[:n]:
                raise ConfigError(f"{path}[{n}].name: {name!r} is empty or used twice")
    return Inputs(
        currency=top.currency,
        rates={name: _rate(table, name, top.currency) for name, table in top.rates.items()},
        traffic=None if top.traffic is None else _traffic(top.traffic),
        goal=WaitGoal(quantile=goal.wait_quantile, wait_s=goal.wait_s, max_utilisation=goal.max_utilisation),
        goal_told=_told(goal, "goal"),
        machines=machines,
        vendors=vendors,
        grid=None if top.grid is None else _grid(top.grid),
        swings=_swings(top.sensitivity),
        outlook=Outlook(**msgspec.to_builtins(convert(top.outlook, _Outlook, "outlook"))),
    )


# ---- one function per table -----------------------------------------------------------------------------------------


def _told(table: _Sourced, path: str) -> Told:
    if not table.source.strip():
        raise ConfigError(f"{path}.source is empty; say where these numbers come from")
    return Told(source=table.source.strip(), date=table.date)


def _rate(table: Mapping[str, Any], currency: str, own: str) -> Rate:
    path = f"rates.{currency}"
    item = convert(table, _Rate, path)
    value = _number(item.value, f"{path}.value")
    if value <= 0 or (currency == own and value != 1):
        raise ConfigError(f"{path}.value: write how many {own} one {currency} is, above zero")
    return Rate(value=value, told=_told(item, path))


def _traffic(table: Mapping[str, Any]) -> Traffic:
    item = convert(table, _Traffic, "traffic")
    return Traffic(
        requests_per_month=item.requests_per_month,
        input_tokens=_number(item.input_tokens_per_request, "traffic.input_tokens_per_request"),
        output_tokens=_number(item.output_tokens_per_request, "traffic.output_tokens_per_request"),
        cached_share=_share(item.cached_input_share, "traffic.cached_input_share"),
        batch_share=_share(item.batch_share, "traffic.batch_share"),
        peak_factor=item.peak_factor,
        growth_per_year=item.growth_per_year,
        arrival_cv2=item.arrival_cv**2,
        service_cv2=None if item.service_cv is None else item.service_cv**2,
        told=_told(item, "traffic"),
    )


def _machine(table: Mapping[str, Any], path: str) -> Machine:
    item = convert(table, _Machine, path)
    if (item.purchase is None) == (item.rental is None):
        raise ConfigError(f"{path}: write either [machines.purchase] or [machines.rental]")
    speed = _speed(item.speed, f"{path}.speed")
    purchase = None if item.purchase is None else _purchase(item.purchase, f"{path}.purchase")
    fixed = [_monthly(one, f"{path}.fixed[{n}]") for n, one in enumerate(item.fixed)]
    if item.staff is not None:
        fixed.append(_staff(item.staff, f"{path}.staff"))
    lifetime = item.embodied_lifetime_months or (purchase.lifetime_months if purchase else 48)
    return Machine(
        name=item.name,
        purchase=purchase,
        rental=None if item.rental is None else _rental(item.rental, f"{path}.rental"),
        power=None if item.power is None else _power(item.power, f"{path}.power"),
        fixed=tuple(fixed),
        speed=speed,
        embodied_kg=_number(item.embodied_kg_co2e, f"{path}.embodied_kg_co2e"),
        embodied_lifetime_months=lifetime,
        told=_told(item, path),
    )


def _purchase(table: Mapping[str, Any], path: str) -> Purchase:
    item = convert(table, _Purchase, path)
    purchase = Purchase(
        price=money(item.price, f"{path}.price"),
        residual=money(item.residual_value, f"{path}.residual_value"),
        lifetime_months=item.lifetime_months,
        interest_per_year=_number(item.interest_per_year, f"{path}.interest_per_year"),
        method=item.method,
        age_months=item.age_months,
        told=_told(item, path),
    )
    if purchase.residual > purchase.price:
        raise ConfigError(f"{path}.residual_value: it is more than the price")
    if purchase.age_months >= purchase.lifetime_months:
        raise ConfigError(f"{path}.age_months: it is not below lifetime_months; what is written off costs nothing")
    return purchase


def _rental(table: Mapping[str, Any], path: str) -> Rental:
    item = convert(table, _Rental, path)
    return Rental(price_per_hour=money(item.price_per_hour, f"{path}.price_per_hour"), told=_told(item, path))


def _power(table: Mapping[str, Any], path: str) -> Power:
    item = convert(table, _Power, path)
    power = Power(
        idle_w=_number(item.idle_w, f"{path}.idle_w"),
        busy_w=_number(item.busy_w, f"{path}.busy_w"),
        pue=_number(item.pue, f"{path}.pue"),
        price_per_kwh=money(item.price_per_kwh, f"{path}.price_per_kwh"),
        told=_told(item, path),
    )
    if power.busy_w < power.idle_w:
        raise ConfigError(f"{path}.busy_w: it is less than idle_w")
    if not 1 <= power.pue <= 10:
        raise ConfigError(f"{path}.pue: what the building draws per watt of the machine, from 1 up")
    return power


def _monthly(table: Mapping[str, Any], path: str) -> Monthly:
    item = convert(table, _Fixed, path)
    return Monthly(
        name=item.name,
        amount=money(item.cost_per_month, f"{path}.cost_per_month"),
        is_per_replica=item.per == "replica",
        told=_told(item, path),
    )


def _staff(table: Mapping[str, Any], path: str) -> Monthly:
    item = convert(table, _Staff, path)
    cost = money(item.cost_per_month, f"{path}.cost_per_month")
    amount = cost * _number(item.full_time_share, f"{path}.full_time_share")
    return Monthly(
        name="staff", amount=-(-amount.numerator // amount.denominator), is_per_replica=item.per == "replica",
        told=_told(item, path),
    )  # fmt: skip


def _speed(table: Mapping[str, Any], path: str) -> Speed:
    item = convert(table, _Speed, path)
    if bool(item.measured) == bool(item.levels):
        raise ConfigError(
            f'{path}: write either measured = "FILE" (of `yuzui tco measure`) or [[machines.speed.levels]]'
        )
    levels = convert_all(item.levels, _Level, f"{path}.levels")
    if not levels:
        return Speed(measured=item.measured, input_weight=item.input_token_weight, slots=item.slots)
    if item.source is None or item.date is None or not item.source.strip():
        raise ConfigError(f"{path}: levels by hand need source and date")
    if item.input_token_weight is None:
        raise ConfigError(f"{path}.input_token_weight: say what an input token costs of an output token, such as 0.1")
    return Speed(
        levels=tuple(
            [
                Level(
                    concurrency=one.concurrency,
                    input_tokens_per_s=one.input_tokens_per_s,
                    output_tokens_per_s=one.output_tokens_per_s,
                )
                for one in levels
            ]
        ),
        input_weight=item.input_token_weight,
        slots=item.slots,
        told=Told(source=item.source.strip(), date=item.date),
    )


def _vendor(table: Mapping[str, Any], path: str) -> Vendor:
    item = convert(table, _Vendor, path)
    ways = [bool(item.target), bool(item.provider or item.model), item.price is not None]
    if sum(ways) != 1 or bool(item.provider) != bool(item.model):
        raise ConfigError(
            f'{path}: write one of target = "…" (of yuzui.toml), provider and model (of the price library), or price'
        )
    told = None
    if item.price is not None:
        if item.source is None or item.date is None or not item.source.strip():
            raise ConfigError(f"{path}: a price by hand needs source and date")
        told = Told(source=item.source.strip(), date=item.date)
    return Vendor(
        name=item.name,
        target=item.target,
        lookup=(item.provider, item.model) if item.provider else None,
        price=None if item.price is None else parse_price(item.price, f"{path}.price"),
        batch_discount=_share(item.batch_discount, f"{path}.batch_discount"),
        told=told,
    )


def _grid(table: Mapping[str, Any]) -> Grid:
    item = convert(table, _Grid, "grid")
    if (item.g_co2e_per_kwh is None) == (not item.country):
        raise ConfigError(
            'grid: write either g_co2e_per_kwh with source and date, or country = "DEU" (ISO 3166, 3 letters)'
        )
    if item.g_co2e_per_kwh is None:
        return Grid(g_per_kwh=None, country=item.country, told=None)
    if item.source is None or item.date is None or not item.source.strip():
        raise ConfigError("grid: a factor by hand needs source and date")
    factor = _number(item.g_co2e_per_kwh, "grid.g_co2e_per_kwh")
    return Grid(g_per_kwh=factor, country="", told=Told(source=item.source.strip(), date=item.date))


def _swings(table: Mapping[str, Any]) -> Swings:
    item = convert(table, _Sensitivity, "sensitivity")
    pairs: dict[str, tuple[Fraction, Fraction]] = {}
    for name in _Sensitivity.__struct_fields__:
        low, high = (_any_number(value, f"sensitivity.{name}") for value in getattr(item, name))
        if not -1 < low <= 0 <= high <= 100:
            raise ConfigError(f"sensitivity.{name}: shares of the value, lower and higher, such as [-0.5, 0.2]")
        pairs[name] = (low, high)
    return Swings(**pairs)


# ---- numbers ---------------------------------------------------------------------------------------------------------

Number = float | int | str
"""As TOML has it; text for digits that a float would lose."""
_MOST = 10**15
_MOST_DIGITS = 40


def money(value: Number, path: str) -> int:
    """An amount → nano-units. Raise `ConfigError` when it is negative, or finer than a nano-unit."""
    amount = _number(value, path) * NANO
    if amount.denominator != 1:
        raise ConfigError(f"{path}: {value} has more than nine decimals")
    return amount.numerator


def _number(value: Number, path: str) -> Fraction:
    found = _any_number(value, path)
    if found < 0:
        raise ConfigError(f"{path}: {value} is below zero")
    return found


def _any_number(value: Number, path: str) -> Fraction:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ConfigError(f"{path}: {value!r} is not a number") from error
    # The exponent first: a Fraction of 1e999999999 would fill the memory.
    if not number.is_finite() or (number and abs(number.adjusted()) > _MOST_DIGITS) or abs(number) > _MOST:
        raise ConfigError(f"{path}: {value!r} is not a number up to {_MOST}")
    return Fraction(number)


def _share(value: Number, path: str) -> Fraction:
    share = _number(value, path)
    if share > 1:
        raise ConfigError(f"{path}: {value} is not a share; write 0.25 for a quarter")
    return share


# ---- wire structs: what may stand in the file -----------------------------------------------------------------------

_Positive = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
_Months = Annotated[int, msgspec.Meta(ge=1, le=600)]
_Speed_ = Annotated[float, msgspec.Meta(gt=0, le=1e9)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Sourced(_Table, frozen=True, kw_only=True):
    source: str
    date: dt.date


class _File(_Table, frozen=True, kw_only=True):
    currency: str
    rates: dict[str, dict[str, Any]] = {}
    traffic: dict[str, Any] | None = None
    goal: dict[str, Any]
    machines: list[dict[str, Any]] = []
    vendors: list[dict[str, Any]] = []
    grid: dict[str, Any] | None = None
    sensitivity: dict[str, Any] = {}
    outlook: dict[str, Any] = {}


class _Rate(_Sourced, frozen=True, kw_only=True):
    value: Number


class _Traffic(_Sourced, frozen=True, kw_only=True):
    requests_per_month: _Positive
    input_tokens_per_request: Number
    output_tokens_per_request: Number
    cached_input_share: Number = 0
    batch_share: Number = 0
    peak_factor: Annotated[float, msgspec.Meta(ge=1, le=1000)] = 3.0
    growth_per_year: Annotated[float, msgspec.Meta(gt=-1, le=100)] = 0.0
    arrival_cv: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    service_cv: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None


class _Goal(_Sourced, frozen=True, kw_only=True):
    wait_quantile: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.95
    wait_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 1.0
    max_utilisation: Annotated[float, msgspec.Meta(gt=0, le=0.99)] = 0.8


class _Machine(_Sourced, frozen=True, kw_only=True):
    name: str
    purchase: dict[str, Any] | None = None
    rental: dict[str, Any] | None = None
    power: dict[str, Any] | None = None
    staff: dict[str, Any] | None = None
    fixed: list[dict[str, Any]] = []
    speed: dict[str, Any]
    embodied_kg_co2e: Number = 0
    embodied_lifetime_months: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0


class _Purchase(_Sourced, frozen=True, kw_only=True):
    price: Number
    residual_value: Number = 0
    lifetime_months: _Months
    interest_per_year: Number = 0
    method: Method = "straight_line"
    age_months: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0


class _Rental(_Sourced, frozen=True, kw_only=True):
    price_per_hour: Number


class _Power(_Sourced, frozen=True, kw_only=True):
    idle_w: Number
    busy_w: Number
    pue: Number = 1
    price_per_kwh: Number


class _Per(_Sourced, frozen=True, kw_only=True):
    per: Annotated[str, msgspec.Meta(pattern="^(replica|all)$")] = "all"


class _Staff(_Per, frozen=True, kw_only=True):
    full_time_share: Number
    cost_per_month: Number


class _Fixed(_Per, frozen=True, kw_only=True):
    name: str
    cost_per_month: Number


class _Speed(_Table, frozen=True, kw_only=True):
    measured: str = ""
    levels: list[dict[str, Any]] = []
    input_token_weight: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    slots: Annotated[int, msgspec.Meta(ge=0, le=MOST_PLACES)] = 0
    source: str | None = None
    date: dt.date | None = None


class _Level(_Table, frozen=True, kw_only=True):
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=MOST_PLACES)]
    input_tokens_per_s: _Speed_
    output_tokens_per_s: _Speed_


class _Vendor(_Table, frozen=True, kw_only=True):
    name: str
    target: str = ""
    provider: str = ""
    model: str = ""
    price: dict[str, Any] | str | None = None
    batch_discount: Number = 0
    source: str | None = None
    date: dt.date | None = None


class _Grid(_Table, frozen=True, kw_only=True):
    g_co2e_per_kwh: Number | None = None
    country: str = ""
    source: str | None = None
    date: dt.date | None = None


class _Sensitivity(_Table, frozen=True, kw_only=True):
    vendor_price: tuple[Number, Number] = (-0.5, 0.2)
    volume: tuple[Number, Number] = (-0.5, 1.0)
    utilisation: tuple[Number, Number] = (-0.3, 0.2)
    power_price: tuple[Number, Number] = (-0.3, 0.5)
    machine_price: tuple[Number, Number] = (-0.2, 0.2)
    staff: tuple[Number, Number] = (-0.5, 0.5)
    speed: tuple[Number, Number] = (-0.3, 0.3)
    fx: tuple[Number, Number] = (-0.1, 0.1)


class _Outlook(_Table, frozen=True, kw_only=True):
    months: _Months = 36
    vendor_price_change_per_year: Annotated[float, msgspec.Meta(gt=-1, le=10)] = -0.3
