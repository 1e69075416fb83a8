"""Knows the options that every command has, and what they stand for when they are left out."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # loaded when a command asks for them
    from yuzui.config import Config
    from yuzui.io.books import SqliteBooks

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", show_default=False,
        help="The configuration. Default: ./yuzui.toml if it is there, else built-in defaults.",
    ),
]  # fmt: skip
DataDirOption = Annotated[
    Path | None,
    typer.Option(
        "--data-dir", metavar="DIR", envvar="YUZUI_DATA_DIR", show_default=False,
        help="Where books, audit log and secrets lie. Default: the platform's data folder.",
    ),
]  # fmt: skip
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]


def check_is_new(out: Path, force: bool) -> None:
    """Raise `ConfigError` where `out` would be replaced and nobody said so."""
    if out.exists() and not force:
        raise ConfigError(f"{out} is there already: name another file, or say --force")


def data_dir_of(option: Path | None) -> Path:
    """The folder that `--data-dir` (or `YUZUI_DATA_DIR`) names, else the platform's. It need not exist."""
    if option is not None:
        return option
    import platformdirs

    return Path(platformdirs.user_data_dir("yuzui", appauthor=False))


def load_config(option: Path | None) -> Config:
    """The configuration that a server started with the same options would have; raise `ConfigError`."""
    from yuzui import config

    return config.load(option, os.environ)


def open_books(data_dir: Path, *, may_create: bool = False) -> SqliteBooks:
    """The books beside a server that may be running; raise `ConfigError` when there are none."""
    from yuzui.io.books import SqliteBooks
    from yuzui.io.database import DATABASE_NAME

    if not may_create and not (data_dir / DATABASE_NAME).is_file():
        raise ConfigError(f"there are no books in {data_dir}; name the data folder of the gateway with --data-dir")
    return SqliteBooks.open(data_dir, exclusive=False)


def own_command() -> str:
    """What to type to run this very `yuzui` again: its name where the shell finds it, else its path."""
    if shutil.which("yuzui"):
        return "yuzui"
    script = Path(sys.argv[0]).absolute()
    if script.stem != "yuzui":
        return f"{Path(sys.executable).name} -m yuzui"
    return str(script.relative_to(Path.cwd())) if script.is_relative_to(Path.cwd()) else str(script)
