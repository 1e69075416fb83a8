"""Fingerprints of a text, by which a part of it is recognised elsewhere: keyed hashes of runs of words.

Winnowing, in the form that picks a place by its own word: of every `WINDOW` neighbouring words the one with the least
value is an anchor, and each anchor's fingerprint hashes the `RUN` words from it on. Which words are anchors depends on
nothing outside the window, so two texts that share `GUARANTEED_WORDS` words share `NEIGHBOURS` fingerprints that stand
side by side. One alone is a phrase that anybody may say.
Source: Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document Fingerprinting, SIGMOD 2003,
https://doi.org/10.1145/872757.872770
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

PRINT_BYTES: Final = 8
RUN: Final = 10
WINDOW: Final = 10
NEIGHBOURS: Final = 2
GUARANTEED_WORDS: Final = RUN - 1 + NEIGHBOURS * WINDOW
"""A copy of so many words (or characters of Chinese) is always recognised; most copies of two thirds of it are too."""


class Fingerprinter:
    """`secret`: 1 to 64 bytes. Fingerprints of one text under two scopes (tags of 8 bytes) have nothing in common."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def read(self, scope_tag: bytes, values: Sequence[bytes]) -> list[bytes]:
        """The fingerprints of a text's word values, in their order."""
        last = len(values) - RUN
        if last < 0:
            return []
        keyed = hashlib.blake2b(key=self._secret, digest_size=PRINT_BYTES, salt=scope_tag, person=b"print")
        prints: list[bytes] = []
        for anchor in anchors(values):
            if anchor > last:
                break
            one = keyed.copy()
            one.update(b"".join(values[anchor : anchor + RUN]))
            prints.append(one.digest())
        return prints


def anchors(values: Sequence[bytes]) -> Iterator[int]:
    """Places of the least value of every window, the rightmost of equal ones; ascending, each once."""
    best = -1
    least = b""
    for at, value in enumerate(values):
        if best < 0 or value <= least:
            best, least = at, value
            if at >= WINDOW - 1:
                yield at
        elif at - best >= WINDOW:  # the least one has left the window: look for the next
            window = values[at - WINDOW + 1 : at + 1]
            least = min(window)
            best = at
            while values[best] != least:
                best -= 1
            yield best
        elif at == WINDOW - 1:
            yield best


def neighbours(levels: Iterable[int]) -> int:
    """The highest level at which `NEIGHBOURS` fingerprints side by side are known; `levels` are theirs, -1: unknown."""
    best = -1
    run: list[int] = []
    for level in levels:
        if level < 0:
            run.clear()
            continue
        run.append(level)
        if len(run) > NEIGHBOURS:
            run.pop(0)
        if len(run) == NEIGHBOURS:
            best = max(best, min(run))
    return best
