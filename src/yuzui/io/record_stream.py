"""Knows how recorded traffic is read in chunks: from the books, or from a copy of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import apsw

from yuzui.audit.tiles import ENTRIES, TilesInvalid, read_bundle, tiles_at
from yuzui.audit.verify import CHECKPOINT_PATH, TileReader
from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.io.audit_reader import FolderSource, read_head
from yuzui.io.database import CLI_BUSY_TIMEOUT_MS, DATABASE_NAME, open_database, unavailable

CHUNK_RECORDS: Final = 4096


def stream_books(data_dir: Path, since_ns: int, until_ns: int) -> Iterator[list[bytes]]:
    """Records of requests that came in from `since_ns` up to but not including `until_ns`, in the order of closing.

    Chunk by chunk with a read of its own each: a gateway on the same books is never kept waiting, and what closes
    meanwhile may or may not be among them. Raise `GatewayFault` when the file cannot be read.
    """
    connection = open_database(data_dir / DATABASE_NAME, busy_timeout_ms=CLI_BUSY_TIMEOUT_MS)
    try:
        bounds = connection.execute(
            "SELECT min(seq), max(seq) FROM request WHERE at_ns >= ? AND at_ns < ?", (since_ns, until_ns)
        ).fetchone()
        first, last = cast(tuple[int | None, int | None], bounds)
        if first is None or last is None:
            return
        for start in range(first, last + 1, CHUNK_RECORDS):
            rows = connection.execute(
                "SELECT record FROM request JOIN leaf USING (seq) "
                "WHERE seq BETWEEN ?1 AND ?2 AND at_ns >= ?3 AND at_ns < ?4 ORDER BY seq",
                (start, min(start + CHUNK_RECORDS - 1, last), since_ns, until_ns),
            ).fetchall()
            if rows:
                yield [row[0] for row in cast(list[tuple[bytes]], rows)]
    except apsw.Error as error:
        raise unavailable(error) from error
    finally:
        connection.close()


def stream_log(folder: Path) -> Iterator[list[bytes]]:
    """All entries of the log in `folder` under its checkpoint, whose signature is checked. Raise `GatewayFault`."""
    head, _ = read_head(folder)
    reader = TileReader(FolderSource(folder), head.size)
    chunk: list[bytes] = []
    for bundle in tiles_at(ENTRIES, head.size):
        data = reader.read(bundle)
        try:
            if data is None:
                raise TilesInvalid("it is missing")
            chunk += read_bundle(data, bundle.width)
        except TilesInvalid as error:
            raise GatewayFault(
                f"the audit log is damaged ({bundle.path}: {error}); run `yuzui audit verify`", code="audit_unavailable"
            ) from error
        if len(chunk) >= CHUNK_RECORDS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def has_books(data_dir: Path) -> bool:
    return (data_dir / DATABASE_NAME).is_file()


def log_in(data_dir: Path) -> Path:
    """The log's folder: `data_dir` itself, or `audit` in it. Raise `ConfigError` when there is none."""
    for folder in (data_dir, data_dir / "audit"):
        if (folder / CHECKPOINT_PATH).is_file():
            return folder
    raise ConfigError(f"there are no books and no audit log in {data_dir}; name the data folder with --data-dir")
