"""Is a request like the ones that a router was fitted on? Distances from the examples, ranked, as a conformal p-value.

How far its numbers are from theirs (Mahalanobis), how little of its text they can say, and how undecided it is between
their topics, if they have any. Each distance is ranked among those of examples that had no part in fitting it; the
ranks are multiplied (Fisher), and the product is ranked among theirs. The p-value of a request that is one of their
kind is uniform (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, chapter 2).

Routers fitted before had neighbours instead of topics, and the smallest of three ranks counted three times.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.tensors import Tensor, unpack

Floats = npt.NDArray[np.float32]

NEIGHBOURS: Final = 5
MOST_DEVIATIONS: Final = 12.0


class LikenessWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Defaults are omitted so that a router of before keeps its hash when it is certified again."""

    names: tuple[str, ...]
    centre: Tensor
    scale: Tensor
    whitening: Tensor
    """surface x surface: the inverse square root of their correlation, shrunk."""
    prototypes: Tensor | None = None
    """examples x dimensions, of unit length: only in routers of before."""
    distances: Tensor
    """ranks x distances, each column ascending: of examples that had no part in the fit."""
    share_unlike: float
    """A p-value below this is unlike: about this share of requests of the very same kind is turned away."""
    oddness: Tensor | None = None
    """Ascending: `oddness_of` the same examples. None in routers of before."""


class Likeness:
    """Raise `ValueError` for weights that do not fit."""

    def __init__(self, weights: LikenessWeights, names: tuple[str, ...], dimensions: int, topics: int) -> None:
        if weights.names != names:
            raise ValueError("it was fitted on other features than this version computes: fit it again")
        width = len(names)
        self._centre, self._scale = unpack(weights.centre), unpack(weights.scale)
        self._whitening = unpack(weights.whitening)
        ranks = unpack(weights.distances)
        shapes = (self._centre.shape, self._scale.shape, self._whitening.shape)
        if shapes != ((width,), (width,), (width, width)) or not np.all(self._scale > 0):
            raise ValueError("the likeness does not fit its features")
        if (weights.prototypes is None) == (weights.oddness is None):
            raise ValueError("the likeness must have either prototypes or ranks of oddness to fit")
        self._prototypes = unpack(weights.prototypes) if weights.prototypes is not None else None
        self._oddness = unpack(weights.oddness) if weights.oddness is not None else None
        if self._prototypes is not None and (
            self._prototypes.ndim != 2 or self._prototypes.shape[1] != dimensions or not len(self._prototypes)
        ):
            raise ValueError("the prototypes do not fit the encoder")
        columns = 3 if self._prototypes is not None or topics else 2
        if ranks.ndim != 2 or ranks.shape[1] != columns or not len(ranks) or np.any(np.diff(ranks, axis=0) < 0):
            raise ValueError(f"the distances must be {columns} ascending columns")
        if self._oddness is not None and (self._oddness.shape != (len(ranks),) or np.any(np.diff(self._oddness) < 0)):
            raise ValueError("the ranks of oddness must be ascending and fit the distances")
        if not 0 <= weights.share_unlike < 1:
            raise ValueError("the share that counts as unlike must lie in [0, 1)")
        self._ranks = [np.ascontiguousarray(ranks[:, column]) for column in range(columns)]
        self.share_unlike = weights.share_unlike

    def p_value(self, surface: Floats, vector: Floats, energy: float, topics: Floats) -> float:
        """Near 1 for the most ordinary request, near 0 for one that is unlike all examples."""
        distances = distances_of(
            surface, energy, topics, centre=self._centre, scale=self._scale, whitening=self._whitening
        )
        if self._prototypes is not None:
            distances = (*distances[:2], _from_neighbours(vector, self._prototypes))
            return min(1.0, 3 * min(_rank(ranked, one) for ranked, one in zip(self._ranks, distances, strict=True)))
        assert self._oddness is not None  # as the constructor saw
        return _rank(self._oddness, oddness_of(self._ranks, distances))


def distances_of(
    surface: Floats, energy: float, topics: Floats, *, centre: Floats, scale: Floats, whitening: Floats
) -> tuple[float, ...]:
    """How far the numbers and the text are, and, where there are topics, their entropy: larger is farther."""
    deviations = np.clip((surface - centre) / scale, -MOST_DEVIATIONS, MOST_DEVIATIONS) @ whitening
    known = float(np.sqrt(deviations @ deviations)), 1.0 - energy
    return (*known, -float(topics @ np.log(topics + np.float32(1e-9)))) if len(topics) else known


def oddness_of(ranks: list[Floats], distances: tuple[float, ...]) -> float:
    """Minus the logarithm of the product of the ranks."""
    return -sum(float(np.log(_rank(ranked, one))) for ranked, one in zip(ranks, distances, strict=True))


def _rank(ranked: Floats, value: float) -> float:
    """Which part of `ranked` (ascending) and of the value itself is at least as large."""
    farther = len(ranked) - int(np.searchsorted(ranked, np.float32(value)))
    return (farther + 1) / (len(ranked) + 1)


def _from_neighbours(vector: Floats, prototypes: Floats) -> float:
    likes = prototypes @ vector
    near = min(NEIGHBOURS, len(likes))
    return 1.0 - float(np.partition(likes, len(likes) - near)[len(likes) - near :].mean())
