"""Which of many thresholds may be promised: Learn-then-Test in a fixed order, on examples that fitting never saw.

Thresholds are fixed before the calibration examples are looked at, and tested from the most careful to the boldest. The
first that is not passed ends it. So the chance that anything wrong is promised is delta, however many are tested: a
wrong promise needs the first wrong threshold of the order to pass (Angelopoulos, Bates, Candes, Jordan and Lei, "Learn
then Test", arXiv:2110.01052, section 2.3).

The order in which the examples are bet on is drawn from the hash of the data: it may not depend on what they say, and a
second run must come to the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from yuzui.evaluation.betting import examples_needed, is_below

Floats = npt.NDArray[np.float64]

METHOD: Final = "learn-then-test, fixed sequence, betting (hedged capital, bets for a fixed horizon, at 0.7 delta)"
RESERVE: Final = 0.7
"""Thresholds are tested at this part of delta. A test that fails in exactly delta of all cases is seen to fail more
often than that in every other audit of it; what the reserve costs is one or two points of the certified share."""
FEWEST_EXAMPLES: Final = 30
"""With fewer a promise is refused whatever they say: nobody can look at a slice of them and see that they are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """What each rule of a family would have done with each calibration example. All arrays: examples x rules."""

    losses: Floats
    """Score of the reference minus score of what answers, in [-1, 1]: 0 where the reference answers."""
    costs: Floats
    """Of all calls, in any one currency."""
    is_open: npt.NDArray[np.bool_]
    reference_costs: Floats
    """Per example: of always asking the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """One rule on the calibration examples."""

    threshold: float
    passed: bool
    """It and every more careful one was passed: it may be promised."""
    loss: float
    """Mean, as observed."""
    open_share: float
    saving: float
    """Of the costs of always asking the reference, all calls counted; negative when it costs more."""
    needed: int | None
    """Examples that would pass it in four of five cases if these observations were the truth; None: no number would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What can be promised, and what cannot."""

    best: RuleFacts | None
    """The boldest rule that passed; None: only the reference is safe."""
    rules: tuple[RuleFacts, ...]
    examples: int


def certify(routed: Routed, thresholds: Floats, *, epsilon: float, delta: float, seed: int) -> Findings:
    """Test `thresholds` in their order. `seed` orders the examples; it must come from elsewhere than their outcomes."""
    count = len(routed.losses)
    order = np.random.default_rng(seed).permutation(count)
    if count < FEWEST_EXAMPLES:
        passed = np.zeros(len(thresholds), bool)
    else:
        passed = np.logical_and.accumulate(is_below(routed.losses[order], epsilon, RESERVE * delta))
    reference = float(routed.reference_costs.sum())
    rules = tuple(
        RuleFacts(
            threshold=float(threshold), passed=bool(passed[rule]), loss=float(routed.losses[:, rule].mean()),
            open_share=float(routed.is_open[:, rule].mean()),
            saving=1 - float(routed.costs[:, rule].sum()) / reference if reference else 0.0,
            needed=examples_needed(
                float(routed.losses[:, rule].mean()), float(routed.losses[:, rule].var()), epsilon, RESERVE * delta
            ),
        )
        for rule, threshold in enumerate(thresholds)
    )  # fmt: skip
    last = int(passed.sum()) - 1
    best = rules[last] if last >= 0 and rules[last].open_share > 0 else None
    return Findings(best=best, rules=rules, examples=count)


def route(gains: Floats, thresholds: Floats, costs: Floats, losses: Floats, reference_costs: Floats) -> Routed:
    """The family "the cheapest candidate whose predicted gain of the reference is at most t, else the reference".

    `gains`, `costs`, `losses`: examples x candidates, the candidates from the cheapest to the dearest. A gain of
    infinity keeps a request from a candidate whatever the threshold.
    """
    examples, candidates = gains.shape
    shape = (examples, len(thresholds))
    routed_losses, routed_costs = np.zeros(shape), np.repeat(reference_costs[:, None], len(thresholds), 1)
    is_open = np.zeros(shape, bool)
    for candidate in range(candidates):
        takes = ~is_open & (gains[:, candidate, None] <= thresholds[None, :])
        routed_losses = np.where(takes, losses[:, candidate, None], routed_losses)
        routed_costs = np.where(takes, costs[:, candidate, None], routed_costs)
        is_open |= takes
    return Routed(losses=routed_losses, costs=routed_costs, is_open=is_open, reference_costs=reference_costs)


def cascade(gains: Floats, thresholds: Floats, costs: Floats, losses: Floats, reference_costs: Floats) -> Routed:
    """The family "the candidate answers; kept if the predicted gain is at most t, else the reference is asked".

    All per example. `costs`: of the candidate and of every check; they are paid in any case, except where the gain is
    infinite: there the candidate is not asked at all.
    """
    keeps = gains[:, None] <= thresholds[None, :]
    tried = np.where(np.isfinite(gains), costs, 0.0)
    return Routed(
        losses=np.where(keeps, losses[:, None], 0.0),
        costs=tried[:, None] + np.where(keeps, 0.0, reference_costs[:, None]),
        is_open=keeps,
        reference_costs=reference_costs,
    )
