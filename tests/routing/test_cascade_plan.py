"""A cascade begins only with everybody that it needs, and can always escalate."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing_kit import HOUSE
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.guarantee import Advised, Asks
from yuzui.core.target import Target
from yuzui.routing.cascade_plan import cascade_plan, without_cascade

SMALL, OTHER, BIG = (replace(HOUSE, name=name) for name in ("small", "other", "big"))
ADVISED = Advised(rule="cascade", reference="big", chosen="small", asks=Asks(policy="cascade", checks=("tiny",)))
EVERYBODY = (OTHER, SMALL, BIG)


@pytest.mark.parametrize(
    ("plan", "blocked", "expected", "rule"),
    [
        ((SMALL, BIG, OTHER), (), (SMALL, BIG, OTHER), "cascade"),
        ((SMALL, OTHER), ("big",), (SMALL, BIG, OTHER), "cascade"),
        ((SMALL,), (), (SMALL, BIG), "cascade"),
        ((BIG, OTHER), ("small",), (BIG, OTHER), "escalated"),
        ((SMALL, BIG, OTHER), ("tiny",), (BIG, OTHER, SMALL), "escalated"),
        ((SMALL,), ("small",), (BIG,), "escalated"),
        ((SMALL, BIG, OTHER), ("small", "big", "other"), (BIG, OTHER, SMALL), "escalated"),
    ],
)
def test_the_plan_of_a_cascade(
    plan: tuple[Target, ...], blocked: tuple[str, ...], expected: tuple[Target, ...], rule: str
) -> None:
    found, advised = cascade_plan(plan, EVERYBODY, ADVISED, blocked)
    assert advised is not None
    assert (found, advised.rule) == (expected, rule)
    assert (advised.asks is None) == (rule == "escalated") == bool(advised.detail)


@pytest.mark.parametrize("advised", [None, replace(ADVISED, rule="certified", asks=None)])
def test_other_plans_stay_as_they_are(advised: Advised | None) -> None:
    assert cascade_plan((SMALL,), EVERYBODY, advised, ("small",)) == ((SMALL,), advised)


def test_a_budget_that_does_not_hold_all_calls_leaves_the_reference() -> None:
    decision = Decision(
        model="m", policy="guaranteed", level=0, allowed=AllowedSet(frozenset(("small", "other", "big"))),
        plan=(SMALL, BIG, OTHER), refused=(), why="small is asked", advised=ADVISED,
    )  # fmt: skip
    found = without_cascade(decision)
    assert found is not None and found.plan == (BIG, OTHER, SMALL) and found.allowed == decision.allowed
    assert found.advised is not None and (found.advised.rule, found.advised.asks) == ("escalated", None)
    assert found.why.startswith("small is asked; the budget does not hold all calls of a cascade: big first")
    assert without_cascade(found) is None and without_cascade(replace(decision, advised=None)) is None
