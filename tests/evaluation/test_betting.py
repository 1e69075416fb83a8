from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.betting import examples_needed, is_below, least_epsilon, wealth


def draw(seed: int, count: int, columns: int, up: float, down: float) -> npt.NDArray[np.float64]:
    """Losses of 1 with probability `up`, of -1 with probability `down`, else 0."""
    uniform = np.random.default_rng(seed).random((count, columns))
    return np.where(uniform < up, 1.0, np.where(uniform < up + down, -1.0, 0.0))


@pytest.mark.parametrize(
    ("up", "down"), [(0.02, 0.0), (0.05, 0.03), (0.16, 0.14), (0.51, 0.49)], ids=["rare", "some", "many", "all"]
)
@pytest.mark.parametrize("count", [50, 300, 1000])
def test_a_mean_of_epsilon_is_called_lower_in_a_tenth_of_the_cases_at_most(up: float, down: float, count: int) -> None:
    said = is_below(draw(7, count, 1500, up, down), 0.02, 0.1)
    assert said.mean() <= 0.1 + 3 * np.sqrt(0.09 / 1500)


def test_a_mean_that_grows_late_is_still_covered() -> None:
    # Losses in [0, 1] with mean exactly epsilon, spread unevenly: many nothings and a rare large one.
    uniform = np.random.default_rng(3).random((400, 1500))
    losses = np.where(uniform < 0.04, 0.5, 0.0)
    assert is_below(losses, 0.02, 0.1).mean() <= 0.1 + 3 * np.sqrt(0.09 / 1500)


def test_it_has_nearly_the_power_of_the_normal_approximation() -> None:
    losses = draw(11, 2000, 3000, 0.034, 0.026)  # mean 0.008
    ours = is_below(losses, 0.02, 0.1).mean()
    normal = (losses.mean(axis=0) + 1.2816 * losses.std(axis=0) / np.sqrt(2000) <= 0.02).mean()
    assert ours > normal - 0.06
    assert ours > 0.7


def test_losses_of_zero_pass_after_as_many_examples_as_the_largest_bet_needs() -> None:
    needed = examples_needed(0.0, 0.0, 0.02, 0.1)
    assert needed is not None
    assert is_below(np.zeros((needed, 1)), 0.02, 0.1)[0]
    assert not is_below(np.zeros((needed * 4 // 5, 1)), 0.02, 0.1)[0]


def test_wealth_is_never_lost_for_good_and_stops_at_its_target() -> None:
    assert np.isfinite(wealth(np.ones((500, 1)), 0.02, 0.1))[0]
    assert wealth(np.full((5000, 1), -1.0), 0.02, 0.1)[0] == pytest.approx(np.log(10), abs=1.0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60), st.floats(0.001, 0.9), st.floats(0.01, 0.5))
def test_any_losses_within_bounds_have_a_finite_wealth(values: list[float], epsilon: float, delta: float) -> None:
    assert np.isfinite(wealth(np.array(values)[:, None], epsilon, delta)).all()


@pytest.mark.parametrize("loss", [1.5, -1.01, float("nan"), float("inf")])
def test_losses_out_of_bounds_are_refused(loss: float) -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        is_below(np.array([[loss]]), 0.02, 0.1)


@pytest.mark.parametrize(("epsilon", "delta"), [(0.0, 0.1), (1.0, 0.1), (0.02, 0.0), (0.02, 1.0)])
def test_epsilon_and_delta_lie_between_zero_and_one(epsilon: float, delta: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        is_below(np.zeros((10, 1)), epsilon, delta)


def test_no_number_of_examples_certifies_a_loss_of_epsilon() -> None:
    assert examples_needed(0.02, 0.1, 0.02, 0.1) is None
    assert examples_needed(0.05, 0.1, 0.02, 0.1) is None


def test_as_many_examples_as_it_says_pass_in_four_of_five_cases() -> None:
    needed = examples_needed(0.01, 0.10 - 0.0001, 0.02, 0.1)
    assert needed is not None
    assert 4_500 < needed < 5_500  # (1.2816 + 0.8416)^2 * 0.1 / 0.01^2, and a tenth more
    passed = is_below(draw(5, needed, 400, 0.055, 0.045), 0.02, 0.1).mean()
    assert 0.70 < passed < 0.92


@pytest.mark.parametrize(
    ("examples", "mean", "variance"), [(100, 0.0, 0.0), (100, 0.02, 0.0196), (2_500, 0.01, 0.0099)]
)
def test_the_smallest_epsilon_is_the_one_that_needs_as_many_examples(
    examples: int, mean: float, variance: float
) -> None:
    epsilon = least_epsilon(examples, mean, variance, 0.07)
    just, less = examples_needed(mean, variance, epsilon, 0.07), examples_needed(mean, variance, epsilon * 0.98, 0.07)
    assert just is not None and just <= examples
    assert less is None or less > examples


def test_hardly_any_examples_certify_nothing() -> None:
    assert least_epsilon(1, 0.0, 0.0, 0.1) > 0.9
