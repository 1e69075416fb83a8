"""Capitalised words that are no word of the language and that nothing explains: products, brands, places, nicknames.

Reported only where the operator asks for the kind `proper_noun`. A dictionary of English decides; pieces in other
languages are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from yuzui.privacy.ner.segments import Segment
from yuzui.privacy.ner.shared_words import EPONYMS, FUNCTION_WORDS, MEDICINES, PEOPLES, TECHNICAL
from yuzui.privacy.ner.spans import NameSpan
from yuzui.privacy.ner.word_lists import DATE_WORDS, Lists

EVIDENCE: Final = "rule: no word"
_SCORE: Final = 0.5
_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-zÀ-ɏ]+)*")
_GENITIVE: Final = ("'s", "’s")
_GLUE_BEFORE: Final = frozenset("@_/\\=#.$<{0123456789")
_GLUE_AFTER: Final = frozenset("@_/\\=(>}0123456789")
_SHORTEST: Final = 3
_LONGEST_ACRONYM: Final = 12
_HUMP: Final = re.compile(r"[A-Z]+[a-z]+")
_IDENTIFIER: Final = 3
"""Humps of a camel: `ExxonMobil` has two."""
_BEFORE_NAMES: Final = frozenset(["in", "at", "from", "near", "company", "firm", "brand", "called", "named"])
_SMALL_GAPS: Final = (" ", " '", ' "')
_FEWEST_SMALL: Final = 4
_ROMAN: Final = re.compile(r"[IVXLC]+")
_KNOWN: Final = FUNCTION_WORDS | TECHNICAL | MEDICINES | EPONYMS | DATE_WORDS | frozenset(map(str.lower, PEOPLES))
_SHOUTED: Final = 0.6
"""Of the words of a piece: then capitals say nothing."""
_ENDINGS: Final = ("s", "es", "ed", "d", "ing", "ly", "er", "ness", "isation", "ization")
_FOREIGN: Final = 0.5
"""So few known words among the small ones: another language, of which this list knows nothing."""


def proper_nouns(text: str, segments: Sequence[Segment], taken: Sequence[int], lists: Lists) -> Iterator[NameSpan]:
    """`taken`: a byte per character of `text`, set where something was found already."""
    for segment in segments:
        words = list(_WORD.finditer(text, segment.start, segment.end))
        small = [word[0] for word in words if word[0].islower() and len(word[0]) > 2]
        known = sum(word in lists.common for word in small)
        if words and (len(small) < _FEWEST_SMALL or known >= _FOREIGN * len(small)):
            yield from _capitals(text, words, taken, lists)
            yield from _small_ones(text, words, taken, lists)


def _capitals(text: str, words: Sequence[re.Match[str]], taken: Sequence[int], lists: Lists) -> Iterator[NameSpan]:
    shouted = [word[0].isupper() and len(word[0]) > 1 for word in words]
    is_shouted = len(words) > 2 and sum(shouted) > _SHOUTED * len(words)
    for number, match in enumerate(words):
        start, end = match.span()
        word = match[0]
        if word.endswith(_GENITIVE):
            word = word[:-2]
            end -= 2
        if taken[start] or not word[0].isupper() or len(word) < _SHORTEST or _is_glued(text, start, end):
            continue
        if shouted[number]:
            beside = (number and shouted[number - 1]) or (number + 1 < len(words) and shouted[number + 1])
            if is_shouted or beside or len(word) > _LONGEST_ACRONYM or _ROMAN.fullmatch(word):
                continue  # two words of capitals in a row are a code or a heading
        elif number > 1 and shouted[number - 1] and shouted[number - 2]:
            continue  # part of such a code
        if len(_HUMP.findall(word)) < _IDENTIFIER and _is_unknown(word, lists):
            yield NameSpan(start, end, "proper_noun", _SCORE, EVIDENCE)


def _small_ones(text: str, words: Sequence[re.Match[str]], taken: Sequence[int], lists: Lists) -> Iterator[NameSpan]:
    """`a flat in trenčin`, `the company rostelecom`: who types without capitals means a name there."""
    for before, match in pairwise(words):
        word = match[0]
        if (
            before[0].lower() not in _BEFORE_NAMES
            or not word.islower()
            or len(word) <= _SHORTEST
            or taken[match.start()]
        ):
            continue
        if text[before.end() : match.start()] not in _SMALL_GAPS or _is_glued(text, *match.span()):
            continue
        if "'" not in word and "’" not in word and _is_unknown(word, lists):
            yield NameSpan(*match.span(), "proper_noun", _SCORE, EVIDENCE)


def _is_unknown(word: str, lists: Lists) -> bool:
    return not any(_is_common(part, lists) for part in (word, *word.split("-")))


def _is_common(word: str, lists: Lists) -> bool:
    lower = word.lower()
    if lower in lists.common:
        return True
    american = lower.replace("our", "or").replace("is", "iz").replace("ys", "yz")  # favours: the list is American
    for one in (lower,) if american == lower else (lower, american):
        if one in lists.common or one in _KNOWN:
            return True
        if any(one.endswith(ending) and one[: -len(ending)] in lists.common for ending in _ENDINGS):
            return True
    return False


def _is_glued(text: str, start: int, end: int) -> bool:
    if start and text[start - 1] in _GLUE_BEFORE:
        return True
    after = text[end : end + 1]
    return (after != "" and after in _GLUE_AFTER) or (after == "." and text[end + 1 : end + 2].isalnum())
