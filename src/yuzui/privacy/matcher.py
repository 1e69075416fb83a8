"""Finds issued stand-ins in a text that may go on: the leftmost, of those the longest, as models write them.

A stand-in of letters is found in any case, with its underscores escaped, bold, replaced by a space or a dash, or left
out. One with the shape of a value is found exactly as it was issued, and not inside a longer word or number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from yuzui.privacy.surrogates import LOOKALIKE

_SEPARATORS: Final = frozenset("_*\\ -`")
_MARKS: Final = frozenset("*`")
_MOST_SEPARATORS: Final = 8
_OPENING_CHARS: Final = 3
_END: Final = "end"
_GAP: Final = "gap"
_Node = dict[str, Any]  # Any: one-character steps to further nodes; `_END`: the stand-in; `_GAP`: separators may follow


class Found(NamedTuple):
    start: int
    end: int
    token: str
    marks: str
    """Signs of emphasis inside, which belong around it."""


class Matcher:
    """Built once per request; keeps nothing of the texts it sees."""

    __slots__ = ("_firsts", "_letters", "_shapes")

    def __init__(self, tokens: Iterable[str]) -> None:
        self._letters: _Node = {}
        self._shapes: _Node = {}
        openings: set[str] = set()
        for token in tokens:
            if LOOKALIKE.fullmatch(token):
                _grow(self._letters, token)
                openings.add(_opening(token[: token.rindex("_")], is_loose=True))
            else:
                node = self._shapes
                for char in token:
                    node = node.setdefault(char, {})
                node[_END] = token
                openings.add(_opening(token, is_loose=False))
        self._firsts = re.compile("|".join(sorted(openings))) if openings else None

    def next(
        self, text: str, at: int = 0, *, is_final: bool = True, before: str = "", is_spelled: bool = False
    ) -> tuple[Found | None, int]:
        """The first stand-in in `text` from `at` on, and how far `text` is settled: what stands there or behind may yet
        become another one. When one is found, settled is where it ends. `before` is the character in front of `text`.
        `is_spelled`: the text is JSON as it is spelled, where the neighbours of a word say little: all count.
        """
        if self._firsts is None:
            return None, len(text)
        size = len(text)
        while at < size:
            match = self._firsts.search(text, at)
            if match is None:
                return None, size
            at = match.start()
            found, is_open = _read_letters(self._letters, text, at)
            if self._shapes:
                previous = "" if is_spelled else text[at - 1] if at else before
                likeness, may_grow = _read_shape(self._shapes, text, at, previous, is_final, is_spelled)
                is_open = is_open or may_grow
                if likeness is not None and (found is None or likeness.end > found.end):
                    found = likeness
            if is_open and not is_final:
                return None, at
            if found is not None:
                return found, found.end
            at += 1
        return None, size


def _opening(word: str, *, is_loose: bool) -> str:
    """A pattern of where a stand-in may begin: its first letters, as far as the text goes."""
    wanted: list[str] = []
    gap = ""
    for char in word:
        if is_loose and char == "_":
            gap = "".join(map(re.escape, sorted(_SEPARATORS)))
            continue
        either = f"{char}{char.lower()}" if is_loose else re.escape(char)
        wanted.append(f"[{either}{gap}]")
        if gap or len(wanted) == _OPENING_CHARS:
            break
    pattern = wanted.pop()
    while wanted:
        pattern = f"{wanted.pop()}(?:\\Z|{pattern})"
    return pattern


def _grow(node: _Node, token: str) -> None:
    for char in token:
        if char == "_":
            node[_GAP] = True
            continue
        child = node.get(char)
        if child is None:
            child = node[char] = node[char.lower()] = {}
        node = child
    node[_END] = token


def _read_letters(node: _Node, text: str, start: int) -> tuple[Found | None, bool]:
    """The longest stand-in that begins at `start`, and whether more text could make it (longer)."""
    found: Found | None = None
    marks = ""
    separators = 0
    for at in range(start, len(text)):
        char = text[at]
        child = node.get(char)
        if child is not None:
            node, separators = child, 0
            token = node.get(_END)
            if token is not None:
                found = Found(start, at + 1, token, marks)
                if len(node) == 1:
                    return found, False
        elif char in _SEPARATORS and _GAP in node and separators < _MOST_SEPARATORS:
            separators += 1
            if char in _MARKS:
                marks += char
        else:
            return found, False
    return found, True


def _read_shape(
    node: _Node, text: str, start: int, previous: str, is_final: bool, is_spelled: bool
) -> tuple[Found | None, bool]:
    if _joins(previous, text[start]):
        return None, False
    found: Found | None = None
    for at in range(start, len(text)):
        child = node.get(text[at])
        if child is None:
            return found, False
        node = child
        token = node.get(_END)
        if token is not None:
            if is_spelled:
                return Found(start, at + 1, token, ""), False
            if at + 1 == len(text):
                return (Found(start, at + 1, token, ""), False) if is_final else (found, True)
            if not _joins(text[at], text[at + 1]):
                found = Found(start, at + 1, token, "")
    return found, True


def _joins(one: str, other: str) -> bool:
    """Whether two neighbours are of one word or number."""
    return (one.isdigit() and other.isdigit()) or (
        one.isascii() and other.isascii() and one.isalpha() and other.isalpha()
    )
