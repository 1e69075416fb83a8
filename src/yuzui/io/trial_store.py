"""Knows how trials lie in the books: what is known of each, and the orders to stop and resume them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal, cast

from yuzui.core.booking import TrialOrder
from yuzui.io.label_store import OrderAnswer, Read

PAGE: Final = 2_000
_COLUMNS = "id, at_ns, action, model, name, arm, by, os_user, reason"


def trial_states(read: Read) -> dict[str, bytes]:
    """Trial id → state."""
    return dict(cast(list[tuple[str, bytes]], read("SELECT trial, state FROM trial_state")))


def keep_trial_states(read: Read, states: Mapping[str, bytes], at_ns: int) -> None:
    for trial, state in states.items():
        read(
            "INSERT INTO trial_state (trial, at_ns, state) VALUES (?, ?, ?) "
            "ON CONFLICT DO UPDATE SET at_ns = excluded.at_ns, state = excluded.state",
            (trial, at_ns, state),
        )


def add_trial_order(read: Read, order: TrialOrder) -> None:
    """Once: the same order again changes nothing."""
    o = order
    read(
        f"INSERT OR IGNORE INTO trial_order ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (o.id, o.at_ns, o.action, o.model, o.name, o.arm, o.by, o.os_user, o.reason),
    )


def open_trial_orders(read: Read) -> list[TrialOrder]:
    return _orders(read, "WHERE is_open ORDER BY at_ns, id LIMIT 100")


def trial_orders_in_force(read: Read) -> list[TrialOrder]:
    """The latest order about each trial that counts."""
    return _orders(
        read,
        "o WHERE refused IS NULL AND (NOT is_open OR by = '') AND NOT EXISTS (SELECT 1 FROM trial_order l "
        "WHERE (l.model, l.name, l.arm) = (o.model, o.name, o.arm) AND l.refused IS NULL "
        "AND (NOT l.is_open OR l.by = '') AND (l.at_ns, l.id) > (o.at_ns, o.id)) ORDER BY at_ns, id",
    )


def _orders(read: Read, rest: str) -> list[TrialOrder]:
    rows = read(f"SELECT {_COLUMNS} FROM trial_order {rest}")
    return [
        TrialOrder(id=r[0], at_ns=r[1], action=r[2], model=r[3], name=r[4], arm=r[5], by=r[6], os_user=r[7],
                   reason=r[8])
        for r in cast(list[tuple[str, int, Literal["stop", "resume"], str, str, str, str, str, str]], rows)
    ]  # fmt: skip


def trial_records(read: Read, model: str, since_ns: int, until_ns: int) -> Iterator[bytes]:
    """Records of requests for `model` that were in a trial, in order; some thousand at a time."""
    last = -1
    while True:
        rows = cast(
            list[tuple[int, bytes]],
            read(
                "SELECT seq, record FROM request JOIN leaf USING (seq) WHERE seq > ? AND model = ? AND at_ns >= ? "
                "AND at_ns < ? AND instr(record, ?) ORDER BY seq LIMIT ?",
                (last, model, since_ns, until_ns, b'"trials":{', PAGE),
            ),
        )
        if not rows:
            return
        yield from (record for _, record in rows)
        last = rows[-1][0]


def end_trial_order(read: Read, order_id: str, refused: str) -> None:
    """`refused`: why it was not done; "" when it was."""
    read("UPDATE trial_order SET is_open = 0, refused = nullif(?, '') WHERE id = ? AND is_open", (refused, order_id))


def answer_to_trial_order(read: Read, order_id: str) -> OrderAnswer:
    """Done is what has its leaf in the books and is closed."""
    rows = read(
        "SELECT r.seq, o.refused FROM trial_order o LEFT JOIN request r ON r.request_id = o.id "
        "WHERE o.id = ? AND NOT o.is_open",
        (order_id,),
    )
    index, refused = cast(tuple[int | None, str | None], rows[0]) if rows else (None, None)
    return OrderAnswer(index=index, refused=refused or "")
