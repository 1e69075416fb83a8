"""Kept requests out of the books, opened with the deployment's own key; also beside a running gateway."""

from __future__ import annotations

from pathlib import Path

import msgspec

from yuzui.capturing import PREFIX, Captured
from yuzui.core.errors import ConfigError
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.database import DATABASE_NAME
from yuzui.io.secrets import load_secrets


def read_captured(data_dir: Path, app: str) -> tuple[list[Captured], int]:
    """(what is kept of `app` and not over its time, the oldest first; so many that this key does not open).

    Raise `ConfigError` where there are no books.
    """
    if not (data_dir / DATABASE_NAME).is_file():
        raise ConfigError(f"there are no books in {data_dir}; name the data folder of the gateway with --data-dir")
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
