"""Digits as people write them: groups with separators, markup or quotes in between, found in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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

    __slots__ = ("_longest", "_owners", "_starts")

    def __init__(self, wanted: Mapping[tuple[int, ...], Sequence[Owner]]) -> None:
        self._owners = {layout: tuple(owners) for layout, owners in wanted.items()}
        plain = [layout for layout in self._owners if max(layout) > 1]
        self._longest = max((len(layout) for layout in plain), default=0)
        self._starts = frozenset(layout[0] for layout in plain)

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[Digits, tuple[Owner, ...]]]:
        """Groups in the cluster `text[start:end]` with those who asked for them. Linear in its length."""
        runs = _runs(text, start, end)
        lengths = [last - first for first, last in runs]
        at = 0
        while at < len(runs):
            length = lengths[at]
            if length in self._starts:
                for count in range(1, min(self._longest, len(runs) - at) + 1):
                    owners = self._owners.get(tuple(lengths[at : at + count]))
                    if owners is not None:
                        yield _group(text, runs[at : at + count]), owners
            if length == 1:
                last = at
                while last < len(runs) and lengths[last] == 1:
                    last += 1
                if last - at >= MIN_DIGITS and (owners := self._owners.get((1,) * (last - at))) is not None:
                    yield _group(text, runs[at:last]), owners
                if 1 not in self._starts:
                    at = last
                    continue
                # A leading country code (`1 415 555 0198`) is the last of the single digits.
                at = max(at + 1, last - 1)
                continue
            at += 1


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
