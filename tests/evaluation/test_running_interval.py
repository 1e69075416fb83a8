from __future__ import annotations

import numpy as np
import pytest

from yuzui.core.watching import IntervalSums
from yuzui.evaluation.running_interval import MISS, add, interval


def test_nothing_is_said_before_the_first_loss() -> None:
    assert interval(IntervalSums()) is None


def test_the_mean_is_the_plain_one_and_lies_inside() -> None:
    sums = IntervalSums()
    for loss in [1.0, 0.0, -1.0, 0.5] * 50:
        add(sums, loss)
    found = interval(sums)
    assert found is not None and found.mean == pytest.approx(0.125)
    assert -1 <= found.low < 0.125 < found.high <= 1


@pytest.mark.parametrize(("worse", "better"), [(0.05, 0.02), (0.5, 0.1), (0.0, 0.0)])
def test_it_misses_at_any_time_in_one_run_of_twenty_at_most(worse: float, better: float) -> None:
    missed = 0
    for seed in range(100):
        sums = IntervalSums()
        wrong = False
        for one in np.random.default_rng(seed).random(400):
            add(sums, 1.0 if one < worse else -1.0 if one < worse + better else 0.0)
            found = interval(sums)
            assert found is not None
            wrong |= not found.low <= worse - better <= found.high
        missed += wrong
    assert missed <= 100 * MISS


def test_rare_differences_make_it_narrow() -> None:
    sums = IntervalSums()
    for one in np.random.default_rng(1).random(5000):
        add(sums, 1.0 if one < 0.03 else 0.0)
    found = interval(sums)
    assert found is not None and found.high - found.low < 0.04
