"""Is a request like the ones that a router was fitted on? Three distances, each as a conformal p-value.

How far its numbers are from theirs (Mahalanobis), how little of its text they can say, and how far its nearest
neighbours among them are. Each distance is ranked among those of examples that had no part in fitting it; a request
that is one of their kind has a rank that is uniform (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random
World", 2005, chapter 2). Three ranks, so the smallest counts three times (Bonferroni).
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


class LikenessWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    names: tuple[str, ...]
    centre: Tensor
    scale: Tensor
    whitening: Tensor
    """surface x surface: the inverse square root of their correlation, shrunk."""
    prototypes: Tensor
    """examples x dimensions, of unit length."""
    distances: Tensor
    """ranks x 3, each column ascending: of examples that had no part in the fit."""
    share_unlike: float
    """A p-value below this is unlike: about this share of requests of the very same kind is turned away."""


class Likeness:
    """Raise `ValueError` for weights that do not fit."""

    def __init__(self, weights: LikenessWeights, names: tuple[str, ...], dimensions: int) -> None:
        if weights.names != names:
            raise ValueError("it was fitted on other features than this version computes: fit it again")
        width = len(names)
        self._centre, self._scale = unpack(weights.centre), unpack(weights.scale)
        self._whitening = unpack(weights.whitening)
        self._prototypes = unpack(weights.prototypes)
        ranks = unpack(weights.distances)
        shapes = (self._centre.shape, self._scale.shape, self._whitening.shape)
        if shapes != ((width,), (width,), (width, width)) or not np.all(self._scale > 0):
            raise ValueError("the likeness does not fit its features")
        if self._prototypes.ndim != 2 or self._prototypes.shape[1] != dimensions or not len(self._prototypes):
            raise ValueError("the prototypes do not fit the encoder")
        if ranks.ndim != 2 or ranks.shape[1] != 3 or not len(ranks) or np.any(np.diff(ranks, axis=0) < 0):
            raise ValueError("the distances must be three ascending columns")
        if not 0 <= weights.share_unlike < 1:
            raise ValueError("the share that counts as unlike must lie in [0, 1)")
        self._ranks = [np.ascontiguousarray(ranks[:, column]) for column in range(3)]
        self.share_unlike = weights.share_unlike

    def p_value(self, surface: Floats, vector: Floats, energy: float) -> float:
        """Near 1 for the most ordinary request, near 0 for one that is unlike all examples."""
        distances = distances_of(
            surface, vector, energy, centre=self._centre, scale=self._scale, whitening=self._whitening,
            prototypes=self._prototypes,
        )  # fmt: skip
        smallest = 1.0
        for ranked, distance in zip(self._ranks, distances, strict=True):
            farther = len(ranked) - int(np.searchsorted(ranked, np.float32(distance)))
            smallest = min(smallest, (farther + 1) / (len(ranked) + 1))
        return min(1.0, 3 * smallest)


def distances_of(
    surface: Floats, vector: Floats, energy: float, *,
    centre: Floats, scale: Floats, whitening: Floats, prototypes: Floats,
) -> tuple[float, float, float]:  # fmt: skip
    """How far the numbers, the text and the neighbours are: larger is farther."""
    deviations = np.clip((surface - centre) / scale, -MOST_DEVIATIONS, MOST_DEVIATIONS) @ whitening
    likes = prototypes @ vector
    near = min(NEIGHBOURS, len(likes))
    nearest = np.partition(likes, len(likes) - near)[len(likes) - near :]
    return float(np.sqrt(deviations @ deviations)), 1.0 - energy, 1.0 - float(nearest.mean())
