"""Knows how one request is looked up in the books and told to the one who asks why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from yuzui.audit.merkle import leaf_hash
from yuzui.audit.record import RequestRecord, read_record
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, load_config, open_books
from yuzui.cli._output import note, say, write_json
from yuzui.cli._story import tell

if TYPE_CHECKING:  # loaded when a body is to be read
    from yuzui.cli._explain_body import BodyLook
    from yuzui.core.sensitivity import SensitivityRules

app = typer.Typer()


@app.command()
def explain(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="From the header x-yuzui-request-id.")],
    body: Annotated[
        Path | None,
        typer.Option("--body", metavar="FILE", show_default=False, help="Show findings in place, in this copy of it."),
    ] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Tell the whole story of a request. Findings, label, where it might go and why, attempts, cost, receipt.

    Content is in no record: with --body you bring a copy, which is compared with what was sent by its keyed hash.
    """
    books = open_books(data_dir_of(data_dir))
    try:
        found = books.record_of(request_id)
        is_running = found is None and books.is_open(request_id)
    finally:
        books.stop()
    if found is None:
        known = (
            "is still running; ask again when it ended"
            if is_running
            else f"is not in the books of {data_dir_of(data_dir)}"
        )
        note(f"error: {request_id} {known}")
        raise typer.Exit(1)
    index, data = found
    record = read_record(data)
    looked = _look(record, body, config, data_dir_of(data_dir)) if body is not None else None
    if json:
        fields = as_json(record, index, data)
        write_json(fields | {"body": looked.as_json()} if looked is not None else fields)
    else:
        story = tell(record, index, leaf_hash(data))
        if looked is not None:
            story.append(("In place", looked.lines()))
        for heading, lines in story:
            for position, line in enumerate(lines):
                say(f"{heading if position == 0 else '':<12}{line}")
    if looked is not None and looked.is_another:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A copy of the body beside its record, with the levels that it was read with."""

    body: BodyLook
    rules: SensitivityRules

    @property
    def is_another(self) -> bool:
        return self.body.is_same is False

    def lines(self) -> list[str]:
        from yuzui.cli._explain_body import tell

        return tell(self.body, self.rules)

    def as_json(self) -> dict[str, object]:
        from yuzui.cli._explain_body import as_json

        return as_json(self.body, self.rules)


def _look(record: RequestRecord, path: Path, config: Path | None, folder: Path) -> _Looked:
    from yuzui.cli._explain_body import look
    from yuzui.io.secrets import FOLDER, load_or_make
    from yuzui.privacy.scan import Scanner

    settings = load_config(config)
    rules = settings.sensitivity
    key_file = folder / FOLDER / "content_key"
    key = load_or_make(key_file) if key_file.is_file() else None  # a copied folder must not get one made up
    found = look(record, path.read_bytes(), str(path), content_key=key, scanner=Scanner(rules), rules=rules,
                 snapshot_id=settings.snapshot_id)  # fmt: skip
    return _Looked(found, rules)


def as_json(record: RequestRecord, index: int, data: bytes) -> dict[str, object]:
    """Every field of the record, also those that are empty, and the receipt."""
    fields: dict[str, object] = {name: getattr(record, name) for name in record.__struct_fields__}
    return fields | {"receipt": {"index": index, "leaf_hash": leaf_hash(data).hex()}}
