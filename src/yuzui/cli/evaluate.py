"""Knows how models are measured on one's own examples: cleaned, asked through the gateway, graded, reported."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from yuzui.cli._evaluate_options import (
    JudgeOption,
    KeyOption,
    RunArgument,
    UnsafeCodeOption,
    load_function,
    names_of,
    read_parameters,
    run_file,
)
from yuzui.cli._evaluate_ray import Ray, RayAddressOption, RayOption
from yuzui.cli._evaluate_sets import import_set, list_sets
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, check_is_new, data_dir_of
from yuzui.cli._output import note, say, show_facts, show_table, write_json
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # loaded when a command asks for them
    from yuzui.evaluation.calls import Settings
    from yuzui.evaluation.examples import Example
    from yuzui.evaluation.scorers._contract import Scorer
    from yuzui.io.evaluation_ray import RayWorkers
    from yuzui.io.evaluation_run import Tally, Work
    from yuzui.io.evaluation_store import EvaluationStore
    from yuzui.io.sandbox import Sandbox

app = typer.Typer(no_args_is_help=True, help="Measure models on your own examples, through the gateway.")
app.command("sets")(list_sets)
app.command("import")(import_set)

ExamplesArgument = Annotated[Path, typer.Argument(metavar="EXAMPLES", help="Examples, .jsonl or .parquet.")]
MOST_SHOWN = 20


@app.command()
def clean(
    examples: ExamplesArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where what is kept goes.")],
    near: Annotated[
        float, typer.Option(metavar="LIKENESS", help="From which likeness on two are one; 0: only the same text.")
    ] = 0.85,
    min_chars: Annotated[int, typer.Option(min=0, help="Shorter ones go.")] = 1,
    max_chars: Annotated[int, typer.Option(min=1, help="Longer ones go.")] = 200_000,
    script: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Keep this script only: latin, han, japanese, …; repeat.")
    ] = None,
    removed: Annotated[
        Path | None, typer.Option("--removed", metavar="FILE", help="Write each removal with its reason here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Take out duplicates, near-duplicates, leaks between splits, and what is too short, too long or in another script.

    Nothing goes silently: every removal is reported with its reason.
    """
    from yuzui.evaluation.cleaning import Rules
    from yuzui.evaluation.cleaning import clean as clean_examples
    from yuzui.evaluation.near_duplicates import near_duplicates
    from yuzui.io.example_file import read_examples, write_examples, write_rows

    check_is_new(out, force)
    rules = Rules(least_chars=min_chars, most_chars=max_chars, scripts=frozenset(script or ()), near=near)
    found = clean_examples(read_examples(examples), rules, near_duplicates)
    write_examples(out, found.kept)
    rows: list[dict[str, Any]] = [  # Any: JSON values
        {"example": one.example, "line": one.place + 1, "reason": one.reason, "detail": one.detail}
        for one in found.removed
    ]
    if removed is not None:
        write_rows(removed, rows)
    if json:
        write_json({"kept": len(found.kept), "tidied": found.tidied, "removed": rows, "conflicts": found.conflicts})
        return
    reasons = Counter(one.reason for one in found.removed)
    show_facts({"kept": str(len(found.kept)), "tidied": str(found.tidied), "removed": str(len(rows)),
                **{f"  {reason}": str(count) for reason, count in reasons.most_common()}})  # fmt: skip
    if rows:
        shown = [(str(row["line"]), row["example"], row["reason"], row["detail"]) for row in rows[:MOST_SHOWN]]
        show_table(("#", "example", "reason", "detail"), shown, right=frozenset((0,)))
    if len(rows) > MOST_SHOWN:
        say(f"… and {len(rows) - MOST_SHOWN} more: --removed FILE has all of them")
    for conflict in found.conflicts:
        note(f"warning: {conflict}")


@app.command()
def run(
    examples: ExamplesArgument,
    models: Annotated[str, typer.Option("--models", metavar="A,B", help="Who answers: targets or virtual models.")],
    scorer: Annotated[
        list[str], typer.Option("--scorer", metavar="NAME[:OPTION=…]", help="How answers are graded; repeat.")
    ],
    reference_model: Annotated[
        str, typer.Option("--reference-model", metavar="MODEL", help="Whom the others are measured against.")
    ] = "",
    judge: JudgeOption = "",
    name: Annotated[
        str, typer.Option("--run", metavar="NAME", help="Of the run, or its file. Default: the file's name.")
    ] = "",
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="Sent with each request; repeat.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="AMOUNT", help="Stop before the run costs more: 5.00.")
    ] = None,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=256, help="Calls at once, at most.")] = 4,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask again what failed before.")] = False,
    regrade: Annotated[bool, typer.Option("--regrade", help="Grade again what is graded, with these scorers.")] = False,
    unsafe_code: UnsafeCodeOption = False,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="Of a running gateway. Default: one is started for the run.")
    ] = "",
    key: KeyOption = "",
    ray: RayOption = False,
    ray_address: RayAddressOption = "",
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Ask each model each example and grade the answers. A run that was stopped goes on where it was.

    Every call, also a judge's, goes through the gateway: allowed set, labels, budgets, ledger and audit hold. What a
    model may not see is a result ("not permitted"). Exits 1 when the run stopped before its end.
    """
    from yuzui.evaluation.calls import Settings
    from yuzui.io.evaluation_run import Work
    from yuzui.io.evaluation_store import EvaluationStore
    from yuzui.io.example_file import sha256_of

    scorers = _scorers(scorer, judge, reference_model)
    spread = Ray.read(ray, ray_address, url)
    read = _examples(examples, scorers)
    folder = data_dir_of(data_dir)
    sandbox = None if spread.is_wanted else _sandbox(scorers, folder, is_unsafe=unsafe_code)
    money = None if budget is None else _money(budget, url, config)
    settings = Settings(
        models=names_of(models, "--models"), reference_model=reference_model, judge=judge,
        scorers=tuple([one.name for one in scorers]), parameters=read_parameters(param),
        examples_sha256=sha256_of(examples), examples_name=examples.name,
    )  # fmt: skip  # one thing
    path = run_file(name or examples.stem, folder)
    total = len(read) * len(settings.asked)
    with EvaluationStore(path, may_create=True) as store:
        store.begin(settings, read)
        store.note("parallel", parallel)
        _forget(store, scorers if regrade else (), failures=retry_failed)
        with (
            _gateway(url, config, folder, path) as address,
            spread.workers(address, key, scorers, parallel, is_unsafe=unsafe_code, hidden=folder) as workers,
            _progress(total, is_shown=not json and sys.stderr.isatty()) as step,
        ):
            work = Work(settings=settings, examples=read, scorers=scorers, parallel=parallel, on_step=step)
            tally, spent_nano = asyncio.run(_carry_out(work, store, address, key, money, workers or sandbox))
    _tell(tally, spent_nano, path, name or examples.stem, is_json=json)
    if tally.why_stopped:
        raise typer.Exit(1)


def _scorers(written: list[str], judge: str, reference_model: str) -> list[Scorer]:
    from yuzui.evaluation.scorers.catalogue import JUDGED, kind_of, read_scorer

    scorers = [read_scorer(one, load_function) for one in dict.fromkeys(written)]
    kinds = {kind_of(one.name) for one in scorers}
    if kinds & JUDGED and not judge:
        raise ConfigError(f"--scorer {min(kinds & JUDGED)} needs --judge MODEL")
    if "pairwise" in kinds and not reference_model:
        raise ConfigError("--scorer pairwise needs --reference-model MODEL, to compare with")
    return scorers


def _examples(path: Path, scorers: list[Scorer]) -> list[Example]:
    from yuzui.evaluation.examples import check_unique
    from yuzui.io.example_file import read_examples

    read = read_examples(path)
    check_unique(read)
    _say_unfit(read, scorers)
    return read


def _sandbox(scorers: list[Scorer], data_dir: Path, *, is_unsafe: bool) -> Sandbox | None:
    """One that stands, where a scorer runs code."""
    from yuzui.evaluation.scorers.catalogue import RUN, kind_of
    from yuzui.io.sandbox import Sandbox

    if not any(kind_of(one.name) in RUN for one in scorers):
        return None
    sandbox = Sandbox(is_unsafe=is_unsafe, hidden=(data_dir.absolute(),))
    sandbox.check()
    return sandbox


def _forget(store: EvaluationStore, scorers: Sequence[Scorer], *, failures: bool) -> None:
    if failures:
        store.forget_failures()
    for one in scorers:
        store.forget_grades(one.name)


async def _carry_out(
    work: Work, store: EvaluationStore, address: str, key: str, money: tuple[int, str] | None,
    where: RayWorkers | Sandbox | None,
) -> tuple[Tally, int]:  # fmt: skip
    """`where`: workers that ask and grade, else all is done in this process, code in a sandbox."""
    from yuzui.evaluation.purse import PriceBounds, Purse
    from yuzui.io.evaluation_grading import GradingHere
    from yuzui.io.evaluation_line import GatewayLine
    from yuzui.io.evaluation_run import EvaluationRun
    from yuzui.io.sandbox import Sandbox

    async with GatewayLine(address, key) as line:
        listed = await line.models()
        _check_models(work.settings, listed)
        store.note("models", listed)
        cap_nano, currency = money or (None, "")
        purse = Purse(cap_nano, PriceBounds(listed, currency), store.spent_nano())
        if where is None or isinstance(where, Sandbox):
            run = EvaluationRun(work, store, line, purse, GradingHere(where))
        else:
            await where.check()
            run = EvaluationRun(work, store, where, purse, where)
        return await run.to_its_end(), purse.spent_nano


def _money(budget: str, url: str, config: Path | None) -> tuple[int, str]:
    """(nano-units, currency). The gateway books in one currency, and a budget is in that one. Raise `ConfigError`."""
    from yuzui.cli._options import load_config
    from yuzui.cli._text import read_amount_nano

    currency = budget.strip().partition(" ")[2].strip().upper()
    if not url:
        currency = load_config(config).money.currency
    elif not currency:
        raise ConfigError(f'--budget with --url needs the gateway\'s book currency: --budget "{budget} USD"')
    return read_amount_nano(budget, currency), currency


def _check_models(settings: Settings, listed: list[dict[str, Any]]) -> None:  # Any: JSON values
    known = {str(entry.get("id")) for entry in listed}
    for model in (*settings.asked, *([settings.judge] if settings.judge else [])):
        if model not in known:
            raise ConfigError(
                f"the gateway lists no model {model!r} for this key; it lists {', '.join(sorted(known)[:20])}"
            )


def _say_unfit(examples: list[Example], scorers: list[Scorer]) -> None:
    """Raise `ConfigError` for a scorer that fits no example; say for which ones it does not."""
    for scorer in scorers:
        problems = [problem for problem in (scorer.problem(example) for example in examples) if problem]
        if len(problems) == len(examples):
            raise ConfigError(f"--scorer {scorer.name} fits no example: {problems[0]}")
        if problems:
            reason = Counter(problems).most_common(1)[0][0]
            note(f"note: {scorer.name} grades {len(examples) - len(problems)} of {len(examples)} examples ({reason})")


@contextmanager
def _gateway(url: str, config: Path | None, data_dir: Path, run: Path) -> Iterator[str]:
    """The address of a running gateway, or of one that runs as long as this does."""
    if url:
        yield url
        return
    from yuzui.cli._demo.setting import gateway

    os.umask(0o077)  # the log of the gateway, too, is for its owner only
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with gateway(config, data_dir, run.with_suffix(".gateway.log")) as running:
        yield running.address


@contextmanager
def _progress(total: int, *, is_shown: bool) -> Iterator[Callable[[Tally, int], None]]:
    """A bar on standard error."""
    if not is_shown:
        yield lambda tally, spent_nano: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("answers", total=total)

        def show(tally: Tally, spent_nano: int) -> None:
            words = f"spent {spent_nano / 1e9:.4f} · failed {tally.failed} · not permitted {tally.not_permitted}"
            bar.update(task, advance=1, description=words)

        yield show


def _tell(tally: Tally, spent_nano: int, path: Path, name: str, *, is_json: bool) -> None:
    facts = {
        "asked": tally.asked, "kept before": tally.kept_before, "judged": tally.judged, "graded": tally.graded,
        "not permitted": tally.not_permitted, "failed": tally.failed,
    }  # fmt: skip  # one thing
    if is_json:
        write_json({**{name.replace(" ", "_"): count for name, count in facts.items()}, "spent_nano": spent_nano,
                    "faults": tally.faults, "stopped": tally.why_stopped, "run": str(path)})  # fmt: skip
        return
    show_facts({**{label: str(count) for label, count in facts.items()}, "spent": f"{spent_nano / 1e9:.6f}",
                "run": str(path)})  # fmt: skip
    for why, count in tally.faults.items():
        note(f"warning: {count} grades are missing ({why}); run it again to try once more")
    if tally.why_stopped:
        note(f"stopped: {tally.why_stopped}. The same command goes on from here")
    else:
        say(f"next: yuzui evaluate report {name}")


@app.command()
def report(
    run: RunArgument,
    format: Annotated[Literal["md", "html", "json"], typer.Option("--format", help="What it is written as.")] = "md",
    lang: Annotated[Literal["en", "zh"], typer.Option("--lang", help="English or Chinese.")] = "en",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Default: standard output.")] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Of the intervals.")] = 0.95,
    redraws: Annotated[int, typer.Option(min=200, max=100_000, help="Of the bootstrap.")] = 2_000,
    method: Annotated[Literal["bca", "percentile"], typer.Option(help="How intervals are read off.")] = "bca",
    seed: Annotated[int, typer.Option(help="Of the bootstrap.")] = 0,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Quality, cost, latency and refusals per model and slice, with intervals; open against closed; what was worst."""
    import msgspec

    from yuzui.economics.document import write_html, write_markdown
    from yuzui.evaluation.report import Report
    from yuzui.evaluation.summary import How, summarise
    from yuzui.io.evaluation_store import EvaluationStore

    how = How(level=level, redraws=redraws, method=method, seed=seed)
    with EvaluationStore(run_file(run, data_dir_of(data_dir))) as store:
        outcomes = store.outcomes()
        parallel = int(store.noted("parallel") or 1)
        judged = [result for _, result in store.judge_results()]
    summary = summarise(outcomes, how, random.Random(seed), judged)
    if json or format == "json":
        facts = {"settings": outcomes.settings, "summary": summary}  # NaN, where there is no interval, is null in JSON
        text = msgspec.json.format(msgspec.json.encode(facts), indent=2).decode() + "\n"
    else:
        document = Report(summary, outcomes.settings, lang, parallel).document()
        text = write_html(document) if format == "html" else write_markdown(document)
    if out is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        with open(out, "w", encoding="utf-8", opener=_private) as file:
            file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)  # examples of answers stand in it


@app.command()
def export(
    run: RunArgument,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where it goes, .jsonl or .parquet.")],
    scorer: Annotated[
        str, typer.Option("--scorer", metavar="NAME", help="Whose scores. Default: the run's only one.")
    ] = "",
    models: Annotated[str, typer.Option("--models", metavar="A,B", help="Default: all of the run.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write graded examples as `yuzui route fit` reads them. An example without a score of each model is left out.

    What the judge of the scorer `pointwise` said goes along, as a signal for cascades, unless it is the score itself.
    """
    from yuzui.evaluation.graded_rows import POINTWISE_SCORER, flat, graded_rows, judgement_of
    from yuzui.io.evaluation_store import EvaluationStore
    from yuzui.io.example_file import write_rows

    check_is_new(out, force)
    with EvaluationStore(run_file(run, data_dir_of(data_dir))) as store:
        outcomes = store.outcomes()
        scorers = outcomes.settings.scorers
        named = scorer or _only(tuple([one for one in scorers if one != POINTWISE_SCORER]) or scorers)
        if named not in scorers:
            raise ConfigError(f"the run has no scorer {named}; it has {', '.join(scorers)}")
        wanted = names_of(models, "--models") if models else outcomes.settings.asked
        if strangers := [model for model in wanted if model not in outcomes.settings.asked]:
            raise ConfigError(f"the run has no answers of {strangers[0]}; it has {', '.join(outcomes.settings.asked)}")

        def judgement(place: int, model: str) -> dict[str, Any] | None:  # Any: JSON values
            return None if named == POINTWISE_SCORER else judgement_of(outcomes, place, model, store.result)

        rows, left_out = graded_rows(outcomes, named, wanted, judgement)
    if not rows:
        raise ConfigError(f"no example has a score of every model ({left_out[0]})")
    write_rows(out, [flat(row) for row in rows] if out.suffix == ".parquet" else rows)
    if json:
        write_json({"written": len(rows), "left_out": left_out, "file": str(out)})
        return
    say(f"{len(rows)} graded examples in {out}")
    for one in left_out[:MOST_SHOWN]:
        note(f"left out: {one}")
    if len(left_out) > MOST_SHOWN:
        note(f"left out: {len(left_out) - MOST_SHOWN} more")
    if outcomes.examples and not any("split" in row for row in rows) and any(e.split for e in outcomes.examples):
        note("note: splits are left out: not every example is in train, calib or test")
    costs = {result.currency for result in outcomes.results.values() if result.cost_nano is not None}
    if costs - {"USD"}:
        note("note: costs that are not in USD are left out; give `yuzui route fit` a --price for each model")


def _only(names: tuple[str, ...]) -> str:
    if len(names) != 1:
        raise ConfigError(f"the run has several scorers: name one with --scorer ({', '.join(names)})")
    return names[0]


@app.command()
def bias(
    run: RunArgument,
    labels: Annotated[
        Path, typer.Option("--labels", metavar="FILE", help="What people chose: the file of `yuzui label`.")
    ],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Compare the run's pairwise judge with people: agreement, and a lean to a place, to length, or to itself."""
    from yuzui.evaluation.bootstrap import Interval
    from yuzui.evaluation.judge_bias import bias_of
    from yuzui.evaluation.labels import judged_pairs
    from yuzui.io.evaluation_store import EvaluationStore
    from yuzui.io.label_file import read_labels

    with EvaluationStore(run_file(run, data_dir_of(data_dir))) as store:
        outcomes = store.outcomes()
    pairs = judged_pairs(outcomes, read_labels(labels))
    if not pairs:
        raise ConfigError("the run has no pair that its judge compared: use --scorer pairwise")
    found = bias_of(pairs, random.Random(0))
    if json:
        write_json(found)
        return

    def shown(one: Interval | None) -> str:
        if one is None:
            return "no labelled pairs"
        return f"{one.value:+.3f}" + (f" [{one.low:+.3f}, {one.high:+.3f}]" if one.is_known else "")

    show_facts({
        "pairs": str(found.pairs), "labelled by people": str(found.labelled),
        "agreement": "–" if found.agreement is None else f"{found.agreement:.3f}",
        "Cohen's kappa": "–" if found.kappa is None else f"{found.kappa:.3f}",
        "orders disagree": str(found.disagreements),
        "  first place won twice": str(found.to_first), "  second place won twice": str(found.to_second),
        "  sign test": f"p = {found.position_p:.3g}",
        "longer side, beyond people": shown(found.length), "own answers, beyond people": shown(found.own),
    })  # fmt: skip


@app.command()
def captured(
    app_name: Annotated[str, typer.Option("--app", metavar="NAME", help="Whose requests: one of capture.apps.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the examples go, .jsonl or .parquet.")],
    use: Annotated[
        Literal["evaluate", "train"],
        typer.Option("--use", help="Answers are written as references only where the target's terms allow this."),
    ] = "evaluate",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write the requests that were kept of an application as examples: opened, so guard the file as you guard them."""
    from yuzui.evaluation.captured_rows import example_of
    from yuzui.io.capture_reader import read_captured
    from yuzui.io.example_file import write_examples

    check_is_new(out, force)
    found, unreadable = read_captured(data_dir_of(data_dir), app_name)
    if not found:
        raise ConfigError(f"no request of {app_name!r} is kept; see [capture] in the configuration")
    examples = [example_of(one, use) for one in found]
    write_examples(out, examples)
    with_answers = sum(bool(example.references) for example in examples)
    if json:
        write_json(
            {"written": len(examples), "with_references": with_answers, "unreadable": unreadable, "file": str(out)}
        )
        return
    say(f"{len(examples)} examples in {out}, {with_answers} of them with the answer as reference")
    for why, count in Counter(one.why_no_answer for one in found if one.why_no_answer).most_common():
        note(f"without an answer: {count} ({why})")
    if unreadable:
        note(f"warning: {unreadable} were kept under another key and cannot be opened")
