"""Knows the demo's course: fetch the model, start the gateway, ask, show, verify, stop."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.cli._demo.setting import OWN, OWN_MODEL, Vendor, choose_vendor, gateway, write_config, write_draft
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, open_books, own_command
from yuzui.cli._output import console, note, progress_bar, say, show_table, write_json
from yuzui.cli.audit import AUDIT_FOLDER
from yuzui.cli.keys import KeyWish, add_key
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.audit.record import RequestRecord
    from yuzui.audit.verify import VerifyReport
    from yuzui.cli._demo.cast import Cast
    from yuzui.cli._demo.rows import Row
    from yuzui.cli._demo.scenes import Scene
    from yuzui.io.books import SqliteBooks

app = typer.Typer()

DRAFT_NAME = "draft.toml"
KEYS = {
    "app": KeyWish(app="demo", team="shop-window"),
    "poor": KeyWish(app="demo-poor", budget_nano=10, period="day"),
    "once a minute": KeyWish(app="demo-hasty", requests_per_minute=1),
    "own only": KeyWish(app="demo-inside", own_only=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demo found out."""

    rows: list[Row]
    report: VerifyReport
    recorded: int
    """Requests in the books."""
    vendor: Vendor
    ready_s: float

    @property
    def is_well(self) -> bool:
        return self.report.ok and self.report.size == self.recorded and not any(row.problems for row in self.rows)


@app.command()
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the folder, to look around with the other commands.")
    ] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Send about 25 real requests through a real gateway. A table shows where each went, why, and at what cost.

    Uses the embedded open model and, if a vendor's key variable is set, that vendor (a fraction of a cent); else a
    simulated one. Exits 1 when a request did not behave or the audit log does not verify. It brings its own
    configuration; with --data-dir it leaves its records there.
    """
    if config is not None:
        note("note: the demo brings its own configuration; --config is not used")
    _check_parts()
    _fetch_model(is_quiet=json)
    vendor = choose_vendor(os.environ)
    if not json:
        _introduce(vendor)
    with _folder(data_dir, keep=keep) as folder:
        shown = _perform(folder, vendor, is_quiet=json)
        if json:
            write_json(_as_json(shown))
        else:
            _show(shown)
            if keep or data_dir is not None:
                _say_where(folder, shown)
            else:
                _say_next(vendor)
    if not shown.is_well:
        raise typer.Exit(1)


# ---- before ---------------------------------------------------------------------------------------------------------


def _check_parts() -> None:
    for module, extra in (("openai", "demo"), ("xllamacpp", "embedded")):
        if importlib.util.find_spec(module) is None:
            raise ConfigError(f"the demo needs the package {module}: install 'yuzui[{extra}]', or run `make setup`")


def _fetch_model(*, is_quiet: bool) -> None:
    from yuzui.engine.pull import pull

    with progress_bar(OWN_MODEL, is_shown=not is_quiet and sys.stderr.isatty()) as progress:
        pulled = pull(OWN_MODEL, progress=progress)
    if not is_quiet and not pulled.was_there:
        say(f"fetched {OWN_MODEL}, verified against its pinned hash ({pulled.model.record.sha256[:12]}…)")


@contextmanager
def _folder(data_dir: Path | None, *, keep: bool) -> Iterator[Path]:
    """Where the demo's gateway keeps its data; a throw-away one unless the user wants it."""
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
        yield data_dir
        return
    folder = Path(tempfile.mkdtemp(prefix="yuzui-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder)


def _introduce(vendor: Vendor) -> None:
    say(f"own target     {OWN}: SmolLM2 135M, a real open model on this machine; small and weak, it shows the way")
    if vendor.is_simulated:
        say(f"vendor target  {vendor.target}: simulated vendor: no vendor key is set, answers marked so are produced")
        say("               by a script, not by a model, and its price is made up")
    else:
        say(f"vendor target  {vendor.target}: real, with the key in {vendor.key_variable}")


# ---- the performance ------------------------------------------------------------------------------------------------


def _perform(folder: Path, vendor: Vendor, *, is_quiet: bool) -> Shown:
    from yuzui.cli._demo.cast import Cast
    from yuzui.cli._demo.scenes import scenes
    from yuzui.io.audit_reader import verify_folder

    config = folder / "demo.toml"
    config.write_text(write_config(vendor), "utf-8")
    (folder / DRAFT_NAME).write_text(write_draft(vendor), "utf-8")
    books = open_books(folder, may_create=True)
    try:
        secrets = {name: add_key(books, folder, wish, time.time_ns())[1] for name, wish in KEYS.items()}
        secrets["wrong"] = secrets["app"][:-4] + "AAAA"
        began = time.monotonic()
        with gateway(config, folder, folder / "gateway.log") as running:
            ready_s = time.monotonic() - began
            cast = Cast(base_url=f"{running.address}/v1", keys=secrets, own=OWN, vendor=vendor.target)
            rows = list(_play_all(scenes(), cast, books, is_quiet=is_quiet))
        recorded = books.size()
    finally:
        books.stop()
    return Shown(
        rows=rows, report=verify_folder(folder / AUDIT_FOLDER), recorded=recorded, vendor=vendor, ready_s=ready_s
    )


def _play_all(programme: list[Scene], cast: Cast, books: SqliteBooks, *, is_quiet: bool) -> Iterator[Row]:
    from yuzui.cli._demo.rows import judge

    out = console()
    is_shown = not is_quiet and out.is_terminal
    with out.status("") as status:
        if not is_shown:
            status.stop()
        for number, scene in enumerate(programme, 1):
            if is_shown:
                status.update(f"{number} of {len(programme)}: {scene.title}")
            seen = scene.play(cast)
            for position, one in enumerate(seen):
                title, expected = scene.title, scene.expected
                if scene.then is not None and position == len(seen) - 1:
                    title, expected = scene.then
                elif len(seen) > 1 and scene.then is None:
                    title = f"{title} ({position + 1})"
                yield judge(title, one, _record_of(books, one.request_id), expected, cast.own)


def _record_of(books: SqliteBooks, request_id: str) -> RequestRecord | None:
    from yuzui.audit.record import read_record

    found = books.record_of(request_id)
    return read_record(found[1]) if found else None


# ---- after ----------------------------------------------------------------------------------------------------------


def _show(shown: Shown) -> None:
    from yuzui.cli._demo.rows import STYLES, WIDE_COLUMNS, cells, fit

    width = console().width
    (titles, *lines), right = fit([cells(number, row, OWN) for number, row in enumerate(shown.rows, 1)], width)
    show_table(titles, lines, right=right, styles=STYLES)
    if width < WIDE_COLUMNS:
        say(f"(a window of {WIDE_COLUMNS} columns shows tokens and time too)")
    for number, row in enumerate(shown.rows, 1):
        for problem in row.problems:
            say(f"FAIL {number} {row.title}: {problem}")
    report = shown.report
    verdict = "ok, nothing was changed" if report.ok else f"NOT ok: {'; '.join(report.problems[:3])}"
    if report.ok and report.size != shown.recorded:
        verdict = f"NOT ok: {report.size} entries for {shown.recorded} recorded requests"
    say("")
    say(f"audit log      {report.size} entries, root {report.root.hex()[:16]}…, {verdict}")
    wrong = sum(bool(row.problems) for row in shown.rows)
    say(f"requests       {shown.recorded} made, {len(shown.rows)} shown, {len(shown.rows) - wrong} behaved as expected"
        + (f", {wrong} DID NOT" if wrong else ""))  # fmt: skip


def _say_next(vendor: Vendor) -> None:
    me = own_command()
    say("")
    say("What next")
    if vendor.is_simulated:
        say(f"  a real vendor   export OPENAI_API_KEY=… (or DEEPSEEK_API_KEY, DASHSCOPE_API_KEY, …), then {me} demo")
    say(f"  a gateway       {me} serve")
    say('  your app        OpenAI(base_url="http://127.0.0.1:8080/v1", api_key="any")')
    say(f"  your own rules  {me} init")
    say(f"  a key           {me} keys create --app NAME")
    say(f"  better Chinese  {me} models pull qwen3-1.7b  (SmolLM2 不懂中文,请用 Qwen)")
    say(f"  look closer     {me} demo --keep")


def _say_where(folder: Path, shown: Shown) -> None:
    me = own_command()
    latest = next((row.seen.request_id for row in shown.rows if row.record and row.record.findings), "REQUEST_ID")
    say("")
    say(f"Look around in {folder}")
    say(f"  {me} explain {latest} --data-dir {folder}")
    say(f"  {me} costs --by target --data-dir {folder}")
    say(f"  {me} audit verify --data-dir {folder}")
    say(f"  {me} backtest --config {folder / DRAFT_NAME} --data-dir {folder}")
    say(f"  {me} tco init")
    say(f"  {me} tco report --from-books --data-dir {folder}")


def _as_json(shown: Shown) -> dict[str, object]:
    from yuzui.cli._demo.rows import as_json

    report = shown.report
    return {
        "ok": shown.is_well,
        "vendor": {"target": shown.vendor.target, "simulated": shown.vendor.is_simulated},
        "ready_s": round(shown.ready_s, 2),
        "rows": [as_json(number, row) for number, row in enumerate(shown.rows, 1)],
        "audit": {"ok": report.ok, "size": report.size, "root": report.root.hex(), "problems": report.problems,
                  "recorded": shown.recorded},
    }  # fmt: skip
