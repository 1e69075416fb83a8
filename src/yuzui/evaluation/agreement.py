"""How far people who labelled the same things agree, beyond chance: Cohen's kappa, Krippendorff's alpha."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final, Literal

Measure = Literal["nominal", "interval"]


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Of two annotators, one pair of labels per item; None where chance alone already agrees always, or without items.

    Source: Cohen, "A coefficient of agreement for nominal scales", 1960.
    """
    if not pairs:
        return None
    count = len(pairs)
    observed = sum(left == right for left, right in pairs) / count
    first, second = Counter(left for left, _ in pairs), Counter(right for _, right in pairs)
    expected = sum(first[label] * second[label] for label in first) / (count * count)
    return None if expected == 1.0 else (observed - expected) / (1 - expected)


def krippendorffs_alpha(units: Sequence[Sequence[str | float]], measure: Measure = "nominal") -> float | None:
    """Of any number of annotators with gaps: the labels that each item got. Items with fewer than two are left out.

    None where nothing can be said: no item with two labels, or all labels the same. `interval` takes numbers and
    squares their differences. Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011.
    """
    weights: dict[tuple[str | float, str | float], float] = {}
    for unit in units:
        if len(unit) < 2:
            continue
        counts = Counter(unit)
        for left, left_count in counts.items():
            for right, right_count in counts.items():
                pairs = left_count * (right_count - (left == right))
                weights[left, right] = weights.get((left, right), 0.0) + pairs / (len(unit) - 1)
    totals: dict[str | float, float] = {}
    for (left, _), weight in weights.items():
        totals[left] = totals.get(left, 0.0) + weight
    total = sum(totals.values())
    if total <= 1:
        return None
    distance = DISTANCES[measure]
    observed = sum(weight * distance(left, right) for (left, right), weight in weights.items()) / total
    expected = sum(totals[left] * totals[right] * distance(left, right) for left in totals for right in totals) / (
        total * (total - 1)
    )
    return None if expected == 0 else 1 - observed / expected


def _nominal(left: str | float, right: str | float) -> float:
    return float(left != right)


def _interval(left: str | float, right: str | float) -> float:
    return (float(left) - float(right)) ** 2


DISTANCES: Final[Mapping[Measure, Callable[[str | float, str | float], float]]] = {
    "nominal": _nominal,
    "interval": _interval,
}


def pairwise_kappas(labels: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], tuple[int, float | None]]:
    """Annotator → item → label; for each two of them: how many items both labelled, and Cohen's kappa there."""
    found = {}
    for left, right in combinations(sorted(labels), 2):
        both = sorted(labels[left].keys() & labels[right].keys())
        found[left, right] = len(both), cohens_kappa([(labels[left][item], labels[right][item]) for item in both])
    return found


def units_of(labels: Mapping[str, Mapping[str, str]]) -> list[list[str]]:
    """Annotator → item → label, turned round: the labels of each item."""
    items = sorted({item for given in labels.values() for item in given})
    return [[given[item] for given in labels.values() if item in given] for item in items]
