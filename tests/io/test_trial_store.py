"""What is known of trials in the books: the latest order counts, a gateway's own at once, records by their trial."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from books_kit import START_NS, a_closing
from yuzui.core.booking import TrialOrder
from yuzui.io.books import SqliteBooks
from yuzui.io.label_store import OrderAnswer

ORDER = TrialOrder(
    id="trl_1", at_ns=5, action="stop", model="m", name="next", arm="house/new", by="", os_user="", reason="why"
)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True, now_ns=lambda: START_NS)
    yield books
    books.stop()


def test_a_state_takes_the_place_of_the_one_before(books: SqliteBooks) -> None:
    books.keep_trial_states({"a": b"1", "b": b"2"})
    books.keep_trial_states({"a": b"3"})
    assert books.trial_states() == {"a": b"3", "b": b"2"}


def test_a_gateways_own_order_is_in_force_at_once_and_a_persons_once_it_is_done(books: SqliteBooks) -> None:
    books.add_trial_order(ORDER)
    books.add_trial_order(ORDER)
    assert books.trial_orders_in_force() == [ORDER] == books.open_trial_orders()
    books.end_trial_order("trl_1")
    resume = replace(ORDER, id="trl_2", at_ns=6, action="resume", by="Ann")
    books.add_trial_order(resume)
    assert books.trial_orders_in_force() == [ORDER]
    books.end_trial_order("trl_2")
    assert books.trial_orders_in_force() == [resume]
    refused = replace(resume, id="trl_3", at_ns=7, action="stop")
    books.add_trial_order(refused)
    books.end_trial_order("trl_3", "no")
    assert books.trial_orders_in_force() == [resume]
    assert books.answer_to_trial_order("trl_3") == OrderAnswer(refused="no")
    other = replace(ORDER, id="trl_4", at_ns=1, arm="house/newer")
    books.add_trial_order(other)
    assert books.trial_orders_in_force() == [other, resume]


def test_only_records_of_the_model_in_a_trial_are_read(books: SqliteBooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.io.trial_store.PAGE", 2)

    async def fill() -> None:
        for number in range(5):
            record = b'{"id":"r%d","trials":{"next":"arm"}}' % number
            await books.close(a_closing(f"r{number}", model="m", record=record, at_ns=START_NS + number))
        await books.close(a_closing("x", model="m"))
        await books.close(a_closing("y", model="other", record=b'{"trials":{}}'))

    asyncio.run(fill())
    found = list(books.trial_records("m", START_NS + 1, START_NS + 5))
    assert [record[:10] for record in found] == [b'{"id":"r%d"' % number for number in (1, 2, 3, 4)]
