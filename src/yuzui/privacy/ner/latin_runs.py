"""Sentences in Latin script inside Chinese text, such as what somebody wants translated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from yuzui.privacy.ner.segments import Segment

_RUN: Final = re.compile(r"[A-Za-zÀ-ɏ][^\u3000-\u9fff\uff00-\uffef\n]*[A-Za-zÀ-ɏ.!?\")]")
_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]{2,}")
FEWEST_WORDS: Final = 3


def latin_runs(text: str, pieces: Sequence[Segment]) -> Iterator[Segment]:
    """Runs of at least `FEWEST_WORDS` words in Latin script inside of Chinese pieces."""
    for piece in pieces:
        for match in _RUN.finditer(text, piece.start, piece.end):
            if len(_WORD.findall(match[0])) >= FEWEST_WORDS:
                yield Segment(*match.span(), "latin")
