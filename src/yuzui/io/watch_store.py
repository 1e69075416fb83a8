"""Knows how the states of promises and shadows lie in the books, and the orders to trust a model again."""

from __future__ import annotations

from typing import cast

import msgspec

from yuzui.core.errors import GatewayFault
from yuzui.core.watching import PromiseKey, ShadowState, WatchOrder, WatchState
from yuzui.io.label_store import OrderAnswer, Read

_read_watch = msgspec.json.Decoder(WatchState).decode
_read_shadow = msgspec.json.Decoder(ShadowState).decode


def watch_states(read: Read, model: str = "") -> dict[PromiseKey, tuple[int, WatchState]]:
    """(version, state) of every promise, or of those of `model`, the latest first."""
    rows = read(
        "SELECT model, router, certificate, version, state FROM promise WHERE ?1 IN ('', model) "
        "ORDER BY state ->> '$.last_ns' DESC",
        (model,),
    )
    return {
        PromiseKey(model=r[0], router_sha256=r[1], certificate=r[2]): (r[3], _watch(r[4]))
        for r in cast(list[tuple[str, str, str, int, str]], rows)
    }


def save_watch(read: Read, key: PromiseKey, version: int, state: WatchState) -> bool:
    """Whether it was written: False where another version lies there than `version`; 0 is none at all."""
    text = msgspec.json.encode(state).decode()
    if version == 0:
        sql = (
            "INSERT INTO promise (model, router, certificate, version, state) VALUES (?1, ?2, ?3, 1, ?4) "
            "ON CONFLICT DO NOTHING RETURNING 1"
        )
        return bool(read(sql, (key.model, key.router_sha256, key.certificate, text)))
    sql = (
        "UPDATE promise SET state = ?4, version = version + 1 "
        "WHERE model = ?1 AND router = ?2 AND certificate = ?3 AND version = ?5 RETURNING 1"
    )
    return bool(read(sql, (key.model, key.router_sha256, key.certificate, text, version)))


def shadow_states(read: Read, model: str = "") -> dict[tuple[str, str], tuple[int, ShadowState]]:
    """(model, target) → (version, state)."""
    rows = read("SELECT model, target, version, state FROM shadow WHERE ?1 IN ('', model) ORDER BY 1, 2", (model,))
    return {(r[0], r[1]): (r[2], _shadow(r[3])) for r in cast(list[tuple[str, str, int, str]], rows)}


def save_shadow(read: Read, model: str, target: str, state: ShadowState) -> None:
    """In place of what was there: counts that one process alone writes."""
    read(
        "INSERT INTO shadow (model, target, version, state) VALUES (?1, ?2, 1, ?3) "
        "ON CONFLICT DO UPDATE SET state = excluded.state, version = version + 1",
        (model, target, msgspec.json.encode(state).decode()),
    )


def add_watch_order(read: Read, order: WatchOrder) -> None:
    key = order.key
    read(
        "INSERT INTO watch_order (id, at_ns, model, router, certificate, by, os_user, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (order.id, order.at_ns, key.model, key.router_sha256, key.certificate, order.by, order.os_user, order.reason),
    )


def open_watch_orders(read: Read) -> list[WatchOrder]:
    rows = read(
        "SELECT id, at_ns, model, router, certificate, by, os_user, reason FROM watch_order WHERE is_open "
        "ORDER BY at_ns LIMIT 100"
    )
    return [
        WatchOrder(
            id=r[0], at_ns=r[1], key=PromiseKey(model=r[2], router_sha256=r[3], certificate=r[4]), by=r[5],
            os_user=r[6], reason=r[7],
        )
        for r in cast(list[tuple[str, int, str, str, str, str, str, str]], rows)
    ]  # fmt: skip


def end_watch_order(read: Read, order_id: str, *, leaf: int = -1, refused: str = "") -> None:
    """`leaf`: the index of the audit leaf that tells of it, where it was done."""
    read(
        "UPDATE watch_order SET is_open = 0, leaf = nullif(?2, -1), refused = nullif(?3, '') WHERE id = ?1 AND is_open",
        (order_id, leaf, refused),
    )


def answer_to_watch_order(read: Read, order_id: str) -> OrderAnswer:
    rows = read("SELECT leaf, refused FROM watch_order WHERE id = ?", (order_id,))
    leaf, refused = cast(tuple[int | None, str | None], rows[0]) if rows else (None, None)
    return OrderAnswer(index=leaf, refused=refused or "")


def _watch(text: str) -> WatchState:
    try:
        return _read_watch(text)
    except msgspec.DecodeError as error:
        raise GatewayFault("the books hold a watch that cannot be read", code="ledger_invalid") from error


def _shadow(text: str) -> ShadowState:
    try:
        return _read_shadow(text)
    except msgspec.DecodeError as error:
        raise GatewayFault("the books hold a shadow that cannot be read", code="ledger_invalid") from error
