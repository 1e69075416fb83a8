"""Knows how a draft configuration is held against recorded traffic: what to read, what to show, when to fail."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yuzui.cli._options import DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.cli._text import read_moment_ns
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # loaded when there is something to replay
    from yuzui.backtest.document import Block
    from yuzui.backtest.quality import Quality
    from yuzui.backtest.report import Report
    from yuzui.backtest.texts import Texts
    from yuzui.core.caller import Caller
    from yuzui.core.target import Target
    from yuzui.learned_routing import GuaranteedModel
    from yuzui.world import Snapshot

app = typer.Typer()

Format = Literal["text", "markdown", "json"]
Lang = Literal["en", "zh"]

HOURS_UP_TO_S = 14 * 86_400  # intervals take hours as draws in a period this long, days in a longer one
SEED = 20_261_126  # of the intervals: the same records give the same report
_FACTOR = re.compile(r"(?P<target>.+)=(?P<factor>\d{1,6}(?:\.\d{1,6})?)")


@app.command()
def backtest(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The draft.", show_default=False)],
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="From: a day (2026-11-01, UTC), a time, or how long ago (7d).")
    ] = "30d",
    until: Annotated[str | None, typer.Option(metavar="WHEN", help="Up to, not including. Default: now.")] = None,
    team: Annotated[str | None, typer.Option(metavar="NAME", help="Only this team's requests.")] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False, help="The configuration of that time: where old targets stood."
        ),
    ] = None,
    home: Annotated[
        list[str] | None,
        typer.Option(metavar="XX", help="A jurisdiction that counts as the country. Default: those of own targets."),
    ] = None,
    tokens_factor: Annotated[
        list[str] | None,
        typer.Option(metavar="TARGET=F", help="This target takes F tokens where the recorded one took one."),
    ] = None,
    with_content: Annotated[
        bool,
        typer.Option("--with-content", help="Read what [capture] kept of requests, with the draft's own detectors."),
    ] = False,
    graded: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Graded examples (JSON lines), to predict quality from.")
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(metavar="GATE", help='Exit 1 when it holds: "cost > +5%", "left_house > 0". Repeat for several.'),
    ] = None,
    format: Annotated[Format, typer.Option(help="How to show it.")] = "text",
    lang: Annotated[Lang, typer.Option(help="In which language, for text and markdown.")] = "en",
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Replay recorded requests against a draft configuration: what would move, leave, cost, take, and be refused.

    Reads metadata, and kept texts only --with-content; sends nothing, shows no text, and says what it had to suppose.
    """
    from yuzui.backtest.gates import check_gates, read_gate
    from yuzui.wiring import make_snapshot

    folder = data_dir_of(data_dir)
    now_ns = time.time_ns()
    window = read_moment_ns(since, now_ns), now_ns + 1 if until is None else read_moment_ns(until, now_ns)
    if window[1] <= window[0]:
        raise ConfigError("--since lies in the future" if until is None else "--until must be after --since")
    draft = load_config(config)
    gates = [read_gate(one, draft.money.currency) for one in fail_if or ()]
    factors = dict(read_factor(one) for one in tokens_factor or ())
    snapshot = make_snapshot(draft, folder)
    quality = _quality(graded, snapshot)
    report = _replay(
        snapshot, folder, window, config.name, team=team, baseline=baseline, home=home, factors=factors,
        quality=quality, is_reading=with_content,
    )  # fmt: skip  # what to replay, and against what
    report = _with_gates(report, check_gates(gates, report))
    _tell(report, "json" if json else format, lang)
    failed = [one for one in report.gates if one.has_failed]
    for one in failed:
        note(f"gate failed: {one.gate} ({one.value})")
    if failed:
        raise typer.Exit(1)


def _tell(report: Report, format: Format, lang: Lang) -> None:
    from yuzui.backtest.document import document
    from yuzui.backtest.markdown import write_markdown

    if format == "json":
        write_json(report)
    elif format == "markdown":
        say_raw(write_markdown(document(report, lang)))
    else:
        show(document(report, lang))


def read_factor(text: str) -> tuple[str, Fraction]:
    """`vendor/model=1.1`; raise `ConfigError`."""
    found = _FACTOR.fullmatch(text.strip())
    if found is None or not Fraction(found["factor"]):
        raise ConfigError(f"--tokens-factor {text!r}: write a target of the draft and a number, such as house/qwen=1.1")
    return found["target"], Fraction(found["factor"])


def _quality(path: Path | None, snapshot: Snapshot) -> Quality | None:
    if path is None:
        return None
    from yuzui.backtest.quality import GradedExamples, read_scores

    with path.open("rb") as file:
        examples = read_scores(file, str(path))
    return GradedExamples(examples, {target.name: target.model for target in snapshot.config.targets})


def _replay(
    snapshot: Snapshot, folder: Path, window: tuple[int, int], name: str, *, team: str | None, baseline: Path | None,
    home: list[str] | None, factors: dict[str, Fraction], quality: Quality | None, is_reading: bool,
) -> Report:  # fmt: skip  # what to replay, and against what
    from yuzui.backtest.places import Places, home_of
    from yuzui.backtest.recorded import Skipped, read_records, refuse_unreadable
    from yuzui.backtest.replay import Replay
    from yuzui.backtest.report import make_report
    from yuzui.exchange import rfc3339

    targets = snapshot.config.targets
    known, routers = _known(baseline, snapshot)
    country = tuple(home) if home else home_of(targets)
    places = Places(known, country)
    has_hours = window[1] - window[0] <= HOURS_UP_TO_S * 1_000_000_000
    chunks, callers = _source(folder, window, snapshot)
    skipped = Skipped()
    bounds = rfc3339(window[0]), rfc3339(window[1])
    with _texts(folder, is_reading=is_reading) as texts:
        replay = Replay(
            snapshot, callers, places, token_factors=factors, block_chars=13 if has_hours else 10, texts=texts,
            known_routers=routers,
        )  # fmt: skip  # one thing
        for chunk in chunks:
            replay.add(read_records(chunk, skipped, since=bounds[0], until=bounds[1], team=team))
    refuse_unreadable(skipped)
    return make_report(
        replay.tally, Random(SEED), quality, draft=name, snapshot=snapshot.config.snapshot_id,
        block="hour" if has_hours else "day", currency=snapshot.config.money.currency, home=country, team=team,
        unknown_places=places.unknown, token_factors=factors, routers=snapshot.guaranteed,
    )  # fmt: skip  # one thing


def _known(baseline: Path | None, snapshot: Snapshot) -> tuple[tuple[Target, ...], Mapping[str, GuaranteedModel]]:
    """Where old targets stood, and which routers there were, as far as anybody says."""
    if baseline is None:
        return snapshot.config.targets, {}
    from yuzui.io.learned_routers import load_routers

    config = load_config(baseline)
    try:
        return config.targets, load_routers(config)
    except ConfigError as error:  # files of that time may be gone; what a record says then counts for less
        note(f"routers of {baseline.name} are not used: {error}")
        return config.targets, {}


def _texts(folder: Path, *, is_reading: bool) -> AbstractContextManager[Texts | None]:
    """With the deployment's own key, as `yuzui evaluate captured`: who may read the data folder may read them."""
    if not is_reading:
        return nullcontext()
    from yuzui.io.capture_reader import CaptureReader

    return CaptureReader(folder)


def _source(
    folder: Path, window: tuple[int, int], snapshot: Snapshot
) -> tuple[Iterator[list[bytes]], dict[str, Caller]]:
    """Records, chunk by chunk, and who had which key. A copy of the audit log knows no keys."""
    from yuzui.admission.gate import caller_of
    from yuzui.io.record_stream import has_books, log_in, stream_books, stream_log

    if not has_books(folder):
        note("no books here: keys are unknown, so what they narrow is too")
        return stream_log(log_in(folder)), {}
    books = open_books(folder)
    try:
        keys = books.list_keys()
    finally:
        books.stop()
    lattice = snapshot.config.sensitivity.lattice
    return stream_books(folder, *window), {key.id: caller_of(key, lattice) for key in keys}


def _with_gates(report: Report, results: tuple[object, ...]) -> Report:
    import msgspec

    return msgspec.structs.replace(report, gates=results)


def show(blocks: list[Block]) -> None:
    """On a terminal."""
    from yuzui.backtest.document import Grid, Heading

    for block in blocks:
        if isinstance(block, Grid):
            show_table(block.columns, block.rows, right=block.right)
        elif isinstance(block, Heading):
            if block.level > 1:
                say("")
            say(block.text)
        else:
            say(block.text)


def say_raw(text: str) -> None:
    """Markdown, which is clean by now, with its line ends."""
    typer.echo(text, nl=False)
