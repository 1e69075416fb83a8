"""`yuzui tco`: what own models cost beside vendors, how fast a server is, and from which volume on it pays."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # loaded when a command asks for them
    from yuzui.cli._tco_inputs import FromBooks
    from yuzui.economics.measurement import MeasuredLevel, Measurement
    from yuzui.economics.study import Study

app = typer.Typer(no_args_is_help=True, help="Cost of ownership: own models beside vendors, measured and dated.")

FileOption = Annotated[Path, typer.Option("--file", metavar="FILE", help="The inputs; see `yuzui tco init`.")]
AgainstOption = Annotated[
    str,
    typer.Option("--against", metavar="NAME", help="The vendor that sensitivities are against. Default: the cheapest."),
]
BooksOption = Annotated[bool, typer.Option("--from-books", help="The work is what the gateway's books tell of.")]
SinceOption = Annotated[
    str, typer.Option(metavar="WHEN", help="With --from-books: a day (UTC), a time, how long ago (7d).")
]
UntilOption = Annotated[str | None, typer.Option(metavar="WHEN", help="Up to, not including. Default: now.")]
ModelOption = Annotated[
    list[str] | None, typer.Option("--model", metavar="NAME", help="Of the books: what clients asked for. Repeatable.")
]
TeamOption = Annotated[list[str] | None, typer.Option("--team", metavar="NAME", help="Of the books. Repeatable.")]
LangOption = Annotated[Literal["en", "zh"], typer.Option("--lang", help="The language of the report.")]
DEFAULT_FILE = Path("tco.toml")


@app.command("init")
def init(
    file: FileOption = DEFAULT_FILE,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write a commented tco.toml to start from: every number in it is an example to replace."""
    try:
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(starter())
    except FileExistsError as error:
        raise ConfigError(f"{file} is there already; look at it, or replace it with --force") from error
    if json:
        write_json({"file": str(file)})
    else:
        say(f"{file} is written: replace the numbers, each with its source and date, then `yuzui tco report`")


def starter() -> str:
    """The text of a first tco.toml."""
    return resources.files("yuzui.cli").joinpath("tco.toml").read_text("utf-8")


@app.command("report")
def report(
    file: FileOption = DEFAULT_FILE,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", show_default=False, help="Write it there: .html (with plots), .md or .json."
        ),
    ] = None,
    lang: LangOption = "en",
    against: AgainstOption = "",
    from_books: BooksOption = False,
    since: SinceOption = "30d",
    until: UntilOption = None,
    model: ModelOption = None,
    team: TeamOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show what own models cost beside vendors: per month, per token, per request, and what that hangs on."""
    from yuzui.economics.document import write_html, write_markdown
    from yuzui.economics.facts import facts
    from yuzui.economics.report import write_report

    form = "" if out is None else out.suffix.lower()
    if out is not None and form not in (".html", ".md", ".json"):
        raise ConfigError(f"--out {out}: end it with .html, .md or .json")
    found = _study(file, against, _books(from_books, since, until, model, team), config, data_dir)
    if out is not None and form == ".json":
        import msgspec

        out.write_bytes(msgspec.json.format(msgspec.json.encode(facts(found)), indent=2) + b"\n")
    elif out is not None:
        document = write_report(found, lang)
        out.write_text(write_html(document) if form == ".html" else write_markdown(document), "utf-8")
    if json:
        write_json(facts(found))
    elif out is None:
        typer.echo(write_markdown(write_report(found, lang)), nl=False)
    else:
        say(f"{out} is written")


@app.command("break-even")
def break_even(
    file: FileOption = DEFAULT_FILE,
    lang: LangOption = "en",
    from_books: BooksOption = False,
    since: SinceOption = "30d",
    until: UntilOption = None,
    model: ModelOption = None,
    team: TeamOption = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Show from which volume on each machine is no dearer than each vendor, at today's prices."""
    from yuzui.economics.facts import break_even_facts
    from yuzui.economics.report import first_words, lasting_words
    from yuzui.economics.words import Speaker

    found = _study(file, "", _books(from_books, since, until, model, team), config, data_dir)
    pairs = [(one, other) for one in found.machines for other in one.against]
    if json:
        write_json([
            {"machine": one.machine.name, "vendor": other.vendor.name, **break_even_facts(other.break_even)}
            for one, other in pairs
        ])  # fmt: skip
        return
    words = Speaker(lang)
    if not pairs:
        say(words("no_vendor"))
        return
    rows = [
        (one.machine.name, other.vendor.name, first_words(other.break_even, one.own, words),
         lasting_words(other.break_even, one.own, words))
        for one, other in pairs
    ]  # fmt: skip
    show_table([words(name) for name in ("machine", "vendor", "first", "lasting")], rows)


@app.command("measure")
def measure(
    url: Annotated[str, typer.Option("--url", metavar="URL", help="An OpenAI-compatible server: http://…/v1.")] = "",
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="With --url: the model's name there.")] = "",
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="NAME", help="With --url: the environment variable with the key.")
    ] = "",
    target: Annotated[
        str,
        typer.Option("--target", metavar="NAME", help="Instead: an own target of yuzui.toml, the embedded model too."),
    ] = "",
    concurrency: Annotated[str, typer.Option(metavar="N,N,…", help="Requests at once, level after level.")] = "1,2,4,8",
    prompt_words: Annotated[
        str, typer.Option(metavar="N,N,…", help="Words of a prompt; two lengths tell what input tokens cost.")
    ] = "64,512",
    output_tokens: Annotated[str, typer.Option(metavar="N,N,…", help="Most tokens of an answer.")] = "64",
    requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Per level; at least twice its concurrency.")
    ] = 16,
    max_seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="Per level: then nothing new is started.")
    ] = 60.0,
    ignore_eos: Annotated[
        bool, typer.Option("--ignore-eos", help="Ask for full-length answers (vLLM, SGLang, llama.cpp).")
    ] = False,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the measurement goes.")] = Path(
        "measured.json"
    ),
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Drive a server at several levels of load and write down how fast it is: bounded in requests and time."""
    from yuzui.cli import _tco_measure as measuring
    from yuzui.economics.measurement import write_measurement

    wish = measuring.Wish(
        url=url, model=model, key_env=key_env, target=target, concurrency=concurrency, prompt_words=prompt_words,
        output_tokens=output_tokens, requests=requests, max_s=max_seconds, ignore_eos=ignore_eos, config=config,
    )  # fmt: skip
    loads = measuring.plan(wish)
    server = measuring.find_target(wish)
    note(f"{server.name}: {measuring.bounds_words(loads)}")
    found = measuring.run(wish, loads, server, lambda level: note(_level_words(level)))
    out.write_bytes(write_measurement(found))
    if json:
        import msgspec

        write_json(msgspec.to_builtins(found))
    else:
        _show(found, out)


def _level_words(level: MeasuredLevel) -> str:
    failed = f", {level.failures} failed ({', '.join(sorted(level.failure_codes))})" if level.failures else ""
    return (
        f"{level.concurrency} at once, {level.prompt_words} words in: {level.output_tokens_per_s:.1f} tokens/s out, "
        f"{level.input_tokens_per_s:.1f} in, {level.requests} requests{failed}"
    )


def _show(found: Measurement, out: Path) -> None:
    from yuzui.economics.throughput import fit, fit_line

    rows = [
        (str(one.concurrency), f"{one.mean_input_tokens:.0f}", f"{one.mean_output_tokens:.0f}",
         f"{one.output_tokens_per_s:.1f}", f"{one.p50_latency_s:.2f}", f"{one.p95_latency_s:.2f}",
         f"{one.p95_first_token_s:.2f}", f"{one.requests}", f"{one.failures}")
        for one in found.levels
    ]  # fmt: skip
    columns = ("at once", "in", "out", "out/s", "p50 s", "p95 s", "p95 first s", "answered", "failed")
    show_table(columns, rows, right=frozenset(range(9)))
    weight = found.input_weight
    if weight is None:
        say("one length of prompt: what an input token costs is not known; write speed.input_token_weight")
    try:
        curve = fit([one.level for one in found.main_levels], weight or 0.0)
        wait = fit_line([(one.concurrency, one.mean_first_token_s) for one in found.main_levels])
    except ValueError as error:
        say(f"no curve: {error}")
    else:
        say(f"X(n) = {curve.most_per_s:.1f} * n / (n + {curve.half_load:.2f}) tokens/s, input weight {weight or 0:.3f}"
            f", residuals {', '.join(f'{r * 100:+.1f} %' for r in curve.residuals)}")  # fmt: skip
        if not curve.is_good:
            note("warning: the curve does not describe this; measure again on a quiet machine, with more --requests")
        say(f"first token after {wait.at_zero:.3f} s + n * {wait.slope:.4f} s, residual {wait.rms_residual:.3f} s")
    say(f'{out} is written; name it in tco.toml: [machines.speed] measured = "{out.name}"')


def _books(
    is_wanted: bool, since: str, until: str | None, model: list[str] | None, team: list[str] | None
) -> FromBooks | None:
    from yuzui.cli._tco_inputs import FromBooks

    if not is_wanted:
        if model or team or until is not None:
            raise ConfigError("--since, --until, --model and --team choose from the books: add --from-books")
        return None
    return FromBooks(since=since, until=until, models=model or [], teams=team or [])


def _study(file: Path, against: str, books: FromBooks | None, config: Path | None, data_dir: Path | None) -> Study:
    from yuzui.cli._tco_inputs import make_study

    return make_study(file, versus=against, books=books, config=config, data_dir=data_dir)
