"""The vault opens for a named person with a reason, after the log has said so; what is refused changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from yuzui.audit.record import read_record
from yuzui.core.booking import VaultOrder
from yuzui.io.books import SqliteBooks
from yuzui.opening import MOST_REASON_CHARS, MOST_TOKENS, obey

TOKEN = "EMAIL_ABCDEFGHIJKL"
ORDER = VaultOrder(
    id="vlt_1", at_ns=7, action="open", scope="key_1", tokens=(TOKEN,), request_id="req_1", conversation="ab",
    by="Ann Lee", os_user="ann", reason="Case 7.",
)  # fmt: skip


class Shelf:
    """Counts the leaves that were in the books when it was told to erase."""

    def __init__(self, books: SqliteBooks, error: Exception | None = None) -> None:
        self._books = books
        self._error = error
        self.leaves_before: list[int] = []

    def erase(self, scope: str, tokens: Collection[str]) -> int:
        assert (scope, tuple(tokens)) == ("key_1", (TOKEN,))
        self.leaves_before.append(self._books.size())
        if self._error is not None:
            raise self._error
        return 1


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True)
    yield books
    books.stop()


def carry_out(order: VaultOrder, books: SqliteBooks, shelf: Shelf) -> str:
    async def work() -> str:
        return await obey(order, books, shelf, ("Ann Lee",))

    return asyncio.run(work())


@pytest.mark.parametrize(("action", "outcome"), [("open", "vault_opened"), ("erase", "vault_erased")])
def test_who_when_why_and_which_stand_ins_stand_in_the_log_first(books: SqliteBooks, action: Any, outcome: str) -> None:
    order, shelf = replace(ORDER, action=action), Shelf(books)
    books.add_vault_order(order)
    assert carry_out(order, books, shelf) == ""
    found = books.record_of("vlt_1")
    assert found is not None and found[0] == 0 == books.answer_to_vault_order("vlt_1").index
    record = read_record(found[1])
    assert record.vault is not None and record.outcome == outcome and record.at.startswith("1970")
    said = record.vault
    assert (said.by, said.os_user, said.reason, said.stand_ins) == ("Ann Lee", "ann", "Case 7.", (TOKEN,))
    assert (said.request, record.conversation, record.key_id) == ("req_1", "ab", "key_1")
    assert shelf.leaves_before == ([1] if action == "erase" else []), "recorded before it is done"


def test_an_erasure_that_was_cut_short_goes_on_with_the_same_entry(books: SqliteBooks) -> None:
    order = replace(ORDER, action="erase")
    books.add_vault_order(order)
    with pytest.raises(OSError, match="cut"):
        carry_out(order, books, Shelf(books, OSError("cut")))
    assert books.open_vault_orders() == [order] and books.size() == 1
    shelf = Shelf(books)
    assert carry_out(order, books, shelf) == "" and shelf.leaves_before == [1]
    assert books.size() == 1 and books.open_vault_orders() == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": "Mallory"}, "masking.openers"),
        ({"by": ""}, "masking.openers"),
        ({"reason": "  "}, "a reason has"),
        ({"reason": "x" * (MOST_REASON_CHARS + 1)}, "a reason has"),
        ({"tokens": ()}, "stand-ins"),
        ({"tokens": (TOKEN,) * (MOST_TOKENS + 1)}, "stand-ins"),
    ],
)
def test_what_may_not_be_done_is_refused_and_leaves_no_entry(
    books: SqliteBooks, changes: dict[str, Any], why: str
) -> None:
    order, shelf = replace(ORDER, action="erase", **changes), Shelf(books)
    books.add_vault_order(order)
    assert why in carry_out(order, books, shelf)
    assert why in books.answer_to_vault_order("vlt_1").refused
    assert books.open_vault_orders() == [] and books.size() == 0 and shelf.leaves_before == []
