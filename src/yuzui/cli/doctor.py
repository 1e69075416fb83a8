"""Knows in which order an installation is examined, and how the findings are told."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from yuzui.cli import _checks
from yuzui.cli._checks import Check
from yuzui.cli._checks_routing import check_guarantees, check_trials
from yuzui.cli._checks_watch import check_watches
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._output import console, say, write_json
from yuzui.cli._text import clean
from yuzui.cli.audit import AUDIT_FOLDER
from yuzui.core.errors import YuzuiError
from yuzui.core.money import NANO

if TYPE_CHECKING:
    from yuzui.config import Config
    from yuzui.core.booking import TrialOrder
    from yuzui.io.books import SqliteBooks

app = typer.Typer()

COLOURS = {"ok": "green", "warn": "yellow", "fail": "bold red"}


@app.command()
def doctor(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Check the whole installation and say what to do. Exits 1 when something fails.

    Connects to each target (TCP, and TLS where there is one) and sends it nothing.
    """
    checks = examine(config, data_dir_of(data_dir))
    has_failed = any(check.verdict == "fail" for check in checks)
    if json:
        write_json({
            "ok": not has_failed,
            "checks": [{"name": c.name, "verdict": c.verdict, "found": c.found, "fix": c.fix} for c in checks],
        })  # fmt: skip
    else:
        _show(checks)
    if has_failed:
        raise typer.Exit(1)


def examine(config_path: Path | None, data_dir: Path) -> list[Check]:
    """All checks. One that cannot be made is a failure of its own; the others go on."""
    checks = [_checks.check_python(), _checks.check_sqlite(), _checks.check_dependencies()]
    try:
        config: Config | None = load_config(config_path)
    except YuzuiError as error:
        checks.append(Check(name="configuration", verdict="fail", found=error.message,
                            fix="correct it; a fresh one to compare with: yuzui init --config fresh.toml"))  # fmt: skip
        config = None
    checks += _checks.check_folder(data_dir)
    checks.append(_checks.check_disk(data_dir))
    has_keys, latest_ns = False, None
    orders: Sequence[TrialOrder] = ()
    try:
        books = open_books(data_dir)
    except YuzuiError as error:
        if data_dir.is_dir() and any(data_dir.iterdir()):
            checks.append(Check(name="books", verdict="warn", found=error.message, fix="is this the right folder?"))
    else:
        try:
            has_keys, latest_ns = books.has_keys(), _latest_record_ns(books)
            orders = books.trial_orders_in_force()
            checks.append(_checks.check_books(books))
        except YuzuiError as error:
            checks.append(Check(name="books", verdict="fail", found=error.message, fix="restore the last good backup"))
        finally:
            books.stop()
        checks.append(_checks.check_audit(data_dir / AUDIT_FOLDER))
    checks.append(_checks.check_clock(time.time_ns(), latest_ns))
    if config is not None:
        checks += _examine_config(config, data_dir, has_keys) + check_trials(config, orders)
    return checks


def _examine_config(config: Config, data_dir: Path, has_keys: bool) -> list[Check]:
    from yuzui.io.price_library import lookup
    from yuzui.providers.catalogue import load_rows

    checks = _checks.check_config(config)
    checks.append(_checks.check_bind(config, has_keys))
    checks += _checks.check_vendor_keys(config, load_rows(), os.environ)
    checks += _checks.check_documents(config)
    checks.append(_checks.check_names(config))
    checks += _checks.check_embedded(config)
    wanted = {name: key for name, key in config.price_lookups.items() if key[0]}
    try:
        prices = lookup(sorted(set(wanted.values())), data_dir / "cache") if wanted else {}
    except (YuzuiError, OSError) as error:
        checks.append(Check(name="prices", verdict="warn", found=str(error), fix="write prices in yuzui.toml"))
    else:
        checks += _checks.check_prices(config, {name: key for name, key in wanted.items() if key in prices})
        priced = [replace(t, price=prices.get(wanted[t.name])) if t.name in wanted else t for t in config.targets]
        with_prices = replace(config, targets=tuple(priced))
        checks += check_guarantees(with_prices) + check_watches(with_prices, data_dir)
    return checks + _checks.check_targets(config, _checks.connect)


def _latest_record_ns(books: SqliteBooks) -> int | None:
    from yuzui.audit.record import read_record

    last = books.unpublished(books.size() - 1, 1) if books.size() else []
    return int(datetime.fromisoformat(read_record(last[0]).at).timestamp()) * NANO if last else None


def _show(checks: list[Check]) -> None:
    from rich.text import Text

    out = console()
    width = max(len(check.name) for check in checks)
    for check in checks:
        line = Text()
        line.append(f"{check.verdict:<5}", style=COLOURS[check.verdict])
        line.append(f"{clean(check.name):<{width}}  {clean(check.found)}")
        out.print(line, soft_wrap=True)
        if check.fix and check.verdict != "ok":
            out.print(Text(f"     {'':<{width}}  → {clean(check.fix)}"), soft_wrap=True)
    bad = sum(check.verdict == "fail" for check in checks)
    doubtful = sum(check.verdict == "warn" for check in checks)
    say(f"{len(checks)} checks: {len(checks) - bad - doubtful} ok, {doubtful} to look at, {bad} failed")
