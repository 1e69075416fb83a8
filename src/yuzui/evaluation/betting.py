"""Is the mean of bounded losses at most epsilon? A game that cannot be won when it is not, played on the examples.

Wealth starts at one. Before each loss is seen, a part of it is bet on the loss being below epsilon; if the true mean is
epsilon or more, wealth cannot grow in expectation, so it reaches 1/delta with probability delta at most (Ville). No
distribution, no variance and no number of examples is assumed; only that examples are drawn alike and independently.

The bound is the hedged-capital one of Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting" (JRSS B 86, 2024), with other bets. Theirs aim at growth for ever; ours know how many examples there are, and
bet what a trader would hold who replicates the claim "1/delta if the test is passed at the end, else nothing". Aiming
at what is left to win in the rounds that are left is the idea of Voracek and Orabona, "STaR-Bets", arXiv:2505.22422.
Any bets that look only at the past are valid; these have almost the power of the normal approximation, whose promise,
unlike this one, does not hold.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOWEST_LOSS: Final = -1.0
HIGHEST_LOSS: Final = 1.0
LARGEST_BET: Final = 0.9
"""Share of the wealth that the worst possible loss may take: below one, so that nothing is ever lost for good."""
OVERSHOOT: Final = 1.05
"""The claim is for a little more than 1/delta, because wealth moves in steps."""
EARLINESS: Final = 0.98
"""The claim falls due a little before the last example, for the same reason."""
PRIOR_EXAMPLES: Final = 25.0
PRIOR_SQUARE: Final = 0.1
"""What the square of (epsilon - loss) is taken to be before anything was seen, worth so many examples."""


def is_below(losses: Floats, epsilon: float, delta: float) -> npt.NDArray[np.bool_]:
    """For each column of `losses` (examples x rules, in [-1, 1]): does the bet reach 1/delta before the examples end?

    A column whose true mean is at least `epsilon` says yes with probability `delta` at most. Raise `ValueError` for
    losses out of bounds or that are no numbers.
    """
    reaches: npt.NDArray[np.bool_] = wealth(losses, epsilon, delta) >= np.log(1 / delta)
    return reaches


def wealth(losses: Floats, epsilon: float, delta: float) -> Floats:
    """The logarithm of the wealth of each column when it stops: at 1/delta, or at the last example."""
    _check(losses, epsilon, delta)
    count, rules = losses.shape
    grid, ratios = _claims()
    target = float(np.log(1 / delta))
    largest = LARGEST_BET / (HIGHEST_LOSS - epsilon)
    log_wealth = np.zeros(rules)
    squares = np.full(rules, PRIOR_EXAMPLES * PRIOR_SQUARE)
    is_open = np.ones(rules, bool)
    for step in range(count):
        left = max(count * EARLINESS - step, 1.0)
        deviation = np.sqrt(np.maximum(squares / (PRIOR_EXAMPLES + step), 1e-4))
        held = np.interp(log_wealth - target - np.log(OVERSHOOT), grid, ratios)
        bet = np.minimum(held / (deviation * np.sqrt(left)), largest)
        won = epsilon - losses[step]
        log_wealth += np.where(is_open, np.log1p(bet * won), 0.0)
        is_open &= log_wealth < target
        squares += won * won
        if not is_open.any():
            break
    return log_wealth


def examples_needed(mean: float, variance: float, epsilon: float, delta: float, power: float = 0.8) -> int | None:
    """About how many examples pass the test with probability `power`, if `mean` and `variance` are the true ones.

    None when the mean is not below epsilon: then no number is enough. By the normal approximation, with a tenth more
    for what the bets lose against it.
    """
    room = epsilon - mean
    if room <= 0:
        return None
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - delta) + normal.inv_cdf(power)
    by_variance = 1.1 * quantiles**2 * max(variance, 1e-6) / room**2
    largest = LARGEST_BET / (HIGHEST_LOSS - epsilon)
    by_bound = 1.15 * np.log(1 / delta) / np.log1p(largest * epsilon)  # no loss at all; bets begin below the largest
    return int(np.ceil(max(by_variance, by_bound)))


def least_epsilon(examples: int, mean: float, variance: float, delta: float) -> float:
    """The smallest epsilon that so many examples pass by `examples_needed`; 1 when none does.

    With `mean` and `variance` 0: what no number of right answers gets below.
    """
    low, high = max(mean, 0.0), HIGHEST_LOSS
    for _ in range(50):
        middle = (low + high) / 2
        needed = examples_needed(mean, variance, middle, delta)
        low, high = (low, middle) if needed is not None and needed <= examples else (middle, high)
    return high


def _check(losses: Floats, epsilon: float, delta: float) -> None:
    if losses.ndim != 2:
        raise ValueError(f"losses must be examples x rules, not of {losses.ndim} dimensions")
    if not 0 < epsilon < HIGHEST_LOSS or not 0 < delta < 1:
        raise ValueError("epsilon and delta must lie between 0 and 1")
    if not np.all((losses >= LOWEST_LOSS) & (losses <= HIGHEST_LOSS)):  # also false for what is no number
        raise ValueError("a loss is a difference of two scores in [0, 1], so it lies in [-1, 1]")


@lru_cache(maxsize=1)
def _claims() -> tuple[Floats, Floats]:
    """Logarithm of the price of a claim for 1, and how much of its price a standard deviation moves it."""
    normal = NormalDist()
    grid = np.linspace(np.log(1e-12), np.log(0.9999), 4000)
    prices = np.exp(grid)
    return grid, np.array([normal.pdf(normal.inv_cdf(price)) / price for price in prices])
