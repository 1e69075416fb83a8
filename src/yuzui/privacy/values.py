"""Sensitive values wherever else they stand: the same letters in any case, and in the ways that people rewrite them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote

from yuzui.privacy.surrogates import canonical_value
from yuzui.privacy.variants import numbers_in

LONG: Final = 8
"""Characters from which on a value is sought inside longer words too."""
_LEAST: Final = 3
_LEAST_IDEOGRAPHS: Final = 2
_GAPS: Final = re.compile(r"(?<=\d)[\s().\-]+(?=\d)")
_LEAST_DIGITS: Final = 7
_PHONES: Final = frozenset(("cn_mobile", "phone"))
_NATIONAL_DIGITS: Final = 10  # in China eleven, of which the first is always 1
_MOST_LETTERS: Final = 2  # a number with its separators and prefix, not words with a number in them


class Needles:
    """(kind, value) pairs, ready to be looked for."""

    __slots__ = ("_known", "_needles")

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        found: dict[str, str] = {}
        for kind, value in values:
            for needle in _sought(kind, value):
                found.setdefault(needle, kind)
        self._known = found.keys()
        self._needles = sorted(found.items(), key=lambda item: -len(item[0]))

    def __len__(self) -> int:
        return len(self._needles)

    def cover(self, kind: str, value: str) -> bool:
        """Whether `value` is sought already."""
        return all(needle in self._known for needle in _sought(kind, value))

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, kind) of every occurrence, in any case and without separators; they may overlap."""
        if not self._needles:
            return []
        folded = text.lower()
        if len(folded) != len(text):
            folded = text  # a letter whose lower case is two letters: offsets would not fit
        return [
            (start, start + len(needle), kind) for needle, kind in self._needles for start in _places(folded, needle)
        ]


class Leftovers:
    """Looks for what masking must not have left: values and their variants in texts that go out."""

    __slots__ = ("_digits", "_needles")

    def __init__(self, values: Iterable[tuple[str, str]]) -> None:
        needles: set[str] = set()
        digits: set[str] = set()
        for kind, value in values:
            needles.update(filter(_can_be_sought, _variants(kind, value)))
            if figures := _figures(value):
                digits.add(figures)
        self._needles = sorted(needles)
        self._digits = sorted(digits)

    def are_in(self, text: str) -> bool:
        folded = text.lower()
        readings = [folded]
        if "%" in folded:
            readings.append(unquote(folded).lower())
        if any(next(_places(reading, needle), None) is not None for reading in readings for needle in self._needles):
            return True
        if not self._digits:
            return False
        closed = _GAPS.sub("", folded)
        return any(re.search(rf"(?<!\d){digits}(?!\d)", closed) for digits in self._digits if digits in closed)


class Known:
    """Texts that are asked for values, whatever these will be: the other way round than `Leftovers`.

    Give canonical texts and ask for canonical values. It keeps the texts, so let it live no longer than their request.
    """

    __slots__ = ("_closed", "_numbers", "_readings")

    def __init__(self, texts: Iterable[str]) -> None:
        whole = "\0".join(texts).lower()
        self._readings = (whole, unquote(whole).lower()) if "%" in whole else (whole,)
        self._closed = _GAPS.sub("", whole)
        self._numbers: frozenset[str] | None = None

    def hold(self, kind: str, value: str) -> bool:
        """Whether `value` or a variant stands in them, in any case and with other gaps."""
        needles = list(filter(_can_be_sought, _variants(kind, value)))
        if any(next(_places(text, needle), None) is not None for text in self._readings for needle in needles):
            return True
        figures = {figures for one in (value, canonical_value(kind, value)) if (figures := _figures(one))}
        if any(re.search(rf"(?<!\d){digits}(?!\d)", self._closed) for digits in figures if digits in self._closed):
            return True
        return kind in _PHONES and any(figures) and not self._national_numbers().isdisjoint(map(_national, figures))

    def _national_numbers(self) -> frozenset[str]:
        if self._numbers is None:
            found = [digits for text in self._readings for _, _, digits in numbers_in(text)]
            self._numbers = frozenset([_national(digits) for digits in found if len(digits) >= _NATIONAL_DIGITS])
        return self._numbers


def _national(digits: str) -> str:
    """A telephone number without the code of its country."""
    return digits[-_NATIONAL_DIGITS:]


def _sought(kind: str, value: str) -> list[str]:
    return list(filter(_can_be_sought, (*_variants(kind, value), _figures(value))))


def _variants(kind: str, value: str) -> list[str]:
    """In lower case, as texts are searched."""
    spelled = (value, canonical_value(kind, value), quote(value, safe=""), quote(value))
    return list(dict.fromkeys([variant.strip().lower() for variant in spelled]))


def _figures(value: str) -> str:
    """The digits alone of what is a number; "" for anything else."""
    figures = "".join([char for char in value if char.isascii() and char.isdigit()])
    is_number = len(figures) >= _LEAST_DIGITS and sum(map(str.isalpha, value)) <= _MOST_LETTERS
    return figures if is_number else ""


def _can_be_sought(needle: str) -> bool:
    if any(char >= "\u2e80" for char in needle):
        return len(needle) >= _LEAST_IDEOGRAPHS
    return len(needle) >= _LEAST and any(char.isalnum() for char in needle)


def _places(text: str, needle: str) -> Iterator[int]:
    """Where `needle` stands; not inside a longer number, a short one not inside a longer word."""
    is_short = len(needle) < LONG
    at = text.find(needle)
    while at >= 0:
        if not (_goes_on(text, at, is_short) or _goes_on(text, at + len(needle), is_short)):
            yield at
        at = text.find(needle, at + 1)


def _goes_on(text: str, at: int, is_short: bool) -> bool:
    """Whether the characters on both sides of `at` are of one number, or one word; ideographs have no such sides."""
    if not 0 < at < len(text):
        return False
    one, other = text[at - 1], text[at]
    if one.isdigit() and other.isdigit():
        return True
    return is_short and one < "\u2e80" and other < "\u2e80" and one.isalnum() and other.isalnum()
