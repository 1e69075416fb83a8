"""How a request is put before the organisation's own judge: once per text, booked and recorded like any request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from yuzui.accounting import bounds, settle
from yuzui.accounting.window import window_of
from yuzui.audit.record import AttemptRecord, write_record
from yuzui.core.booking import Closing, Intent, Outcome
from yuzui.core.chat import ChatResponse, TextPart
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import UpstreamFault, UpstreamInvalid, UpstreamTimeout, YuzuiError
from yuzui.core.futures import heard
from yuzui.core.ids import time_sorted_id
from yuzui.core.sensitivity import Cause, JudgeRules, Sensitivity
from yuzui.core.target import Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.exchange import Exchange, safe_message
from yuzui.lanes import choose_codec
from yuzui.privacy.catalogue import source_version
from yuzui.privacy.egress import check_egress
from yuzui.privacy.judge import pieces_of, question, read_verdict
from yuzui.privacy.label import raised_by
from yuzui.world import Snapshot, World

SOURCE: Final = "judge"
_PROMPT: Final = "yuzui.privacy.judge"
"""Where the questions stand, and how their answers are read: whose source is the version of a verdict."""
_JOINT: Final = "\n\n"


async def judged(
    snapshot: Snapshot, world: World, exchange: Exchange, body: Mapping[str, Any], label: Sensitivity
) -> Sensitivity:  # Any: checked JSON
    """`label`, raised by what the judge says where the policy asks one. No verdict, whatever the reason: the highest.

    Raise `BudgetExceeded` when its caller cannot pay the judge, and `GatewayFault` when the books cannot be written.
    """
    rules = snapshot.config.sensitivity
    judge, caller, request, top = rules.judge, exchange.caller, exchange.request, rules.lattice.top
    if judge is None or caller is None or request is None or label.level >= top:
        return label
    if not judge.asks(request.model, caller.app):
        return label
    asked = (caller.scope, judge.target, tuple(judge.labels))
    labels, left = world.verdicts.split(asked, pieces_of(body))
    failure = ""
    if left:
        text = _JOINT.join(left)
        if len(text.encode("utf-8", "surrogatepass")) > judge.max_bytes:
            failure = "too long to be judged (sensitivity.judge.max_bytes)"
        else:
            try:
                found = await _ask(snapshot, world, exchange, judge, text)
                world.verdicts.keep(asked, left, found)
                labels.update(found)
            except UpstreamFault as fault:
                failure = f"no verdict: {fault.code}"
    causes = [Cause(source=SOURCE, level=judge.labels[one], detail=one) for one in sorted(labels)]
    if failure:
        causes.append(Cause(source=SOURCE, level=top, detail=failure))
    fired = {f"judge/{one}@{source_version(_PROMPT)}": 1 for one in sorted(labels)}
    return replace(raised_by(rules, label, causes), rules=label.rules | fired)


async def _ask(snapshot: Snapshot, world: World, exchange: Exchange, judge: JudgeRules, text: str) -> tuple[str, ...]:
    """The labels of `text`. Durable before it is sent and after it came back, with a leaf of its own.

    Raise an `UpstreamFault` when there is no verdict.
    """
    target = next(one for one in snapshot.config.targets if one.name == judge.target)
    own = _exchange(snapshot, world, exchange, judge, target, text)
    request, caller, decision = own.request, own.caller, own.decision
    assert request is not None and caller is not None and decision is not None
    own.reserved_nano = bounds.most_expensive_nano((target,), request, own.input_bound, snapshot.config.money.rates)
    await world.books.reserve(
        Intent(
            request_id=own.id, at_ns=own.at_ns, key_id=caller.key_id, window=own.window,
            cap_nano=caller.budget.cap_nano if caller.budget is not None else 0, reserved_nano=own.reserved_nano,
            record=_record(own, "unknown", None, 0),
        )
    )  # fmt: skip
    own.has_intent = True
    outcome: Outcome = "aborted"
    fault: UpstreamFault | None = None
    world.watch.started(target.name)
    try:
        labels = await _send(snapshot, world, own, judge, target)
        outcome = "answered"
        world.watch.succeeded(target.name)
        return labels
    except UpstreamFault as error:
        outcome, fault = "failed", error
        world.watch.failed(target.name, error)
        world.telemetry.attempt_failed(target.name, error.code)
        raise
    finally:
        world.watch.finished(target.name)
        closed = world.books.close(_closing(snapshot, world, own, outcome, fault))
        closed.add_done_callback(heard)
        if outcome != "aborted":  # whoever was cancelled does not wait: the books have it anyway
            await asyncio.shield(closed)


async def _send(snapshot: Snapshot, world: World, own: Exchange, judge: JudgeRules, target: Target) -> tuple[str, ...]:
    request, decision = own.request, own.decision
    assert request is not None and decision is not None and own.sensitivity is not None
    try:
        async with asyncio.timeout(judge.deadline_ms / 1000):
            codec = choose_codec(snapshot.codecs, target, request)
            assert codec is not None  # a chat has one: the configuration was checked
            wire = codec.write_request(request, target, output_cap=None)
            scanned = check_egress(decision, target, own.sensitivity, wire, wire.body)
            async with world.upstream.open(scanned, target, decision.allowed) as reply:
                body = await reply.read()
                if not 200 <= reply.status < 300:
                    raise codec.read_error(reply.status, {}, body, target)
                response = codec.read_response(body, wire)
    except TimeoutError as error:
        raise UpstreamTimeout(f"the judge took longer than {judge.deadline_ms} ms") from error
    except UpstreamFault:
        raise
    except Exception as error:  # fail closed whatever breaks; the name of the error holds no content
        raise UpstreamInvalid(f"the judge could not be asked: {type(error).__name__}") from error
    own.answer_hash = own.hash_content(body)
    own.delivered.count_response(response)
    said = ""
    if isinstance(response, ChatResponse) and len(response.choices) == 1:
        said = "".join([part.text for part in response.choices[0].parts if isinstance(part, TextPart)])
    try:
        return read_verdict(said, tuple(judge.labels))
    except ValueError as error:
        raise UpstreamInvalid(str(error)) from error


def _exchange(
    snapshot: Snapshot, world: World, asking: Exchange, judge: JudgeRules, target: Target, text: str
) -> Exchange:
    """The judge's own request: of the same caller, and for that one target."""
    body = question(target.name, tuple(judge.labels), text, world.verdicts.mark(text))
    now_ns = world.clock.now_ns()
    encoded = msgspec.json.encode(body)
    own = Exchange(
        id=time_sorted_id("req_", now_ns, world.randomness.bits64()), at_ns=now_ns, started=world.clock.monotonic(),
        lattice=asking.lattice, snapshot_id=asking.snapshot_id, content_key=asking.content_key, dialect=DIALECT.name,
    )  # fmt: skip
    own.caller, own.request, own.target = asking.caller, DIALECT.read_request(body), target
    own.request_hash = own.hash_content(encoded)
    own.input_bound = bounds.input_tokens(len(encoded))
    budget = asking.caller.budget if asking.caller is not None else None
    own.window = window_of(budget.period, own.at_ns) if budget is not None else ""
    top = snapshot.config.sensitivity.lattice.top  # nobody knows yet how sensitive it is: it goes where all may go
    own.sensitivity = Sensitivity(level=top, causes=(), kinds={})
    own.decision = Decision(
        model=target.name, policy=SOURCE, level=top, allowed=AllowedSet(frozenset((target.name,))), plan=(target,),
        refused=(), why=f"judges {asking.id}", may_fall_back=False,
    )  # fmt: skip
    return own


def _record(own: Exchange, outcome: Outcome, error: YuzuiError | None, duration_ms: int) -> bytes:
    return write_record(msgspec.structs.replace(own.record(outcome, error, duration_ms=duration_ms), operation=SOURCE))


def _closing(snapshot: Snapshot, world: World, own: Exchange, outcome: Outcome, fault: UpstreamFault | None) -> Closing:
    settlement = settle.settle(own, outcome, snapshot.config.money)
    own.note_settlement(settlement, snapshot.config.money.currency)
    duration_ms = int((world.clock.monotonic() - own.started) * 1000)
    assert own.target is not None and own.caller is not None
    own.attempts.append(
        AttemptRecord(
            target=own.target.name, outcome="ok" if outcome == "answered" else fault.code if fault else "aborted",
            detail=safe_message(fault) if fault else "", duration_ms=duration_ms,
            upstream_status=getattr(fault, "upstream_status", 0), tokens_delivered=own.delivered.pieces,
        )
    )  # fmt: skip
    return Closing(
        request_id=own.id, at_ns=own.at_ns, key_id=own.caller.key_id, app=own.caller.app, team=own.caller.team,
        model=own.target.name, target=own.target.name, outcome=outcome, window=own.window,
        reserved_nano=own.reserved_nano, spent_nano=settlement.spent_nano, is_estimated=settlement.is_estimated,
        input_tokens=settlement.input_tokens, output_tokens=settlement.output_tokens, postings=settlement.postings,
        record=_record(own, outcome, fault, duration_ms),
    )  # fmt: skip
