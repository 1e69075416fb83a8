"""The checks themselves: silent on empty books, short on very wrong ones, loud on a damaged file."""

from __future__ import annotations

from pathlib import Path

from yuzui.io.database import migrate, open_database
from yuzui.io.sums import MOST_SHOWN, find_wrong_sums


def test_empty_books_add_up(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    migrate(connection)
    assert find_wrong_sums(connection) == []
    connection.close()


def test_a_flood_of_problems_is_shown_in_part(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    migrate(connection)
    connection.execute(
        "PRAGMA foreign_keys = 0; WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
        "INSERT INTO posting SELECT i, 0, 'spend:k', 5, 'USD', 'v', '1' FROM n"
    )
    assert len(find_wrong_sums(connection)) == MOST_SHOWN
    connection.close()


def test_a_flipped_page_is_found(tmp_path: Path) -> None:
    path = tmp_path / "b"
    connection = open_database(path, busy_timeout_ms=100)
    migrate(connection)
    connection.execute(
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "INSERT INTO conversation_memory (hash, level, at_ns) SELECT randomblob(16), 1, i FROM n"
    )
    connection.pragma("wal_checkpoint(truncate)")
    page = connection.execute("SELECT max(pageno) FROM dbstat WHERE name = 'conversation_memory'").get
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\x05" * 16)
    connection = open_database(path, busy_timeout_ms=100)
    assert any("damaged" in problem for problem in find_wrong_sums(connection))
    connection.close()
