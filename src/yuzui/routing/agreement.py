"""What other answers say about an open model's answer: of a cheap second model, or of the same model asked again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from yuzui.routing.answers import agree, final_answer, vote_share
from yuzui.routing.ngrams import buckets_of

Floats = npt.NDArray[np.float32]

MOST_SAMPLES: Final = 16
_BITS: Final = 14
_NAMES: Final = (
    "agree_share", "agree_any", "agree_all", "rival_votes", "margin", "distinct_rivals", "silent_checks", "pair_share",
    "closest_text", "vote_share", "vote_known",
)  # fmt: skip


def names(checks: int) -> tuple[str, ...]:
    """Of the numbers that `agreement` returns for so many second opinions."""
    return (*_NAMES, *(f"agrees_{place}" for place in range(checks)))


def agreement(text: str, checks: Sequence[str], samples: Sequence[str] = ()) -> Floats:
    """One number per name of `names(len(checks))`.

    `checks`: texts of the second opinions, always of the same models in the same order; `samples`: further answers of
    the open model itself. An answer is compared by what it comes down to; where it comes down to nothing, by its words.
    """
    own = final_answer(text)
    others = [final_answer(check) for check in checks]
    votes = [float(agree(own, other)) for other in others]
    rivals = [other for other, vote in zip(others, votes, strict=True) if other and not vote]
    strongest = max((sum(agree(one, other) for other in rivals) for one in rivals), default=0)
    pairs = [agree(one, other) for one, other in combinations(others, 2)]
    count = max(1, len(checks))
    drawn = samples[:MOST_SAMPLES]
    return np.array(
        [
            sum(votes) / count, max(votes, default=0.0), float(bool(votes) and min(votes) > 0), float(strongest),
            sum(votes) - strongest, float(len(set(rivals))), float(sum(not other for other in others)),
            sum(pairs) / max(1, len(pairs)), max((_likeness(text, check) for check in checks), default=0.0),
            vote_share([own, *map(final_answer, drawn)]) if drawn else 0.0, float(bool(drawn)), *votes,
        ],
        np.float32,
    )  # fmt: skip  # a list of numbers


def _likeness(left: str, right: str) -> float:
    """Cosine of the two texts' buckets."""
    one, one_weights = buckets_of(left, _BITS)
    other, other_weights = buckets_of(right, _BITS)
    lengths = float(np.sqrt((one_weights @ one_weights) * (other_weights @ other_weights)))
    if not lengths:
        return 0.0
    _, here, there = np.intersect1d(one, other, assume_unique=True, return_indices=True)
    return float(one_weights[here] @ other_weights[there]) / lengths
