from __future__ import annotations

import math

import numpy as np
import pytest

from yuzui.evaluation.e_process import BET_SHARES, START_EVERY, EProcess


def losses(seed: int, count: int, worse: float, better: float) -> list[float]:
    """1 with probability `worse`, -1 with `better`, else 0."""
    drawn = np.random.default_rng(seed).random(count)
    return [1.0 if one < worse else -1.0 if one < worse + better else 0.0 for one in drawn]


def alarm_at(stream: list[float], promised: float = 0.02, alpha: float = 0.01) -> int | None:
    watch = EProcess(promised, alpha)
    return next((place for place, loss in enumerate(stream, 1) if watch.add(loss)), None)


def test_wealth_begins_at_one() -> None:
    assert EProcess(0.02, 0.01).log_wealth == pytest.approx(0.0)


def test_the_first_answers_change_wealth_as_counted_by_hand() -> None:
    watch = EProcess(0.25, 0.01)
    watch.add(1.0)
    watch.add(-1.0)
    won = [(1 + share * 0.75 / 1.25) * (1 - share * 1.25 / 1.25) for share in BET_SHARES]
    assert watch.log_wealth == pytest.approx(math.log(0.5 * sum(won) / len(won) + 0.5))


def test_a_new_beginning_costs_and_gives_nothing() -> None:
    watch = EProcess(0.0, 0.01)
    for _ in range(START_EVERY + 1):
        watch.add(0.0)
    assert watch.log_wealth == pytest.approx(0.0)


def test_of_promises_that_just_hold_one_in_a_hundred_is_suspected_at_most() -> None:
    alarms = sum(alarm_at(losses(seed, 1500, 0.07, 0.05)) is not None for seed in range(300))
    assert alarms <= 3


def test_a_downgrade_by_five_points_is_noticed_within_a_thousand_audits() -> None:
    """From the edge of the promise, 2 points, to 7; nine in ten times in a thousand audits, with few ties broken."""
    found = [alarm_at(losses(seed, 1000, 0.08, 0.01)) for seed in range(100)]
    noticed = [one for one in found if one is not None]
    assert len(noticed) >= 90
    assert np.median(noticed) < 600


def test_a_downgrade_after_a_long_good_time_is_noticed_too() -> None:
    good = 1000
    found = [alarm_at(losses(seed, good, 0.01, 0.01) + losses(seed + 500, 1000, 0.10, 0.01)) for seed in range(50)]
    late = [one for one in found if one is not None]
    assert len(late) >= 45 and min(late) > good


def test_an_alarm_stays() -> None:
    watch = EProcess(0.02, 0.01)
    while not watch.add(1.0):
        assert watch.seen < 100
    assert all(watch.add(-1.0) for _ in range(50))


@pytest.mark.parametrize(("promised", "alpha"), [(-0.1, 0.01), (1.0, 0.01), (0.02, 0.0), (0.02, 1.0)])
def test_what_cannot_be_watched_is_refused(promised: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="promised"):
        EProcess(promised, alpha)
    with pytest.raises(ValueError, match="a loss"):
        EProcess(0.02, 0.01).add(1.5)
    with pytest.raises(ValueError, match="a loss"):
        EProcess(0.02, 0.01).add(float("nan"))
