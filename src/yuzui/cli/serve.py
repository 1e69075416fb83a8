"""Knows how the gateway is started from a shell. Imports nothing but what the gateway itself needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, open_books
from yuzui.cli._output import note

app = typer.Typer()


@app.command()
def serve(
    config: ConfigOption = None,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address to listen on. Anything but loopback needs a key first. Default: 127.0.0.1."
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Default: 8080; 0 takes a free one.")
    ] = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Start the gateway. It prints one line with its address when it is ready, and drains on Ctrl-C.

    Without a configuration it serves the embedded open model, and every vendor whose usual key variable is set.
    """
    from yuzui.serving import serve as run

    def on_ready(address: str) -> None:
        # Written by hand: json would be an import, and the address is ours.
        line = f'{{"address": "{address}"}}' if json else f"yuzui is ready on {address}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if sys.stderr.isatty() and not json:  # elsewhere standard error is a log of JSON lines
            _tell_who_may_ask(folder)

    folder = data_dir_of(data_dir)
    code = run(config, host=host, port=port, data_dir=folder, on_ready=on_ready)
    raise typer.Exit(code)


def _tell_who_may_ask(data_dir: Path) -> None:
    books = open_books(data_dir)
    try:
        has_keys = books.has_keys()
    finally:
        books.stop()
    if not has_keys:
        note("no key exists yet, so anybody on this machine may ask; `yuzui keys create --app NAME` makes one")
