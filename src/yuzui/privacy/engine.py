"""All patterns in one pass over a text: Hyperscan where there is one, RE2 elsewhere, the same candidates."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import Any, Literal, Protocol

from yuzui.core.errors import ConfigError
from yuzui.privacy.detectors._contract import Pattern

EngineName = Literal["auto", "hyperscan", "re2"]
Candidate = tuple[int, int, int]
"""(index of the pattern, start, end): characters of the text, `end` exclusive."""

MAX_CANDIDATES = 100_000  # work stays bounded on hostile text; who exceeds it is treated as most sensitive
_RE2_MEMORY_BYTES = 256 * 1024 * 1024


class TooManyCandidates(Exception):
    """The text has more candidates than anyone should look at one by one."""


class Engine(Protocol):
    name: str

    def find(self, text: str, data: bytes) -> list[Candidate]:
        """Leftmost-longest, non-overlapping matches of each pattern, by start. `data` is `text` in UTF-8.

        Raise `TooManyCandidates`.
        """
        ...


def compile_engine(patterns: Sequence[Pattern], name: EngineName = "auto") -> Engine:
    """Raise `re2.error`, `hyperscan.error` or `ImportError`; patterns of operators go through `check_pattern` first."""
    if name == "hyperscan":
        return HyperscanEngine(patterns)
    if name == "re2":
        return Re2Engine(patterns)
    try:
        return HyperscanEngine(patterns)
    except ImportError:  # no wheel for this machine
        return Re2Engine(patterns)


def check_pattern(pattern: Pattern, where: str, name: EngineName = "auto") -> None:
    """Raise `ConfigError` naming `where` when the pattern cannot be used."""
    try:
        engine = compile_engine((pattern,), name)
        matches_nothing = any(start == end for _, start, end in engine.find("", b""))
    except ImportError:
        raise
    except Exception as error:  # both engines raise their own class for a bad expression
        raise ConfigError(f"{where}: {pattern.regex!r} is not a pattern in RE2 syntax: {error}") from error
    if matches_nothing:
        raise ConfigError(f"{where}: {pattern.regex!r} matches the empty text; write at least one required character")


@lru_cache(maxsize=8)  # half a second each: a reload that changes no pattern must not stop the loop for it
def _compiled(patterns: tuple[Pattern, ...]) -> tuple[Any, Lock]:  # Any: as below
    """A database, and the lock of its scratch space, which serves one scan at a time: scans release the GIL."""
    hs: Any = importlib.import_module("hyperscan")  # Any: the stubs cover only part of the extension
    base = hs.HS_FLAG_SOM_LEFTMOST | hs.HS_FLAG_UTF8 | hs.HS_FLAG_MULTILINE
    database = hs.Database(mode=hs.HS_MODE_BLOCK)
    database.compile(
        expressions=[pattern.regex.encode() for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[base | (hs.HS_FLAG_CASELESS if pattern.ignore_case else 0) for pattern in patterns],
    )
    return database, Lock()


class HyperscanEngine:
    """A block-mode database. Hyperscan reports every end of a match; the longest of each is kept afterwards."""

    __slots__ = ("_database", "_lock", "name")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.name = "hyperscan"
        self._database, self._lock = _compiled(tuple(patterns))

    def find(self, text: str, data: bytes) -> list[Candidate]:
        events: list[_Event] = []
        with self._lock:
            try:
                self._database.scan(data, _on_match, 0, events)
            except Exception:
                if len(events) <= MAX_CANDIDATES:
                    raise
        if not events:
            return []
        if len(events) > MAX_CANDIDATES:
            raise TooManyCandidates
        return _to_characters(_leftmost_longest(events), data, len(text))


class Re2Engine:
    """A set tells which patterns occur at all; only those are searched for their places."""

    __slots__ = ("_expressions", "_set", "name")

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        re2: Any = importlib.import_module("re2")  # Any: the module has no stubs
        self.name = "re2"
        options = re2.Options()
        options.longest_match = True
        options.log_errors = False
        options.max_mem = _RE2_MEMORY_BYTES
        sources = [f"(?m{'i' if pattern.ignore_case else ''}){pattern.regex}" for pattern in patterns]
        self._expressions = [re2.compile(source.encode(), options) for source in sources]
        self._set = re2.Set.SearchSet(options)
        for source in sources:
            self._set.Add(source.encode())
        self._set.Compile()

    def find(self, text: str, data: bytes) -> list[Candidate]:
        matched = self._set.Match(data)
        if not matched:
            return []
        events: list[Candidate] = []
        for index in matched:
            for match in self._expressions[index].finditer(data):
                events.append((index, match.start(), match.end()))
                if len(events) > MAX_CANDIDATES:
                    raise TooManyCandidates
        events.sort(key=lambda event: (event[1], event[0]))
        return _to_characters(events, data, len(text))


_Event = tuple[int, int, int]
"""(start, index, -end) of a match as Hyperscan reports it: these sort by themselves into the order that we need."""


def _on_match(index: int, start: int, end: int, _flags: int, events: list[_Event]) -> bool:
    events.append((start, index, -end))
    return len(events) > MAX_CANDIDATES  # True ends the scan


def _leftmost_longest(events: list[_Event]) -> list[Candidate]:
    """Of overlapping matches of one pattern keep the one that begins first, of those the longest."""
    events.sort()
    ends: dict[int, int] = {}
    kept: list[Candidate] = []
    for start, index, negative_end in events:
        if start >= ends.get(index, 0):
            ends[index] = -negative_end
            kept.append((index, start, -negative_end))
    return kept


def _to_characters(events: list[Candidate], data: bytes, size: int) -> list[Candidate]:
    """Byte offsets as character offsets. `events` are sorted by start; linear in text plus matches' lengths."""
    if len(data) == size:
        return events
    found: list[Candidate] = []
    byte = char = 0
    for index, start, end in events:
        char += len(data[byte:start].decode())
        byte = start
        found.append((index, char, char + len(data[start:end].decode())))
    return found
