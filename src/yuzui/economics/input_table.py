"""Every input of a study, one row each: the key as the file has it, its value, its source and its day."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from yuzui.core.money import per_million
from yuzui.economics.document import Table
from yuzui.economics.figures import amount, change, number, percent
from yuzui.economics.inputs import Machine, Swings, Told
from yuzui.economics.ownership import PricedVendor
from yuzui.economics.study import MachineStudy, Study
from yuzui.economics.words import Speaker

Row = tuple[str, str, str, str]
"""Key, value, source, day."""


def list_inputs(study: Study, say: Speaker) -> Table:
    columns = ("where", "value", "source", "date")
    return Table(columns=tuple(map(say, columns)), rows=tuple(input_rows(study)))


def input_rows(study: Study) -> Iterator[Row]:
    inputs, currency = study.inputs, study.inputs.currency
    for name, rate in inputs.rates.items():
        yield _row(f"rates.{name}", f"{number(rate.value)} {currency}", rate.told)
    work = study.traffic
    rest = work.told_rest or work.told
    for key, value, told in (
        ("requests_per_month", f"{work.requests_per_month:,}", work.told),
        ("input_tokens_per_request", number(work.input_tokens), work.told),
        ("output_tokens_per_request", number(work.output_tokens), work.told),
        ("cached_input_share", percent(work.cached_share), rest),
        ("batch_share", percent(work.batch_share), rest),
        ("peak_factor", number(work.peak_factor), work.told),
        ("growth_per_year", percent(work.growth_per_year), rest),
        ("arrival_cv", number(work.arrival_cv2**0.5), rest),
    ):
        yield _row(f"traffic.{key}", value, told)
    if work.service_cv2 is not None:
        yield _row("traffic.service_cv", number(work.service_cv2**0.5), work.told)
    goal, told = inputs.goal, inputs.goal_told
    yield _row("goal.wait_quantile", number(goal.quantile), told)
    yield _row("goal.wait_s", number(goal.wait_s), told)
    yield _row("goal.max_utilisation", percent(goal.max_utilisation), told)
    for one in study.machines:
        yield from _machine_rows(one, currency)
    for vendor in study.vendors:
        yield from _vendor_rows(vendor, study)
    if study.grid is not None:
        yield _row("grid.g_co2e_per_kwh", f"{number(study.grid.g_per_kwh)} g", study.grid.told)
    of_study = Told(source="tco.toml, [sensitivity] and [outlook]", date=study.date)
    for field in Swings.__dataclass_fields__:
        low, high = getattr(inputs.swings, field)
        yield _row(f"sensitivity.{field}", f"{change(low)}, {change(high)}", of_study)
    yield _row("outlook.months", str(inputs.outlook.months), of_study)
    yield _row("outlook.vendor_price_change_per_year", change(inputs.outlook.vendor_price_change_per_year), of_study)


def _machine_rows(one: MachineStudy, currency: str) -> Iterator[Row]:
    machine = one.machine
    path = f"machines[{machine.name}]"
    bought, rented, power = machine.purchase, machine.rental, machine.power
    if bought is not None:
        yield _row(f"{path}.purchase.price", f"{amount(bought.price)} {currency}", bought.told)
        yield _row(f"{path}.purchase.residual_value", f"{amount(bought.residual)} {currency}", bought.told)
        yield _row(f"{path}.purchase.lifetime_months", str(bought.lifetime_months), bought.told)
        yield _row(f"{path}.purchase.interest_per_year", percent(bought.interest_per_year), bought.told)
        yield _row(f"{path}.purchase.method", f"{bought.method}, age {bought.age_months}", bought.told)
    if rented is not None:
        yield _row(f"{path}.rental.price_per_hour", f"{amount(rented.price_per_hour)} {currency}", rented.told)
    if power is not None:
        yield _row(f"{path}.power.idle_w", f"{number(power.idle_w)} W", power.told)
        yield _row(f"{path}.power.busy_w", f"{number(power.busy_w)} W", power.told)
        yield _row(f"{path}.power.pue", number(power.pue), power.told)
        yield _row(f"{path}.power.price_per_kwh", f"{amount(power.price_per_kwh)} {currency}", power.told)
    for line in machine.fixed:
        per = "replica" if line.is_per_replica else "all"
        yield _row(f"{path}.{line.name} (per {per}, month)", f"{amount(line.amount)} {currency}", line.told)
    yield from _speed_rows(one, path)
    yield from _embodied_rows(machine, path)


def _speed_rows(one: MachineStudy, path: str) -> Iterator[Row]:
    speed = one.machine.speed
    if speed.measured:
        yield _row(f"{path}.speed.measured", speed.measured, one.speed_told)
    for n, measured in one.curve.points:
        yield _row(f"{path}.speed, {n} at once", f"{number(measured)} tokens/s", one.speed_told)
    told = one.machine.told if speed.measured and speed.input_weight is not None else one.speed_told
    yield _row(f"{path}.speed.input_token_weight", number(one.curve.input_weight), told)
    yield _row(f"{path}.speed.slots", str(one.own.slots), one.machine.told if speed.slots else one.speed_told)


def _embodied_rows(machine: Machine, path: str) -> Iterator[Row]:
    if machine.embodied_kg:
        value = f"{number(machine.embodied_kg)} kg over {machine.embodied_lifetime_months} months"
        yield _row(f"{path}.embodied_kg_co2e", value, machine.told)


def _vendor_rows(vendor: PricedVendor, study: Study) -> Iterator[Row]:
    path, price = f"vendors[{vendor.name}]", vendor.price
    told = vendor.told or Told(source=price_source(vendor), date=study.date)
    for key, pico in (
        ("input", price.input_pico),
        ("cached_input", price.cached_input_pico),
        ("output", price.output_pico),
    ):
        yield _row(f"{path}.{key} (per million)", f"{per_million(pico)} {price.currency}", told)
    if vendor.batch_discount:
        yield _row(f"{path}.batch_discount", percent(vendor.batch_discount), Told(source="tco.toml", date=study.date))


def price_source(vendor: PricedVendor) -> str:
    return vendor.told.source if vendor.told is not None else vendor.price.version


def _row(key: str, value: str | Fraction, told: Told) -> Row:
    return key, str(value), told.source, told.date.isoformat()
