"""Virtual keys: found, not found, changed by somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from books_kit import START_NS, a_key
from yuzui.core.errors import ConfigError, GatewayFault
from yuzui.io import key_store
from yuzui.io.database import migrate, open_database
from yuzui.io.key_store import KeyStore


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_database(tmp_path / "b", busy_timeout_ms=100)
    migrate(connection)
    yield connection
    connection.close()


def test_a_key_comes_back_as_it_was_written(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    full = a_key(
        "key_2", b"\x00" * 32, team="t", floor="confidential", models=("auto", "模型"), own_only=True,
        forbidden_jurisdictions=("US", "CN"), requests_per_minute=1, tokens_per_minute=2, concurrency=3, budget_nano=4,
        budget_period="week", expires_ns=5, revoked_ns=6, rotated_from="key_1",
    )  # fmt: skip
    for record in (a_key(), full):
        keys.add(record)
        assert keys.find(record.key_hash) == record
    assert keys.all() == [a_key(), full]


def test_the_same_key_is_read_from_sql_once(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    keys.add(a_key())
    first = keys.find(b"h" * 32)
    assert first is keys.find(b"h" * 32)
    assert keys.lookups == 1


def test_a_flood_of_one_wrong_key_asks_sql_once(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    assert [keys.find(b"wrong") for _ in range(1000)] == [None] * 1000
    assert keys.lookups == 1


def test_a_flood_of_different_wrong_keys_keeps_memory_bounded_and_the_right_key_cached(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MOST_CACHED", 16)
    keys = KeyStore(connection)
    keys.add(a_key())
    keys.find(b"h" * 32)
    for n in range(100):
        keys.find(b"%d" % n)
    before = keys.lookups
    assert keys.find(b"h" * 32) is not None
    assert keys.lookups == before
    assert len(keys._unknown) == 16


def test_more_keys_than_the_cache_holds_are_all_found(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_store, "MOST_CACHED", 8)
    keys = KeyStore(connection)
    for n in range(30):
        keys.add(a_key(f"key_{n}", b"%032d" % n))
    for n in range(30):
        found = keys.find(b"%032d" % n)
        assert found is not None and found.id == f"key_{n}"
    assert len(keys._known) == 8


def test_a_change_by_another_process_is_seen_at_the_next_refresh(connection: apsw.Connection, tmp_path: Path) -> None:
    gateway = KeyStore(connection)
    assert not gateway.has_keys()
    assert gateway.find(b"h" * 32) is None
    command = open_database(tmp_path / "b", busy_timeout_ms=100)
    other = KeyStore(command)
    other.add(a_key())
    gateway.refresh()
    assert gateway.has_keys() and gateway.find(b"h" * 32) == a_key()
    assert other.revoke("key_1", START_NS + 1)
    gateway.refresh()
    assert gateway.find(b"h" * 32) == a_key(revoked_ns=START_NS + 1)
    command.close()


def test_revoking_the_last_key_does_not_open_the_gateway(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    keys.add(a_key())
    keys.revoke("key_1", START_NS)
    assert keys.has_keys()


def test_a_later_revocation_never_extends_a_keys_life(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    keys.add(a_key())
    assert keys.revoke("key_1", START_NS + 10) and keys.revoke("key_1", START_NS + 99)
    assert [record.revoked_ns for record in keys.all()] == [START_NS + 10]
    assert not keys.revoke("key_0", START_NS)


def test_an_id_or_secret_that_is_taken_is_refused(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    keys.add(a_key())
    for twin in (a_key(key_hash=b"other"), a_key("other")):
        with pytest.raises(ConfigError, match="already"):
            keys.add(twin)
    assert len(keys.all()) == 1


def test_books_that_cannot_be_read_are_not_taken_for_a_wrong_key(connection: apsw.Connection) -> None:
    keys = KeyStore(connection)
    keys.add(a_key())
    keys.find(b"h" * 32)
    connection.execute("DROP TABLE virtual_key")
    assert keys.find(b"h" * 32) is not None, "a key that is known keeps working"
    with pytest.raises(GatewayFault) as refused:
        keys.find(b"another")
    assert refused.value.code == "ledger_unavailable"
