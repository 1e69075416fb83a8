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
    for _ in range(REDRAWS):
        rows = generator.integers(0, len(population.losses), count)
        for way, place in _certified(population, rows, epsilon).items():
            drawn[way].append(place)
    return {
        "set": corpus.name, "policy": policy, "epsilon": epsilon, "delta": DELTA, "n": count, "redraws": REDRAWS,
        "population": len(population.losses), "best_open": best,
        **{way: _summary(np.array(places), losses, opens, epsilon, best) for way, places in drawn.items()},
    }  # fmt: skip  # one thing


def _certified(population: Routed, rows: Any, epsilon: float) -> dict[str, int]:  # Any: indices
    """Per way: the place of the boldest threshold that it would promise, -1 for none."""
    losses = population.losses[rows]
    naive = np.flatnonzero(losses.mean(axis=0) <= epsilon)
    return {
        "ours": int(np.logical_and.accumulate(is_below(losses, epsilon, RESERVE * DELTA)).sum()) - 1,
        "growth": int(np.logical_and.accumulate(_growth(losses, epsilon)).sum()) - 1,
        "normal": int(np.logical_and.accumulate(_normal(losses) <= epsilon).sum()) - 1,
        "naive": int(naive[-1]) if len(naive) else -1,
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
