"""Knows how a first configuration is written: commented, valid as it stands, never over an existing one by accident."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption
from yuzui.cli._output import say, write_json
from yuzui.core.errors import ConfigError

app = typer.Typer()

DEFAULT_PATH = Path("yuzui.toml")


@app.command()
def init(
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write a commented yuzui.toml (or the file that --config names) to start from."""
    path = config or DEFAULT_PATH
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(starter())
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already; look at it, or replace it with --force") from error
    if json:
        write_json({"file": str(path)})
    else:
        say(f"{path} is written: the embedded model works as it stands; uncomment a vendor, then `yuzui serve`")


def starter() -> str:
    """The text of a first yuzui.toml."""
    return resources.files("yuzui.cli").joinpath("starter.toml").read_text("utf-8")
