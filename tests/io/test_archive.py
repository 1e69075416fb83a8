"""Kept answers: encrypted, each for its scope, gone when their time is over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from books_kit import DAY_NS, START_NS, a_closing
from yuzui.core.errors import ClientFault
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.ports import FoundAnswer

KEY = bytes(range(32))
SECRET = b'{"input": "my salary is 12345"}'


class Clock:
    now_ns = START_NS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def books(tmp_path: Path, clock: Clock) -> SqliteBooks:
    return SqliteBooks.open(tmp_path, exclusive=True, now_ns=lambda: clock.now_ns)


async def keep(books: SqliteBooks, archive: BookArchive, name: str, scope: str = "k1") -> None:
    kept = archive.wrap(scope=scope, id=name, level="internal", content=SECRET, at_ns=START_NS)
    assert kept is not None
    await books.close(replace(a_closing(f"req_{scope}_{name}"), kept=(kept,)))


def test_an_answer_is_found_by_its_own_scope_until_it_is_removed(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        await keep(books, archive, "resp_1")
        assert await archive.find("k1", "resp_1") == FoundAnswer(id="resp_1", level="internal", content=SECRET)
        assert await archive.find("k2", "resp_1") is None
        assert await archive.find("k1", "resp_2") is None
        assert not await archive.remove("k2", "resp_1")
        assert await archive.remove("k1", "resp_1")
        assert not await archive.remove("k1", "resp_1")
        assert await archive.find("k1", "resp_1") is None

    asyncio.run(story())
    books.stop()


def test_an_answer_is_found_by_the_names_of_its_items_until_it_is_gone(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        kept = archive.wrap(
            scope="k1", id="resp_1", level="internal", content=SECRET, at_ns=START_NS, names=("msg_0a", "rs_0b")
        )
        assert kept is not None
        await books.close(replace(a_closing("req_1"), kept=(kept,)))
        for name in ("resp_1", "msg_0a", "rs_0b"):
            found = await archive.find("k1", name)
            assert found is not None and (found.id, found.content) == ("resp_1", SECRET)
            assert await archive.find("k2", name) is None
        assert await archive.remove("k1", "resp_1")
        assert await archive.find("k1", "msg_0a") is None

    asyncio.run(story())
    books.stop()


def test_an_answer_is_gone_when_its_time_is_over(books: SqliteBooks, clock: Clock) -> None:
    archive = BookArchive(books, KEY, lambda: 2)

    async def story() -> None:
        await keep(books, archive, "resp_1")
        clock.now_ns = START_NS + 2 * DAY_NS - 1
        assert await archive.find("k1", "resp_1") is not None
        assert books.forget_expired_answers() == 0
        clock.now_ns += 1
        assert await archive.find("k1", "resp_1") is None
        assert books.forget_expired_answers() == 1

    asyncio.run(story())
    books.stop()


def test_an_operator_who_keeps_nothing_keeps_nothing(books: SqliteBooks) -> None:
    assert BookArchive(books, KEY, lambda: 0).wrap(scope="k", id="i", level="l", content=b"", at_ns=1) is None
    books.stop()


def test_the_file_holds_no_word_of_it_and_another_key_or_place_opens_nothing(
    books: SqliteBooks, tmp_path: Path
) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        await keep(books, archive, "resp_1")
        assert await BookArchive(books, bytes(32), lambda: 30).find("k1", "resp_1") is None
        books._connection.execute("UPDATE kept_answer SET scope = 'k2'")  # copied to somebody else's
        assert await archive.find("k2", "resp_1") is None

    asyncio.run(story())
    books.stop()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"12345" not in path.read_bytes()


def test_an_item_that_is_named_like_an_answer_does_not_take_its_place(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        await keep(books, archive, "resp_1")
        kept = archive.wrap(
            scope="k1", id="resp_2", level="internal", content=b"{}", at_ns=START_NS, names=("resp_1", "msg_1")
        )
        assert kept is not None
        await books.close(replace(a_closing("req_2"), kept=(kept,)))
        found = await archive.find("k1", "resp_1")
        assert found is not None and (found.id, found.content) == ("resp_1", SECRET)
        assert await archive.remove("k1", "resp_1")
        found = await archive.find("k1", "msg_1")
        assert found is not None and found.id == "resp_2"

    asyncio.run(story())
    books.stop()


def test_a_row_whose_level_was_changed_does_not_open(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        await keep(books, archive, "resp_1")
        books._execute("UPDATE kept_answer SET level = 'public'")
        assert await archive.find("k1", "resp_1") is None

    asyncio.run(story())
    books.stop()


def test_two_answers_of_one_batch_are_both_kept(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        await asyncio.gather(*[keep(books, archive, f"resp_{n}") for n in range(40)])
        for n in range(40):
            assert await archive.find("k1", f"resp_{n}") is not None
        assert books.verify_sums() == []

    asyncio.run(story())
    books.stop()


def test_what_is_kept_at_once_takes_the_place_of_what_was_kept_before(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)

    async def story() -> None:
        for content, level in ((b"first", "internal"), (b"second", "restricted")):
            kept = archive.wrap(scope="k1", id="conv_1", level=level, content=content, at_ns=START_NS)
            assert kept is not None and content not in kept.content
            await archive.keep(kept)
        assert await archive.find("k1", "conv_1") == FoundAnswer(id="conv_1", level="restricted", content=b"second")
        assert await archive.find("k2", "conv_1") is None

    asyncio.run(story())
    books.stop()


def test_what_is_held_can_be_held_again_once_it_is_let_go(books: SqliteBooks) -> None:
    archive = BookArchive(books, KEY, lambda: 30)
    let_go = archive.hold("k1", "conv_1")
    archive.hold("k2", "conv_1")
    with pytest.raises(ClientFault) as caught:
        archive.hold("k1", "conv_1")
    assert (caught.value.status, caught.value.code) == (409, "conversation_locked")
    let_go(None)
    archive.hold("k1", "conv_1")
    books.stop()
