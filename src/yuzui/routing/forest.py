"""Many decision trees as flat arrays, walked all at once: a level of every tree is one step of array arithmetic."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.tensors import Tensor, unpack, unpack_indices

Floats = npt.NDArray[np.float32]

MOST_DEPTH = 64


class ForestWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`base` plus `factor` times the sum of the leaves that a row falls into. A leaf points to itself."""

    features: Tensor
    thresholds: Tensor
    left: Tensor
    """Next node where the feature is at most the threshold."""
    right: Tensor
    values: Tensor
    roots: Tensor
    depth: int
    base: float
    factor: float


class Forest:
    """Predicts. Raise `ValueError` for weights that point outside themselves."""

    def __init__(self, weights: ForestWeights, width: int) -> None:
        """`width`: numbers per row."""
        self._thresholds = unpack(weights.thresholds)
        nodes = len(self._thresholds)
        self._features = unpack_indices(weights.features, width)
        left, right = unpack_indices(weights.left, nodes), unpack_indices(weights.right, nodes)
        self._values = unpack(weights.values)
        self._roots = unpack_indices(weights.roots, nodes)
        self._depth = weights.depth
        self._base = weights.base
        self._factor = weights.factor
        if not {len(self._features), len(left), len(right), len(self._values)} == {nodes}:
            raise ValueError("the arrays of a forest are of different lengths")
        self._children = np.ascontiguousarray(np.column_stack((left, right))).ravel()
        """Of node n: left at 2n, right at 2n + 1, so that a step is one look-up."""
        if not 0 <= weights.depth <= MOST_DEPTH:
            raise ValueError(f"a forest is at most {MOST_DEPTH} deep")

    def one(self, row: Floats) -> float:
        """For one row."""
        nodes = self._roots
        for _ in range(self._depth):
            goes_right = row.take(self._features.take(nodes)) > self._thresholds.take(nodes)
            nodes = self._children.take(2 * nodes + goes_right)
        return self._base + self._factor * float(self._values[nodes].sum())

    def many(self, rows: Floats) -> Floats:
        """For each row of a matrix."""
        return np.array([self.one(row) for row in rows], np.float32)
