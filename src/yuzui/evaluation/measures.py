"""How good an order of requests is: what share of the gap between two models is recovered for how many strong calls.

Definitions of the performance gap recovered (PGR), its average (APGR) and the call-performance threshold (CPT): Ong et
al., "RouteLLM", arXiv:2406.18665, section 3; here at every share, not at ten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def recovered(scores: Floats, gains: Floats) -> Floats:
    """PGR after 0, 1, …, n strong calls, those with the highest `scores` first; equal scores share their gains evenly.

    `gains`: strong minus weak per request. Raise `ValueError` when they sum to zero: then there is no gap to recover.
    """
    total = float(gains.sum())
    if not total:
        raise ValueError("both models are equally good on these examples: there is no gap to recover")
    order = np.argsort(-scores, kind="stable")
    _, groups = np.unique(-scores[order], return_inverse=True)
    means = np.bincount(groups, gains[order]) / np.bincount(groups)
    return np.concatenate(([0.0], np.cumsum(means[groups]))) / total


def apgr(scores: Floats, gains: Floats) -> float:
    """The area under `recovered`: 0.5 for a coin, 1 and more only by avoiding the strong model where it is worse."""
    curve = recovered(scores, gains)
    return float((curve[1:] + curve[:-1]).mean() / 2)


def calls_for(scores: Floats, gains: Floats, share: float) -> float:
    """CPT in percent: the least share of strong calls that recovers `share` of the gap."""
    curve = recovered(scores, gains)
    return 100.0 * float(np.argmax(curve >= share - 1e-12)) / (len(curve) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with the bounds of its bootstrap interval."""

    value: float
    low: float
    high: float


def apgr_interval(scores: Floats, gains: Floats, *, seed: int, redraws: int = 500, level: float = 0.95) -> Interval:
    """APGR with a percentile bootstrap interval over the requests; redraws without a gap are left out."""
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(redraws):
        rows = generator.integers(0, len(gains), len(gains))
        if gains[rows].sum() > 0:
            drawn.append(apgr(scores[rows], gains[rows]))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2]) if drawn else (np.nan, np.nan)
    return Interval(value=apgr(scores, gains), low=float(low), high=float(high))


def shared_of_best(certified: float, best: float) -> float:
    """Certified share of traffic over the best possible one; 1 when nothing is possible and nothing was certified."""
    return certified / best if best else float(certified == 0)
