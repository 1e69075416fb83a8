"""Knows how to age a data folder in seconds: ledger entries and keys that Yuzui's own checks accept, written in bulk.

Entries are copies of the newest real one (so that they have its shape, whatever that is by now) with their own id,
time, audit leaf and postings; then Yuzui's own publisher brings the audit log up to the books.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import apsw
from rig import BenchError

from yuzui.admission.keys import SECRET_RANDOM_BYTES, key_hash, make_secret
from yuzui.config import load
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.books import SqliteBooks
from yuzui.io.database import BUSY_TIMEOUT_MS, DATABASE_NAME, open_database
from yuzui.io.publisher import Publisher
from yuzui.io.secrets import load_secrets

ENTRY_EVERY_NS = 2_600_000_000  # a million entries are thirty days
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)"


def fill_ledger(run: Path, entries: int) -> None:
    """Bring the ledger of the stopped gateway in `run` to `entries`, and its audit log with it; all sums still hold."""
    connection = open_database(run / "data" / DATABASE_NAME, busy_timeout_ms=BUSY_TIMEOUT_MS)
    try:
        template, request_id, first = _newest(connection)
        bounds = (first, entries, template, request_id, ENTRY_EVERY_NS)
        with connection:
            _copy(connection, "request", bounds, {"seq": "i", "request_id": _ID, "at_ns": "at_ns - (?2 - i) * ?5"})
            record = f"CAST(replace(CAST(record AS TEXT), ?4, {_ID}) AS BLOB)"
            _copy(connection, "leaf", bounds, {"seq": "i", "record": record})
            _copy(connection, "posting", bounds, {"seq": "i"})
        connection.pragma("wal_checkpoint(truncate)")
    finally:
        connection.close()
    _publish(run)
    os.sync()  # or the system would write the new pages out while the next figure is taken


_ID = "printf('req_%028d', i)"


def _newest(connection: apsw.Connection) -> tuple[int, str, int]:
    row = connection.execute(
        "SELECT seq, request_id FROM request WHERE outcome = 'answered' ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    if row is None:
        raise BenchError("the books hold no answered request that could be copied")
    return row[0], row[1], connection.execute("SELECT max(seq) + 1 FROM request").get


def _copy(connection: apsw.Connection, table: str, bounds: tuple[int | str, ...], changed: dict[str, str]) -> None:
    """Rows ?1 to ?2 of `table` as row ?3, apart from the columns in `changed`."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(changed.get(column, f"t.{column}") for column in columns)
    # Every parameter is named, or SQLite would refuse the ones that this table does not need.
    connection.execute(
        f"{_NUMBERS} INSERT INTO {table} SELECT {values} FROM n, {table} t "
        "WHERE t.seq = ?3 AND ?4 IS NOT NULL AND ?5 IS NOT NULL",
        bounds,
    )


def _publish(run: Path) -> None:
    config = load(run / "yuzui.toml", {})
    data = run / "data"
    books = SqliteBooks.open(data, exclusive=True, book_currency=config.money.currency)
    log = AuditFolder.open(data / "audit", origin=config.audit.origin, private_key_file=data / "secrets" / "audit.key")
    try:
        Publisher(books, log).publish()
    finally:
        log.close()
        books.stop()


def check_sums(run: Path) -> None:
    """Raise `BenchError` when the filled books do not add up: then a figure taken on them would prove nothing."""
    books = SqliteBooks.open(run / "data", exclusive=False)
    try:
        wrong = books.verify_sums()
    finally:
        books.stop()
    if wrong:
        raise BenchError(f"the filled books do not add up: {wrong[:3]}")


def add_keys(run: Path, count: int, *, first: int) -> None:
    """Give the stopped gateway in `run` `count` more keys like the one that it has, numbered from `first`.

    Their secrets are appended to `many.keys` in `run`.
    """
    pepper = load_secrets(run / "data").pepper
    made = [make_secret(secrets.token_bytes(SECRET_RANDOM_BYTES)) for _ in range(count)]
    connection = open_database(run / "data" / DATABASE_NAME, busy_timeout_ms=BUSY_TIMEOUT_MS)
    try:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(virtual_key)")]
        changed = {"id": "?1", "key_hash": "?2"}
        values = ", ".join(changed.get(column, column) for column in columns)
        with connection:
            connection.executemany(
                f"INSERT INTO virtual_key SELECT {values} FROM virtual_key ORDER BY rowid LIMIT 1",
                ((f"key_{number:028x}", key_hash(pepper, secret)) for number, secret in enumerate(made, first)),
            )
    finally:
        connection.close()
    path = run / "many.keys"
    path.touch(0o600)
    with path.open("a") as file:
        file.writelines(f"{secret}\n" for secret in made)
