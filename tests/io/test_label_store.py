"""Orders about labels in the books: each is carried out once, with its leaf, or refused with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from books_kit import START_NS, a_closing
from yuzui.core.booking import LabelOrder, Learnt, Lowered
from yuzui.io.books import SqliteBooks
from yuzui.io.database import migrations
from yuzui.io.label_store import OrderAnswer
from yuzui.privacy.conversation import ConversationMemory

CHAT, OTHER = b"scope..." + b"chat....", b"scope..." + b"other..."
ORDER = LabelOrder(
    id="lab_1", at_ns=5, scope="key_1", conversation=CHAT, to_level="internal", by="ann", os_user="root", reason="why"
)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True)
    yield books
    books.stop()


def learnt(conversation: bytes, level: int) -> Learnt:
    return Learnt(
        conversation=conversation, level=level, hashes=(conversation + b"message.",), texts=(("prints", b"12345678"),)
    )


def test_an_order_waits_until_it_is_carried_out_with_its_leaf(books: SqliteBooks) -> None:
    later = replace(ORDER, id="lab_2", at_ns=6, conversation=OTHER)
    books.add_order(later)
    books.add_order(ORDER)
    assert books.open_orders() == [ORDER, later]
    assert books.answer_to("lab_1") == books.answer_to("nobody's") == OrderAnswer()

    async def work() -> None:
        await books.close(a_closing("r1", memory=learnt(CHAT, 3)))
        await books.close(a_closing("r2", memory=learnt(OTHER, 3)))
        lowered = Lowered(order_id="lab_1", conversation=CHAT, level=1)
        await books.close(replace(a_closing("lab_1", spent=0, window=""), outcome="declassified", lowered=lowered))

    asyncio.run(work())
    assert books.open_orders() == [later]
    assert books.answer_to("lab_1") == OrderAnswer(index=2)
    assert books.labels_of(CHAT).level == 1 and books.labels_of(CHAT).entries == 2
    assert books.labels_of(OTHER).level == 3 and books.labels_of(b"x").level == -1
    assert {one.level for one in books.remembered(9, 9) if one.conversation == CHAT} == {1}
    books.refuse_order("lab_2", "no")
    assert books.open_orders() == [] and books.answer_to("lab_2") == OrderAnswer(refused="no")
    books.refuse_order("lab_1", "too late")
    assert books.answer_to("lab_1") == OrderAnswer(index=2)


def test_a_person_is_no_request_in_the_costs_and_the_sums_stay_right(books: SqliteBooks) -> None:
    books.add_order(ORDER)

    async def work() -> None:
        await books.close(a_closing("r1", window=""))
        lowered = Lowered(order_id="lab_1", conversation=CHAT, level=1)
        await books.close(replace(a_closing("lab_1", spent=0, window=""), outcome="declassified", lowered=lowered))

    asyncio.run(work())
    assert [row.requests for row in books.costs(0, START_NS * 2, "app")] == [1]
    assert books.verify_sums() == []
    assert books.size() == 2


def test_an_effect_without_its_order_is_refused_by_the_books(books: SqliteBooks) -> None:
    async def work() -> None:
        await books.close(a_closing("r1", memory=learnt(CHAT, 3)))
        lowered = Lowered(order_id="never given", conversation=CHAT, level=1)
        with pytest.raises(Exception, match="the books refuse this entry"):
            await books.close(replace(a_closing("lab_1", spent=0, window=""), outcome="declassified", lowered=lowered))

    asyncio.run(work())
    assert books.labels_of(CHAT).level == 3 and books.size() == 1


def test_labels_from_before_conversations_had_names_are_kept(tmp_path: Path) -> None:
    memory = ConversationMemory(b"secret", capacity=10)
    row = memory.learn("key_1", {"messages": []}, "chat-7", 3, []).hashes[0]
    with FirstSchemas():
        books = SqliteBooks.open(tmp_path, exclusive=False)
        books._execute("INSERT INTO conversation_memory (hash, level, at_ns) VALUES (?, 3, 1)", (row,))
        books.stop()
    books = SqliteBooks.open(tmp_path, exclusive=True)
    after = ConversationMemory(b"secret", capacity=10)
    after.load(books.remembered(10, 10))
    books.stop()
    assert after.recall("key_1", {"messages": []}, "chat-7") == 3
    after.declassify(memory.conversation_named("key_1", "chat-7"), 0)
    assert after.recall("key_1", {"messages": []}, "chat-7") == 3, "nobody knows whose it is"


class FirstSchemas:
    """The books as the version before made them."""

    def __enter__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        before = migrations()[:2]
        self._patch.setattr("yuzui.io.database.migrations", lambda: before)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
