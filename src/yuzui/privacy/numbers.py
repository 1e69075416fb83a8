"""Digits as people write them: groups with separators, markup or quotes in between, found in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from yuzui.privacy.detectors._contract import Digits

Owner = TypeVar("Owner")

_Span = tuple[int, int, tuple[Owner, ...]]
MIN_DIGITS = 7
MOST_KNOWN = 4096  # shapes of numbers on one line; an attacker may make up more, honest text has a few
_RUN = re.compile("[0-9]+")
_LINE_ENDS = frozenset("\n\r\t,;|")
_GAP = r"""[ \t\r\n.,_*`()\[\]"'+/~|;-]"""
_NEITHER = r"""[^0-9 \t\r\n.,_*`()\[\]"'+/~|;-]"""
CLUSTER_REGEX = rf"[0-9](?:{_GAP}{{0,5}}[0-9]){{{MIN_DIGITS - 1},}}(?:{_GAP}{{0,5}}{_NEITHER}|{_GAP}{{6}})"
"""A maximal run of digits with gaps of at most five characters. It consumes what ends it, so an engine that reports
every end of a match reports one per cluster, not one per digit; the separator behind each leaf always ends it."""


class Layouts(Generic[Owner]):
    """Finds the groups of digits whose layout somebody asked for. `(1, 1, …)` matches whole runs of single digits."""

    __slots__ = ("_across", "_known", "_owners", "_prefixes", "_prefixes_across")

    def __init__(
        self,
        wanted: Mapping[tuple[int, ...], Sequence[Owner]],
        across: Mapping[tuple[int, ...], Sequence[Owner]],
    ) -> None:
        """`across` are those wanted layouts whose groups may stand on several lines or in several cells."""
        self._known: dict[tuple[int, ...], list[_Span[Owner]]] = {}
        self._owners = {layout: tuple(owners) for layout, owners in wanted.items()}
        self._across = {layout: tuple(owners) for layout, owners in across.items()}
        self._prefixes = _prefixes(self._owners)
        self._prefixes_across = _prefixes(self._across)

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[Digits, tuple[Owner, ...]]]:
        """Groups in the cluster `text[start:end]` with those who asked for them. Linear in its length."""
        runs = _runs(text, start, end)
        lengths = tuple([last - first for first, last in runs])
        if len(lengths) <= 8 and _LINE_ENDS.isdisjoint(text[runs[0][0] : runs[-1][1]]):
            # On one line the layout alone decides: dates, order numbers and amounts have few shapes.
            known = self._known.get(lengths)
            if known is None:
                known = list(self._spans(text, runs, lengths))
                if len(self._known) < MOST_KNOWN:
                    self._known[lengths] = known
            spans: Iterable[_Span[Owner]] = known
        else:
            spans = self._spans(text, runs, lengths)
        for first, last, owners in spans:
            yield _group(text, runs[first:last]), owners

    def _spans(self, text: str, runs: list[tuple[int, int]], lengths: tuple[int, ...]) -> Iterator[_Span[Owner]]:
        """(first run, run behind the last, who asked) of every wanted group."""
        singles_end = 0
        for at, length in enumerate(lengths):
            if (length,) in self._prefixes:
                yield from self._from(at, text, runs, lengths)
            if length == 1 and at >= singles_end:
                singles_end = at
                while singles_end < len(runs) and lengths[singles_end] == 1:
                    singles_end += 1
                owners = self._owners.get((1,) * (singles_end - at)) if MIN_DIGITS <= singles_end - at <= 32 else None
                if owners is not None:
                    yield at, singles_end, owners

    def _from(
        self, at: int, text: str, runs: list[tuple[int, int]], lengths: tuple[int, ...]
    ) -> Iterator[_Span[Owner]]:
        owners_of, prefixes = self._owners, self._prefixes
        for end in range(at + 1, len(runs) + 1):
            if end - at > 1 and prefixes is self._prefixes and _is_line_end(text, runs[end - 2][1], runs[end - 1][0]):
                owners_of, prefixes = self._across, self._prefixes_across
            layout = lengths[at:end]
            if layout not in prefixes:
                return
            owners = owners_of.get(layout)
            if owners is not None:
                yield at, end, owners


def _prefixes(layouts: Iterable[tuple[int, ...]]) -> frozenset[tuple[int, ...]]:
    """Beginnings of the layouts that are not runs of single digits: where none matches, looking further is in vain."""
    return frozenset(layout[:size] for layout in layouts if max(layout) > 1 for size in range(1, len(layout) + 1))


def _is_line_end(text: str, start: int, end: int) -> bool:
    """Whether a gap separates lines or cells rather than the groups of one number."""
    return not _LINE_ENDS.isdisjoint(text[start:end])


def _runs(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [match.span() for match in _RUN.finditer(text, start, end)]


def _group(text: str, runs: list[tuple[int, int]]) -> Digits:
    return Digits(
        text=text,
        start=runs[0][0],
        end=runs[-1][1],
        value="".join([text[first:last] for first, last in runs]),
        layout=tuple([last - first for first, last in runs]),
        gaps=tuple([text[runs[i][1] : runs[i + 1][0]] for i in range(len(runs) - 1)]),
    )


def singles(count: int) -> tuple[int, ...]:
    """The layout of `1 3 8 0 …` and `[1,3,8,0,…]`."""
    return (1,) * count
