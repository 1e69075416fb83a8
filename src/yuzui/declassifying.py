"""How a person's decision lowers the label of a conversation: checked, recorded in the log, then in effect."""

from __future__ import annotations

import asyncio
from typing import Protocol

from yuzui.audit.record import DeclassificationRecord, RequestRecord, write_record
from yuzui.core.booking import Closing, LabelOrder, Lowered, Receipt
from yuzui.core.sensitivity import SensitivityRules
from yuzui.exchange import rfc3339
from yuzui.privacy.conversation import ConversationMemory

MOST_REASON_CHARS = 500
"""Longer reasons are told elsewhere; the log is for ever."""


class OrderBooks(Protocol):
    """What carrying out an order needs of the books."""

    def close(self, closing: Closing) -> asyncio.Future[Receipt]: ...

    def refuse_order(self, order_id: str, why: str) -> None: ...

    def kept_levels(self, scope: str) -> list[tuple[str, str]]: ...


class KeptLevels(Protocol):
    def lower(self, scope: str, id: str, level: str) -> None:
        """What is kept under `id` counts as `level` from now on. Blocks."""
        ...


async def carry_out(
    order: LabelOrder, books: OrderBooks, memory: ConversationMemory, archive: KeptLevels, rules: SensitivityRules
) -> str:
    """Do what `order` says, or refuse it in the books; return why, "" when it was done.

    The leaf and the levels in the books change in one transaction; what this process remembers follows at once.
    Raise `GatewayFault` when the books cannot be written: then nothing has changed.
    """
    kept = await asyncio.to_thread(_kept_above, order, books, memory, rules)
    before = max([memory.level_of(order.conversation), *[level for _, level in kept]])
    why = refusal(order, rules, before)
    if why:
        await asyncio.to_thread(books.refuse_order, order.id, why)
        return why
    level = rules.lattice.level(order.to_level)
    await books.close(_closing(order, rules.lattice.names[before], level))
    memory.declassify(order.conversation, level)
    for id, _ in kept:
        await asyncio.to_thread(archive.lower, order.scope, id, order.to_level)
    return ""


def refusal(order: LabelOrder, rules: SensitivityRules, before: int) -> str:
    """Why `order` may not be done; "" when it may. `before`: the level of its conversation, -1 for none."""
    names = rules.lattice.names
    if order.by not in rules.declassifiers:
        return f"{order.by!r} is not one of sensitivity.declassifiers: add the name there, or ask one of them"
    if not order.reason.strip() or len(order.reason) > MOST_REASON_CHARS:
        return f"a reason has 1 to {MOST_REASON_CHARS} characters"
    if order.to_level not in names:
        return f"{order.to_level!r} is no sensitivity level; the levels are {', '.join(names)}"
    if before < 0:
        return "nothing is remembered of this conversation"
    if names.index(order.to_level) >= before:
        return f"its label is {names[before]}, which is not above {order.to_level}"
    return ""


def _kept_above(
    order: LabelOrder, books: OrderBooks, memory: ConversationMemory, rules: SensitivityRules
) -> list[tuple[str, int]]:
    """(id, level) of the kept answers and conversations that the order is about, where they are above its level."""
    lattice = rules.lattice
    if order.to_level not in lattice.names or not order.scope:
        return []
    return [
        (id, lattice.level_or_top(level))
        for id, level in books.kept_levels(order.scope)
        if lattice.level_or_top(level) > lattice.level(order.to_level)
        and memory.conversation_named(order.scope, id) == order.conversation
    ]


def _closing(order: LabelOrder, before: str, level: int) -> Closing:
    record = RequestRecord(
        id=order.id,
        at=rfc3339(order.at_ns),
        key_id=order.scope,
        outcome="declassified",
        sensitivity=order.to_level,
        conversation=order.conversation.hex(),
        declassified=DeclassificationRecord(
            by=order.by, os_user=order.os_user, reason=order.reason, from_level=before, to_level=order.to_level
        ),
    )
    return Closing(
        request_id=order.id, at_ns=order.at_ns, key_id=order.scope, app="", team="", model="", target="",
        outcome="declassified", window="", reserved_nano=0, spent_nano=0, is_estimated=False, input_tokens=0,
        output_tokens=0, postings=(), record=write_record(record),
        lowered=Lowered(order_id=order.id, conversation=order.conversation, level=level),
    )  # fmt: skip
