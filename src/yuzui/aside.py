"""How the gateway asks a target something for itself: a judge, an audit, a shadow. Booked as any request.

An id, a reservation and a leaf of its own; one target, one try, one deadline. It goes only where the decision that it
carries lets it go, and past the same last look as a client's request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import msgspec

from yuzui.accounting import bounds, settle
from yuzui.accounting.window import window_of
from yuzui.audit.record import AttemptRecord, write_record
from yuzui.core.asides import OwnOperation
from yuzui.core.booking import Closing, Intent, Outcome
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatResponse
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import UpstreamFault, UpstreamInvalid, UpstreamTimeout, YuzuiError
from yuzui.core.futures import heard
from yuzui.core.ids import time_sorted_id
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.exchange import Exchange, safe_message
from yuzui.lanes import choose_codec, sent_terms
from yuzui.privacy.egress import Scanned, check_egress
from yuzui.providers._contract import Codec, WireRequest
from yuzui.world import Snapshot, World

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """One request of the gateway's own."""

    operation: OwnOperation
    part_of: str
    """The id of the client's request that it is about."""
    who: str
    """The target's part in it, for messages: `the judge`."""
    body: Mapping[str, Any]  # Any: JSON values
    """As a client of OpenAI's chat completions would send it, not streamed."""
    target: Target
    allowed: AllowedSet
    """Of the request that it is about; it is shrunk to `target` here."""
    sensitivity: Sensitivity
    caller: Caller
    """Who pays."""
    why: str
    """One line for the record."""
    deadline_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Generic[T]):
    """What came back, and what it took."""

    value: T
    duration_ms: int
    spent_nano: int
    """Book currency."""


async def ask(
    snapshot: Snapshot, world: World, aside: Aside, read: Callable[[ChatResponse], T],
    note_cost: Callable[[int], object] = lambda _: None,
) -> Heard[T]:  # fmt: skip
    """What `read` makes of the answer. Durable before it is sent and after it came back, with a leaf of its own.

    `read` raises `ValueError` for an answer that is none; `note_cost` is told what was spent, whatever came of it.
    Raise an `UpstreamFault` when there is no answer, `BudgetExceeded` when who pays cannot, `GatewayFault` when the
    books cannot be written.
    """
    own = _exchange(snapshot, world, aside)
    target = aside.target
    codec, scanned = _written(snapshot, aside, own)
    try:
        await _reserve(snapshot, world, aside, own)
    except asyncio.CancelledError:  # nothing was sent; what may have been reserved is given back behind it
        own.target = None
        world.books.close(_closing(snapshot, world, aside, own, "aborted", None)).add_done_callback(heard)
        raise
    outcome: Outcome = "aborted"
    fault: UpstreamFault | None = None
    world.watch.started(target.name)
    try:
        value = await _send(world, aside, own, codec, scanned, read)
        outcome = "answered"
        world.watch.succeeded(target.name)
    except UpstreamFault as error:
        outcome, fault = "failed", error
        world.watch.failed(target.name, error)
        world.telemetry.attempt_failed(target.name, error.code)
        raise
    finally:
        world.watch.finished(target.name)
        closing = _closing(snapshot, world, aside, own, outcome, fault)
        note_cost(closing.spent_nano)
        closed = world.books.close(closing)
        closed.add_done_callback(heard)
        if outcome != "aborted":  # whoever was cancelled does not wait: the books have it anyway
            await asyncio.shield(closed)
    return Heard(
        value=value,
        duration_ms=int((world.clock.monotonic() - own.started) * 1000),
        spent_nano=own.cost.book if own.cost is not None else 0,
    )


def _exchange(snapshot: Snapshot, world: World, aside: Aside) -> Exchange:
    now_ns = world.clock.now_ns()
    encoded = msgspec.json.encode(aside.body)
    own = Exchange(
        id=time_sorted_id("req_", now_ns, world.randomness.bits64()), at_ns=now_ns, started=world.clock.monotonic(),
        lattice=snapshot.config.sensitivity.lattice, snapshot_id=snapshot.config.snapshot_id,
        content_key=world.content_key, dialect=DIALECT.name,
    )  # fmt: skip
    own.caller, own.request, own.target = aside.caller, DIALECT.read_request(aside.body), aside.target
    own.request_hash = own.hash_content(encoded)
    own.input_bound = bounds.input_tokens(len(encoded))
    own.window = window_of(aside.caller.budget.period, own.at_ns) if aside.caller.budget is not None else ""
    own.sensitivity = aside.sensitivity
    own.decision = Decision(
        model=aside.target.name, policy=aside.operation, level=aside.sensitivity.level,
        allowed=aside.allowed.shrink(frozenset((aside.target.name,))), plan=(aside.target,), refused=(),
        why=aside.why, may_fall_back=False,
    )  # fmt: skip
    return own


async def _reserve(snapshot: Snapshot, world: World, aside: Aside, own: Exchange) -> None:
    assert own.request is not None
    own.reserved_nano = bounds.most_expensive_nano(
        (aside.target,), own.request, own.input_bound, snapshot.config.money.rates,
        partial(sent_terms, snapshot.codecs, own.request),
    )  # fmt: skip
    budget = aside.caller.budget
    await world.books.reserve(
        Intent(
            request_id=own.id, at_ns=own.at_ns, key_id=aside.caller.key_id, window=own.window,
            cap_nano=budget.cap_nano if budget is not None else 0, reserved_nano=own.reserved_nano,
            record=_record(aside, own, "unknown", None, 0),
        )
    )  # fmt: skip
    own.has_intent = True


def _written(snapshot: Snapshot, aside: Aside, own: Exchange) -> tuple[Codec, Scanned[WireRequest]]:
    """What may be sent, before anything is reserved. Raise `UpstreamInvalid` for what cannot be: no fault of the
    target's, so its breaker hears nothing of it."""
    request, decision, target = own.request, own.decision, aside.target
    assert request is not None and decision is not None
    try:
        codec = choose_codec(snapshot.codecs, target, request)
        assert codec is not None  # a chat has one: the configuration was checked
        wire = codec.write_request(request, target, output_cap=bounds.output_cap(aside.caller, request, target))
        scanned = check_egress(decision, target, aside.sensitivity, wire, wire.body)
    except Exception as error:  # fail closed whatever breaks; the name of the error holds no content
        raise UpstreamInvalid(f"{aside.who} could not be asked: {type(error).__name__}") from error
    own.delivered.units = wire.units
    own.delivered.sent_terms = sent_terms(snapshot.codecs, request, target)
    return codec, scanned


async def _send(
    world: World, aside: Aside, own: Exchange, codec: Codec, scanned: Scanned[WireRequest],
    read: Callable[[ChatResponse], T],
) -> T:  # fmt: skip
    target, decision = aside.target, own.decision
    assert decision is not None
    try:
        async with (
            asyncio.timeout(aside.deadline_ms / 1000),
            world.upstream.open(scanned, target, decision.allowed) as reply,
        ):
            body = await reply.read()
            if not 200 <= reply.status < 300:
                raise codec.read_error(reply.status, {}, body, target)
            response = codec.read_response(body, scanned.wire)
    except TimeoutError as error:
        raise UpstreamTimeout(f"{aside.who} took longer than {aside.deadline_ms} ms") from error
    except UpstreamFault:
        raise
    except Exception as error:  # fail closed whatever breaks
        raise UpstreamInvalid(f"{aside.who} could not be asked: {type(error).__name__}") from error
    own.answer_hash = own.hash_content(body)
    own.delivered.count_response(response)
    if not isinstance(response, ChatResponse):
        raise UpstreamInvalid(f"{aside.who} gave no answer of a chat")
    try:
        return read(response)
    except ValueError as error:
        raise UpstreamInvalid(str(error)) from error


def _record(aside: Aside, own: Exchange, outcome: Outcome, error: YuzuiError | None, duration_ms: int) -> bytes:
    record = own.record(outcome, error, duration_ms=duration_ms)
    return write_record(msgspec.structs.replace(record, operation=aside.operation, part_of=aside.part_of))


def _closing(
    snapshot: Snapshot, world: World, aside: Aside, own: Exchange, outcome: Outcome, fault: UpstreamFault | None
) -> Closing:
    settlement = settle.settle(own, outcome, snapshot.config.money)
    own.note_settlement(settlement, snapshot.config.money.currency)
    duration_ms = int((world.clock.monotonic() - own.started) * 1000)
    if own.target is not None:
        own.attempts.append(_attempt(aside, own, outcome, fault, duration_ms))
    return Closing(
        request_id=own.id, at_ns=own.at_ns, key_id=aside.caller.key_id, app=aside.caller.app, team=aside.caller.team,
        model=aside.target.name, target=aside.target.name, outcome=outcome, window=own.window,
        reserved_nano=own.reserved_nano, spent_nano=settlement.spent_nano, is_estimated=settlement.is_estimated,
        input_tokens=settlement.input_tokens, output_tokens=settlement.output_tokens, postings=settlement.postings,
        record=_record(aside, own, outcome, fault, duration_ms),
    )  # fmt: skip


def _attempt(
    aside: Aside, own: Exchange, outcome: Outcome, fault: UpstreamFault | None, duration_ms: int
) -> AttemptRecord:
    return AttemptRecord(
        target=aside.target.name, outcome="ok" if outcome == "answered" else fault.code if fault else "aborted",
        detail=safe_message(fault) if fault else "", duration_ms=duration_ms,
        upstream_status=getattr(fault, "upstream_status", 0), tokens_delivered=own.delivered.pieces,
    )  # fmt: skip  # one thing
