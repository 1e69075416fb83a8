"""Knows where the parts of a study come from: the file, measurements beside it, prices, the books, grid factors."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from yuzui.cli._options import data_dir_of, load_config, open_books
from yuzui.cli._text import read_moment_ns, show_moment
from yuzui.core.errors import ConfigError
from yuzui.core.money import NANO, Price
from yuzui.economics.energy import GridFactor
from yuzui.economics.inputs import HOURS_PER_MONTH, Inputs, Told, Traffic, Vendor, read_inputs
from yuzui.economics.measurement import Measurement, read_measurement
from yuzui.economics.ownership import PricedVendor
from yuzui.economics.study import Study, study
from yuzui.io.work_done import WorkDone

DEFAULT_PATH = Path("tco.toml")
MOST_FILE_BYTES = 1024 * 1024
LEAST_REQUESTS = 2
NOBODY = "neither the books nor a [traffic] table: none of it, and independent callers"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromBooks:
    """Which part of the books stands for the work of a month."""

    since: str
    until: str | None
    models: Sequence[str]
    teams: Sequence[str]


def make_study(
    path: Path, *, versus: str, books: FromBooks | None, config: Path | None, data_dir: Path | None
) -> Study:
    """Everything that `yuzui tco report` and `break-even` need; raise `ConfigError` naming file and key."""
    inputs = load_inputs(path)
    today = dt.datetime.now(dt.UTC).date()
    found = {
        one.speed.measured: _measurement(path, one.speed.measured) for one in inputs.machines if one.speed.measured
    }
    traffic = None if books is None else traffic_of_books(books, inputs, data_dir)
    try:
        return study(
            inputs,
            date=today,
            traffic=traffic,
            measurements=found,
            vendors=price_vendors(inputs, config, data_dir),
            grid=_grid(inputs),
            versus=versus,
        )
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}") from error


def load_inputs(path: Path) -> Inputs:
    try:
        return read_inputs(_read(path, "write one with `yuzui tco init`").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8") from error
    except ConfigError as error:
        raise error if error.message.startswith(str(path)) else ConfigError(f"{path}: {error.message}") from error


def _measurement(path: Path, name: str) -> Measurement:
    """Beside the file that names it."""
    place = path.parent / name
    return read_measurement(_read(place, "write it with `yuzui tco measure`"), str(place))


def _read(path: Path, help_: str) -> bytes:
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ConfigError(f"{path} is larger than {MOST_FILE_BYTES} bytes; that is not what it should be")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist; {help_}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error


# ---- prices ----------------------------------------------------------------------------------------------------------


def price_vendors(inputs: Inputs, config: Path | None, data_dir: Path | None) -> list[PricedVendor]:
    """Each with a price; raise `ConfigError` where none is known: it is never taken for nothing."""
    if not inputs.vendors:
        return []
    targets = {target.name: target for target in load_config(config).targets} if _names_targets(inputs) else {}
    lookups = load_config(config).price_lookups if targets else {}
    wanted: dict[str, tuple[str, str]] = {}
    for vendor in inputs.vendors:
        if vendor.lookup is not None:
            wanted[vendor.name] = vendor.lookup
        elif vendor.target in lookups and lookups[vendor.target][0]:
            wanted[vendor.name] = lookups[vendor.target]
    listed: Mapping[tuple[str, str], Price] = {}
    if wanted:
        from yuzui.io.price_library import lookup

        listed = lookup(sorted(set(wanted.values())), data_dir_of(data_dir) / "cache")
    priced: list[PricedVendor] = []
    for position, vendor in enumerate(inputs.vendors):
        if vendor.target and vendor.target not in targets:
            known = ", ".join(targets) or "none"
            raise ConfigError(f"vendors[{position}].target: no target is named {vendor.target!r}; known are {known}")
        price = vendor.price or (targets[vendor.target].price if vendor.target else None)
        price = price or listed.get(wanted.get(vendor.name, ("", "")))
        priced.append(_priced(vendor, price, inputs, f"vendors[{position}]"))
    return priced


def _names_targets(inputs: Inputs) -> bool:
    return any(vendor.target for vendor in inputs.vendors)


def _priced(vendor: Vendor, price: Price | None, inputs: Inputs, path: str) -> PricedVendor:
    if price is None:
        raise ConfigError(
            f"{path}: the price library does not know {vendor.name!r}; write "
            'price = { currency = "USD", input = …, output = … } with source and date'
        )
    is_foreign = price.currency != inputs.currency and not price.is_free
    rate = inputs.rates.get(price.currency)
    if is_foreign and rate is None:
        raise ConfigError(
            f"{path}: its price is in {price.currency}; write [rates.{price.currency}] in {inputs.currency}"
        )
    return PricedVendor(
        name=vendor.name,
        price=price,
        rate=rate.value if is_foreign and rate is not None else Fraction(1),
        is_foreign=is_foreign,
        batch_discount=vendor.batch_discount,
        told=vendor.told,
    )


def _grid(inputs: Inputs) -> GridFactor | None:
    grid = inputs.grid
    if grid is None:
        return None
    if grid.g_per_kwh is not None and grid.told is not None:
        return GridFactor(g_per_kwh=grid.g_per_kwh, told=grid.told)
    from yuzui.io.grid_factors import grid_factor

    return grid_factor(grid.country)


# ---- the books -------------------------------------------------------------------------------------------------------


def traffic_of_books(wish: FromBooks, inputs: Inputs, data_dir: Path | None) -> Traffic:
    """The period's work as that of a month. What books do not tell is as in [traffic], or its default."""
    now_ns = time.time_ns()
    since_ns = read_moment_ns(wish.since, now_ns)
    until_ns = now_ns if wish.until is None else min(now_ns, read_moment_ns(wish.until, now_ns))
    if until_ns <= since_ns:
        raise ConfigError("--until must be after --since, and --since not in the future")
    folder = data_dir_of(data_dir)
    books = open_books(folder)
    try:
        done = books.work_done(since_ns, until_ns, wish.models, wish.teams)
    finally:
        books.stop()
    return month_of(
        done, Fraction(until_ns - since_ns, NANO * 3600), inputs.traffic, _told(wish, done, since_ns, until_ns)
    )


def _told(wish: FromBooks, done: WorkDone, since_ns: int, until_ns: int) -> Told:
    """Also when the first and the last request came: a period that was mostly empty makes a poor month."""
    period = f"{show_moment(since_ns)} to {show_moment(until_ns)} UTC"
    of = ", ".join([*(f"model {name}" for name in wish.models), *(f"team {name}" for name in wish.teams)])
    requests = sum(row.requests for row in done.rows)
    came = f"; {requests} answered requests, {show_moment(done.first_ns)} to {show_moment(done.last_ns)}"
    return Told(
        source=f"the books, {period}{': ' + of if of else ''}{came if requests else ''}",
        date=dt.datetime.fromtimestamp(until_ns / NANO, dt.UTC).date(),
    )


def month_of(done: WorkDone, hours: Fraction, written: Traffic | None, told: Told) -> Traffic:
    """Raise `ConfigError` when there was hardly any work: one request says nothing of a month."""
    requests = sum(row.requests for row in done.rows)
    if requests < LEAST_REQUESTS:
        raise ConfigError(f"{told.source} tell of {requests} answered requests; choose a longer period with --since")
    outputs = sum(row.output_tokens for row in done.rows)
    mean = Fraction(outputs, requests)
    squares = sum(row.output_squares for row in done.rows) / requests
    base = written or Traffic(
        requests_per_month=1, input_tokens=Fraction(0), output_tokens=Fraction(0), cached_share=Fraction(0),
        batch_share=Fraction(0), peak_factor=1.0, growth_per_year=0.0, arrival_cv2=1.0, service_cv2=None, told=told,
    )  # fmt: skip
    # A period of less than an hour has no mean hour that a busiest one could be compared with.
    per_hour = requests / max(1.0, float(hours))
    return replace(
        base,
        requests_per_month=max(1, round(requests * HOURS_PER_MONTH / hours)),
        input_tokens=Fraction(sum(row.input_tokens for row in done.rows), requests),
        output_tokens=mean,
        peak_factor=max(1.0, done.busiest_hour / per_hour),
        told_rest=written.told if written is not None else Told(source=NOBODY, date=told.date),
        service_cv2=max(0.0, squares / float(mean) ** 2 - 1),
        told=told,
    )
