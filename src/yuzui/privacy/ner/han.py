"""Chinese: from the emissions of a character model to spans with mended borders.

The model is a tagger over characters with 59 tags (`PER-B`, `PER-I`, …, `O`) whose best path is found with a matrix of
transitions, as in Baidu's LAC. Source: https://github.com/baidu/lac (Apache-2.0), arXiv:1807.01882.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.ner.surnames import (
    AFTER,
    GIVEN_TOO,
    PERSONAL,
    ROLES,
    SHORT_TITLES,
    SINGLE,
    TITLES,
    TRANSLITERATION,
    surname_length,
)

Array = np.ndarray[Any, Any]  # Any: shapes are said in words

KINDS: Final[dict[str, NameKind]] = {"PER": "person", "ORG": "organization", "LOC": "location"}
SINGLE_CHARACTER: Final = 0.6
"""What the model must give to a name of one character to be believed."""
BELIEVED: Final = 0.35
"""And to one that does not begin with a surname."""
EDGE: Final = 0.1
"""A character beside a name that belongs to it with this probability."""
THIRD: Final = 0.02
"""The same for the third character of a name that has two, the first of them a surname: most names have three."""
WEAKEST: Final = 0.12
"""A name of three characters that the best path does not hold: mean probability to be in a person's name."""
WEAKEST_SHORT: Final = 0.2
"""The same for a surname and one character: more words look like that."""
WEAK_FOREIGN: Final = 0.18
"""The same for three or more characters that all transliterate."""
WEAK_SHORT: Final = 0.24
"""And for two of them."""
CALLED: Final = 0.3
"""And for 老, 小 or 阿 with a surname."""
FOREIGN_EDGE: Final = 0.05
"""A character of transliteration beside others that are a name."""
OTHER_KIND: Final = 0.2
"""A character of a place or an organisation that belongs to the person beside it."""
BRIDGE: Final = 0.05
"""The one character between two parts of a name."""
LONGEST: Final = 4
"""Characters of a Chinese name that is put together from two parts."""
_LETTERS: Final = re.compile(f"[{''.join(sorted(TRANSLITERATION))}]{{2,9}}")
_CALLED: Final = re.compile(f"([老小阿][{''.join(sorted(SINGLE))}])")
_LETTER: Final = re.compile(r"[^\W_]")
_COUNTS: Final = frozenset("一二三四五六七八九十两几每这那")
_TITLE_ENDS: Final = frozenset(title[-1] for title in TITLES)
_PERSONAL: Final = tuple(PERSONAL)
_ROLE_ENDS: Final = frozenset(role[-1] for role in ROLES)


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
    settled: list[NameSpan] = [span for span in spans if span.kind != "person"]
    taken = bytearray(len(text))
    for span in spans:
        mark = 2 if span.kind == "person" else 1
        taken[span.start : span.end] = bytes((mark,)) * (span.end - span.start)

    def is_free(at: int) -> bool:
        if taken[at] and (taken[at] == 2 or near[at] < OTHER_KIND):
            return False
        return text[at] not in AFTER and HAN.match(text[at]) is not None

    for span in _bridged(text, [span for span in spans if span.kind == "person"], near):
        start, end, score = span.start, span.end, span.score
        while start and near[start - 1] >= _least_of_previous(text, start, end) and is_free(start - 1):
            start -= 1
        if start and near[start - 1] >= EDGE / 2 and not taken[start - 1] and _lacks_surname(text, start, end):
            start -= 1
        start = _without_role(text, start, end)
        size = surname_length(text, start)
        least = _least_of_next(text, span.start, end, size)
        while end < len(text) and near[end] >= least and is_free(end):
            end, least = end + 1, EDGE
        end = _up_to_title(text, start, _with_third(text, start, end, size, near))
        if (end - start == 1 and score < SINGLE_CHARACTER) or (score < BELIEVED and not size):
            continue
        if (
            _LETTER.search(text, start, end) is None
            or _is_counted(text, start, score)
            or _is_occupation(text, start, end)
        ):
            continue
        settled.append(span._replace(start=start, end=_without_post(text, start, end)))
    return settled


def _least_of_previous(text: str, start: int, end: int) -> float:
    """How probable the character before `start` must be: less when all of them transliterate."""
    is_foreign = end - start >= 2 and TRANSLITERATION.issuperset(text[start - 1 : end])
    return FOREIGN_EDGE if is_foreign else EDGE


def _lacks_surname(text: str, start: int, end: int) -> bool:
    """Whether these are a given name of two characters with its surname before it, be that a function word too."""
    return end - start == 2 and text[start - 1] in SINGLE and not surname_length(text, start)


def _up_to_title(text: str, start: int, end: int) -> int:
    """The end of a foreign name whose last one or two characters stand between it and a title: 库马拉通/加/总统."""
    if end - start < 3 or not TRANSLITERATION.issuperset(text[start:end]) or text.startswith(TITLES, end):
        return end
    for size in (1, 2):
        if text[end + size - 1 : end + size] not in TRANSLITERATION:
            break
        if text.startswith(TITLES, end + size):
            return end + size
    return end


def _least_of_next(text: str, start: int, end: int, size: int) -> float:
    """How probable the character at `end` must be: most names of two characters are names of three cut short."""
    if size and end - start == size + 1:
        return THIRD
    return FOREIGN_EDGE if end - start >= 2 and TRANSLITERATION.issuperset(text[start : end + 1]) else EDGE


def _bridged(text: str, persons: Sequence[NameSpan], near: Array) -> list[NameSpan]:
    """Two parts of one name with at most one character between that the model took for another word: `沈被章`."""
    joined: list[NameSpan] = []
    for span in sorted(persons):
        if joined:
            last = joined[-1]
            gap = text[last.end : span.start]
            if not gap and TRANSLITERATION.issuperset(text[last.start : span.end]):
                joined[-1] = last._replace(end=span.end, score=max(last.score, span.score))
                continue
            if (
                span.end - last.start <= LONGEST
                and len(gap) <= 1
                and (last.end - last.start == 1 or span.end - span.start == 1)
                and (not gap or (near[last.end] >= BRIDGE and HAN.match(gap) is not None))
            ):
                joined[-1] = last._replace(end=span.end, score=max(last.score, span.score))
                continue
        joined.append(span)
    return joined


def _without_role(text: str, start: int, end: int) -> int:
    """The start of a name without the last character of a role before it: 总参谋长/傅全有, not 总参谋/长傅全有."""
    if end - start < 3 or text[start] not in _ROLE_ENDS or start == 0:
        return start
    is_name = surname_length(text, start + 1) or TRANSLITERATION.issuperset(text[start + 1 : end])
    return start + 1 if is_name and text.endswith(ROLES, max(0, start - 6), start + 1) else start


def _without_post(text: str, start: int, end: int) -> int:
    """The end without a post that the model takes for a part of the name: 江/主席, but 王先生."""
    if text[end - 1] not in _TITLE_ENDS:
        return end
    title = next((one for one in TITLES if text.endswith(one, start, end)), None)
    if title is None or title in PERSONAL or title in SHORT_TITLES:
        return end
    left = end - len(title)
    return left if left - start >= 2 or text[start:left] in SINGLE else end


def _is_counted(text: str, start: int, score: float) -> bool:
    """张 behind a number counts sheets and beds."""
    return (
        text[start] == "张"
        and score < SINGLE_CHARACTER
        and start > 0
        and text[start - 1] in "一二三四五六七八九十两几每这那"
    )


def _is_occupation(text: str, start: int, end: int) -> bool:
    """What somebody does, with a suffix that makes a profession of a verb or a noun."""
    return (
        end - start >= 4
        and text[end - 1] in "师员者家"
        and not surname_length(text, start)
        and not text.endswith(_PERSONAL, start, end)
    )


def _with_third(text: str, start: int, end: int, size: int, near: Array) -> int:
    """The end with a third character that is also a function word, when a title stands behind it: 傅全有上将."""
    if size != 1 or end - start != 2 or end >= len(text) or near[end] < THIRD:
        return end
    return end + 1 if text[end] in GIVEN_TOO and text.startswith(TITLES, end + 1) else end


def nearness(chances: Array, tags: Tags) -> Array:
    """Probability of each character to be in a person's name."""
    result: Array = chances[:, tags.person].sum(axis=1)
    return result


def weaker_persons(text: str, near: Array, taken: bytearray, evidence: str) -> list[NameSpan]:
    """Names that the best path missed though the model nearly saw them: a surname and one or two characters, also
    where it decided for a place or an organisation. `taken`: what is a person already; grows."""
    found: list[NameSpan] = []

    def add(start: int, end: int) -> None:
        found.append(NameSpan(start, end, "person", float(near[start:end].mean()), evidence))
        taken[start:end] = b"\1" * (end - start)

    for at in np.flatnonzero(near[1:] >= WEAKEST).tolist():  # the second character of a name is the surer one
        size = surname_length(text, at)
        if not size or taken[at]:
            continue
        for given in (2, 1):
            end = at + size + given
            if end > len(text) or any(taken[at:end]) or HAN.match(text[end - 1]) is None:
                continue
            least = WEAKEST if given == 2 else WEAKEST_SHORT
            if float(near[at:end].mean()) >= least and near[end - 1] >= WEAKEST:
                add(at, end)
                break
    if float(near.max(initial=0.0)) >= WEAK_FOREIGN:
        for start, end in _weaker_foreign(text, near, taken):
            add(start, end)
        for match in _CALLED.finditer(text):
            start, end = match.span(1)
            if not any(taken[start:end]) and float(near[start:end].mean()) >= CALLED:
                add(start, end)
    return found


def _weaker_foreign(text: str, near: Array, taken: bytearray) -> Iterator[tuple[int, int]]:
    """Characters of transliteration side by side that the model gives to persons, to places and to nothing in turn."""
    for match in _LETTERS.finditer(text):
        start, end = match.span()
        while start < end and (near[start] < FOREIGN_EDGE or taken[start]):
            start += 1
        while start < end and (near[end - 1] < FOREIGN_EDGE or taken[end - 1]):
            end -= 1
        if end - start < 2 or any(taken[start:end]):
            continue
        least = WEAK_FOREIGN if end - start >= 3 else WEAK_SHORT
        if float(near[start:end].mean()) >= least:
            yield start, _up_to_title(text, start, end)
