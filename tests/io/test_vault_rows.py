"""The vault as a whole: what opens is told by stand-in and by request; what is erased is nowhere any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from books_kit import DAY_NS, a_closing
from yuzui.core.booking import KeptAnswer
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.io.vault_rows import VaultRows
from yuzui.masking import vault_scope
from yuzui.privacy.vault import NONCE_BYTES, Entry, Vault, entry_id

SECRET = b"a secret of masking, 32 bytes .."
KEY = b"k" * 32
ANN, BOB = Entry("PERSON_AAAAAAAAAAAA", "person", "Ann Lee"), Entry("PERSON_BBBBBBBBBBBB", "person", "Bob Ray")


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True)
    yield books
    books.stop()


def rows_of(books: SqliteBooks, *, secret: bytes = SECRET, key: bytes = KEY, later_days: int = 0) -> VaultRows:
    archive = BookArchive(books, key, lambda: 30.0)
    return VaultRows(books, archive, secret, lambda: time.time_ns() + later_days * DAY_NS)


def fill(books: SqliteBooks, scope: str, requests: dict[str, tuple[Entry, ...]]) -> None:
    archive, vault = BookArchive(books, KEY, lambda: 30.0), Vault(SECRET, tenant=scope)

    async def work() -> None:
        for number, (request, entries) in enumerate(requests.items()):
            tokens = [entry.token for entry in entries]
            sealed = vault.seal(entries, number.to_bytes(NONCE_BYTES, "big"))
            kept: list[KeptAnswer | None] = [
                archive.wrap(scope=vault_scope(scope), id=id, level="", content=content, at_ns=time.time_ns(), names=names)
                for id, content, names in (
                    (entry_id(tokens), sealed, tuple(tokens)), (request, entry_id(tokens).encode(), ())
                )
            ]  # fmt: skip
            await books.close(
                replace(a_closing(f"{scope}{request}"), kept=tuple([one for one in kept if one is not None]))
            )

    asyncio.run(work())


def test_it_opens_by_stand_in_and_by_request_for_one_key_alone(books: SqliteBooks) -> None:
    fill(books, "key_1", {"req_1": (ANN,), "req_2": (ANN, BOB)})
    contents = rows_of(books).read("key_1")
    assert contents.named([BOB.token, "PERSON_CCCCCCCCCCCC"]) == [BOB]
    assert contents.of_requests(["req_1"]) == [ANN] and contents.of_requests(["req_1", "req_2"]) == [ANN, BOB]
    assert contents.of_requests(["req_3"]) == [] and (contents.expired, contents.locked) == (0, 0)
    assert rows_of(books).read("key_2").mappings == {}


def test_two_requests_with_the_same_stand_ins_are_both_known(books: SqliteBooks) -> None:
    fill(books, "key_1", {"req_1": (ANN,), "req_2": (ANN,)})
    contents = rows_of(books).read("key_1")
    assert len(contents.mappings) == 1 and contents.of_requests(["req_1"]) == contents.of_requests(["req_2"]) == [ANN]


@pytest.mark.parametrize("wrong", [{"secret": b"another secret of masking ......"}, {"key": b"x" * 32}])
def test_other_secrets_open_nothing_and_say_how_much(books: SqliteBooks, wrong: dict[str, bytes]) -> None:
    fill(books, "key_1", {"req_1": (ANN,)})
    contents = rows_of(books, **wrong).read("key_1")  # type: ignore[arg-type]  # one of the two secrets
    assert contents.mappings == {} and contents.named([ANN.token]) == [] and contents.locked >= 1
    assert rows_of(books, **wrong).erase("key_1", [ANN.token]) == 0  # type: ignore[arg-type]  # as above
    assert rows_of(books).read("key_1").named([ANN.token]) == [ANN]


def test_what_is_over_its_time_stays_closed_also_before_it_is_removed(books: SqliteBooks) -> None:
    fill(books, "key_1", {"req_1": (ANN,)})
    contents = rows_of(books, later_days=31).read("key_1")
    assert contents.expired == 2 and contents.mappings == {} == contents.requests


def test_erased_is_erased_from_every_row_and_the_rest_stays(books: SqliteBooks) -> None:
    fill(books, "key_1", {"req_1": (ANN,), "req_2": (ANN, BOB), "req_3": (BOB,)})
    fill(books, "key_2", {"req_9": (ANN,)})
    rows = rows_of(books)
    assert rows.erase("key_1", [ANN.token]) == 2
    contents = rows.read("key_1")
    assert contents.named([ANN.token]) == [] and contents.of_requests(["req_1", "req_2", "req_3"]) == [BOB]
    assert books.kept_answer("vault:key_1", ANN.token) is None
    assert rows.read("key_2").named([ANN.token]) == [ANN], "another key's"
    assert rows.erase("key_1", [ANN.token]) == 0
