"""Knows how conversation memory and orders about it lie in the books: read whole at start, a few rows afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, cast

import apsw

from yuzui.core.booking import LabelOrder, Learnt, TextKind


class Read(Protocol):
    """Runs one statement and gives its rows; raises `GatewayFault` when the books cannot be used."""

    def __call__(
        self, sql: str, bindings: tuple[int | str | bytes, ...] = ()
    ) -> Sequence[tuple[apsw.SQLiteValue, ...]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderAnswer:
    """What became of a label order. All empty while it waits."""

    index: int | None = None
    """Of its audit leaf."""
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """What is remembered of one conversation."""

    level: int
    """Index; -1 when nothing is remembered."""
    entries: int
    first_ns: int
    last_ns: int


def remembered(read: Read, hashes: int, texts: int) -> list[Learnt]:
    """The latest entries, oldest first."""
    rows = cast(
        list[tuple[bytes, bytes, int, int | None]],
        read("SELECT conversation, hash, level, masked FROM conversation_memory ORDER BY id DESC LIMIT ?", (hashes,)),
    )
    found = [
        Learnt(conversation=conversation, level=level, masked=masked, hashes=tuple([row[1] for row in group]))
        for (conversation, level, masked), group in groupby(reversed(rows), key=lambda row: (row[0], row[2], row[3]))
    ]
    parts = cast(
        list[tuple[bytes, TextKind, int, int | None, bytes]],
        read("SELECT conversation, kind, level, masked, data FROM labelled_text ORDER BY id DESC LIMIT ?", (texts,)),
    )
    return found + [
        Learnt(conversation=conversation, level=level, masked=masked, texts=((kind, data),))
        for conversation, kind, level, masked, data in reversed(parts)
    ]


def open_orders(read: Read) -> list[LabelOrder]:
    rows = read(
        "SELECT id, at_ns, scope, conversation, to_level, by, os_user, reason FROM label_order WHERE is_open "
        "ORDER BY at_ns LIMIT 100"
    )
    return [
        LabelOrder(id=r[0], at_ns=r[1], scope=r[2], conversation=r[3], to_level=r[4], by=r[5], os_user=r[6],
                   reason=r[7])
        for r in cast(list[tuple[str, int, str, bytes, str, str, str, str]], rows)
    ]  # fmt: skip


def add_order(read: Read, order: LabelOrder) -> None:
    o = order
    read(
        "INSERT INTO label_order (id, at_ns, scope, conversation, to_level, by, os_user, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (o.id, o.at_ns, o.scope, o.conversation, o.to_level, o.by, o.os_user, o.reason),
    )


def answer_to(read: Read, order_id: str) -> OrderAnswer:
    rows = read(
        "SELECT d.seq, o.refused FROM label_order o LEFT JOIN declassification d ON d.order_id = o.id WHERE o.id = ?",
        (order_id,),
    )
    index, refused = cast(tuple[int | None, str | None], rows[0]) if rows else (None, None)
    return OrderAnswer(index=index, refused=refused or "")


def labels_of(read: Read, conversation: bytes) -> LabelRow:
    rows = read(
        "SELECT coalesce(max(level), -1), count(*), coalesce(min(at_ns), 0), coalesce(max(at_ns), 0) FROM ("
        "SELECT level, at_ns FROM conversation_memory WHERE conversation = ?1 "
        "UNION ALL SELECT level, at_ns FROM labelled_text WHERE conversation = ?1)",
        (conversation,),
    )
    level, entries, first_ns, last_ns = cast(tuple[int, int, int, int], rows[0])
    return LabelRow(level=level, entries=entries, first_ns=first_ns, last_ns=last_ns)
