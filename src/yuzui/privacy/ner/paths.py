"""The best tag of each character: Viterbi's search, run only where the emissions leave a choice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

_ROUNDING: Final = 1e-4
"""Emissions have 24 bits: what lies so near to the bound is searched too."""


def best_paths(emissions: Array, lengths: Sequence[int], transitions: Array) -> Array:
    """The best tag of each character. Shapes: (batch, time, tags), (tags, tags) → (batch, time).

    `transitions[i, j]` is the score of `j` after `i`. What lies beyond a sequence's length means nothing.

    Exact: a tag cannot lie on the best path when another one, put in its place, gains more than the two transitions
    beside it can lose. Where the model is sure that leaves one tag, and only the characters between are searched.
    """
    spread = float(transitions.max() - transitions.min())
    path: Array = emissions.argmax(axis=2)
    top = np.take_along_axis(emissions, path[:, :, None], axis=2)
    rivals = emissions >= top - (2 * spread + _ROUNDING)
    within = np.arange(emissions.shape[1]) < np.asarray(lengths)[:, None]
    rivals &= (within & (np.count_nonzero(rivals, axis=2) > 1))[:, :, None]
    rows, steps, tags = np.nonzero(rivals)
    if not len(rows):
        return path
    scores = transitions.tolist()
    for run in _runs(rows.tolist(), steps.tolist(), tags.tolist(), emissions[rows, steps, tags].tolist()):
        row, start, end = run.row, run.start, run.start + len(run.choices)
        before = int(path[row, start - 1]) if start else None
        after = int(path[row, end]) if end < lengths[row] else None
        path[row, start:end] = _search(run.choices, run.gains, before, after, scores)
    return path


class _Run(NamedTuple):
    """Steps that follow each other, with the tags that each may have and what these gain."""

    row: int
    start: int
    choices: list[list[int]]
    gains: list[list[float]]


def _runs(rows: list[int], steps: list[int], tags: list[int], gains: list[float]) -> list[_Run]:
    found: list[_Run] = []
    last = (-1, -1)
    for row, step, tag, gain in zip(rows, steps, tags, gains, strict=True):
        if (row, step) != last:
            if (row, step - 1) != last:
                found.append(_Run(row, step, [], []))
            found[-1].choices.append([])
            found[-1].gains.append([])
            last = (row, step)
        found[-1].choices[-1].append(tag)
        found[-1].gains[-1].append(gain)
    return found


def _search(
    choices: list[list[int]], gains: list[list[float]], before: int | None, after: int | None, scores: list[list[float]]
) -> list[int]:
    """The best of `choices` per step, between two tags that are settled (None at the ends of a sequence)."""
    first = choices[0]
    best = [
        gain + (scores[before][tag] if before is not None else 0.0) for tag, gain in zip(first, gains[0], strict=True)
    ]
    backs: list[list[int]] = []
    for tags, own, came in zip(choices[1:], gains[1:], choices, strict=False):
        reached: list[float] = []
        back: list[int] = []
        for tag, gain in zip(tags, own, strict=True):
            ways = [score + scores[previous][tag] for score, previous in zip(best, came, strict=True)]
            most = max(ways)
            back.append(ways.index(most))
            reached.append(most + gain)
        best = reached
        backs.append(back)
    if after is not None:
        best = [score + scores[tag][after] for score, tag in zip(best, choices[-1], strict=True)]
    at = best.index(max(best))
    path = [choices[-1][at]]
    for tags, back in zip(reversed(choices[:-1]), reversed(backs), strict=True):
        at = back[at]
        path.append(tags[at])
    return path[::-1]
