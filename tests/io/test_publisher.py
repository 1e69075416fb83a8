"""What is durable in the books reaches the public log, in order, once; and old books are never continued."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from books_kit import a_closing, an_intent
from yuzui.audit.record import RequestRecord, write_record
from yuzui.core.errors import ConfigError
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.audit_reader import verify_folder
from yuzui.io.books import SqliteBooks
from yuzui.io.publisher import BATCH, OVERDUE_S, Publisher


def close_some(books: SqliteBooks, numbers: range) -> None:
    async def main() -> None:
        for number in numbers:
            await books.reserve(an_intent(f"req_{number}"))
        await asyncio.gather(*[
            books.close(a_closing(f"req_{number}", record=write_record(
                RequestRecord(id=f"req_{number}", at="2026-11-22T12:00:00.000Z"))))
            for number in numbers
        ])  # fmt: skip

    asyncio.run(main())


@contextmanager
def opened(data: Path) -> Iterator[tuple[SqliteBooks, AuditFolder]]:
    books = SqliteBooks.open(data, exclusive=True)
    try:
        folder = AuditFolder.open(data / "audit", origin="log.example/audit", private_key_file=data / "audit.key")
        try:
            yield books, folder
        finally:
            folder.close()
    finally:
        books.stop()


def test_every_leaf_is_published_once_and_the_log_verifies(tmp_path: Path) -> None:
    with opened(tmp_path) as (books, folder):
        publisher = Publisher(books, folder)
        assert publisher.publish() == 0
        close_some(books, range(3))
        assert publisher.publish() == 3
        assert publisher.publish() == 0
        close_some(books, range(3, BATCH + 10))
        assert publisher.publish() == BATCH + 7
        assert folder.size == books.size() == BATCH + 10
        assert [folder.prove(index).extra for index in (0, BATCH + 9)] == [
            *books.unpublished(0, 1), *books.unpublished(BATCH + 9, 1)
        ]  # fmt: skip
    assert verify_folder(tmp_path / "audit").ok


def test_a_log_that_cannot_be_written_is_told_and_recovers_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    with opened(tmp_path) as (books, folder):
        publisher = Publisher(books, folder, monotonic=lambda: now[0])
        close_some(books, range(2))

        def fails(leaves: object) -> None:
            raise OSError("disk full")

        with monkeypatch.context() as broken:
            broken.setattr(folder, "publish", fails)
            for _ in range(2):
                with pytest.raises(OSError, match="disk full"):
                    publisher.publish()
                now[0] += 20
        assert publisher.problem == "not published: OSError"
        assert not publisher.is_overdue(100 + OVERDUE_S)  # counted from the first failure
        assert publisher.is_overdue(100 + OVERDUE_S + 1)
        assert publisher.publish() == 2
        assert (publisher.problem, publisher.is_overdue(10**9)) == ("", False)


def test_books_that_are_older_than_the_log_are_refused(tmp_path: Path) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    with opened(data) as (books, folder):
        close_some(books, range(2))
        Publisher(books, folder).publish()
    shutil.copytree(data, copy)
    with opened(data) as (books, folder):
        close_some(books, range(2, 4))
        Publisher(books, folder).publish()
    for file in data.glob("books.sqlite3*"):
        file.unlink()
    for file in copy.glob("books.sqlite3*"):
        shutil.copy(file, data / file.name)
    with opened(data) as (books, folder), pytest.raises(ConfigError, match="older than the audit log"):
        Publisher(books, folder)


def test_books_with_another_past_are_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as (books, folder):
        close_some(books, range(2))
        Publisher(books, folder).publish()
    with opened(tmp_path / "other") as (books, _):
        close_some(books, range(10, 14))
    for file in (tmp_path / "other").glob("books.sqlite3*"):
        shutil.copy(file, tmp_path / "data" / file.name)
    with opened(tmp_path / "data") as (books, folder), pytest.raises(ConfigError, match="old copy"):
        Publisher(books, folder)
