from __future__ import annotations

import statistics
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.backtest.intervals import LEAST_BLOCKS, bounded_change, mean_change, ratio_change, student_t


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (9, 2.262), (29, 2.045), (1000, 1.962)])
def test_students_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_t(freedom) == pytest.approx(quantile, rel=0.003)


def test_equal_blocks_leave_no_doubt() -> None:
    change = ratio_change([(100, 150)] * 10)
    assert change is not None
    assert (change.change, change.low, change.high) == (0.5, 0.5, 0.5)


def test_few_blocks_have_a_change_and_no_interval() -> None:
    change = ratio_change([(100, 110)] * (LEAST_BLOCKS - 1))
    assert change is not None
    assert change.change == pytest.approx(0.1)
    assert change.low is None


def test_from_nothing_there_is_no_percentage() -> None:
    assert ratio_change([(0, 5)]) is None
    nothing = ratio_change([(0, 0)] * 9)
    assert nothing is not None
    assert nothing.change == 0


def test_the_interval_holds_the_true_change_about_as_often_as_it_says() -> None:
    dice, held = Random(3), 0
    for _ in range(400):
        blocks = []
        for _ in range(20):
            before = dice.randint(500, 1500)
            blocks.append((before, round(before * dice.uniform(1.0, 1.4))))
        change = ratio_change(blocks)
        assert change is not None
        assert change.low is not None
        assert change.high is not None
        held += change.low <= 0.2 <= change.high
    assert 0.92 <= held / 400 <= 0.98


def test_means_have_an_interval_from_five_on() -> None:
    assert mean_change([]) is None
    few, many = mean_change([0.5, -0.5]), mean_change([1.0, -1.0] * 50)
    assert few is not None
    assert (few.change, few.low) == (0.0, None)
    assert many is not None
    assert many.low == pytest.approx(-0.199, abs=0.002)


def test_a_mean_of_which_only_the_share_is_known_has_the_widest_interval() -> None:
    told = bounded_change(0.01, 0.5, 400)
    assert told.low is not None and told.high is not None
    assert told.high - told.low == pytest.approx(2 * 1.96 * 0.5**0.5 / 20, rel=0.01)
    assert bounded_change(0.0, 0.0, 400).high == 0


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.0, 0.5, 1.0]), min_size=30, max_size=200))
def test_it_is_never_narrower_than_that_of_the_single_scores(losses: list[float]) -> None:
    mean, share = statistics.fmean(losses), sum(one != 0 for one in losses) / len(losses)
    told = bounded_change(mean, share, len(losses))
    assert told.low is not None and told.high is not None
    reach = 1.95 * statistics.pstdev(losses) / len(losses) ** 0.5
    assert told.low <= max(mean - reach, -1) + 1e-9
    assert told.high >= min(mean + reach, 1) - 1e-9
