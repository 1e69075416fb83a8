"""How a trial is stopped and resumed through the books: checked, recorded in the log, then in effect everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Final, Protocol

from yuzui.audit.record import RequestRecord, TrialRecord, write_record
from yuzui.core.booking import Closing, DecisionOutcome, Receipt, TrialOrder
from yuzui.exchange import rfc3339
from yuzui.trials import Trials

MOST_REASON_CHARS: Final = 500
"""Longer reasons are told elsewhere; the log is for ever."""


class TrialBooks(Protocol):
    """What trials need of the books. All but `close` block."""

    def close(self, closing: Closing) -> asyncio.Future[Receipt]: ...

    def add_trial_order(self, order: TrialOrder) -> None: ...

    def open_trial_orders(self) -> list[TrialOrder]: ...

    def end_trial_order(self, order_id: str, refused: str = "") -> None: ...

    def trial_orders_in_force(self) -> list[TrialOrder]: ...

    def keep_trial_states(self, states: Mapping[str, bytes]) -> None: ...


async def keep(trials: Trials, books: TrialBooks, operators: Collection[str]) -> Sequence[TrialOrder]:
    """Once through all that goes between `trials` and the books; the orders that were carried out or refused.

    Arms that were stopped here come first: after that no process gives them anything, and no restart forgets it. Raise
    `GatewayFault` when the books cannot be written: then the next call does it.
    """
    for order in trials.unwritten():
        await asyncio.to_thread(books.add_trial_order, order)
        trials.wrote(order)
    done = await asyncio.to_thread(books.open_trial_orders)
    for order in done:
        await carry_out(order, books, operators)
    trials.obey(await asyncio.to_thread(books.trial_orders_in_force))
    states = trials.take_changed()
    if states:
        try:
            await asyncio.to_thread(books.keep_trial_states, states)
        except BaseException:
            trials.give_back(list(states))
            raise
    return done


async def carry_out(order: TrialOrder, books: TrialBooks, operators: Collection[str]) -> str:
    """Record what `order` says, or refuse it in the books; return why, "" when it is in force."""
    why = refusal(order.by, order.reason, operators) if order.by else ""
    if not why:
        await books.close(_closing(order))
    await asyncio.to_thread(books.end_trial_order, order.id, why)
    return why


def refusal(by: str, reason: str, operators: Collection[str]) -> str:
    """Why a person may not stop or resume trials; "" when they may."""
    if by not in operators:
        return f"{by!r} is not one of trials.operators: add the name there, or ask one of them"
    if not reason.strip() or len(reason) > MOST_REASON_CHARS:
        return f"a reason has 1 to {MOST_REASON_CHARS} characters"
    return ""


def _closing(order: TrialOrder) -> Closing:
    outcome: DecisionOutcome = "trial_stopped" if order.action == "stop" else "trial_resumed"
    record = RequestRecord(
        id=order.id,
        at=rfc3339(order.at_ns),
        model=order.model,
        outcome=outcome,
        trial=TrialRecord(name=order.name, arm=order.arm, by=order.by, os_user=order.os_user, reason=order.reason),
    )
    return Closing(
        request_id=order.id, at_ns=order.at_ns, key_id="", app="", team="", model=order.model, target="",
        outcome=outcome, window="", reserved_nano=0, spent_nano=0, is_estimated=False, input_tokens=0,
        output_tokens=0, postings=(), record=write_record(record),
    )  # fmt: skip
