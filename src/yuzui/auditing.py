"""One audit: the reference is asked what the candidate answered, both answers are compared, and a loss comes out.

A loss means what it means in the certificate: score of the reference minus score of the candidate. Compared by a judge,
the reference is worth half a point, so the loss is `verdict` (0.5) where the judge finds the reference better in both
orders, -`verdict` where it finds the candidate better, 0 for a tie or where it contradicts itself. Compared with the
reference's answer as the right one, the loss is 1 minus the score: what differs counts as the candidate's fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from yuzui.aside import Aside, ask
from yuzui.copies import copy_of, example_of, heard, question, said, spelled
from yuzui.core.caller import Budget, Caller
from yuzui.core.errors import BudgetExceeded, UpstreamFault, YuzuiError
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.core.watching import ShadowRules, WatchRules
from yuzui.evaluation.scorers._contract import Answer, Ask, Scorer, Told
from yuzui.exchange import Exchange
from yuzui.judging import judged
from yuzui.relabelling import relabelled, who_may_see
from yuzui.world import Snapshot, World

JUDGED: Final = "pairwise"
PREFIX: Final = "watch:"
"""Of the key that pays; no virtual key has a colon in its name."""


class Ungraded(Exception):
    """Nothing can be said of this answer; `why` is one of `core.watching.WHY_UNGRADED`."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.why, self.detail = why, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What one audit needs."""

    exchange: Exchange
    """Of the client, answered; it is only read."""
    rules: WatchRules
    scorer: Scorer
    reference: Target
    pay: Callable[[int], None]
    """Told what each request cost, nano-units of the book currency, also where nothing comes of it."""


async def audit(snapshot: Snapshot, world: World, job: Audit) -> float:
    """The loss, -1 to 1. Raise `Ungraded`."""
    exchange, rules = job.exchange, job.rules
    request, decision, sensitivity = exchange.request, exchange.decision, exchange.sensitivity
    assert request is not None and decision is not None and sensitivity is not None and exchange.target is not None
    mine = said(exchange.delivered, exchange.target.name)
    body = copy_of(request, job.reference.name)
    if mine is None or body is None:
        raise Ungraded("not_comparable")
    if exchange.answer_level > rules.max_level:
        raise Ungraded("too_sensitive")
    theirs = await _ask(
        snapshot, world, job,
        Aside(
            operation="audit", part_of=exchange.id, who="the reference", body=body, target=job.reference,
            allowed=decision.allowed.shrink(decision.allowed.names - decision.masked), sensitivity=sensitivity,
            caller=payer(PREFIX, request.model, rules), why=f"audits {exchange.id}", deadline_ms=rules.deadline_ms,
        ),
    )  # fmt: skip  # one step
    if theirs.finish_reason == "length" and request.max_output_tokens is None:
        raise Ungraded("cut")  # by the bound that a budget needs; the candidate had none
    if rules.grade.partition(":")[0] != JUDGED:
        # Long answers take a tenth of a second by some measures, and clients do not wait for audits.
        return await asyncio.to_thread(compared, job.scorer, rules, body, mine, theirs)
    return await _verdict(snapshot, world, job, sensitivity, body, mine, theirs)


async def _verdict(
    snapshot: Snapshot, world: World, job: Audit, sensitivity: Sensitivity, body: dict[str, object], mine: Answer,
    theirs: Answer,
) -> float:  # fmt: skip
    """The loss that a judge sees, who is asked once for each order."""
    example = example_of(body, theirs, JUDGED)
    mine, theirs = spelled(mine), spelled(theirs)
    told: list[Told] = []
    needs = job.scorer.needs(example, mine, theirs)
    if needs:
        sensitivity = await _judged(snapshot, world, job, sensitivity, mine, theirs)
    for need in needs:
        assert isinstance(need, Ask)  # a pairwise scorer asks
        told.append(Told(ok=True, text=(await _judge(snapshot, world, job, sensitivity, need)).text))
    score = job.scorer.grade(example, mine, told).score
    if score is None:
        raise Ungraded("no_verdict")
    return (0.5 - score) * 2 * job.rules.verdict


async def _judged(
    snapshot: Snapshot, world: World, job: Audit, label: Sensitivity, mine: Answer, theirs: Answer
) -> Sensitivity:
    """`label`, raised by what the organisation's own judge says of the answers, where it is asked about this model."""
    assert job.exchange.request is not None
    spent: list[int] = []
    try:
        found = await judged(
            snapshot, world, job.exchange, {"answers": [mine.text, theirs.text]}, label,
            payer(PREFIX, job.exchange.request.model, job.rules), spent.append,
        )  # fmt: skip  # one thing
    except BudgetExceeded as spent_up:
        raise Ungraded("budget") from spent_up
    finally:
        job.pay(sum(spent))
    if found.level > job.rules.max_level:
        raise Ungraded("too_sensitive")
    return found


def compared(scorer: Scorer, rules: WatchRules, body: dict[str, object], mine: Answer, theirs: Answer) -> float:
    """The loss where the reference's answer is the right one. Raise `Ungraded` where these two cannot be compared."""
    kind = rules.grade.partition(":")[0]
    example = example_of(body, theirs, kind)
    if kind == "tool_calls" and not mine.tool_calls and not theirs.tool_calls:
        raise Ungraded("not_comparable", "neither answer calls a tool")
    if problem := scorer.problem(example):
        raise Ungraded("not_comparable", problem)
    score = scorer.grade(example, mine, ()).score
    if score is None:
        raise Ungraded("not_comparable")
    return 1 - score


async def _judge(snapshot: Snapshot, world: World, job: Audit, before: Sensitivity, need: Ask) -> Answer:
    """What the judge says to one question, if it may see it: both answers are in it, so it is searched anew."""
    exchange, rules = job.exchange, job.rules
    caller = exchange.caller
    assert caller is not None
    body = question(need.messages, rules.judge, need.max_tokens)
    size_bytes = len(msgspec.json.encode(body))
    found = await relabelled(snapshot, world, caller, body, size_bytes, before)
    if found.level > rules.max_level:
        raise Ungraded("too_sensitive")
    try:
        decision = who_may_see(snapshot, caller, rules.judge, size_bytes, found, need.max_tokens)
    except YuzuiError as refused:
        raise Ungraded("judge_not_permitted", refused.code) from refused
    judge = decision.plan[0]
    assert exchange.request is not None
    return await _ask(
        snapshot, world, job,
        Aside(
            operation="audit_judge", part_of=exchange.id, who="the judge", body=body, target=judge,
            allowed=decision.allowed, sensitivity=found, caller=payer(PREFIX, exchange.request.model, rules),
            why=f"compares the answers to {exchange.id}", deadline_ms=rules.deadline_ms,
        ),
    )  # fmt: skip  # one step


async def _ask(snapshot: Snapshot, world: World, job: Audit, aside: Aside) -> Answer:
    if aside.target.name in world.watch.health().blocked:
        raise Ungraded("blocked", aside.target.name)
    spent: list[int] = []
    try:
        answer = await ask(snapshot, world, aside, lambda response: heard(response, aside.target.name), spent.append)
    except BudgetExceeded as spent_up:
        raise Ungraded("budget") from spent_up
    except UpstreamFault as fault:
        raise Ungraded("failed", fault.code) from fault
    finally:
        job.pay(sum(spent))
    return answer.value


def payer(prefix: str, model: str, rules: WatchRules | ShadowRules) -> Caller:
    """Who pays for what is learnt of `model`: nobody's key, with a budget of its own for each day."""
    return Caller(
        key_id=f"{prefix}{model}", app=rules.app, team=rules.team,
        budget=Budget(cap_nano=rules.budget_nano, period="day"),
    )  # fmt: skip  # one thing
