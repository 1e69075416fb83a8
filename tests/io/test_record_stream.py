from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from books_kit import a_closing
from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.io import record_stream
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.books import SqliteBooks
from yuzui.io.record_stream import has_books, log_in, stream_books, stream_log

LEAVES = [b'{"id":"req_%d"}' % number for number in range(700)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """700 requests, one each ns, in books and log."""

    async def fill() -> None:
        books = SqliteBooks.open(tmp_path, exclusive=True)
        try:
            for start in range(0, len(LEAVES), 100):
                await asyncio.gather(
                    *(books.close(a_closing(f"req_{n}", at_ns=1000 + n, record=LEAVES[n]))
                      for n in range(start, start + 100))
                )  # fmt: skip
        finally:
            books.stop()

    asyncio.run(fill())
    log = AuditFolder.open(tmp_path / "audit", origin="test/audit", private_key_file=tmp_path / "key.pem")
    log.publish(LEAVES)
    log.close()
    return tmp_path


def joined(chunks: object) -> list[bytes]:
    return [leaf for chunk in chunks for leaf in chunk]  # type: ignore[attr-defined]  # an iterator of lists


def test_books_and_log_give_the_same_records(folder: Path) -> None:
    assert has_books(folder)
    assert joined(stream_books(folder, 0, 10_000)) == LEAVES
    assert joined(stream_log(log_in(folder))) == LEAVES
    assert log_in(folder / "audit") == folder / "audit"


def test_a_period_is_what_was_asked_for_whatever_the_chunks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_stream, "CHUNK_RECORDS", 64)
    assert joined(stream_books(folder, 1010, 1300)) == LEAVES[10:300]
    assert max(len(chunk) for chunk in stream_books(folder, 0, 10_000)) == 64
    assert not joined(stream_books(folder, 0, 1000))


def test_a_folder_with_nothing_in_it_is_wrong_usage(tmp_path: Path) -> None:
    assert not has_books(tmp_path)
    with pytest.raises(ConfigError, match="no books and no audit log"):
        log_in(tmp_path)


def test_a_damaged_log_ends_the_reading(folder: Path) -> None:
    (folder / "audit" / "tile" / "entries" / "000").write_bytes(b"\x00")
    with pytest.raises(GatewayFault, match="damaged"):
        joined(stream_log(folder / "audit"))
