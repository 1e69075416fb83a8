"""How much better the reference would answer, predicted from the request alone, for one candidate.

Five small models, mixed: two linear ones on the words (the gain itself; the difference of two chances of being right),
random waves on the dense vector (a radial kernel; Rahimi and Recht, "Random features for large-scale kernel machines",
2007), the gain of the topics, and forests on what can be counted.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.dense import Dense, DenseWeights
from yuzui.routing.surface import NAMES
from yuzui.routing.tensors import Tensor, unpack
from yuzui.routing.text_encoder import Encoded

Floats = npt.NDArray[np.float32]

PARTS: Final = ("words", "chances", "waves", "topics", "counts")
OUTPUTS: Final = 3
"""Columns of `words`: the gain, and the logits of the reference and of the candidate."""


class UpFrontWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    words: Tensor
    """buckets x `OUTPUTS`."""
    words_intercepts: tuple[float, float, float]
    waves: Tensor
    """dimensions x waves."""
    phases: Tensor
    heights: Tensor
    waves_intercept: float
    topic_gains: Tensor
    """One per topic; empty without topics."""
    counts: DenseWeights
    mix: tuple[float, float, float, float, float]
    """Of `PARTS`, none negative."""
    constant: float


class UpFront:
    """Raise `ValueError` for weights that do not fit."""

    def __init__(self, weights: UpFrontWeights, dimensions: int) -> None:
        self._intercepts = weights.words_intercepts
        self._waves, self._phases = unpack(weights.waves), unpack(weights.phases)
        self._heights = unpack(weights.heights)
        self._waves_intercept = weights.waves_intercept
        self._topic_gains = unpack(weights.topic_gains)
        self._counts = Dense(weights.counts, NAMES)
        self._mix, self._constant = weights.mix, weights.constant
        if self._waves.shape != (dimensions, len(self._heights)) or self._phases.shape != self._heights.shape:
            raise ValueError("the waves do not fit the encoder")

    def gain(self, encoded: Encoded, heads: Floats, surface: Floats) -> float:
        """`heads`: this candidate's `OUTPUTS` columns of the encoder's heads."""
        parts = self.parts(encoded, heads, surface)
        return self._constant + sum(weight * part for weight, part in zip(self._mix, parts, strict=True))

    def parts(self, encoded: Encoded, heads: Floats, surface: Floats) -> tuple[float, float, float, float, float]:
        """What each of `PARTS` predicts; one with weight 0 is not asked, except for the first, which costs nothing."""
        _, chances, waves, topics, counts = self._mix
        gain, strong, weak = (float(head) + added for head, added in zip(heads, self._intercepts, strict=True))
        return (
            gain,
            _chance(strong) - _chance(weak) if chances else 0.0,
            self._waves_intercept + float(np.cos(encoded.vector @ self._waves + self._phases) @ self._heights)
            if waves
            else 0.0,
            float(encoded.topics @ self._topic_gains) if topics else 0.0,
            self._counts.one(surface) if counts else 0.0,
        )


def _chance(logit: float) -> float:
    return float(1 / (1 + np.exp(-min(max(logit, -30.0), 30.0))))
