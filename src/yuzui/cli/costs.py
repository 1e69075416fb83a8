"""Knows how the books' totals are shown: who spent what, in a period, and how much of it is estimated."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from yuzui.cli._costs_saved import References
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._output import say, show_table, write_json
from yuzui.cli._text import read_moment_ns, show_moment, show_money
from yuzui.core.errors import ConfigError

app = typer.Typer()

By = Literal["app", "team", "key", "model", "target", "day"]


HOW = (
    "Spent: tokens as the target reported them, or as the gateway counted them where it did not (estimated), at the "
    "price in force then, surcharges and tools included, booked in integers and converted at the configured rate. A "
    "target that is free in the configuration costs 0 here: `yuzui tco report` says what own machines cost. (none): "
    "nobody answered, or no such name was given."
)


@app.command()
def costs(
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="From: a day (2026-11-01, UTC), a time, or how long ago (7d).")
    ] = "30d",
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Up to, not including. Default: now.")] = None,
    by: Annotated[By, typer.Option(help="One row per.")] = "app",
    reference: Annotated[
        str, typer.Option(metavar="TARGET", help="Count savings of every model against it, not its own reference.")
    ] = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show what was spent, with tokens and requests. Refused ones count, at no cost; money is in the book currency."""
    settings = load_config(config)
    currency = settings.money.currency
    against = References.of(settings, reference, data_dir_of(data_dir))
    now_ns = time.time_ns()
    since_ns = read_moment_ns(since, now_ns)
    until_ns = now_ns + 1 if until is None else read_moment_ns(until, now_ns)
    if until_ns <= since_ns:
        raise ConfigError("--since lies in the future" if until is None else "--until must be after --since")
    books = open_books(data_dir_of(data_dir))
    try:
        rows = books.costs(since_ns, until_ns, by)
        saved = against.savings(books, since_ns, until_ns)
    finally:
        books.stop()
    total_nano = sum(row.spent_nano for row in rows)
    if json:
        write_json({
            "by": by, "since": _iso(since_ns), "until": _iso(until_ns), "currency": currency,
            "total_nano": total_nano,
            "rows": [
                {"name": row.name, "requests": row.requests, "input_tokens": row.input_tokens,
                 "output_tokens": row.output_tokens, "spent_nano": row.spent_nano,
                 "spent": show_money(row.spent_nano, currency), "estimated_requests": row.estimated_requests}
                for row in rows
            ],
            **against.as_json(saved),
        })  # fmt: skip
        return
    period = f"{show_moment(since_ns)} to {show_moment(until_ns)} UTC"
    if not rows:
        say(f"nothing was asked from {period}")
        return
    say(f"Costs by {by}, {period}")
    lines = [
        (row.name or "(none)", str(row.requests), str(row.input_tokens), str(row.output_tokens),
         show_money(row.spent_nano, currency), str(row.estimated_requests))
        for row in rows
    ]  # fmt: skip
    lines.append((
        "total", str(sum(r.requests for r in rows)), str(sum(r.input_tokens for r in rows)),
        str(sum(r.output_tokens for r in rows)), show_money(total_nano, currency),
        str(sum(r.estimated_requests for r in rows)),
    ))  # fmt: skip
    show_table((by, "requests", "tokens in", "tokens out", "spent", "estimated"), lines, right=frozenset(range(1, 6)))
    say(HOW)
    against.show(saved)


def _iso(at_ns: int) -> str:
    return show_moment(at_ns).replace(" ", "T") + "Z"
