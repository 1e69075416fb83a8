"""Orders about trials go through the books: refused for strangers, recorded, then in force; nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from yuzui.audit.record import read_record
from yuzui.core.booking import TrialOrder
from yuzui.core.errors import GatewayFault
from yuzui.io.books import SqliteBooks
from yuzui.routing.arm_comparison import Comparison
from yuzui.trial_orders import MOST_REASON_CHARS, carry_out, keep, refusal
from yuzui.trials import Trials

ORDER = TrialOrder(
    id="trl_1", at_ns=7, action="stop", model="m", name="next", arm="house/new", by="Ann Lee", os_user="ann", reason="Slow."
)  # fmt: skip


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True)
    yield books
    books.stop()


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (replace(ORDER, by="Eve"), "not one of trials.operators"),
        (replace(ORDER, reason=" "), "a reason has"),
        (replace(ORDER, reason="x" * (MOST_REASON_CHARS + 1)), "a reason has"),
    ],
)
def test_a_stranger_or_no_reason_changes_nothing(books: SqliteBooks, order: TrialOrder, says: str) -> None:
    books.add_trial_order(order)
    assert says in asyncio.run(carry_out(order, books, ("Ann Lee",)))
    assert books.trial_orders_in_force() == [] and books.open_trial_orders() == [] and books.size() == 0
    assert says in books.answer_to_trial_order("trl_1").refused
    assert refusal("Ann Lee", "Slow.", ("Ann Lee",)) == ""


def test_who_why_and_what_stand_in_the_log(books: SqliteBooks) -> None:
    books.add_trial_order(ORDER)
    assert books.trial_orders_in_force() == []  # not before its leaf
    assert asyncio.run(carry_out(ORDER, books, ("Ann Lee",))) == ""
    found = books.record_of("trl_1")
    assert found is not None
    record = read_record(found[1])
    assert record.outcome == "trial_stopped" and record.trial is not None
    assert (record.trial.name, record.trial.arm, record.trial.by, record.trial.reason) == (
        "next", "house/new", "Ann Lee", "Slow.",
    )  # fmt: skip
    assert books.trial_orders_in_force() == [ORDER]
    assert books.costs(0, 2**62, "app") == []  # a decision is no request


def test_once_through_writes_what_was_stopped_here_and_obeys_what_others_said(books: SqliteBooks) -> None:
    trials = Trials(b"k" * 32)
    mine = replace(ORDER, id="trl_0", by="", os_user="", name="mine")
    trials._unwritten.append(mine)
    trials._states["x"], trials._changed = Comparison(), {"x"}
    books.add_trial_order(ORDER)
    done = asyncio.run(keep(trials, books, ("Ann Lee",)))
    assert {one.id for one in done} == {"trl_0", "trl_1"} and trials.unwritten() == []
    assert set(trials.stopped()) == {"m\nmine\nhouse/new", "m\nnext\nhouse/new"}
    assert set(books.trial_states()) == {"x"} and books.size() == 2
    assert list(asyncio.run(keep(trials, books, ("Ann Lee",)))) == []
    assert books.size() == 2


def test_states_that_could_not_be_written_are_written_next_time(books: SqliteBooks) -> None:
    class Broken(SqliteBooks):
        @override
        def keep_trial_states(self, states: Mapping[str, bytes]) -> None:
            raise GatewayFault("full", code="ledger_unavailable")

    trials = Trials(b"k" * 32)
    trials._states["x"], trials._changed = Comparison(), {"x"}
    books.__class__ = Broken
    with pytest.raises(GatewayFault):
        asyncio.run(keep(trials, books, ()))
    books.__class__ = SqliteBooks
    asyncio.run(keep(trials, books, ()))
    assert set(books.trial_states()) == {"x"}
