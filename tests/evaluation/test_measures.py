from __future__ import annotations

import numpy as np
import pytest

from yuzui.evaluation.measures import apgr, apgr_interval, calls_for, recovered, shared_of_best


def test_a_perfect_order_of_four_recovers_the_gap_with_the_first_calls() -> None:
    gains, scores = np.array([1.0, 1.0, 0.0, 0.0]), np.array([4.0, 3.0, 2.0, 1.0])
    assert recovered(scores, gains).tolist() == [0.0, 0.5, 1.0, 1.0, 1.0]
    assert apgr(scores, gains) == pytest.approx(0.75)
    assert calls_for(scores, gains, 0.5) == 25.0
    assert calls_for(scores, gains, 0.8) == 50.0


def test_equal_scores_are_worth_a_coin_whatever_the_order_of_the_rows() -> None:
    gains = np.array([1.0, 0.0, 1.0, 0.0, 1.0])
    assert apgr(np.zeros(5), gains) == pytest.approx(0.5)
    assert apgr(np.zeros(5), gains[::-1]) == pytest.approx(0.5)


def test_a_strong_model_that_is_worse_somewhere_is_better_avoided_there() -> None:
    assert apgr(np.array([2.0, 1.0, 0.0]), np.array([1.0, 1.0, -1.0])) > 1


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    with pytest.raises(ValueError, match="no gap"):
        apgr(np.zeros(2), np.array([1.0, -1.0]))


def test_the_interval_holds_the_value_and_is_the_same_twice() -> None:
    generator = np.random.default_rng(1)
    gains = (generator.random(300) < 0.3).astype(float)
    scores = gains + generator.normal(0, 1, 300)
    first, second = (apgr_interval(scores, gains, seed=5) for _ in range(2))
    assert first == second
    assert first.low < first.value < first.high


def test_a_share_of_nothing() -> None:
    assert shared_of_best(0.4, 0.5) == pytest.approx(0.8)
    assert shared_of_best(0.0, 0.0) == 1.0
