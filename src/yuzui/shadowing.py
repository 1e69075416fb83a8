"""One shadow copy: a request that was answered is also sent to a target that is to be known before it gets traffic."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from yuzui.accounting import bounds
from yuzui.aside import Aside, Heard, ask
from yuzui.auditing import Ungraded, payer
from yuzui.copies import copy_of, heard, said, spelled
from yuzui.core.chat import ChatResponse
from yuzui.core.errors import BudgetExceeded, YuzuiError
from yuzui.core.watching import ShadowRules, ShadowState
from yuzui.evaluation.scorers._contract import Answer
from yuzui.exchange import Exchange
from yuzui.routing.health import Health
from yuzui.world import Snapshot, World

PREFIX = "shadow:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What one copy told. `agrees` and `likeness` are None where the two answers cannot be compared."""

    duration_ms: int
    usual_duration_ms: int
    spent_nano: int
    usual_nano: int
    agrees: bool | None
    likeness: float


async def shadow(snapshot: Snapshot, world: World, exchange: Exchange, rules: ShadowRules) -> Copied:
    """Send the copy. Raise `Ungraded` where it is not sent, and an `UpstreamFault` where the target fails."""
    request, caller, sensitivity = exchange.request, exchange.caller, exchange.sensitivity
    assert request is not None and caller is not None and sensitivity is not None and exchange.target is not None
    mine = said(exchange.delivered, exchange.target.name)
    body = copy_of(request, rules.target)
    if mine is None or body is None:
        raise Ungraded("not_comparable")
    try:  # by the same rules, label and key as the request itself
        decision = snapshot.router.decide(
            rules.target, sensitivity=sensitivity, constraints=caller.constraints, allowed_models=None,
            features=request.features, input_tokens=bounds.input_tokens(len(msgspec.json.encode(body))),
            output_tokens=bounds.expected_output_tokens(request), health=Health(), fraction=0.0,
        )  # fmt: skip  # one thing
    except YuzuiError as refused:
        raise Ungraded("not_permitted", refused.code) from refused
    target = decision.plan[0]
    if target.name in world.watch.health().blocked:
        raise Ungraded("blocked", target.name)

    def read(response: ChatResponse) -> Answer:
        return heard(response, target.name)

    aside = Aside(
        operation="shadow", part_of=exchange.id, who="the shadow", body=body, target=target, allowed=decision.allowed,
        sensitivity=sensitivity, caller=payer(PREFIX, request.model, rules), why=f"copies {exchange.id}",
        deadline_ms=rules.deadline_ms,
    )  # fmt: skip  # one thing
    try:
        answer = await ask(snapshot, world, aside, read)
    except BudgetExceeded as spent:
        raise Ungraded("budget") from spent
    return _told(exchange, mine, answer)


def _told(exchange: Exchange, mine: Answer, answer: Heard[Answer]) -> Copied:
    from yuzui.routing.agreement import agreement, names  # needs numpy

    first, second = spelled(mine).text, spelled(answer.value).text
    found = dict(zip(names(1), (float(one) for one in agreement(first, [second])), strict=True))
    is_comparable = not found["silent_checks"] and bool(first)
    usual = exchange.attempts[-1].duration_ms if exchange.attempts else 0
    return Copied(
        duration_ms=answer.duration_ms, usual_duration_ms=usual, spent_nano=answer.spent_nano,
        usual_nano=exchange.cost.total if exchange.cost is not None else 0,
        agrees=bool(found["agree_all"]) if is_comparable else None, likeness=found["closest_text"],
    )  # fmt: skip  # one thing


def note(state: ShadowState, copied: Copied, at_ns: int) -> None:
    """Change `state` by one copy that was answered."""
    state.answered += 1
    state.duration_ms += copied.duration_ms
    state.usual_duration_ms += copied.usual_duration_ms
    state.slowest_ms = max(state.slowest_ms, copied.duration_ms)
    state.cost_nano += copied.spent_nano
    state.usual_cost_nano += copied.usual_nano
    state.likeness += copied.likeness
    if copied.agrees is not None:
        state.comparable += 1
        state.agreed += copied.agrees
    state.last_ns = at_ns
