"""Knows how results reach the user: JSON for machines, rich tables for people, colour on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from yuzui.cli._text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PIPE_COLUMNS = 120  # without a terminal nobody knows the width; tables are drawn for this one


def write_json(value: object) -> None:
    """`value` as indented JSON on standard output."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def console() -> Console:
    """Where people read. No colour into pipes, none under NO_COLOR; the terminal's own width where there is one."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    return Console(width=None if is_terminal else PIPE_COLUMNS, highlight=False, emoji=False, markup=False)


def say(text: str) -> None:
    """One line for people on standard output."""
    print(clean(text))


def note(text: str) -> None:
    """One line beside the result, on standard error."""
    print(clean(text), file=sys.stderr)


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    whole: frozenset[int] = frozenset(),
    styles: Mapping[str, str] | None = None,
) -> Table:
    """A plain table with cleaned cells. Columns in `right` are numbers; those in `whole` never break, to be copied.

    `styles`: cell text → style, for terminals.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for position, title in enumerate(columns):
        is_number, is_whole = position in right, position in right or position in whole
        drawn.add_column(title, justify="right" if is_number else "left", overflow="fold", no_wrap=is_whole)
    for row in rows:
        drawn.add_row(*(Text(clean(cell), style=(styles or {}).get(cell, "")) for cell in row))
    return drawn


def show_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: frozenset[int] = frozenset(),
    whole: frozenset[int] = frozenset(),
    styles: Mapping[str, str] | None = None,
) -> None:
    """Draw it where people read."""
    console().print(table(columns, rows, right=right, whole=whole, styles=styles))


def show_facts(facts: Mapping[str, str]) -> None:
    """Name and value, one per line, values aligned."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        say(f"{name:<{width}}  {value}")


@contextmanager
def progress_bar(name: str, *, is_shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error while `name` is fetched; call what it yields with (what, bytes done, bytes in all)."""
    if not is_shown:
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{what} {name}", total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield show
