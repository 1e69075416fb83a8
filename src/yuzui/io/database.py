"""Knows how the books' SQLite file is opened: who may, with which promises, and how its tables came to be."""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import IO

import apsw

from yuzui.core.errors import ConfigError, GatewayFault

DATABASE_NAME = "books.sqlite3"
LOCK_NAME = "gateway.lock"

FIRST_FAULTY_SQLITE = (3, 7, 0)
LAST_FAULTY_SQLITE = (3, 51, 2)
"""A reset of the write-ahead log could corrupt the file. Source: https://sqlite.org/wal.html#walresetbug (2026-11)."""

BUSY_TIMEOUT_MS = 2_000  # a backup tool that holds the lock longer makes requests fail, it never makes them hang
CLI_BUSY_TIMEOUT_MS = 10_000  # a person waits longer than a request
CACHE_KIB = 4_096  # per connection, and a gateway has three; the right edges of all tables fit many times over
LARGEST_IDLE_WAL_BYTES = 64 * 1024 * 1024


def refuse_faulty_sqlite(version: str) -> None:
    """Raise `ConfigError` for a SQLite `version` ("3.51.2") that can corrupt a write-ahead log."""
    numbers = tuple(int(part) for part in version.split(".")[:3])
    if FIRST_FAULTY_SQLITE <= numbers <= LAST_FAULTY_SQLITE:
        raise ConfigError(
            f"SQLite {version} can corrupt its write-ahead log; install apsw 3.51.3 or later, which brings its own"
        )


def open_database(path: Path, *, busy_timeout_ms: int, vfs: str | None = None) -> apsw.Connection:
    """A connection whose commits are on disk when they return. Raise `GatewayFault` when the file cannot be used."""
    refuse_faulty_sqlite(apsw.sqlite_lib_version())
    try:
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # SQLite gives -wal and -shm the same mode
        connection = apsw.Connection(str(path), vfs=vfs)
        connection.set_busy_timeout(busy_timeout_ms)
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "full")
        connection.pragma("foreign_keys", 1)
        connection.pragma("trusted_schema", 0)
        connection.pragma("cache_size", -CACHE_KIB)
        connection.pragma("journal_size_limit", LARGEST_IDLE_WAL_BYTES)
    except (apsw.Error, OSError) as error:
        raise unavailable(error) from error
    return connection


def unavailable(error: Exception) -> GatewayFault:
    """What a request is told when the books cannot be written; the class names the cause, paths stay out."""
    if isinstance(error, apsw.FullError):
        cause = "disk full"
    elif isinstance(error, apsw.BusyError | apsw.LockedError):
        cause = "locked by another program"
    elif isinstance(error, apsw.CorruptError | apsw.NotADBError):
        cause = "the file is damaged; run `yuzui doctor`"
    else:
        cause = "input/output error"
    return GatewayFault(f"the books are unavailable: {cause}", code="ledger_unavailable", retry_after_s=1.0)


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration in this package, in order."""
    folder = files("yuzui.io") / "schema"
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(connection: apsw.Connection) -> None:
    """Bring the tables up to date. Raise `ConfigError` when a newer Yuzui wrote them."""
    known = migrations()
    if _version(connection) == known[-1][0]:
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        with_lock = _version(connection)  # another process may have migrated while we waited
        if with_lock > known[-1][0]:
            raise ConfigError(
                f"a newer Yuzui wrote the books (schema {with_lock}, this one knows {known[-1][0]}); upgrade Yuzui"
            )
        for number, sql in known:
            if number > with_lock:
                connection.execute(sql)
                connection.pragma("user_version", number)
        connection.execute("COMMIT")
    except apsw.Error as error:
        raise unavailable(error) from error
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: apsw.Connection) -> int:
    return int(connection.pragma("user_version"))


def make_private_folder(folder: Path) -> None:
    """`folder` exists and is readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


class FolderLock:
    """One gateway per data folder: a second one refuses to start instead of sharing budgets in memory."""

    def __init__(self, data_dir: Path) -> None:
        """Raise `ConfigError` when another process holds the lock. The system frees it when its holder dies."""
        path = data_dir / LOCK_NAME
        self._file: IO[str] = open(path, "a+", encoding="utf-8", opener=_open_private)  # noqa: SIM115 - held for life
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise ConfigError(
                "another gateway runs on this data folder; stop it, or start this one with another --data-dir"
            ) from error

    def release(self) -> None:
        self._file.close()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
