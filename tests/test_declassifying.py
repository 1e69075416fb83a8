"""A label comes down by the decision of a named person only, with a leaf in the log, and for one conversation only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from books_kit import a_closing
from privacy.kit import CONFIDENTIAL, INTERNAL, RESTRICTED, make_rules
from yuzui.audit.record import read_record
from yuzui.core.booking import KeptAnswer, LabelOrder, Learnt
from yuzui.declassifying import MOST_REASON_CHARS, carry_out, refusal
from yuzui.io.archive import BookArchive
from yuzui.io.books import SqliteBooks
from yuzui.privacy.conversation import ConversationMemory

RULES = replace(make_rules(), declassifiers=("Ann Lee",))
SAID = "This answer of twenty words or more was said under a label."


def body(text: str) -> dict[str, Any]:  # Any: JSON values
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqliteBooks]:
    books = SqliteBooks.open(tmp_path, exclusive=True)
    yield books
    books.stop()


@pytest.fixture
def memory() -> ConversationMemory:
    return ConversationMemory(b"secret", capacity=1000)


def order(learnt: Learnt, **changes: Any) -> LabelOrder:  # Any: fields of an order
    fields: dict[str, Any] = {
        "id": "lab_1", "at_ns": 7, "scope": "key_1", "conversation": learnt.conversation, "to_level": "internal",
        "by": "Ann Lee", "os_user": "ann", "reason": "Published on 3 May.",
    }  # fmt: skip
    return LabelOrder(**{**fields, **changes})


def archive_of(books: SqliteBooks) -> BookArchive:
    return BookArchive(books, b"k" * 32, lambda: 30.0)


def test_who_when_why_from_and_to_stand_in_the_log_and_the_label_is_down(
    books: SqliteBooks, memory: ConversationMemory
) -> None:
    chat = memory.learn("key_1", body("hello"), "c1", RESTRICTED, [SAID])
    other = memory.learn("key_1", body("hullo"), "c2", RESTRICTED, ["Something else that was said under a label."])

    async def work() -> str:
        await books.close(a_closing("r1", memory=chat))
        await books.close(a_closing("r2", memory=other))
        books.add_order(order(chat))
        return await carry_out(books.open_orders()[0], books, memory, archive_of(books), RULES)

    assert asyncio.run(work()) == ""
    assert memory.recall("key_1", body("x"), "c1") == memory.recall("key_1", body(SAID), "") == INTERNAL
    assert memory.recall("key_1", body("x"), "c2") == RESTRICTED
    found = books.record_of("lab_1")
    assert found is not None and found[0] == 2 == books.answer_to("lab_1").index
    record = read_record(found[1])
    assert record.declassified is not None and record.outcome == "declassified" and record.at.startswith("1970")
    done = record.declassified
    assert (done.by, done.os_user, done.reason) == ("Ann Lee", "ann", "Published on 3 May.")
    assert (done.from_level, done.to_level) == ("restricted", "internal")
    assert record.conversation == chat.conversation.hex()
    restarted = ConversationMemory(b"secret", capacity=1000)
    restarted.load(books.remembered(1000, 1000))
    assert restarted.level_of(chat.conversation) == INTERNAL and restarted.level_of(other.conversation) == RESTRICTED


def test_what_the_conversation_learns_afterwards_counts_again(books: SqliteBooks, memory: ConversationMemory) -> None:
    chat = memory.learn("key_1", body("hello"), "c1", RESTRICTED, [SAID])

    async def work() -> None:
        books.add_order(order(chat))
        assert await carry_out(books.open_orders()[0], books, memory, archive_of(books), RULES) == ""

    asyncio.run(work())
    memory.learn("key_1", body("hello again"), "c1", CONFIDENTIAL, [])
    assert memory.recall("key_1", body("x"), "c1") == CONFIDENTIAL


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": "Mallory"}, "declassifiers"),
        ({"by": ""}, "declassifiers"),
        ({"reason": "  "}, "a reason has"),
        ({"reason": "x" * (MOST_REASON_CHARS + 1)}, "a reason has"),
        ({"to_level": "secret"}, "is no sensitivity level"),
        ({"to_level": "restricted"}, "not above"),
        ({"conversation": b"nobody's id 1234"}, "nothing is remembered"),
    ],
)
def test_what_may_not_be_done_is_refused_and_changes_nothing(
    books: SqliteBooks, memory: ConversationMemory, changes: dict[str, Any], why: str
) -> None:
    chat = memory.learn("key_1", body("hello"), "c1", RESTRICTED, [SAID])

    async def work() -> str:
        books.add_order(order(chat, **changes))
        return await carry_out(books.open_orders()[0], books, memory, archive_of(books), RULES)

    assert why in asyncio.run(work())
    assert why in books.answer_to("lab_1").refused and books.open_orders() == [] and books.size() == 0
    assert memory.recall("key_1", body("x"), "c1") == RESTRICTED


def test_without_names_nobody_may() -> None:
    learnt = Learnt(conversation=b"c" * 16, level=3)
    assert "declassifiers" in refusal(order(learnt), make_rules(), RESTRICTED)
    assert refusal(order(learnt), RULES, RESTRICTED) == ""


def test_kept_conversations_and_answers_come_down_with_it(books: SqliteBooks, memory: ConversationMemory) -> None:
    chat = memory.learn("key_1", body("hello"), "conv_1", RESTRICTED, [SAID], also=["resp_1"])
    archive = archive_of(books)

    def keep(id: str, level: str) -> KeptAnswer:
        kept = archive.wrap(scope="key_1", id=id, level=level, content=id.encode(), at_ns=2**62)
        assert kept is not None
        return kept

    async def work() -> dict[str, tuple[str, bytes]]:
        for id, level in (
            ("conv_1", "restricted"),
            ("resp_1", "confidential"),
            ("resp_2", "restricted"),
            ("old", "gone"),
        ):
            await archive.keep(keep(id, level))
        books.add_order(order(chat))
        assert await carry_out(books.open_orders()[0], books, memory, archive, RULES) == ""
        found = {id: await archive.find("key_1", id) for id in ("conv_1", "resp_1", "resp_2", "old")}
        return {id: (one.level, one.content) for id, one in found.items() if one is not None}

    assert asyncio.run(work()) == {
        "conv_1": ("internal", b"conv_1"), "resp_1": ("internal", b"resp_1"), "resp_2": ("restricted", b"resp_2"),
        "old": ("gone", b"old"),
    }  # fmt: skip


def test_a_conversation_that_is_only_kept_can_be_lowered_too(books: SqliteBooks, memory: ConversationMemory) -> None:
    archive = archive_of(books)
    kept = archive.wrap(scope="key_1", id="conv_9", level="restricted", content=b"c", at_ns=2**62)
    assert kept is not None

    async def work() -> str:
        await archive.keep(kept)
        named = memory.conversation_named("key_1", "conv_9")
        books.add_order(order(Learnt(conversation=named, level=3)))
        assert await carry_out(books.open_orders()[0], books, memory, archive, RULES) == ""
        found = await archive.find("key_1", "conv_9")
        assert found is not None
        return found.level

    assert asyncio.run(work()) == "internal"
