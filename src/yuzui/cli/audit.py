"""Knows how the audit log is checked, proven and shown from a shell: offline, on the folder itself or on a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of
from yuzui.cli._output import note, say, show_facts, write_json
from yuzui.core.errors import ConfigError, NotFound

app = typer.Typer(no_args_is_help=True, help="Verify the audit log, prove a request, show the signed checkpoint.")

AUDIT_FOLDER = "audit"
MOST_PROBLEMS_SHOWN = 50


@app.command()
def verify(
    vkey: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="The public key to insist on (text or file), kept from an earlier day."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A checkpoint kept from an earlier day: nothing before it may have changed."),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Check every byte of the log. Exits 0 when all is well, 1 when something was changed, and says what."""
    from yuzui.io.audit_reader import verify_folder

    folder = audit_folder(data_dir)
    kept = checkpoint.read_text("utf-8") if checkpoint is not None else None
    report = verify_folder(folder, vkey=_key_text(vkey), checkpoint=kept)
    if json:
        write_json({
            "ok": report.ok, "size": report.size, "root": report.root.hex(), "origin": report.origin,
            "vkey": report.vkey, "is_key_pinned": report.is_key_pinned, "problems": report.problems,
            "notes": report.notes, "folder": str(folder),
        })  # fmt: skip
    elif report.ok:
        say(f"ok: {report.size} entries, nothing was changed")
        show_facts({"origin": report.origin, "root": report.root.hex(), "key": report.vkey})
        for fact in report.notes:
            say(f"note: {fact}")
        if not report.is_key_pinned:
            say("the key came with the log: keep it elsewhere and pass it with --vkey next time")
    elif not folder.is_dir() or not any(folder.iterdir()):
        say(f"NO LOG: {folder} holds nothing; either no gateway has run with this data folder yet, or it was removed")
    else:
        say(f"CHANGED: {len(report.problems)} problem(s) in {folder}")
        for problem in report.problems[:MOST_PROBLEMS_SHOWN]:
            say(f"- {problem}")
        if len(report.problems) > MOST_PROBLEMS_SHOWN:
            say(f"- and {len(report.problems) - MOST_PROBLEMS_SHOWN} more (see --json)")
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def prove(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="From the header x-yuzui-request-id.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the proof there.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Write a proof that the request is in the log; a third party checks it with the public key alone."""
    from yuzui.audit.proof import write_proof
    from yuzui.io import audit_reader

    folder = audit_folder(data_dir)
    index = audit_reader.find_index(folder, request_id)
    if index is None:
        note(f"error: {request_id} is not in the signed log; a request that just ended is signed within seconds")
        raise typer.Exit(1)
    try:
        text = write_proof(audit_reader.prove(folder, index))
    except NotFound as error:
        note(f"error: {error.message}")
        raise typer.Exit(1) from error
    if out is not None:
        out.write_text(text, "utf-8")
    if json:
        write_json({"request_id": request_id, "index": index, "proof": text, "file": str(out) if out else None})
    elif out is not None:
        say(f"{out} proves entry {index}; check it with the key in {folder / 'vkey'}")
    else:
        typer.echo(text, nl=False)


@app.command("checkpoint")
def show_checkpoint(config: ConfigOption = None, data_dir: DataDirOption = None, json: JsonOption = False) -> None:
    """Print the signed checkpoint. Keep it elsewhere: later it shows that nothing before it was changed."""
    from yuzui.io.audit_reader import read_head

    head, signed = read_head(audit_folder(data_dir))
    if json:
        write_json({"origin": head.origin, "size": head.size, "root": head.root.hex(), "checkpoint": signed.decode()})
    else:
        typer.echo(signed.decode(), nl=False)


def audit_folder(data_dir: Path | None) -> Path:
    """`DIR/audit`; raise `ConfigError` when there is no such data folder at all."""
    folder = data_dir_of(data_dir)
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}; name the data folder with --data-dir")
    return folder / AUDIT_FOLDER


def _key_text(vkey: str | None) -> str | None:
    """A verifier key has two plus signs and no file is named so; anything else is a file."""
    if vkey is None or vkey.count("+") >= 2:  # name+hash+base64
        return vkey
    return Path(vkey).read_text("utf-8").strip()
