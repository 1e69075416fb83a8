"""An arm takes the first place only where it may, and a trial never makes possible what is refused without it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from routing_kit import CHEAP, DEAR, HOUSE
from yuzui.core.caller import Constraints
from yuzui.core.decision import Decision
from yuzui.core.errors import NoPermittedTarget
from yuzui.core.guarantee import Advice, Advised, Asks, Judged, Said
from yuzui.core.sensitivity import DEFAULT_LEVELS, Lattice, Sensitivity
from yuzui.core.target import Target, VirtualModel
from yuzui.core.trial import Lot, Trial
from yuzui.routing.health import Health
from yuzui.routing.router import Router
from yuzui.routing.trial_plan import lot_again, without_arm

NEW = replace(HOUSE, name="house/new")
TRIAL = Trial(model="m", name="next", arm="house/new", percent=5)
VENDOR = Trial(model="m", name="out", arm="openai/gpt", percent=5)


def decide(
    lot: Lot | None, *, level: int = 1, candidates: tuple[str, ...] = ("house/qwen", "deepseek/chat"),
    trials: tuple[Trial, ...] = (TRIAL, VENDOR), blocked: frozenset[str] = frozenset(),
    constraints: Constraints = Constraints(),  # noqa: B008 - frozen
) -> Decision:  # fmt: skip
    model = VirtualModel(name="m", candidates=candidates, policy="pinned", trials=trials)
    router = Router([HOUSE, CHEAP, DEAR, NEW], [model], Lattice(names=DEFAULT_LEVELS), rates={"USD": Decimal(1)})
    return router.decide(
        "m", sensitivity=Sensitivity(level=level, causes=(), kinds={}), constraints=constraints, allowed_models=None,
        features=frozenset(), input_tokens=100, output_tokens=10, health=Health(blocked=blocked), fraction=0.5, lot=lot,
    )  # fmt: skip


def drawn(trial: Trial) -> Lot:
    return Lot(arm=trial, unit="request", unit_hash=b"")


CONTROL = Lot(arm=None, control=(TRIAL, VENDOR), unit="request", unit_hash=b"")


def names(plan: tuple[Target, ...]) -> list[str]:
    return [target.name for target in plan]


def test_the_arm_comes_first_and_the_plan_follows() -> None:
    decision = decide(drawn(TRIAL))
    assert names(decision.plan) == ["house/new", "house/qwen", "deepseek/chat"]
    assert decision.allowed.names == {"house/new", "house/qwen", "deepseek/chat"}
    assert decision.tried is not None and decision.tried.roles == {"next": "arm"}
    assert "; trial next: house/new first (by request)" in decision.why


def test_control_is_as_without_a_trial() -> None:
    control, plain = decide(CONTROL), decide(None)
    assert (control.plan, control.allowed, control.why) == (plain.plan, plain.allowed, plain.why)
    assert control.tried is not None and control.tried.roles == {"next": "control", "out": "control"}
    assert plain.tried is None


def test_an_arm_that_may_not_see_it_is_not_used_and_counts_for_neither_side() -> None:
    decision = decide(drawn(VENDOR), level=2)
    assert names(decision.plan) == ["house/qwen"]
    assert decision.tried is not None and decision.tried.roles == {"out": "clearance"}
    assert "openai/gpt" not in decision.allowed
    assert "; trial out: not with openai/gpt (clearance)" in decision.why
    other = decide(CONTROL, level=2)
    assert other.tried is not None and other.tried.roles == {"next": "control", "out": "clearance"}


def test_an_arm_alone_does_not_make_a_refused_request_possible() -> None:
    with pytest.raises(NoPermittedTarget) as refused:
        decide(drawn(TRIAL), level=3, candidates=("deepseek/chat",))
    assert [one.target for one in refused.value.refused] == ["deepseek/chat"]


def test_an_arm_that_is_left_alone_or_first_anyway_counts_for_neither_side() -> None:
    decision = decide(drawn(TRIAL), blocked=frozenset({"house/new"}))
    assert decision.tried is not None and decision.tried.roles == {"next": "left_alone"}
    assert names(decision.plan) == ["house/qwen", "deepseek/chat"]
    first = Trial(model="m", name="first", arm="house/qwen")
    same = decide(drawn(first), trials=(first,))
    assert same.tried is not None and same.tried.roles == {"first": "same"}


def test_a_candidate_can_be_an_arm_and_is_named_once() -> None:
    trial = Trial(model="m", name="swap", arm="deepseek/chat")
    assert names(decide(drawn(trial), trials=(trial,)).plan) == ["deepseek/chat", "house/qwen"]


def test_without_the_arm_a_decision_is_that_of_control_and_says_why() -> None:
    decision = decide(drawn(TRIAL))
    left = without_arm(decision)
    assert left is not None and left.plan == decide(None).plan
    assert left.tried is not None and left.tried.roles == {"next": "budget"} and not left.tried.arm
    assert without_arm(left) is None
    assert without_arm(decide(None)) is None


def test_a_replay_draws_the_arm_that_was_drawn() -> None:
    assert lot_again((TRIAL, VENDOR), {"out": "arm"}) == Lot(arm=VENDOR, unit="request", unit_hash=b"")
    assert lot_again((TRIAL,), {"out": "arm"}) is None
    assert lot_again((TRIAL,), {"next": "clearance"}) is None


@given(
    level=st.integers(0, 3),
    own_only=st.booleans(),
    lot=st.sampled_from([None, CONTROL, drawn(TRIAL), drawn(VENDOR)]),
    blocked=st.sets(st.sampled_from(["house/qwen", "deepseek/chat", "openai/gpt", "house/new"])),
)
def test_no_trial_leaves_the_allowed_set_or_turns_a_refusal_around(
    level: int, own_only: bool, lot: Lot | None, blocked: set[str]
) -> None:
    constraints = Constraints(own_only=own_only)
    try:
        plain = decide(None, level=level, constraints=constraints, blocked=frozenset(blocked))
    except NoPermittedTarget:
        with pytest.raises(NoPermittedTarget):
            decide(lot, level=level, constraints=constraints, blocked=frozenset(blocked))
        return
    tried = decide(lot, level=level, constraints=constraints, blocked=frozenset(blocked))
    assert all(target.name in tried.allowed for target in tried.plan)
    assert all(target.clearance >= level and (target.premises == "own" or not own_only) for target in tried.plan)
    extra = {target.name for target in tried.plan} - {target.name for target in plain.plan}
    assert extra <= ({lot.arm.arm} if lot is not None and lot.arm is not None else set())
    assert tried.masked <= tried.allowed.names


def test_no_cascade_begins_behind_an_arm_and_the_reference_follows_it() -> None:
    asks = Asks(policy="cascade", checks=("tiny",))
    advised = Advised(rule="cascade", reference="deepseek/chat", chosen="house/qwen", asks=asks)

    class Sure(Advice):
        @property
        @override
        def question(self) -> str:
            return ""

        @override
        def choose(self, permitted: frozenset[str], masked: frozenset[str]) -> Advised:
            return advised

        @override
        def judge(self, said: Said) -> Judged:
            raise AssertionError("nobody has answered yet")

    model = VirtualModel(name="m", candidates=("house/qwen", "deepseek/chat"), policy="guaranteed", trials=(TRIAL,))
    router = Router([HOUSE, CHEAP, NEW], [model], Lattice(names=DEFAULT_LEVELS), rates={"USD": Decimal(1)})

    def decided(lot: Lot) -> Decision:
        return router.decide(
            "m", sensitivity=Sensitivity(level=1, causes=(), kinds={}), constraints=Constraints(), allowed_models=None,
            features=frozenset(), input_tokens=9, output_tokens=9, health=Health(), fraction=0.5, advice=Sure(), lot=lot,
        )  # fmt: skip

    control = decided(Lot(arm=None, control=(TRIAL,), unit="request", unit_hash=b""))
    assert control.advised == advised and names(control.plan) == ["house/qwen", "deepseek/chat"]
    arm = decided(drawn(TRIAL))
    assert names(arm.plan)[:2] == ["house/new", "deepseek/chat"]
    assert arm.advised is not None and arm.advised.asks is None and arm.advised.kept("house/new") == "none"
