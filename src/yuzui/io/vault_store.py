"""Knows how the vault and orders about it lie in the books. What the rows hold, only the secrets open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast

import msgspec

from yuzui.core.booking import VaultOrder
from yuzui.io.label_store import OrderAnswer, Read

PREFIX: Final = "vault:"
"""How scopes of the vault begin: see `masking.vault_scope`."""

_read_tokens = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultRow:
    """What is kept for one scope of the vault under one id: a mapping, or which mapping a request has."""

    id: str
    level: str
    expires_ns: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultCount:
    """How much the vault holds for one key."""

    scope: str
    mappings: int
    requests: int
    first_expires_ns: int
    last_expires_ns: int
    oldest_request: str
    """Its id, the smallest: ids are sorted by time."""


def vault_scopes(read: Read) -> list[str]:
    """Whose originals there are: scopes of callers."""
    rows = read("SELECT DISTINCT scope FROM kept_answer WHERE scope >= ?1 AND scope < ?1 || char(1114111)", (PREFIX,))
    return [str(row[0]).removeprefix(PREFIX) for row in rows]


def vault_rows(read: Read, scope: str) -> list[VaultRow]:
    """All rows of a scope of the vault, those over their time included until they are removed."""
    rows = read("SELECT id, level, expires_ns, content FROM kept_answer WHERE scope = ? ORDER BY id", (scope,))
    return [
        VaultRow(id=r[0], level=r[1], expires_ns=r[2], content=r[3])
        for r in cast(list[tuple[str, str, int, bytes]], rows)
    ]


def vault_counts(read: Read) -> list[VaultCount]:
    rows = read(
        "SELECT scope, sum(id LIKE 'vault@_%' ESCAPE '@'), sum(id NOT LIKE 'vault@_%' ESCAPE '@'), min(expires_ns), "
        "max(expires_ns), coalesce(min(CASE WHEN id NOT LIKE 'vault@_%' ESCAPE '@' THEN id END), '') FROM kept_answer "
        "WHERE scope >= ?1 AND scope < ?1 || char(1114111) GROUP BY scope ORDER BY scope",
        (PREFIX,),
    )
    return [
        VaultCount(scope=r[0].removeprefix(PREFIX), mappings=r[1], requests=r[2], first_expires_ns=r[3],
                   last_expires_ns=r[4], oldest_request=r[5])
        for r in cast(list[tuple[str, int, int, int, int, str]], rows)
    ]  # fmt: skip


def rewrite_vault_row(
    read: Read, scope: str, id: str, before: bytes, after: bytes | None, names: tuple[str, ...]
) -> bool:
    """`after` in place of what lies there, without `names`; None: nothing. False when it is not `before` any more."""
    if after is None:
        return bool(
            read("DELETE FROM kept_answer WHERE scope = ? AND id = ? AND content = ? RETURNING 1", (scope, id, before))
        )
    changed = read(
        "UPDATE kept_answer SET content = ? WHERE scope = ? AND id = ? AND content = ? RETURNING 1",
        (after, scope, id, before),
    )
    if changed:
        for name in names:
            read("DELETE FROM kept_name WHERE scope = ? AND name = ? AND id = ?", (scope, name, id))
    return bool(changed)


def add_vault_order(read: Read, order: VaultOrder) -> None:
    o = order
    read(
        "INSERT INTO vault_order (id, at_ns, action, scope, tokens, request_id, conversation, by, os_user, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (o.id, o.at_ns, o.action, o.scope, msgspec.json.encode(o.tokens).decode(), o.request_id, o.conversation, o.by,
         o.os_user, o.reason),
    )  # fmt: skip


def open_vault_orders(read: Read) -> list[VaultOrder]:
    rows = read(
        "SELECT id, at_ns, action, scope, tokens, request_id, conversation, by, os_user, reason FROM vault_order "
        "WHERE is_open ORDER BY at_ns LIMIT 100"
    )
    return [
        VaultOrder(id=r[0], at_ns=r[1], action=r[2], scope=r[3], tokens=_read_tokens(r[4]), request_id=r[5],
                   conversation=r[6], by=r[7], os_user=r[8], reason=r[9])
        for r in cast(list[tuple[str, int, Literal["open", "erase"], str, str, str, str, str, str, str]], rows)
    ]  # fmt: skip


def end_vault_order(read: Read, order_id: str, refused: str) -> None:
    """`refused`: why it was not done; "" when it was."""
    read("UPDATE vault_order SET is_open = 0, refused = nullif(?, '') WHERE id = ? AND is_open", (refused, order_id))


def answer_to_vault_order(read: Read, order_id: str) -> OrderAnswer:
    """Done is what has its leaf in the books and is closed."""
    rows = read(
        "SELECT r.seq, o.refused FROM vault_order o LEFT JOIN request r ON r.request_id = o.id "
        "WHERE o.id = ? AND NOT o.is_open",
        (order_id,),
    )
    index, refused = cast(tuple[int | None, str | None], rows[0]) if rows else (None, None)
    return OrderAnswer(index=index, refused=refused or "")
