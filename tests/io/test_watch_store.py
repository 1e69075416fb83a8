from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from yuzui.core.errors import GatewayFault
from yuzui.core.watching import PromiseKey, ShadowState, WatchOrder, WatchState
from yuzui.io.books import SqliteBooks

KEY = PromiseKey(model="support", router_sha256="a" * 64, certificate="b" * 32)
OTHER = PromiseKey(model="other", router_sha256="a" * 64, certificate="b" * 32)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    opened = SqliteBooks.open(tmp_path, exclusive=True)
    yield opened
    opened.stop()


def test_states_are_written_by_whoever_saw_the_last_one(books: SqliteBooks) -> None:
    assert books.watch_states() == {}
    first, second = WatchState(seen=1, last_ns=1), WatchState(seen=2, wealths=[[0.5, -0.5]], last_ns=2)
    assert not books.save_watch(KEY, 3, first), "nothing lies there"
    assert books.save_watch(KEY, 0, first)
    assert not books.save_watch(KEY, 0, second), "somebody was faster"
    assert books.save_watch(KEY, 1, second) and not books.save_watch(KEY, 1, first)
    assert books.save_watch(OTHER, 0, first)
    assert books.watch_states() == {KEY: (2, second), OTHER: (1, first)}
    assert list(books.watch_states("other")) == [OTHER]


def test_another_process_reads_what_one_wrote(books: SqliteBooks, tmp_path: Path) -> None:
    books.save_watch(KEY, 0, WatchState(seen=7))
    beside = SqliteBooks.open(tmp_path, exclusive=False)
    assert beside.watch_states()[KEY][1].seen == 7
    beside.stop()


def test_shadows_are_kept_per_model_and_target(books: SqliteBooks) -> None:
    books.save_shadow("support", "house/new", ShadowState(asked=1))
    books.save_shadow("support", "house/new", ShadowState(asked=2, likeness=0.25))
    books.save_shadow("other", "house/new", ShadowState())
    assert books.shadow_states("support") == {("support", "house/new"): (2, ShadowState(asked=2, likeness=0.25))}


def test_an_order_is_open_until_it_was_done_or_refused(books: SqliteBooks) -> None:
    orders = [
        WatchOrder(id=f"wat_{number}", at_ns=number, key=KEY, by="Ann Lee", os_user="ann", reason="fine")
        for number in (1, 2)
    ]
    for order in reversed(orders):
        books.add_watch_order(order)
    assert books.open_watch_orders() == orders
    books.end_watch_order("wat_1", refused="no")
    books.end_watch_order("wat_2", leaf=0)
    books.end_watch_order("wat_2", refused="too late")
    assert books.open_watch_orders() == []
    assert books.answer_to_watch_order("wat_1").refused == "no"
    answer = books.answer_to_watch_order("wat_2")
    assert (answer.index, answer.refused) == (0, "")


def test_a_state_that_cannot_be_read_is_a_fault(books: SqliteBooks) -> None:
    books.save_watch(KEY, 0, WatchState())
    books._execute('UPDATE promise SET state = \'{"seen": "many"}\'')
    with pytest.raises(GatewayFault, match="cannot be read"):
        books.watch_states()
