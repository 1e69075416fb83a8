"""Digits as people write them: groups with separators, markup or quotes in between, found in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from yuzui.privacy.detectors._contract import Digits

Owner = TypeVar("Owner")

MIN_DIGITS = 7
MOST_KNOWN = 1024  # shapes that are remembered; an attacker may make up more, honest text has a few dozen
LONGEST_KNOWN = 48  # bytes of a shape that is remembered: with the line above, some megabytes at worst
_RUN = re.compile(b"0+")
_LINE_ENDS = frozenset(b"\n\r\t,;|")
_GAP_CHARS = b" \t\r\n.,_*`()[]\"'+/~|;-"
_GAP = r"""[ \t\r\n.,_*`()\[\]"'+/~|;-]"""
_NEITHER = r"""[^0-9 \t\r\n.,_*`()\[\]"'+/~|;-]"""
CLUSTER_REGEX = rf"[0-9](?:{_GAP}{{0,5}}[0-9]){{{MIN_DIGITS - 1},}}(?:{_GAP}{{0,5}}{_NEITHER}|{_GAP}{{6}})"
"""A maximal run of digits with gaps of at most five characters. It consumes what ends it, so an engine that reports
every end of a match reports one per cluster, not one per digit; the separator behind each leaf always ends it."""

_ALL = bytes(range(256))
_ALL_ZERO = bytes.maketrans(b"123456789", b"000000000")
_ENDING = bytes(set(_ALL) - set(_GAP_CHARS) - set(b"0123456789"))  # stands only where a cluster ends
_NO_DIGIT = bytes(set(_ALL) - set(b"0123456789"))


class _Group(NamedTuple, Generic[Owner]):
    """Where a wanted group stands in every cluster of one shape."""

    start: int
    """In the cluster, as `end`."""
    end: int
    first: int
    """Among the digits of the cluster, as `last`."""
    last: int
    layout: tuple[int, ...]
    gaps: tuple[str, ...]
    owners: tuple[Owner, ...]


class Layouts(Generic[Owner]):
    """Finds the groups of digits whose layout somebody asked for. `(1, 1, …)` matches whole runs of single digits."""

    __slots__ = ("_across", "_known", "_owners", "_prefixes", "_prefixes_across")

    def __init__(
        self,
        wanted: Mapping[tuple[int, ...], Sequence[Owner]],
        across: Mapping[tuple[int, ...], Sequence[Owner]],
    ) -> None:
        """`across` are those wanted layouts whose groups may stand on several lines or in several cells."""
        self._known: dict[bytes, tuple[_Group[Owner], ...]] = {}
        self._owners = {layout: tuple(owners) for layout, owners in wanted.items()}
        self._across = {layout: tuple(owners) for layout, owners in across.items()}
        self._prefixes = _prefixes(self._owners)
        self._prefixes_across = _prefixes(self._across)

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[Digits, tuple[Owner, ...]]]:
        """Groups in the cluster `text[start:end]` with those who asked for them. Linear in its length."""
        cluster = text[start:end].encode()
        # The shape (digits as 0, gaps as they are) alone says which groups there are: dates, order numbers and amounts
        # have few shapes, so nearly all clusters cost two look-ups in tables.
        shape = cluster.translate(_ALL_ZERO, _ENDING)
        groups: Iterable[_Group[Owner]] | None = self._known.get(shape)
        if groups is None:
            groups = self._groups(shape) if len(shape) > LONGEST_KNOWN else self._learn(shape)
        digits = cluster.translate(None, _NO_DIGIT).decode()
        for at, behind, first, last, layout, gaps, owners in groups:
            yield Digits(text, start + at, start + behind, digits[first:last], layout, gaps), owners

    def _learn(self, shape: bytes) -> tuple[_Group[Owner], ...]:
        groups = tuple(self._groups(shape))
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[shape] = groups
        return groups

    def _groups(self, shape: bytes) -> Iterator[_Group[Owner]]:
        """Every wanted group, by place."""
        runs = [match.span() for match in _RUN.finditer(shape)]
        lengths = tuple([last - first for first, last in runs])
        digits = at = 0
        for first, last, owners in self._spans(shape, runs, lengths):
            digits += sum(lengths[at:first])
            at = first
            layout = lengths[first:last]
            yield _Group(
                start=runs[first][0],
                end=runs[last - 1][1],
                first=digits,
                last=digits + sum(layout),
                layout=layout,
                gaps=tuple([shape[runs[i][1] : runs[i + 1][0]].decode() for i in range(first, last - 1)]),
                owners=owners,
            )

    def _spans(
        self, shape: bytes, runs: list[tuple[int, int]], lengths: tuple[int, ...]
    ) -> Iterator[tuple[int, int, tuple[Owner, ...]]]:
        """(first run, run behind the last, who asked) of every wanted group."""
        singles_end = 0
        for at, length in enumerate(lengths):
            if (length,) in self._prefixes:
                yield from self._from(at, shape, runs, lengths)
            if length == 1 and at >= singles_end:
                singles_end = at
                while singles_end < len(runs) and lengths[singles_end] == 1:
                    singles_end += 1
                owners = self._owners.get((1,) * (singles_end - at)) if MIN_DIGITS <= singles_end - at <= 32 else None
                if owners is not None:
                    yield at, singles_end, owners

    def _from(
        self, at: int, shape: bytes, runs: list[tuple[int, int]], lengths: tuple[int, ...]
    ) -> Iterator[tuple[int, int, tuple[Owner, ...]]]:
        owners_of, prefixes = self._owners, self._prefixes
        for end in range(at + 1, len(runs) + 1):
            if end - at > 1 and prefixes is self._prefixes and _is_line_end(shape, runs[end - 2][1], runs[end - 1][0]):
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


def _is_line_end(shape: bytes, start: int, end: int) -> bool:
    """Whether a gap separates lines or cells rather than the groups of one number."""
    return not _LINE_ENDS.isdisjoint(shape[start:end])


def singles(count: int) -> tuple[int, ...]:
    """The layout of `1 3 8 0 …` and `[1,3,8,0,…]`."""
    return (1,) * count
