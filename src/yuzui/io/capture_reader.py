"""Kept requests out of the books, opened with the deployment's own key; also beside a running gateway."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import msgspec

from yuzui.capturing import PREFIX, Captured
from yuzui.core.errors import ConfigError
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.database import DATABASE_NAME
from yuzui.io.secrets import load_secrets


class CaptureReader:
    """One kept request after the other, by its id. To be closed: `with CaptureReader(folder) as texts`."""

    def __init__(self, data_dir: Path) -> None:
        """Raise `ConfigError` where there are no books."""
        _check_books(data_dir)
        self._books = SqliteBooks.open(data_dir, exclusive=False)
        self._archive = BookArchive(self._books, load_secrets(data_dir).archive_key, lambda: 0.0)

    def find(self, app: str, request_id: str) -> Captured | None:
        """None: it is over its time, or was kept under another key."""
        opened = self._archive.read(PREFIX + app, request_id)
        return None if opened is None else msgspec.json.decode(opened.content, type=Captured)

    def __enter__(self) -> CaptureReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._books.stop()


def read_captured(data_dir: Path, app: str) -> tuple[list[Captured], int]:
    """(what is kept of `app` and not over its time, the oldest first; so many that this key does not open).

    Raise `ConfigError` where there are no books.
    """
    _check_books(data_dir)
    books = SqliteBooks.open(data_dir, exclusive=False)
    try:
        archive = BookArchive(books, load_secrets(data_dir).archive_key, lambda: 0.0)
        scope = PREFIX + app
        found: list[Captured] = []
        unreadable = 0
        for name, _ in books.kept_levels(scope):
            if books.kept_answer(scope, name) is None:
                continue  # over its time
            opened = archive.read(scope, name)
            if opened is None:
                unreadable += 1
            else:
                found.append(msgspec.json.decode(opened.content, type=Captured))
    finally:
        books.stop()
    return sorted(found, key=lambda one: (one.at_ns, one.request_id)), unreadable


def _check_books(data_dir: Path) -> None:
    if not (data_dir / DATABASE_NAME).is_file():
        raise ConfigError(f"there are no books in {data_dir}; name the data folder of the gateway with --data-dir")
