"""How the books' file is opened: versions, modes, the lock, migrations."""

from __future__ import annotations

import os
from pathlib import Path

import apsw
import pytest

from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.io import database
from yuzui.io.database import FolderLock, make_private_folder, migrate, migrations, open_database, refuse_faulty_sqlite


@pytest.mark.parametrize("version", ["3.7.0", "3.45.1", "3.51.2"])
def test_a_sqlite_that_can_corrupt_its_log_is_refused(version: str) -> None:
    with pytest.raises(ConfigError, match="apsw"):
        refuse_faulty_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.1", "4.0.0"])
def test_a_repaired_sqlite_is_taken(version: str) -> None:
    refuse_faulty_sqlite(version)


def test_the_installed_sqlite_is_taken() -> None:
    refuse_faulty_sqlite(apsw.sqlite_lib_version())


def test_commits_are_flushed_before_they_return(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    found = {name: connection.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")}
    connection.close()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_nobody_else_can_read_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_private_folder(folder)
    connection = open_database(folder / "b", busy_timeout_ms=100)
    migrate(connection)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    connection.close()
    assert modes == {"b": 0o600, "b-wal": 0o600, "b-shm": 0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_second_holder_of_the_lock_is_told_what_to_do(tmp_path: Path) -> None:
    first = FolderLock(tmp_path)
    with pytest.raises(ConfigError, match="--data-dir"):
        FolderLock(tmp_path)
    first.release()
    FolderLock(tmp_path).release()


def test_migrations_are_numbered_from_one_without_gaps() -> None:
    assert [number for number, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    migrate(connection)
    before = connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()
    migrate(connection)
    assert connection.execute("SELECT name, sql FROM sqlite_schema").fetchall() == before
    assert connection.pragma("user_version") == len(migrations())
    connection.close()


def test_a_broken_migration_leaves_the_old_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    monkeypatch.setattr(database, "migrations", lambda: [(1, "CREATE TABLE t (a); CREATE TABLE t (a);")])
    with pytest.raises(GatewayFault):
        migrate(connection)
    assert connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
    assert connection.pragma("user_version") == 0
    connection.close()


def test_books_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    migrate(connection)
    connection.pragma("user_version", 99)
    with pytest.raises(ConfigError, match="newer Yuzui"):
        migrate(connection)
    connection.close()


def test_a_file_that_is_no_database_is_an_error_and_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"this is a letter, not a database " * 200)
    with pytest.raises(GatewayFault, match="damaged"):
        open_database(tmp_path / "b", busy_timeout_ms=100)
    assert (tmp_path / "b").read_bytes().startswith(b"this is a letter")
