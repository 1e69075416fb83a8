from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from yuzui.evaluation.fit_parts import forest_of
from yuzui.routing.forest import Forest, ForestWeights
from yuzui.routing.tensors import pack


def stump(threshold: float = 0.5) -> ForestWeights:
    """Two trees: 10 or 20 by the first number, and a leaf of 1; half of their sum, and 100."""
    return ForestWeights(
        features=pack(np.array([0, 0, 0, 0]), "int16"), thresholds=pack(np.array([threshold, 0, 0, 0]), "float32"),
        left=pack(np.array([1, 1, 2, 3]), "int32"), right=pack(np.array([2, 1, 2, 3]), "int32"),
        values=pack(np.array([0, 10, 20, 1]), "float32"), roots=pack(np.array([0, 3]), "int32"), depth=1, base=100.0,
        factor=0.5,
    )  # fmt: skip  # one thing


def test_a_row_at_the_threshold_goes_left() -> None:
    forest = Forest(stump(), 1)
    assert forest.one(np.array([0.5], np.float32)) == 105.5
    assert forest.one(np.array([0.500001], np.float32)) == 110.5


@pytest.mark.parametrize("boosted", [True, False])
def test_it_predicts_what_scikit_learn_predicts(boosted: bool) -> None:
    generator = np.random.default_rng(4)
    rows = generator.normal(0, 1, (300, 6)).astype(np.float32).astype(np.float64)
    rows[:, 0] = np.round(rows[:, 0])  # many rows exactly at a threshold's side
    gains = np.sin(rows[:, 0]) + rows[:, 1] * rows[:, 2] + generator.normal(0, 0.1, 300)
    weights, predict = forest_of(rows, gains, boosted=boosted, seed=1)
    ours = Forest(weights, 6).many(rows.astype(np.float32))
    assert np.abs(ours - predict(rows)).max() < 1e-4


@pytest.mark.parametrize("name", ["left", "right", "roots", "features"])
def test_a_forest_that_points_outside_itself_is_refused(name: str) -> None:
    wrong = replace(stump(), **{name: pack(np.array([0, 9, 0, 0]), "int32")})
    with pytest.raises(ValueError, match=r"outside|lengths"):
        Forest(wrong, 1)


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths"):
        Forest(replace(stump(), values=pack(np.zeros(3), "float32")), 1)


@pytest.mark.parametrize("depth", [-1, 65])
def test_a_depth_without_bound_is_refused(depth: int) -> None:
    with pytest.raises(ValueError, match="deep"):
        Forest(replace(stump(), depth=depth), 1)
