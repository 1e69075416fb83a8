"""Does the promise hold? Calibration sets are redrawn 200 times from outcomes that fitting never saw.

The outcomes of `calib` and `public_test` together are the population: its loss at every threshold is known, so a
promise that was broken is seen. Drawn with replacement. Beside ours, on the same redraws: the naive way (the boldest
threshold whose observed loss is at most epsilon), bets that aim at growth, as Waudby-Smith and Ramdas have them, and
the normal approximation, which promises nothing for sure but shows about how much any bound could certify.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from routing_bench.corpora import Corpus
from routing_bench.measured import SEED, costs_of
from yuzui.evaluation.betting import is_below
from yuzui.evaluation.certify import RESERVE, Floats, Routed
from yuzui.evaluation.measures import shared_of_best
from yuzui.evaluation.promise import routed_by, thresholds_of
from yuzui.routing.artefact import Policy
from yuzui.routing.learned import Learned

REDRAWS = 200
DELTA = 0.1
AT_ONCE = 20
"""Redraws whose bets are made side by side: a step of one costs hardly less than a step of all."""


def guarantee(router: Learned, corpus: Corpus, policy: Policy, epsilon: float, count: int) -> dict[str, Any]:
    """Shares of the redraws in which the promise was broken, and of the best possible open share that was certified."""
    thresholds = thresholds_of(router, policy, corpus.candidate.name)
    population = routed_by(
        router, corpus.part("calib", "test"), policy, corpus.candidate.name, thresholds, costs_of(corpus)
    )
    losses, opens = population.losses.mean(axis=0), population.is_open.mean(axis=0)
    best = float(opens[losses <= epsilon].max(initial=0.0))
    generator = np.random.default_rng(SEED)
    drawn: dict[str, list[int]] = {"ours": [], "growth": [], "normal": [], "naive": []}
    for _ in range(REDRAWS // AT_ONCE):
        rows = [generator.integers(0, len(population.losses), count) for _ in range(AT_ONCE)]
        for way, places in _certified(population, rows, epsilon).items():
            drawn[way] += places
    return {
        "set": corpus.name, "policy": policy, "epsilon": epsilon, "delta": DELTA, "n": count, "redraws": REDRAWS,
        "population": len(population.losses), "best_open": best,
        **{way: _summary(np.array(places), losses, opens, epsilon, best) for way, places in drawn.items()},
    }  # fmt: skip  # one thing


def _certified(population: Routed, draws: list[Any], epsilon: float) -> dict[str, list[int]]:  # Any: indices
    """Per way and draw: the place of the boldest threshold that it would promise, -1 for none."""
    losses = np.hstack([population.losses[rows] for rows in draws])
    passed = {
        "ours": is_below(losses, epsilon, RESERVE * DELTA), "growth": _growth(losses, epsilon),
        "normal": _normal(losses) <= epsilon,
    }  # fmt: skip  # one thing
    good = np.split(losses.mean(axis=0) <= epsilon, len(draws))
    return {
        **{
            way: [int(np.logical_and.accumulate(one).sum()) - 1 for one in np.split(said, len(draws))]
            for way, said in passed.items()
        },
        "naive": [int(np.flatnonzero(one)[-1]) if one.any() else -1 for one in good],
    }


def _normal(losses: Floats) -> Floats:
    """Upper bounds."""
    bounds: Floats = losses.mean(axis=0) + NormalDist().inv_cdf(1 - DELTA) * losses.std(axis=0) / np.sqrt(len(losses))
    return bounds


def _growth(losses: Floats, epsilon: float) -> Any:  # Any: booleans
    """Predictable plug-in bets of hedged capital, with the same bound on what may be lost."""
    count, rules = losses.shape
    logs, highest = np.zeros(rules), np.zeros(rules)
    mean, square = np.zeros(rules), np.full(rules, 0.25)
    for step in range(count):
        bet = np.minimum(np.sqrt(2 * np.log(1 / DELTA) / (count * square)), 0.75 / (1 - epsilon))
        logs += np.log1p(bet * (epsilon - losses[step]))
        highest = np.maximum(highest, logs)
        mean = (mean * (step + 1) + losses[step]) / (step + 2)
        square = np.maximum((square * (step + 1) + (losses[step] - mean) ** 2) / (step + 2), 1e-3)
    return highest >= np.log(1 / DELTA)


def _summary(
    places: Any, losses: Floats, opens: Floats, epsilon: float, best: float
) -> dict[str, float]:  # Any: indices
    chosen = places >= 0
    broken = chosen & (losses[places] > epsilon)
    share = np.where(chosen, opens[places], 0.0)
    return {
        "violations": float(broken.mean()), "certified_share": float(share.mean()),
        "of_best": shared_of_best(float(share.mean()), best), "nothing": float((~chosen).mean()),
    }  # fmt: skip  # one thing
