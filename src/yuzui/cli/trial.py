"""Knows how trials are looked at, reported on and, by a named person with a reason, stopped and resumed."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._orders import entry_of, os_user
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import read_moment_ns, show_moment
from yuzui.core.booking import TrialOrder
from yuzui.core.errors import ConfigError
from yuzui.core.ids import time_sorted_id

if TYPE_CHECKING:
    from yuzui.audit.record import RequestRecord
    from yuzui.config import Config
    from yuzui.core.trial import Trial
    from yuzui.io.books import SqliteBooks
    from yuzui.routing.arm_comparison import Comparison

app = typer.Typer(no_args_is_help=True, help="Look at trials, and stop or resume one with a name and a reason.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The trial's, or MODEL/NAME where two have it.")]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides: one of trials.operators.")]
ReasonOption = Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the audit log for ever.")]
Lang = Literal["en", "zh"]


class _Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `--grades`; further fields are none of ours."""

    request: str
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]


@app.command()
def status(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Tell of each trial whether its arm gets its share, and how near a rollback it is."""
    trials = _trials(load_config(config))
    folder = data_dir_of(data_dir)
    states, stopped = _known(folder)
    if json:
        write_json([_as_json(trial, states.get(trial.id), stopped.get(trial.id)) for trial in trials])
        return
    if not trials:
        say("no virtual model has a trial: write [[models.trials]]")
        return
    show_table(
        ("trial", "arm", "share", "state", "arm failed", "control failed", "nearest test"),
        [_row(trial, states.get(trial.id), stopped.get(trial.id)) for trial in trials],
    )
    for trial in trials:
        order = stopped.get(trial.id)
        if order is not None:
            say(f"{trial.model}/{trial.name}: stopped {show_moment(order.at_ns)} UTC by {order.by or 'its own rule'}: "
                f"{order.reason}")  # fmt: skip


@app.command()
def report(
    name: NameArgument,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="From: a day (2026-11-01, UTC), a time, or how long ago (7d).")
    ] = "30d",
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Up to, not including. Default: now.")] = None,
    grades: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='JSONL with {"request": "req_…", "score": 0 to 1} per graded answer.'),
    ] = None,
    lang: Annotated[Lang, typer.Option(help="In which language; JSON is in English.")] = "en",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Put both sides of a trial beside each other, from the audit records, as Markdown or JSON."""
    from yuzui.evaluation.trial_report import gather
    from yuzui.evaluation.trial_words import Told

    settings = load_config(config)
    trial = _named(settings, name)
    folder = data_dir_of(data_dir)
    now_ns = time.time_ns()
    since_ns = read_moment_ns(since, now_ns)
    until_ns = now_ns + 1 if until is None else read_moment_ns(until, now_ns)
    if until_ns <= since_ns:
        raise ConfigError("--until must be after --since")
    graded = {} if grades is None else _read_grades(grades)
    with closing(_Opened(folder)) as opened:
        sides = gather(opened.records(trial.model, since_ns, until_ns), trial.name, graded)
    order = _known(folder)[1].get(trial.id)
    state: tuple[str, dict[str, str]] = ("state_running", {})
    if order is not None:
        state = "state_stopped", {"at": show_moment(order.at_ns), "by": order.by, "reason": order.reason}
    told = Told(trial, sides, state=state, currency=settings.money.currency)
    if json:
        write_json(told.as_json())
    else:
        typer.echo(told.markdown(lang))


@app.command()
def stop(
    name: NameArgument,
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Give the arm nothing any more, within a second also in a running gateway. Who and why is in the audit log."""
    _order("stop", name, by, reason, config, data_dir, json)


@app.command()
def resume(
    name: NameArgument,
    by: ByOption,
    reason: ReasonOption,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Give the arm its share again; the comparison begins anew. Who and why is in the audit log."""
    _order("resume", name, by, reason, config, data_dir, json)


def _order(
    action: Literal["stop", "resume"], name: str, by: str, reason: str, config: Path | None, data_dir: Path | None,
    json: bool,
) -> None:  # fmt: skip
    from yuzui.trial_orders import refusal

    settings = load_config(config)
    folder = data_dir_of(data_dir)
    trial = _named(settings, name)
    if why := refusal(by, reason, settings.trials.operators):
        raise ConfigError(why)
    is_stopped = trial.id in _known(folder)[1]
    if is_stopped == (action == "stop"):
        raise ConfigError(f"{trial.model}/{trial.name} is {'stopped' if is_stopped else 'not stopped'} already")
    now_ns = time.time_ns()
    order = TrialOrder(
        id=time_sorted_id("trl_", now_ns, secrets.randbits(64)), at_ns=now_ns, action=action, model=trial.model,
        name=trial.name, arm=trial.arm, by=by, os_user=os_user(), reason=reason,
    )  # fmt: skip
    index = _carry_out(folder, settings, order)
    if json:
        write_json({"id": order.id, "model": trial.model, "trial": trial.name, "action": action, "leaf_index": index})
    else:
        done = "stopped" if action == "stop" else "resumed"
        say(f"{done}; entry {index} of the audit log tells of it (yuzui explain {order.id})")


def _carry_out(folder: Path, settings: Config, order: TrialOrder) -> int:
    """Index of the entry that tells of it."""
    from yuzui.trial_orders import carry_out

    with closing(_Opened(folder)) as opened:
        opened.books.add_trial_order(order)

    def here(books: SqliteBooks) -> None:
        if any(one.id == order.id for one in books.open_trial_orders()):
            asyncio.run(carry_out(order, books, settings.trials.operators))

    return entry_of(folder, order.id, lambda books: books.answer_to_trial_order(order.id), here)


class _Opened:
    """The books, until `close`."""

    def __init__(self, folder: Path) -> None:
        self.books = open_books(folder)

    def close(self) -> None:
        self.books.stop()

    def records(self, model: str, since_ns: int, until_ns: int) -> Iterator[RequestRecord]:
        from yuzui.audit.record import read_record

        for leaf in self.books.trial_records(model, since_ns, until_ns):
            yield read_record(leaf)


def _known(folder: Path) -> tuple[dict[str, Comparison], dict[str, TrialOrder]]:
    """Trial id → what was seen of it; trial id → the order that stopped it."""
    from yuzui.routing.arm_comparison import read_comparison

    with closing(_Opened(folder)) as opened:
        states = opened.books.trial_states()
        orders = opened.books.trial_orders_in_force()
    seen: dict[str, Comparison] = {}
    for id, state in states.items():
        try:
            seen[id] = read_comparison(state)
        except ValueError as error:
            note(f"what is kept of {id.replace(chr(10), '/')} cannot be read: {error}")
    return (
        seen,
        {order.trial_id: order for order in orders if order.action == "stop"},
    )


def _trials(settings: Config) -> list[Trial]:
    return [trial for model in settings.models for trial in model.trials]


def _named(settings: Config, name: str) -> Trial:
    trials = _trials(settings)
    found = [trial for trial in trials if name in (trial.name, f"{trial.model}/{trial.name}")]
    if len(found) == 1:
        return found[0]
    all_names = ", ".join(f"{trial.model}/{trial.name}" for trial in found or trials) or "none"
    raise ConfigError(
        f"several trials are called {name!r}: write one of {all_names}" if found
        else f"no trial is called {name!r}; there are: {all_names}"
    )  # fmt: skip


def _read_grades(path: Path) -> dict[str, float]:
    read = msgspec.json.Decoder(_Grade).decode
    grades: dict[str, float] = {}
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            grade = read(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}, line {number}: {error}") from error
        grades[grade.request] = grade.score
    return grades


def _row(trial: Trial, seen: Comparison | None, order: TrialOrder | None) -> tuple[str, ...]:
    whom = sorted(trial.keys) + sorted(trial.teams) + sorted(trial.apps)
    share = f"{trial.percent:g} %" + (f" of {', '.join(whom)}" if whom else "")
    sides = ("-", "-")
    nearest = "-"
    if seen is not None:
        sides = (f"{seen.arm.failures} of {seen.arm.requests}", f"{seen.control.failures} of {seen.control.requests}")
        tests = seen.evidence(trial.rollback)
        if tests:
            test, (wealth, limit) = max(tests.items(), key=lambda item: item[1][0] / item[1][1])
            nearest = f"{test}: {wealth:.2g} of {limit:.0f}"
    state = "stopped" if order is not None else "running"
    return (f"{trial.model}/{trial.name}", trial.arm, share, state, *sides, nearest)


def _as_json(trial: Trial, seen: Comparison | None, order: TrialOrder | None) -> dict[str, object]:
    return {
        "model": trial.model, "trial": trial.name, "arm": trial.arm, "kind": trial.kind, "percent": trial.percent,
        "keys": sorted(trial.keys), "teams": sorted(trial.teams), "apps": sorted(trial.apps),
        "is_stopped": order is not None,
        "stopped": None if order is None else {"at_ns": order.at_ns, "by": order.by, "reason": order.reason},
        "arm_requests": seen.arm.requests if seen else 0, "arm_failures": seen.arm.failures if seen else 0,
        "control_requests": seen.control.requests if seen else 0,
        "control_failures": seen.control.failures if seen else 0,
        "evidence": {
            test: {"wealth": wealth, "limit": limit}
            for test, (wealth, limit) in (seen.evidence(trial.rollback) if seen else {}).items()
        },
    }  # fmt: skip
