"""Whom a trial is about, and when it is another one."""

from __future__ import annotations

from dataclasses import replace

from yuzui.core.booking import TrialOrder
from yuzui.core.caller import Caller
from yuzui.core.trial import Trial

TRIAL = Trial(model="assistant", name="next", arm="house/new")


def test_without_an_audience_it_is_about_everybody() -> None:
    assert TRIAL.concerns(Caller(key_id="k", app="a"))


def test_a_key_a_team_or_an_app_is_enough_and_a_rotated_key_stays_who_it_was() -> None:
    trial = replace(TRIAL, keys=frozenset({"k1"}), teams=frozenset({"risk"}), apps=frozenset({"desk"}))
    assert trial.concerns(Caller(key_id="k1", app="x"))
    assert trial.concerns(Caller(key_id="k2", first_key_id="k1", app="x"))
    assert trial.concerns(Caller(key_id="k9", app="x", team="risk"))
    assert trial.concerns(Caller(key_id="k9", app="desk"))
    assert not trial.concerns(Caller(key_id="k9", app="x", team=""))


def test_another_arm_is_another_trial_and_orders_name_the_same_one() -> None:
    assert TRIAL.id != replace(TRIAL, arm="house/newer").id
    assert TRIAL.id == replace(TRIAL, percent=1.0).id
    order = TrialOrder(
        id="trl_1",
        at_ns=1,
        action="stop",
        model="assistant",
        name="next",
        arm="house/new",
        by="",
        os_user="",
        reason="",
    )
    assert order.trial_id == TRIAL.id
