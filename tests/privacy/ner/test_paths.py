"""Paths: the best of all there are, however sure the emissions."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from yuzui.privacy.ner.paths import best_paths


@pytest.mark.parametrize("spread", [0.05, 0.3, 1.0])
def test_the_best_path_is_the_best_of_all_paths(spread: float) -> None:
    random = np.random.default_rng(7)
    emissions = random.normal(size=(3, 5, 4)).astype(np.float32)
    transitions = (spread * random.normal(size=(4, 4))).astype(np.float32)  # the wider, the more is searched
    lengths = [5, 3, 1]
    paths = best_paths(emissions, lengths, transitions)
    for row, length in enumerate(lengths):

        def score(path: tuple[int, ...], row: int = row) -> float:
            steps = sum(emissions[row, at, tag] for at, tag in enumerate(path))
            return float(steps + sum(transitions[a, b] for a, b in pairwise(path)))

        best = max(product(range(4), repeat=length), key=score)
        assert tuple(paths[row, :length]) == best
