"""A text as a model should read it: without invisible characters, full-width letters narrow, offsets kept."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from typing import Final, NamedTuple

from yuzui.privacy.ner.spans import NameSpan

_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+"
)
_WIDE: Final = re.compile("[Ａ-Ｚａ-ｚ０-９]")
_NARROW: Final = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}

_LOOKALIKE: Final = re.compile("[\u2e80-\u2fdf\uf900-\ufaff]")
"""Radicals and compatibility forms that look like a character and are none."""


class Reading(NamedTuple):
    """`cuts[i]` is where, in `text`, something was left out, and `gaps[i]` how much in all up to there."""

    text: str
    cuts: tuple[int, ...] = ()
    gaps: tuple[int, ...] = ()

    def original(self, span: NameSpan) -> NameSpan:
        """`span` of `text` as a span of what was sent, with the invisible characters inside."""
        if not self.cuts:
            return span
        return span._replace(start=self._before(span.start), end=self._before(span.end - 1) + 1)

    def _before(self, at: int) -> int:
        number = bisect_right(self.cuts, at)
        return at + (self.gaps[number - 1] if number else 0)


def _plain(char: str) -> str:
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


def read(text: str) -> Reading:
    """Most texts come back as they are."""
    if text.isascii():
        return Reading(text)
    if _WIDE.search(text):
        text = text.translate(_NARROW)
    if _LOOKALIKE.search(text):
        text = _LOOKALIKE.sub(lambda match: _plain(match[0]), text)
    pieces: list[str] = []
    cuts: list[int] = []
    gaps: list[int] = []
    at = size = gone = 0
    for match in _INVISIBLE.finditer(text):
        pieces.append(text[at : match.start()])
        size += match.start() - at
        gone += match.end() - match.start()
        cuts.append(size)
        gaps.append(gone)
        at = match.end()
    if not cuts:
        return Reading(text)
    pieces.append(text[at:])
    return Reading("".join(pieces), tuple(cuts), tuple(gaps))
