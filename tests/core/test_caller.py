"""A caller without limits is the exception; constraints can be looked up by value."""

from __future__ import annotations

from yuzui.core.caller import LOOPBACK_CALLER, Caller, Constraints, Limits


def test_equal_constraints_are_one_key_of_the_memo() -> None:
    first = Constraints(floor=2, forbidden_jurisdictions=frozenset({"US", "CN"}))
    second = Constraints(floor=2, forbidden_jurisdictions=frozenset({"CN", "US"}))
    assert {first: 1}[second] == 1
    assert len({first, Constraints(floor=1), Constraints(own_only=True), Constraints(allow_retention=False)}) == 4


def test_training_on_the_data_is_never_allowed_by_default() -> None:
    assert not Constraints().allow_training


def test_the_loopback_caller_may_try_everything_without_money_of_its_own() -> None:
    assert (LOOPBACK_CALLER.models, LOOPBACK_CALLER.budget, LOOPBACK_CALLER.limits) == (None, None, Limits())
    assert LOOPBACK_CALLER.constraints == Caller(key_id="k", app="a").constraints == Constraints()
