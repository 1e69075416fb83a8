"""Kept requests are read in their order, and what another key sealed is counted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from yuzui.capturing import PREFIX, Captured
from yuzui.core.errors import ConfigError
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.capture_reader import CaptureReader, read_captured
from yuzui.io.secrets import load_secrets

NOW_NS = 1_795_000_000_000_000_000


def keep(folder: Path, *examples: tuple[str, int, bytes | None]) -> None:
    """(request, when, key or None for the folder's own) each."""
    books = SqliteBooks.open(folder, exclusive=True)
    try:
        for name, at_ns, key in examples:
            one = Captured(request_id=name, at_ns=at_ns, app="a", model="m", target="t", level="internal", messages=[])
            archive = BookArchive(books, key or load_secrets(folder).archive_key, lambda: 36_500.0)
            row = archive.wrap(
                scope=PREFIX + "a", id=name, level="internal", content=msgspec.json.encode(one), at_ns=NOW_NS
            )
            assert row is not None
            books.keep_answer(row)
    finally:
        books.stop()


def test_the_oldest_comes_first_and_only_of_one_application(tmp_path: Path) -> None:
    keep(tmp_path, ("req_2", 5, None), ("req_1", 9, None), ("req_3", 1, b"x" * 32))
    found, unreadable = read_captured(tmp_path, "a")
    assert ([one.request_id for one in found], unreadable) == (["req_2", "req_1"], 1)
    assert read_captured(tmp_path, "b") == ([], 0)


def test_without_books_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no books"):
        read_captured(tmp_path, "a")
    with pytest.raises(ConfigError, match="there are no books"):
        CaptureReader(tmp_path)


def test_one_is_found_by_its_application_and_id_with_the_key_that_sealed_it(tmp_path: Path) -> None:
    keep(tmp_path, ("req_2", 5, None), ("req_3", 1, b"x" * 32))
    with CaptureReader(tmp_path) as texts:
        found = texts.find("a", "req_2")
        assert found is not None and found.request_id == "req_2"
        assert (texts.find("b", "req_2"), texts.find("a", "req_3"), texts.find("a", "req_9")) == (None, None, None)
