"""Rows of the vault and orders about them: an order is done when its leaf is in the books, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from books_kit import DAY_NS, START_NS, a_closing
from yuzui.core.booking import KeptAnswer, VaultOrder
from yuzui.io.books import SqliteBooks
from yuzui.io.label_store import OrderAnswer

ORDER = VaultOrder(
    id="vlt_1", at_ns=5, action="open", scope="key_1", tokens=("EMAIL_ABCDEFGHIJKL",), request_id="req_1",
    conversation="", by="Ann Lee", os_user="ann", reason="why",
)  # fmt: skip


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True, now_ns=lambda: START_NS)
    yield books
    books.stop()


def keep(books: SqliteBooks, scope: str, id: str, *names: str, days: int = 30) -> None:
    kept = KeptAnswer(
        scope=scope, id=id, level="", expires_ns=START_NS + days * DAY_NS, content=b"sealed " + id.encode(), names=names
    )

    async def work() -> None:
        await books.close(replace(a_closing(f"r_{scope}_{id}"), kept=(kept,)))

    asyncio.run(work())


def test_an_order_is_done_when_its_leaf_is_there_and_it_is_closed(books: SqliteBooks) -> None:
    books.add_vault_order(ORDER)
    assert books.open_vault_orders() == [ORDER] and books.answer_to_vault_order("vlt_1") == OrderAnswer()

    async def work() -> None:
        await books.close(replace(a_closing("vlt_1"), outcome="vault_opened"))

    asyncio.run(work())
    assert books.answer_to_vault_order("vlt_1") == OrderAnswer(), "what it has to do besides may not be done yet"
    books.end_vault_order("vlt_1")
    assert books.answer_to_vault_order("vlt_1") == OrderAnswer(index=0) and books.open_vault_orders() == []
    assert books.costs(0, 2**62, "app") == [], "no request stands behind it"


def test_a_refused_order_says_why_for_good(books: SqliteBooks) -> None:
    books.add_vault_order(ORDER)
    books.end_vault_order("vlt_1", "not you")
    books.end_vault_order("vlt_1")
    assert books.answer_to_vault_order("vlt_1") == OrderAnswer(refused="not you")


def test_the_vault_is_counted_apart_from_kept_answers(books: SqliteBooks) -> None:
    keep(books, "key_1", "resp_1")
    keep(books, "vault:key_1", "vault_aa", "EMAIL_ABCDEFGHIJKL")
    keep(books, "vault:key_1", "req_0190", days=7)
    assert books.vault_scopes() == ["key_1"]
    (count,) = books.vault_counts()
    assert (count.scope, count.mappings, count.requests, count.oldest_request) == ("key_1", 1, 1, "req_0190")
    assert (count.first_expires_ns, count.last_expires_ns) == (START_NS + 7 * DAY_NS, START_NS + 30 * DAY_NS)
    assert [row.id for row in books.vault_rows("vault:key_1")] == ["req_0190", "vault_aa"]


def test_a_shorter_time_for_answers_is_none_for_originals_and_the_other_way_round(books: SqliteBooks) -> None:
    keep(books, "key_1", "resp_1")
    keep(books, "vault:key_1", "vault_aa")
    books.shorten_answers(0.0)
    assert books.kept_answer("key_1", "resp_1") is None and books.kept_answer("vault:key_1", "vault_aa") is not None
    books.shorten_answers(0.0, in_vault=True)
    assert books.kept_answer("vault:key_1", "vault_aa") is None


def test_a_row_changes_only_if_it_is_what_was_read(books: SqliteBooks) -> None:
    keep(books, "vault:key_1", "vault_aa", "EMAIL_ABCDEFGHIJKL", "PHONE_ABCDEFGHIJKL")
    place = ("vault:key_1", "vault_aa")
    assert not books.rewrite_vault_row(*place, b"another", b"new") and not books.rewrite_vault_row(*place, b"", None)
    assert books.rewrite_vault_row(*place, b"sealed vault_aa", b"new", ("EMAIL_ABCDEFGHIJKL",))
    assert books.kept_answer("vault:key_1", "EMAIL_ABCDEFGHIJKL") is None
    assert books.kept_answer("vault:key_1", "PHONE_ABCDEFGHIJKL") == ("", b"new", "vault_aa")
    assert books.rewrite_vault_row(*place, b"new", None)
    assert books.kept_answer("vault:key_1", "PHONE_ABCDEFGHIJKL") is None
