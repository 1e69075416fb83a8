"""A name that was found once, written again in other capitals: `HSBC` and `hsbc`, `Econet` and `econet`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from yuzui.privacy.ner.latin_rules import is_glued
from yuzui.privacy.ner.shared_words import FUNCTION_WORDS, TECHNICAL
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.ner.word_lists import Lists

MOST: Final = 200
"""Distinct names that are searched again."""
_SHORTEST: Final = 4
_SURE: Final = 0.5
_EVIDENCE: Final = "rule: other capitals"
_KINDS: Final = ("person", "organization", "proper_noun")
_NO_NAMES: Final = FUNCTION_WORDS | TECHNICAL
_LETTERS: Final = re.compile(r"[A-Za-zÀ-ɏ]+")


def echoes(text: str, spans: Sequence[NameSpan], lists: Lists) -> Iterator[NameSpan]:
    """Single words that name somebody and are no word of the language, in other capitals than they were found in."""
    names: dict[str, NameKind] = {}
    spelled: set[str] = set()
    for span in spans:
        if span.kind not in _KINDS or span.score < _SURE or len(names) >= MOST:
            continue
        for word in _LETTERS.findall(text, span.start, span.end):
            lower = word.lower()
            if len(word) >= _SHORTEST and lower not in lists.common and lower not in _NO_NAMES:
                names.setdefault(lower, span.kind)
                spelled.add(word)
    if not names:
        return
    for match in _LETTERS.finditer(text):
        kind = names.get(match[0].lower())
        if kind is not None and match[0] not in spelled and not is_glued(text, *match.span()):
            yield NameSpan(*match.span(), kind, _SURE, _EVIDENCE)
