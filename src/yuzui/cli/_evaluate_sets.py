"""Knows how public sets become examples: those that come in packages, read from a wheel or an installed package."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated, Literal

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, check_is_new
from yuzui.cli._output import note, say, show_table, write_json
from yuzui.core.errors import ConfigError


def list_sets(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Show the public sets that can be read, the packages that carry them, and their licences. Nothing is fetched."""
    from yuzui.evaluation.public_sets import SETS

    if json:
        write_json([{"set": one.name, "package": one.package, "version": one.version, "licence": one.licence,
                     "forms": ["tools", "text"] if one.has_forms else [], "scorer": one.scorer("tools")}
                    for one in SETS.values()])  # fmt: skip
        return
    rows = [(one.name, f"{one.package} {one.version}", one.licence, one.scorer("tools")) for one in SETS.values()]
    show_table(("set", "package", "licence", "scorer"), rows, whole=frozenset((0,)))


def import_set(
    name: Annotated[str, typer.Argument(metavar="SET", help="Its name; see `yuzui evaluate sets`.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the examples go, .jsonl or .parquet.")],
    wheel: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="WHEEL", help="The package's .whl file. Default: the package as installed here."
        ),
    ] = None,
    form: Annotated[
        Literal["tools", "text"],
        typer.Option("--form", help="Functions sent as tools, or written into the prompt and called by JSON text."),
    ] = "tools",
    sample: Annotated[
        int, typer.Option("--sample", min=0, metavar="NUMBER", help="So many, drawn at random; 0: all, in order.")
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Of the draw.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write a public set as examples, out of a package that you have. Its code is not run, nothing is fetched."""
    from yuzui.evaluation.public_sets import MOST_BYTES, find_set
    from yuzui.io.example_file import write_examples
    from yuzui.io.package_files import PackageFiles

    check_is_new(out, force)
    wanted = find_set(name)
    files = PackageFiles(package=wanted.package, most_bytes=MOST_BYTES, wheel=wheel)
    version = files.version()
    examples = wanted.examples(files.read, form, f"{wanted.name}, {wanted.package} {version}, {wanted.licence}")
    if sample > len(examples):
        raise ConfigError(f"--sample {sample}: {name} has {len(examples)} examples")
    if sample:
        examples = random.Random(seed).sample(examples, sample)
    write_examples(out, examples)
    scorer = wanted.scorer(form)
    if json:
        write_json({"written": len(examples), "file": str(out), "package": wanted.package, "version": version,
                    "licence": wanted.licence, "scorer": scorer})  # fmt: skip
        return
    say(f"{len(examples)} examples of {name} in {out}, from {wanted.package} {version} ({wanted.licence})")
    say(f"next: yuzui evaluate run {out} --scorer {scorer} --models …")
    if version != wanted.version:
        note(f"note: this was made for {wanted.package} {wanted.version}")
