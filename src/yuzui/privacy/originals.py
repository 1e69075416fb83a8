"""Originals in the forms in which people write them again: learnt from findings, found in later texts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, NamedTuple

from yuzui.privacy.claims import Claims, Origin
from yuzui.privacy.sources import Source, Sources
from yuzui.privacy.variants import MOST_WORDS, TITLES_BEHIND, TITLES_IN_FRONT, forms_of, numbers_in
from yuzui.privacy.words import WordValues, word_spans

# A key is one of these and the values of the form's words; the value of the first word alone is a key too, so that
# one step tells whether a text has the beginning of any form.
_STRONG: Final = b"s"
_WEAK: Final = b"w"
_TITLED: Final = b"t"
_NUMBER: Final = b"n"
_SUFFIXES: Final = (11, 10)  # digits of a number without the code of its country


class Echo(NamedTuple):
    """`text[start:end]` of canonical text is a form of an original of this kind."""

    start: int
    end: int
    kind: str
    rule: str
    """Which forms are meant: `full`, `short` (in the same conversation only), `titled`, `number`."""


class Number(NamedTuple):
    start: int
    end: int
    keys: tuple[bytes, ...]
    """Of its digits, with and without the code of a country."""


class Originals:
    """Remembers values as keyed hashes of their forms, at most `capacity` of them."""

    __slots__ = ("_before", "_behind", "_sources", "_values")

    def __init__(self, values: WordValues, capacity: int) -> None:
        self._values = values
        self._sources = Sources(capacity)
        self._before = frozenset(values.of(list(TITLES_IN_FRONT)))
        self._behind = frozenset([b"".join(values.of(list(title))) for title in TITLES_BEHIND])

    @property
    def sources(self) -> Sources:
        return self._sources

    def keys_of(self, kind: str, value: str) -> list[bytes]:
        """What is remembered of canonical `value`; nothing where it says too little."""
        keys: list[bytes] = []
        for form in forms_of(kind, value):
            values = self._values.of(list(form.words))
            joined = b"".join(values)
            if form.is_number:
                keys.append(_NUMBER + joined)
                continue
            mark = _TITLED if form.is_titled else _WEAK if form.is_weak else _STRONG
            keys += (mark + joined, values[0])
        return keys

    def numbers(self, text: str) -> list[Number]:
        """The numbers of canonical text, ready to be compared."""
        found: list[Number] = []
        for start, end, digits in numbers_in(text):
            candidates = (digits, *[digits[-length:] for length in _SUFFIXES if len(digits) > length])
            found.append(Number(start, end, tuple([_NUMBER + value for value in self._values.of(list(candidates))])))
        return found

    def find(
        self,
        scope_tag: bytes,
        text: Callable[[], str],
        values: Sequence[bytes],
        numbers: Sequence[Number],
        conversations: Collection[bytes],
    ) -> list[Echo]:
        """Forms of what `scope_tag` knows in a canonical text, which is asked for when there are some.

        `values` and `numbers` are the text's. Weak forms only of `conversations`.
        """
        known = self._sources.keys(scope_tag)
        found: list[Echo] = []
        for number in numbers:
            claims = next(filter(None, [self._sources.claims(scope_tag, key) for key in number.keys]), ())
            if claims:
                self._sources.touch(scope_tag, claims)
                found.append(_echo(number.start, number.end, claims, "number"))
        if known.isdisjoint(values):
            return found
        taken = list(found)
        spans: list[tuple[int, int]] = []
        for first, last, claims, rule in self._forms(scope_tag, known, values, conversations):
            spans = spans or word_spans(text())
            start, end = spans[first][0], spans[last - 1][1]
            if not any(number.start <= start and end <= number.end for number in taken):
                found.append(_echo(start, end, claims, rule))
        return found

    def _forms(
        self, scope_tag: bytes, known: Collection[bytes], values: Sequence[bytes], conversations: Collection[bytes]
    ) -> Iterator[tuple[int, int, Claims, str]]:
        """(first word, end, claims, rule): at each place the longest form."""
        at = 0
        starts = [place for place, value in enumerate(values) if value in known]
        for first in starts:
            if first < at:
                continue
            for length in range(min(MOST_WORDS, len(values) - first), 0, -1):
                joined = b"".join(values[first : first + length])
                rule, claims = "full", self._sources.claims(scope_tag, _STRONG + joined)
                if not claims:
                    rule = "short"
                    claims = _said_in(conversations, self._sources.claims(scope_tag, _WEAK + joined))
                if not claims:
                    rule = "titled"
                    claims = _said_in(conversations, self._sources.claims(scope_tag, _TITLED + joined))
                    claims = claims if claims and self._has_title(values, first, first + length) else ()
                if claims:
                    self._sources.touch(scope_tag, claims)
                    at = first + length
                    yield first, at, claims, rule
                    break

    def _has_title(self, values: Sequence[bytes], first: int, end: int) -> bool:
        if first and values[first - 1] in self._before:
            return True
        return any(b"".join(values[end : end + length]) in self._behind for length in (1, 2, 3))


def _said_in(conversations: Collection[bytes], claims: Claims) -> Claims:
    return tuple([origin for origin in claims if origin.conversation in conversations]) if claims else ()


def _echo(start: int, end: int, claims: Claims, rule: str) -> Echo:
    strongest: Origin = max(claims, key=lambda origin: origin.level)
    kind = next((origin.kind for origin in (strongest, *claims) if isinstance(origin, Source) and origin.kind), "")
    return Echo(start, end, kind, rule)
