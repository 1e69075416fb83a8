"""JSON as text: its strings and numbers and where they stand, so that one can be changed and the rest stays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from yuzui.core.sensitivity import Path
from yuzui.privacy.leaves import KEY, PROTOCOL_KEYS

_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}\[\]:,]|true|false|null')
_PIECE: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]")
_json: Final = msgspec.json.Decoder()
_encoder: Final = msgspec.json.Encoder()


class Edit(NamedTuple):
    start: int
    end: int
    text: str


class Literal(NamedTuple):
    """A string or a number; `start` and `end` are characters of the JSON, quotes included."""

    start: int
    end: int
    value: str
    """What a string says; a number as it is spelled."""
    is_number: bool
    path: Path
    """Below the root that was given, in the steps of `leaves`; ends in `KEY` for keys of objects."""


def read_literals(text: str, root: Path = ()) -> list[Literal] | None:
    """Strings and numbers of `text` in their order; None when it is no JSON object, list or string."""
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        _json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
    found: list[Literal] = []
    open_ones = [_Open(root, is_list=False, waits_for_key=False)]
    for match in _TOKEN.finditer(text):
        token = match[0]
        holder = open_ones[-1]
        if token[0] == '"' or token[0] in "-0123456789":
            is_number = token[0] != '"'
            value = token if is_number else _json.decode(token)
            path = holder.key_path(value) if holder.waits_for_key else holder.path
            found.append(Literal(match.start(), match.end(), value, is_number, path))
        elif token in "{[":
            open_ones.append(_Open(holder.path, is_list=token == "[", waits_for_key=token == "{"))
        elif token in "}]":
            open_ones.pop()
        elif token == ":":
            holder.waits_for_key = False
        elif token == ",":
            holder.next()
    return found


@dataclass(slots=True)
class _Open:
    """An object or a list that is being read; `path` is that of the value that comes next."""

    path: Path
    is_list: bool
    waits_for_key: bool
    root: Path = ()
    numbers: dict[str, int] | None = None
    index: int = 0

    def __post_init__(self) -> None:
        self.root = self.path
        if self.is_list:
            self.path = (self.root, 0)

    def key_path(self, key: str) -> Path:
        """Take `key` as the name of what comes next."""
        self.numbers = {} if self.numbers is None else self.numbers
        number = self.numbers.setdefault(key, len(self.numbers))
        self.path = (self.root, "." + key if key in PROTOCOL_KEYS else f".#{number}")
        return (self.path, KEY)

    def next(self) -> None:
        self.index += 1
        if self.is_list:
            self.path = (self.root, self.index)
        else:
            self.waits_for_key = True


def origins(literal: str) -> list[int] | None:
    """Where each character of what a string literal says begins in it, and where its last one ends; None when that is
    one further than in what it says, all along."""
    if "\\" not in literal:
        return None
    places = [1]
    for match in _PIECE.finditer(literal, 1, len(literal) - 1):
        places.append(match.end())
    return places


def within(literal: Literal, text: str, start: int, end: int) -> tuple[int, int]:
    """The part of `text[start:end]` that a string says, in characters of what it says; whole ones only."""
    places = origins(text[literal.start : literal.end])
    start, end = start - literal.start, end - literal.start
    if places is None:
        size = len(literal.value)
        return min(max(start - 1, 0), size), min(max(end - 1, 0), size)
    first = next((at for at, place in enumerate(places) if place >= start), len(places) - 1)
    last = max((at for at, place in enumerate(places) if place <= end), default=0)
    return first, last


def edits_in(literal: Literal, text: str, edits: Iterable[Edit]) -> list[Edit]:
    """`edits` of what a string says as edits of the JSON that it stands in."""
    places = origins(text[literal.start : literal.end])
    found = []
    for start, end, replacement in edits:
        first, last = (start + 1, end + 1) if places is None else (places[start], places[end])
        found.append(Edit(literal.start + first, literal.start + last, escape(replacement)))
    return found


def apply(text: str, edits: Iterable[Edit]) -> str:
    """`text` with all `edits`, which are in order and do not overlap."""
    pieces: list[str] = []
    at = 0
    for start, end, replacement in edits:
        pieces += (text[at:start], replacement)
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


def escape(text: str) -> str:
    """As it stands between the quotes of a JSON string."""
    try:
        return _encoder.encode(text).decode()[1:-1]
    except UnicodeEncodeError:  # a lone surrogate
        return "".join([f"\\u{ord(char):04x}" if 0xD800 <= ord(char) < 0xE000 else escape(char) for char in text])


def say(value: Any) -> str:  # Any: JSON values
    return _encoder.encode(value).decode()


def moved_by(shifts: Iterable[tuple[int, int, int]], offset: int) -> int:
    """Where `offset` of a text stands after replacements: (start, end, characters that stand there now), in order."""
    moved = 0
    for start, end, size in shifts:
        if offset <= start:
            break
        moved = start + moved + size - offset if offset < end else moved + size - (end - start)
    return offset + moved
