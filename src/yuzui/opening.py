"""How a named person sees what stand-ins stand for, or has it erased: checked, recorded in the log, then in effect."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Final, Protocol

from yuzui.audit.record import RequestRecord, VaultRecord, write_record
from yuzui.core.booking import Closing, DecisionOutcome, Receipt, VaultOrder
from yuzui.exchange import rfc3339

MOST_REASON_CHARS: Final = 500
"""Longer reasons are told elsewhere; the log is for ever."""
MOST_TOKENS: Final = 500
"""Per order: its entry in the log names all of them."""


class VaultBooks(Protocol):
    """What carrying out an order needs of the books."""

    def close(self, closing: Closing) -> asyncio.Future[Receipt]: ...

    def end_vault_order(self, order_id: str, refused: str = "") -> None: ...


class Eraser(Protocol):
    def erase(self, scope: str, tokens: Collection[str]) -> int:
        """Nothing that can be opened holds `tokens` of `scope` any more; how many rows changed. Blocks."""
        ...


async def obey(order: VaultOrder, books: VaultBooks, vault: Eraser, openers: Collection[str]) -> str:
    """Record what `order` says, then do it; or refuse it in the books. Return why, "" when it was done.

    To open is the asker's own doing, and waits for this entry. An order to erase that was recorded by a process that
    died is carried out by the next one: the entry is written once. Raise `GatewayFault` when the books cannot be
    written.
    """
    why = refusal(order.by, order.reason, len(order.tokens), openers)
    if why:
        await asyncio.to_thread(books.end_vault_order, order.id, why)
        return why
    await books.close(_closing(order))
    if order.action == "erase":
        await asyncio.to_thread(vault.erase, order.scope, order.tokens)
    await asyncio.to_thread(books.end_vault_order, order.id)
    return ""


def refusal(by: str, reason: str, tokens: int, openers: Collection[str]) -> str:
    """Why the vault stays closed for this person; "" when it does not."""
    if by not in openers:
        return f"{by!r} is not one of masking.openers: add the name there, or ask one of them"
    if not reason.strip() or len(reason) > MOST_REASON_CHARS:
        return f"a reason has 1 to {MOST_REASON_CHARS} characters"
    if not 1 <= tokens <= MOST_TOKENS:
        return f"an order is about 1 to {MOST_TOKENS} stand-ins"
    return ""


def _closing(order: VaultOrder) -> Closing:
    outcome: DecisionOutcome = "vault_opened" if order.action == "open" else "vault_erased"
    record = RequestRecord(
        id=order.id,
        at=rfc3339(order.at_ns),
        key_id=order.scope,
        outcome=outcome,
        conversation=order.conversation,
        vault=VaultRecord(
            by=order.by, os_user=order.os_user, reason=order.reason, stand_ins=order.tokens, request=order.request_id
        ),
    )
    return Closing(
        request_id=order.id, at_ns=order.at_ns, key_id=order.scope, app="", team="", model="", target="",
        outcome=outcome, window="", reserved_nano=0, spent_nano=0, is_estimated=False, input_tokens=0,
        output_tokens=0, postings=(), record=write_record(record),
    )  # fmt: skip
