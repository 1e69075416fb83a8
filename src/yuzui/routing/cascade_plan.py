"""The plan of a cascade: the candidate that answers first, and always the reference to escalate to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from yuzui.core.decision import Decision
from yuzui.core.guarantee import Advised
from yuzui.core.target import Target


def cascade_plan(
    plan: tuple[Target, ...], permitted: Sequence[Target], advised: Advised | None, blocked: Collection[str]
) -> tuple[tuple[Target, ...], Advised | None]:
    """`plan` and `advised` as they can be carried out; both as they are where there is no cascade.

    A cascade that lacks somebody is not begun: what it would find out could not be judged, and would be paid for.
    Escalating is no fallback, so the reference is in the plan also where nobody may fall back, or it failed lately:
    right behind the candidate, since only its answer keeps the promise.
    """
    if advised is None or advised.asks is None:
        return plan, advised
    reference = next(target for target in permitted if target.name == advised.reference)
    sick = [name for name in (advised.chosen, *advised.asks.beside) if name in blocked]
    if not sick and plan[0].name == advised.chosen:
        return (plan if reference in plan else (plan[0], reference, *plan[1:])), advised
    detail = f"{', '.join(sick)} left alone after failures" if sick else f"{advised.chosen} does not come first"
    escalated = replace(advised, rule="escalated", asks=None, detail=detail)
    if [target.name for target in plan] == [advised.chosen]:
        return (reference,), escalated
    # The candidate comes last, with nothing claimed: as everywhere where the reference is to answer.
    return tuple(sorted(plan, key=lambda target: target.name == advised.chosen)), escalated


def without_cascade(decision: Decision) -> Decision | None:
    """`decision` as it would be without its cascade: the reference first. None where none would begin.

    For a budget that does not hold all of its calls: the reference's alone it may hold.
    """
    advised = decision.advised
    if advised is None or advised.asks is None or decision.plan[0].name != advised.chosen:
        return None
    plan = tuple(sorted(decision.plan, key=lambda target: target.name == advised.chosen))
    detail = "the budget does not hold all calls of a cascade"
    return replace(
        decision,
        plan=plan,
        why=f"{decision.why}; {detail}: {plan[0].name} first",
        advised=replace(advised, rule="escalated", asks=None, detail=detail),
    )
