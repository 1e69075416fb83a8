"""Chinese: from the emissions of a character model to spans with mended borders.

The model is a tagger over characters with 59 tags (`PER-B`, `PER-I`, …, `O`) whose best path is found with a matrix of
transitions, as in Baidu's LAC. Source: https://github.com/baidu/lac (Apache-2.0), arXiv:1807.01882.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.ner.surnames import AFTER, surname_length

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

KINDS: Final[dict[str, NameKind]] = {"PER": "person", "ORG": "organization", "LOC": "location"}
SINGLE_CHARACTER: Final = 0.6
"""What the model must give to a name of one character to be believed."""
BELIEVED: Final = 0.35
"""And to one that does not begin with a surname."""
EDGE: Final = 0.1
"""A character beside a name that belongs to it with this probability."""
THIRD: Final = 0.04
"""The same for the third character of a name that has two, the first of them a surname: most names have three."""
WEAKEST: Final = 0.16
"""A name that the best path does not hold: mean probability of its characters to be in a person's name."""


class Tags:
    """Which tag is which: made once from the model's list, in the order of its outputs."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.count = len(self.names)
        self.kinds: tuple[NameKind | None, ...] = tuple(KINDS.get(name.rpartition("-")[0]) for name in self.names)
        self.is_begin = tuple(name.endswith("-B") for name in self.names)
        self.person = [at for at, kind in enumerate(self.kinds) if kind == "person"]
        self.named = [at for at, kind in enumerate(self.kinds) if kind is not None]
        self.is_named = np.array([kind is not None for kind in self.kinds])


def probabilities(emissions: Array) -> Array:
    """Softmax over the tags."""
    shifted = np.exp(emissions - emissions.max(axis=-1, keepdims=True))
    result: Array = shifted / shifted.sum(axis=-1, keepdims=True)
    return result


def spans_of_path(path: Array, chances: Array, tags: Tags, evidence: str) -> list[NameSpan]:
    """Persons, organisations and places on the best path. Shapes: (time), (time, tags)."""
    found: list[NameSpan] = []
    named = np.flatnonzero(tags.is_named[path]).tolist()
    done = 0
    for at in named:
        if at < done:
            continue
        kind = tags.kinds[path[at]]
        end = at + 1
        while end < len(path) and tags.kinds[path[end]] == kind and not tags.is_begin[path[end]]:
            end += 1
        wanted = [tag for tag in tags.named if tags.kinds[tag] == kind]
        score = float(chances[at:end, wanted].sum()) / (end - at)
        found.append(NameSpan(at, end, kind or "person", score, evidence))
        done = end
    return found


def settle_persons(text: str, spans: Sequence[NameSpan], near: Array) -> list[NameSpan]:
    """The model's persons with their borders mended, without those that it hardly believes itself.

    `near`: probability of each character to be in a person's name.
    """
    settled: list[NameSpan] = []
    taken = bytearray(len(text))
    for span in spans:
        taken[span.start : span.end] = b"\1" * (span.end - span.start)

    def is_free(at: int) -> bool:
        return not taken[at] and text[at] not in AFTER and HAN.match(text[at]) is not None

    for span in spans:
        if span.kind != "person":
            settled.append(span)
            continue
        start, end, score = span.start, span.end, span.score
        if end - start == 1 and score < SINGLE_CHARACTER:
            continue
        size = surname_length(text, start)
        if score < BELIEVED and not size:
            continue
        while start and near[start - 1] >= EDGE and is_free(start - 1):
            start -= 1
        least = THIRD if size == 1 and end - span.start == 2 else EDGE
        while end < len(text) and near[end] >= least and is_free(end):
            end, least = end + 1, EDGE
        settled.append(span._replace(start=start, end=end))
    return settled


def nearness(chances: Array, tags: Tags) -> Array:
    """Probability of each character to be in a person's name."""
    result: Array = chances[:, tags.person].sum(axis=1)
    return result


def weaker_persons(text: str, near: Array, taken: bytearray, evidence: str) -> list[NameSpan]:
    """Names that the best path missed though the model nearly saw them: a surname and one or two characters."""
    found: list[NameSpan] = []
    for at in np.flatnonzero(near[1:] >= WEAKEST).tolist():  # the second character of a name is the surer one
        size = surname_length(text, at)
        if not size or taken[at]:
            continue
        for given in (2, 1):
            end = at + size + given
            if end > len(text) or any(taken[at:end]) or HAN.match(text[end - 1]) is None:
                continue
            score = float(near[at:end].mean())
            if score >= WEAKEST and near[end - 1] >= WEAKEST:
                found.append(NameSpan(at, end, "person", score, evidence))
                taken[at:end] = b"\1" * (end - at)
                break
    return found
