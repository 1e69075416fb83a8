"""From a finding in a JSON value to the characters of the JSON text that it stands in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from yuzui.core.sensitivity import Finding, Path
from yuzui.privacy.json_text import Literal, origins, read_literals
from yuzui.privacy.leaves import EMBEDDED, KEY

ROOT: Final = ("", "$")


class JsonPlaces:
    """Where things stand in `text`, JSON whose value the paths of findings begin at with `root`."""

    def __init__(self, text: str, root: Path = ROOT) -> None:
        self._text = text
        self._root = root
        self._texts: dict[Path | None, str] = {None: text}
        """The JSON that a string spells, by the path of that string; None: the whole text."""
        self._literals: dict[Path | None, dict[Path, Literal]] = {}

    @cached_property
    def _ordered(self) -> list[Literal]:  # when somebody asks: most texts hold nothing
        return read_literals(self._text, self._root) or []

    @cached_property
    def _starts(self) -> list[int]:
        return [literal.start for literal in self._ordered]

    def span_of(self, finding: Finding) -> tuple[int, int]:
        """Characters of the text; more than the finding where it has no characters of its own, never fewer."""
        place = finding.place
        if place is None:
            return 0, len(self._text)
        match place.form:
            case "text":
                return self._within(place.path, place.start, place.end)
            case "joined":
                return self._joined(place.path, place.start, place.end)
            case "number" | "whole":
                return self._whole(place.path)

    def path_at(self, at: int) -> Path | None:
        """The path of the string or number around a character of the text."""
        position = bisect_right(self._starts, at) - 1
        if position < 0 or at >= self._ordered[position].end:
            return None
        return self._ordered[position].path

    def _within(self, path: Path, start: int, end: int) -> tuple[int, int]:
        """Characters `start` to `end` of what the string at `path` says."""
        holder = _holder(path)
        literal = self._inside(holder).get(path)
        if literal is None or literal.is_number:
            return self._whole(path)
        places = origins(self._texts[holder][literal.start : literal.end])
        if places is None:
            first, last = start + 1, end + 1
        else:
            first, last = places[min(start, len(places) - 1)], places[min(end, len(places) - 1)]
        return self._outwards(holder, literal.start + first, literal.start + last)

    def _joined(self, path: Path, start: int, end: int) -> tuple[int, int]:
        """From the first piece of a value to its last one, over the JSON between them."""
        spans: list[tuple[int, int]] = []
        at = 0
        for part, literal in self._parts(path):
            first, last = max(start - at, 0), min(end - at, len(literal.value))
            if first < last:
                spans.append(self._within(part, first, last))
            at += len(literal.value)
        return (spans[0][0], spans[-1][1]) if spans else self._whole(path)

    def _parts(self, path: Path) -> Iterator[tuple[Path, Literal]]:
        """The texts of the parts of a list, in order."""
        for part, literal in self._inside(_holder(path)).items():
            parent, step = part
            is_text = step == ".text" and parent and parent[0] == path
            if not literal.is_number and (is_text or (parent == path and isinstance(step, int))):
                yield part, literal

    def _whole(self, path: Path) -> tuple[int, int]:
        """All literals at `path` and below it."""
        holder = _holder(path)
        inside = self._inside(holder)
        literal = inside.get(path)
        if literal is not None:
            return self._outwards(holder, literal.start, literal.end)
        below = [one for other, one in inside.items() if _is_below(other, path)]
        if below:
            return self._outwards(holder, min(one.start for one in below), max(one.end for one in below))
        return (0, len(self._text)) if holder is None else self._whole(holder)

    def _outwards(self, holder: Path | None, start: int, end: int) -> tuple[int, int]:
        return (start, end) if holder is None else self._within(holder, start, end)

    def _inside(self, holder: Path | None) -> dict[Path, Literal]:
        if holder is None:
            if None not in self._literals:
                self._literals[None] = _by_path(self._ordered)
        elif holder not in self._literals:
            literal = self._inside(_holder(holder)).get(holder)
            self._texts[holder] = literal.value if literal is not None else ""
            self._literals[holder] = _by_path(read_literals(self._texts[holder], (holder, EMBEDDED)) or ())
        return self._literals[holder]


def _by_path(literals: Iterable[Literal]) -> dict[Path, Literal]:
    return {literal.path: literal for literal in literals}


def _holder(path: Path) -> Path | None:
    """The string whose JSON `path` leads into; None: the text itself."""
    while path:
        parent, step = path
        if step == EMBEDDED:
            return parent if isinstance(parent, tuple) else None
        path = parent
    return None


def _is_below(path: Path, ancestor: Path) -> bool:
    if path[1] == KEY and path[0] == ancestor:
        return False  # an entry's key stands beside its value
    while path:
        if path == ancestor:
            return True
        path = path[0]
    return False
