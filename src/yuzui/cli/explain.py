"""Knows how one request is looked up in the books and told to the one who asks why."""

from __future__ import annotations

from typing import Annotated

import typer

from yuzui.audit.merkle import leaf_hash
from yuzui.audit.record import RequestRecord, read_record
from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, data_dir_of, open_books
from yuzui.cli._output import note, say, write_json
from yuzui.cli._story import tell

app = typer.Typer()


@app.command()
def explain(
    request_id: Annotated[str, typer.Argument(metavar="REQUEST_ID", help="From the header x-yuzui-request-id.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    json: JsonOption = False,
) -> None:
    """Tell the whole story of a request. Findings, label, where it might go and why, attempts, cost, receipt."""
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
    if json:
        write_json(as_json(record, index, data))
        return
    for heading, lines in tell(record, index, leaf_hash(data)):
        for position, line in enumerate(lines):
            say(f"{heading if position == 0 else '':<12}{line}")


def as_json(record: RequestRecord, index: int, data: bytes) -> dict[str, object]:
    """Every field of the record, also those that are empty, and the receipt."""
    fields: dict[str, object] = {name: getattr(record, name) for name in record.__struct_fields__}
    return fields | {"receipt": {"index": index, "leaf_hash": leaf_hash(data).hex()}}
