from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from yuzui.evaluation.fit_parts import dense_of
from yuzui.routing.dense import MOST_DEVIATIONS, Dense, DenseWeights
from yuzui.routing.tensors import pack

NAMES = ("a", "b")


def linear() -> DenseWeights:
    return DenseWeights(
        names=NAMES, centre=pack(np.array([1.0, 0.0]), "float32"), scale=pack(np.array([2.0, 1.0]), "float32"),
        linear=pack(np.array([0.5, -1.0]), "float32"), intercept=0.25, forests=(), mix=(2.0,), constant=1.0,
    )  # fmt: skip  # one thing


def test_the_linear_part_is_standardised_and_mixed() -> None:
    assert Dense(linear(), NAMES).one(np.array([3.0, 0.5], np.float32)) == pytest.approx(1 + 2 * (0.25 + 0.5 - 0.5))


def test_one_odd_number_does_not_run_away_with_it() -> None:
    far = Dense(linear(), NAMES).one(np.array([1e9, 0.0], np.float32))
    assert far == pytest.approx(1 + 2 * (0.25 + 0.5 * MOST_DEVIATIONS))


def test_features_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="fit it again"):
        Dense(linear(), ("a", "c"))


def test_parts_that_do_not_fit_are_refused() -> None:
    for wrong in (
        replace(linear(), mix=(1.0, 1.0)),
        replace(linear(), centre=pack(np.zeros(3), "float32")),
        replace(linear(), scale=pack(np.zeros(2), "float32")),
    ):
        with pytest.raises(ValueError, match="fit"):
            Dense(wrong, NAMES)


def test_what_is_fitted_is_calibrated_and_predicts_out_of_fold() -> None:
    generator = np.random.default_rng(8)
    rows = generator.normal(0, 1, (500, 2))
    gains = (generator.random(500) < 1 / (1 + np.exp(-2 * rows[:, 0]))).astype(float)
    weights, held = dense_of(rows, gains, NAMES, seed=3)
    model = Dense(weights, NAMES)
    seen = np.array([model.one(row) for row in rows.astype(np.float32)])
    assert held.mean() == pytest.approx(gains.mean(), abs=0.01)
    high = held > np.quantile(held, 0.8)
    assert held[high].mean() == pytest.approx(gains[high].mean(), abs=0.08)
    assert np.corrcoef(seen, rows[:, 0])[0, 1] > 0.8
    assert all(weight >= 0 for weight in weights.mix)
