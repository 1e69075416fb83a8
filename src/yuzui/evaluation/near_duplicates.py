"""Which texts are nearly the same: MinHash over runs of words, in buckets, with the library `rensa`.

Of the libraries on the index, `rensa` needs nothing else and has wheels for Linux, macOS and Windows; `datasketch`
brings numpy and scipy and took 36 times the CPU for the same pairs of 5,500 texts (decision 0021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from yuzui.core.errors import ConfigError
from yuzui.evaluation.normal_text import words

PERMUTATIONS: Final = 128
BANDS: Final = (
    32  # of four hashes: texts alike at 0.7 meet with a chance of 0.9998, at 0.4 with 0.56, then they are compared
)
RUN: Final = 3
SEED: Final = 20_261_126


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    place: int
    earlier: int
    """The place of the text that it is like."""
    likeness: float
    """Jaccard index of their runs of words, estimated: its standard error is below 0.045."""


def shingles(text: str) -> list[str]:
    """Runs of three words, each once; of a shorter text the whole."""
    found = words(text)
    if len(found) < RUN:
        return [" ".join(found)]
    return list(dict.fromkeys([" ".join(found[place : place + RUN]) for place in range(len(found) - RUN + 1)]))


def near_duplicates(texts: Sequence[str], threshold: float) -> Iterator[Match]:
    """Each text that is like an earlier one which is no duplicate itself, at `threshold` or above, with the likest.

    Raise `ConfigError` when the library is not installed, or for a threshold that is none.
    """
    if not 0.4 <= threshold <= 1:
        raise ConfigError(f"the threshold of near-duplicates lies between 0.4 and 1, not at {threshold:g}")
    rensa = _library()
    index = rensa.RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=BANDS)
    kept: dict[int, Any] = {}  # Any: the library has no types
    for place, text in enumerate(texts):
        sketch = rensa.RMinHash(PERMUTATIONS, SEED)
        sketch.update(shingles(text))
        likest = max(((sketch.jaccard(kept[other]), -other) for other in index.query(sketch)), default=(0.0, 0))
        if likest[0] >= threshold:
            yield Match(place=place, earlier=-likest[1], likeness=likest[0])
        else:
            kept[place] = sketch
            index.insert(place, sketch)


def _library() -> Any:  # Any: it has no types
    try:
        import rensa
    except ImportError as error:
        raise ConfigError(
            "near-duplicates need the package rensa: pip install 'yuzui[evaluation]', or say --near 0"
        ) from error
    return rensa
