"""How promises are kept between processes and configurations: over real books, without a gateway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from guarantee_kit import certificate, config, write_router
from test_standing import advised
from watch_kit import TESTED, WATCH
from yuzui.audit.record import read_record
from yuzui.config import read
from yuzui.core.errors import GatewayFault
from yuzui.core.guarantee import Advised
from yuzui.core.watching import PromiseKey, WatchState
from yuzui.io.books import SqliteBooks
from yuzui.promises import Promises, refusal
from yuzui.wiring import make_snapshot
from yuzui.world import Snapshot


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    opened = SqliteBooks.open(tmp_path / "data", exclusive=True)
    yield opened
    opened.stop()


def snapshot(folder: Path, more: str = WATCH) -> Snapshot:
    text = config(folder / "r.json", write_router(folder / "r.json", certificate(tested=TESTED)))
    return make_snapshot(read(text + more, {"BIG": "k"}, source=None), folder)


def promises(books: SqliteBooks, changed: Callable[[], None] = lambda: None) -> Promises:
    ids = iter(range(10_000))
    return Promises(books, now_ns=lambda: 1_795_000_000_000_000_000, bits64=lambda: next(ids), changed=changed)


def adopted(register: Promises, one: Snapshot) -> tuple[Snapshot, PromiseKey, Advised]:
    stands = register.adopt(one, register.load(one.promised))
    (key,) = register.known
    return stands, key, advised(one.promised["support"])


def break_it(register: Promises, key: PromiseKey, told: Advised) -> None:
    for _ in range(100):
        register.add(key, told, 1.0, is_audit=True)


def test_an_alarm_counts_at_once_and_the_books_follow(tmp_path: Path, books: SqliteBooks) -> None:
    async def story() -> None:
        changes: list[str] = []
        register = promises(books, lambda: changes.append("changed"))
        one, key, told = adopted(register, snapshot(tmp_path))
        break_it(register, key, told)
        assert changes == ["changed"] and register.owes and books.watch_states() == {}
        assert register.apply(one).guaranteed["support"].is_broken and not one.promised["support"].is_broken
        await register.save()
        assert not register.owes
        ((version, state),) = books.watch_states().values()
        assert (version, state.stage) == (1, "broken")
        leaf = books.record_of(state.change_id)
        assert leaf is not None and read_record(leaf[1]).outcome == "promise_broken"
        assert register.under("support", told) is None

    asyncio.run(story())


def test_the_next_process_goes_on_and_a_second_configuration_keeps_what_is_known(
    tmp_path: Path, books: SqliteBooks
) -> None:
    async def story() -> None:
        register = promises(books)
        _, key, told = adopted(register, snapshot(tmp_path))
        register.add(key, told, 0.5, is_audit=True)
        register.pay(key, 7)
        register.note_ungraded(key, "blocked")
        await register.save()
        register.add(key, told, 0.0, is_audit=False)
        register.adopt(snapshot(tmp_path, WATCH.replace("1.0", "0.5")), books.watch_states())
        assert register.known[key].state.seen == 2, "what lies in the books is older"
        await register.save()
        second = promises(books)
        adopted(second, snapshot(tmp_path))
        state = second.known[key].state
        assert (state.seen, state.audited, state.referred, state.cost_nano) == (2, 1, 1, 7)
        assert second.graded_share(key) == 0.5 and second.known[key].version == 2

    asyncio.run(story())


def test_a_leaf_that_a_dead_process_owed_is_written_once(tmp_path: Path, books: SqliteBooks) -> None:
    async def story() -> None:
        register = promises(books)
        _, key, told = adopted(register, snapshot(tmp_path))
        break_it(register, key, told)
        (promise,) = register.known.values()
        await register._save(promise)  # and then the process dies
        assert books.size() == 0
        for _ in range(2):
            second = promises(books)
            adopted(second, snapshot(tmp_path))
            await second.save()
        assert books.size() == 1
        leaf = books.record_of(promise.state.change_id)
        assert leaf is not None and read_record(leaf[1]).outcome == "promise_broken"

    asyncio.run(story())


def test_what_somebody_else_wrote_counts(tmp_path: Path, books: SqliteBooks) -> None:
    async def story() -> None:
        register = promises(books)
        _, key, told = adopted(register, snapshot(tmp_path))
        register.add(key, told, 0.0, is_audit=True)
        books.save_watch(key, 0, WatchState(stage="broken", since_ns=5))
        await register.save()
        assert register.known[key].state.stage == "broken" and register.known[key].version == 1

    asyncio.run(story())


def test_a_fault_of_the_books_loses_nothing(
    tmp_path: Path, books: SqliteBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise GatewayFault("the books are unavailable", code="ledger_unavailable")

    async def story() -> None:
        register = promises(books)
        _, key, told = adopted(register, snapshot(tmp_path))
        break_it(register, key, told)
        with monkeypatch.context() as broken:
            broken.setattr(SqliteBooks, "save_watch", fails)
            with pytest.raises(GatewayFault):
                await register.save()
        assert register.owes
        await register.save()
        assert books.size() == 1 and not register.owes

    asyncio.run(story())


def test_a_reload_while_the_books_write_loses_nothing_of_what_is_learnt_after_it(
    tmp_path: Path, books: SqliteBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()
    write = books.save_watch

    def slow(key: PromiseKey, version: int, state: WatchState) -> bool:
        done = write(key, version, state)
        may_end.wait(10)
        return done

    async def story() -> None:
        register = promises(books)
        one, key, told = adopted(register, snapshot(tmp_path))
        register.add(key, told, 0.5, is_audit=True)
        monkeypatch.setattr(books, "save_watch", slow)
        saving = asyncio.create_task(register.save())
        while not books.watch_states():
            await asyncio.sleep(0.01)
        register.adopt(one, books.watch_states())
        break_it(register, key, told)
        may_end.set()
        await saving
        await register.save()
        assert register.known[key].state.stage == "broken", "not what the books had before"
        assert [state.stage for _, state in books.watch_states().values()] == ["broken"]
        assert register.apply(one).guaranteed["support"].is_broken

    asyncio.run(story())


def test_without_a_watch_what_was_found_still_holds(tmp_path: Path, books: SqliteBooks) -> None:
    async def story() -> None:
        register = promises(books)
        _, key, told = adopted(register, snapshot(tmp_path))
        break_it(register, key, told)
        await register.save()
        stands, *_ = adopted(promises(books), snapshot(tmp_path, ""))
        assert stands.guaranteed["support"].is_broken

    asyncio.run(story())


@pytest.mark.parametrize(
    ("by", "reason", "stage", "said"),
    [("", "x", "broken", "who"), ("Ann", "", "broken", "reason"), ("Ann", "x" * 501, "broken", "500"),
     ("Ann", "x", "holds", "neither"), ("Ann", "x", "broken", ""), ("Ann", "x", "tightened", "")],
)  # fmt: skip
def test_who_resumes_says_who_and_why(by: str, reason: str, stage: str, said: str) -> None:
    found = refusal(by, reason, stage)  # type: ignore[arg-type]  # one of the stages
    assert (said in found) if said else found == ""
