"""A gain predicted from a short list of numbers: a linear model and forests, mixed."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.forest import Forest, ForestWeights
from yuzui.routing.tensors import Tensor, unpack

Floats = npt.NDArray[np.float32]

MOST_DEVIATIONS = 6.0
"""A number farther from its mean than this counts as so far: a linear model must not run away with one odd request."""


class DenseWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`mix` has a weight for the linear model and one for each forest; `constant` is added."""

    names: tuple[str, ...]
    """Of the numbers, in order."""
    centre: Tensor
    scale: Tensor
    linear: Tensor
    intercept: float
    forests: tuple[ForestWeights, ...]
    mix: tuple[float, ...]
    constant: float


class Dense:
    """Predicts. Raise `ValueError` for weights that do not fit each other or `names`."""

    def __init__(self, weights: DenseWeights, names: tuple[str, ...]) -> None:
        """`names`: of the numbers that this version computes."""
        if weights.names != names:
            raise ValueError("it was fitted on other features than this version computes: fit it again")
        width = len(names)
        self._centre, self._scale = unpack(weights.centre), unpack(weights.scale)
        self._linear = unpack(weights.linear)
        if not self._centre.shape == self._scale.shape == self._linear.shape == (width,) or not np.all(self._scale > 0):
            raise ValueError("the linear part does not fit its features")
        if len(weights.mix) != 1 + len(weights.forests):
            raise ValueError("the mix does not fit its parts")
        self._intercept, self._mix, self._constant = weights.intercept, weights.mix, weights.constant
        self._forests = tuple(Forest(forest, width) for forest in weights.forests)

    def one(self, row: Floats) -> float:
        """The predicted gain for one row."""
        total = self._constant
        if self._mix[0]:
            deviations = np.clip((row - self._centre) / self._scale, -MOST_DEVIATIONS, MOST_DEVIATIONS)
            total += self._mix[0] * (self._intercept + float(deviations @ self._linear))
        for weight, forest in zip(self._mix[1:], self._forests, strict=True):
            if weight:
                total += weight * forest.one(row)
        return total
