"""Where a trial's arm comes in: it takes the first place of a plan, if it may, and adds nobody that may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from yuzui.core.decision import Decision
from yuzui.core.target import Target
from yuzui.core.trial import ARM, CONTROL, Lot, Trial, Tried

LEFT_ALONE: Final = "left_alone"
SAME: Final = "same"
BUDGET: Final = "budget"


def with_trial(
    plan: tuple[Target, ...],
    lot: Lot,
    arms: Mapping[str, Target],
    refused: Mapping[str, str],
    blocked: frozenset[str],
    most: int,
) -> tuple[tuple[Target, ...], Tried]:
    """`plan` with the drawn arm in front, at most `most` targets, and what each trial has of this request.

    `arms`: arms that may see the request, by name; `refused`: arm → reason. A request that the arm may not see counts
    for neither side, whichever was drawn: else control would be another kind of work.
    """

    def obstacle(trial: Trial) -> str:
        if trial.arm not in arms:
            return refused.get(trial.arm, "not_permitted")
        if trial.arm in blocked:
            return LEFT_ALONE
        return SAME if plan[0].name == trial.arm else ""

    roles = {trial.name: obstacle(trial) or CONTROL for trial in lot.control}
    drawn = lot.arm
    if drawn is None:
        return plan, Tried(roles=roles)
    why_not = obstacle(drawn)
    roles[drawn.name] = why_not or ARM
    if why_not:
        return plan, Tried(roles=roles, words=f"; trial {drawn.name}: not with {drawn.arm} ({why_not})")
    arm = arms[drawn.arm]
    rest = [target for target in plan if target.name != arm.name]
    words = f"; trial {drawn.name}: {arm.name} first (by {lot.unit})"
    return (arm, *rest)[:most], Tried(roles=roles, arm=drawn.name, words=words)


def without_arm(decision: Decision) -> Decision | None:
    """`decision` as it would be without the trial, where that leaves a plan; None where no arm is in front.

    For a budget that does not hold the arm: a trial refuses nobody.
    """
    tried = decision.tried
    if tried is None or not tried.arm or len(decision.plan) < 2:
        return None
    roles = {**tried.roles, tried.arm: BUDGET}
    return replace(
        decision,
        plan=decision.plan[1:],
        why=f"{decision.why}; the budget does not hold it: {decision.plan[1].name} first",
        tried=Tried(roles=roles),
    )


def extra_arms(
    trials: Sequence[Trial], candidates: Sequence[Target], by_name: Mapping[str, Target]
) -> tuple[Target, ...]:
    """The arms that are no candidates themselves, once each, in the operator's order."""
    known = {target.name for target in candidates}
    names = dict.fromkeys(trial.arm for trial in trials if trial.arm not in known)
    return tuple([by_name[name] for name in names])


def lot_again(trials: Sequence[Trial], roles: Mapping[str, str]) -> Lot | None:
    """What a recorded request drew, as far as its record tells: the arm that it had, if there still is such a trial."""
    drawn = next((trial for trial in trials if roles.get(trial.name) == ARM), None)
    return None if drawn is None else Lot(arm=drawn, unit="request", unit_hash=b"")
