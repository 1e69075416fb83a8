from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from yuzui.evaluation.certify import FEWEST_EXAMPLES, cascade, certify, route

Floats = npt.NDArray[np.float64]


def world(seed: int, count: int) -> tuple[Floats, Floats]:
    """Predicted gains in [0, 1] and losses whose chance is the square of them: at threshold t the mean loss is t^3 / 3."""
    generator = np.random.default_rng(seed)
    predicted = generator.random(count)
    return predicted, (generator.random(count) < predicted**2).astype(np.float64)


GRID = np.linspace(0.02, 1.0, 50)


def one(predicted: Floats, losses: Floats, seed: int = 0, epsilon: float = 0.02) -> float:
    """The certified threshold, 0 for none."""
    count = len(predicted)
    routed = route(predicted[:, None], GRID, np.zeros((count, 1)), losses[:, None], np.ones(count))
    best = certify(routed, GRID, epsilon=epsilon, delta=0.1, seed=seed).best
    return best.threshold if best else 0.0


def test_the_promise_is_broken_in_a_tenth_of_the_redraws_at_most_and_most_of_what_is_possible_is_promised() -> None:
    largest = (3 * 0.02) ** (1 / 3)  # where the true loss is epsilon
    certified = np.array([one(*world(seed, 2000), seed=seed) for seed in range(80)])
    assert (certified > largest).mean() <= 0.1 + 2 * np.sqrt(0.09 / 80)
    assert certified.mean() > 0.8 * largest


def test_the_boldest_threshold_that_looks_good_breaks_its_promise_far_more_often() -> None:
    largest = (3 * 0.02) ** (1 / 3)
    broken = 0
    for seed in range(80):
        predicted, losses = world(seed, 2000)
        observed = np.array([(losses * (predicted <= threshold)).mean() for threshold in GRID])
        broken += GRID[np.flatnonzero(observed <= 0.02)[-1]] > largest
    assert broken / 80 > 0.25


def test_testing_stops_at_the_first_threshold_that_fails() -> None:
    # Bad at first, good later: what comes after a failure is not promised, however good it looks.
    predicted = np.concatenate((np.full(200, 0.05), np.full(1800, 0.5)))
    losses = np.concatenate((np.ones(200), np.full(1800, -1.0)))
    assert one(predicted, losses) < 0.05


def test_too_few_examples_promise_nothing() -> None:
    predicted, losses = np.zeros(FEWEST_EXAMPLES - 1), np.full(FEWEST_EXAMPLES - 1, -1.0)
    assert one(predicted, losses, epsilon=0.5) == 0.0
    assert one(np.zeros(FEWEST_EXAMPLES), np.full(FEWEST_EXAMPLES, -1.0), epsilon=0.5) == 1.0


def test_what_is_not_passed_says_how_many_examples_it_would_take() -> None:
    predicted, losses = world(1, 300)
    routed = route(predicted[:, None], GRID, np.zeros((300, 1)), losses[:, None], np.ones(300))
    findings = certify(routed, GRID, epsilon=0.02, delta=0.1, seed=0)
    assert findings.rules[-1].needed is None  # a loss of a third: no number would do
    careful = next(rule for rule in findings.rules if not rule.passed)
    assert careful.needed is not None
    assert careful.needed > 100


def test_the_cheapest_candidate_that_is_good_enough_answers_and_infinity_keeps_a_request_away() -> None:
    gains = np.array([[0.5, 0.1], [0.0, 0.0], [np.inf, np.inf]])
    costs, losses = np.array([[1.0, 2.0]] * 3), np.array([[0.9, 0.2], [0.3, 0.4], [1.0, 1.0]])
    routed = route(gains, np.array([0.2]), costs, losses, np.full(3, 10.0))
    assert routed.losses[:, 0].tolist() == [0.2, 0.3, 0.0]
    assert routed.costs[:, 0].tolist() == [2.0, 1.0, 10.0]
    assert routed.is_open[:, 0].tolist() == [True, True, False]


def test_a_cascade_pays_for_every_call() -> None:
    gains = np.array([0.1, 0.9, np.inf])
    routed = cascade(gains, np.array([0.5]), np.array([1.0, 1.0, 1.0]), np.array([0.5, 0.7, 0.8]), np.full(3, 10.0))
    assert routed.costs[:, 0].tolist() == [1.0, 11.0, 10.0]
    assert routed.losses[:, 0].tolist() == [0.5, 0.0, 0.0]


def test_the_order_of_the_examples_depends_on_the_seed_alone() -> None:
    predicted, losses = world(9, 500)
    assert one(predicted, losses, seed=4) == one(predicted, losses, seed=4)


def test_no_cost_of_the_reference_means_no_saving() -> None:
    routed = cascade(np.zeros(40), np.array([0.5]), np.zeros(40), np.zeros(40), np.zeros(40))
    assert certify(routed, np.array([0.5]), epsilon=0.5, delta=0.1, seed=0).rules[0].saving == pytest.approx(0.0)
