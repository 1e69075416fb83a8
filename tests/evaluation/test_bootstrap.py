"""Intervals cover what they promise, in simulations whose truth is known, and say nothing where nothing can be said."""

from __future__ import annotations

import random
from math import isnan
from statistics import NormalDist, fmean

import pytest

from yuzui.evaluation.bootstrap import Method, interval, percentile


def test_the_mean_is_the_mean_and_a_seed_fixes_the_rest() -> None:
    values = [0.0, 0.25, 0.5, 1.0] * 5
    first, second = interval(values, random.Random(1)), interval(values, random.Random(1))
    assert first == second
    assert first.value == fmean(values) and first.low < first.value < first.high and first.count == 20


def test_a_percentile_interval_is_near_the_normal_one_for_many_examples() -> None:
    generator = random.Random(2)
    values = [generator.gauss(3.0, 2.0) for _ in range(2000)]
    found = interval(values, generator, method="percentile")
    half = NormalDist().inv_cdf(0.975) * 2.0 / 2000**0.5
    assert found.high - found.value == pytest.approx(half, rel=0.15)
    assert found.value - found.low == pytest.approx(half, rel=0.15)


@pytest.mark.parametrize(("method", "least"), [("bca", 0.90), ("percentile", 0.87)])
def test_intervals_cover_the_truth_about_as_often_as_they_say(method: Method, least: float) -> None:
    """Skewed differences (30 examples): 95 % are promised; the bootstrap is known to fall a little short there."""
    generator = random.Random(3)
    rounds, covered = 400, 0
    for _ in range(rounds):
        values = [generator.expovariate(1.0) for _ in range(30)]
        found = interval(values, generator, redraws=400, method=method)
        covered += found.low <= 1.0 <= found.high
    assert least <= covered / rounds <= 0.985


def test_paired_differences_of_models_cover_zero_where_there_is_none() -> None:
    generator = random.Random(4)
    rounds = 300
    wrong = 0
    for _ in range(rounds):
        hard = [generator.random() for _ in range(80)]
        pairs = [(generator.random() > one, generator.random() > one) for one in hard]
        found = interval([float(left) - float(right) for left, right in pairs], generator, redraws=300)
        wrong += found.excludes_zero
    assert wrong / rounds <= 0.09


def test_bca_leans_to_the_long_side() -> None:
    generator = random.Random(5)
    values = [generator.expovariate(1.0) for _ in range(40)]
    plain = interval(values, random.Random(6), method="percentile")
    corrected = interval(values, random.Random(6), method="bca")
    assert corrected.high > plain.high and corrected.low > plain.low


def test_few_or_equal_values_have_no_interval() -> None:
    for values in ([0.0, 1.0], [1.0] * 50):
        found = interval(values, random.Random(0))
        assert isnan(found.low) and not found.is_known and not found.excludes_zero
    with pytest.raises(ValueError, match="needs values"):
        interval([], random.Random(0))


def test_percentiles() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.5
    assert percentile([1.0], 0.95) == 1.0
    assert percentile(list(map(float, range(101))), 0.95) == 95
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
