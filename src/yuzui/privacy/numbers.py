"""Digits as people write them: groups with separators, markup or quotes in between, found in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from yuzui.privacy.detectors._contract import Digits

Owner = TypeVar("Owner")

MIN_DIGITS = 7
_GAP = r"""[ \t\r\n.,_*`()\[\]"'+/~|;-]"""
_NEITHER = r"""[^0-9 \t\r\n.,_*`()\[\]"'+/~|;-]"""
CLUSTER_REGEX = rf"[0-9](?:{_GAP}{{0,5}}[0-9]){{{MIN_DIGITS - 1},}}(?:{_GAP}{{0,5}}{_NEITHER}|{_GAP}{{6}})"
"""A maximal run of digits with gaps of at most five characters. It consumes what ends it, so an engine that reports
every end of a match reports one per cluster, not one per digit; the separator behind each leaf always ends it."""


class Layouts(Generic[Owner]):
    """Finds the groups of digits whose layout somebody asked for. `(1, 1, …)` matches whole runs of single digits."""

    __slots__ = ("_across", "_owners", "_prefixes", "_prefixes_across")

    def __init__(
        self,
        wanted: Mapping[tuple[int, ...], Sequence[Owner]],
        across: Mapping[tuple[int, ...], Sequence[Owner]],
    ) -> None:
        """`across` are those wanted layouts whose groups may stand on several lines or in several cells."""
        self._owners = {layout: tuple(owners) for layout, owners in wanted.items()}
        self._across = {layout: tuple(owners) for layout, owners in across.items()}
        self._prefixes = _prefixes(self._owners)
        self._prefixes_across = _prefixes(self._across)

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[Digits, tuple[Owner, ...]]]:
        """Groups in the cluster `text[start:end]` with those who asked for them. Linear in its length."""
        runs = _runs(text, start, end)
        lengths = [last - first for first, last in runs]
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
                    yield _group(text, runs[at:singles_end]), owners

    def _from(
        self, at: int, text: str, runs: list[tuple[int, int]], lengths: list[int]
    ) -> Iterator[tuple[Digits, tuple[Owner, ...]]]:
        owners_of, prefixes = self._owners, self._prefixes
        for end in range(at + 1, len(runs) + 1):
            if end - at > 1 and prefixes is self._prefixes and _is_line_end(text, runs[end - 2][1], runs[end - 1][0]):
                owners_of, prefixes = self._across, self._prefixes_across
            layout = tuple(lengths[at:end])
            if layout not in prefixes:
                return
            owners = owners_of.get(layout)
            if owners is not None:
                yield _group(text, runs[at:end]), owners


def _prefixes(layouts: Iterable[tuple[int, ...]]) -> frozenset[tuple[int, ...]]:
    """Beginnings of the layouts that are not runs of single digits: where none matches, looking further is in vain."""
    return frozenset(layout[:size] for layout in layouts if max(layout) > 1 for size in range(1, len(layout) + 1))


def _is_line_end(text: str, start: int, end: int) -> bool:
    """Whether a gap separates lines or cells rather than the groups of one number."""
    return any(char in "\n\r\t,;|" for char in text[start:end])


def _runs(text: str, start: int, end: int) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    first = -1
    for at in range(start, end):
        if "0" <= text[at] <= "9":
            if first < 0:
                first = at
        elif first >= 0:
            runs.append((first, at))
            first = -1
    if first >= 0:
        runs.append((first, end))
    return runs


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
