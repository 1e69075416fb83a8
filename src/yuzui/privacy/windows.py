"""Texts of any length, read in windows: each finding once, at its place in the whole text, in bounded memory.

A window has a core, which it answers for, and what stands around it, so that a value at its edge is seen whole and
with the words in front of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from yuzui.core.sensitivity import Finding
from yuzui.privacy.scan import ScanResult

CORE_CHARS: Final = 16 * 1024  # folding other scripts costs more per character in longer texts
LEAD_CHARS: Final = 1024
TAIL_CHARS: Final = 4 * 1024  # an RSA key of 4,096 bits in PEM has 3,300
_LONGEST_CHARS: Final = 256 * 1024  # a value that goes on beyond its window is looked at once more in one of this size

Scan = Callable[[str], ScanResult]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A window that was scanned; all offsets are characters of the whole text."""

    text: str
    start: int
    """Where `text` begins."""
    first: int
    last: int
    """The core, `last` exclusive. The cores of all passages together are the whole text."""
    findings: tuple[Finding, ...]
    """Those that begin in the core."""
    nearby: tuple[Finding, ...]
    """Those around it, which other passages report."""
    unscannable: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def read_passages(scan: Scan, pieces: Iterable[str]) -> Iterator[Passage]:
    """Scan the text that `pieces` make together."""
    source = iter(pieces)
    held, base, core = "", 0, 0
    is_over = False
    reached: dict[str, int] = {}
    while True:
        while not is_over and base + len(held) < core + CORE_CHARS + TAIL_CHARS + _LONGEST_CHARS:
            piece = next(source, None)
            if piece is None:
                is_over = True
            else:
                held += piece
        end = base + len(held)
        is_last = is_over and end <= core + CORE_CHARS + TAIL_CHARS
        core_end = end if is_last else _after_a_line(held, core - base, core - base + CORE_CHARS) + base
        if core_end > core or is_last:
            yield _read(scan, held, base, core, core_end, reached)
        if is_last:
            return
        core = core_end
        keep = max(0, core - LEAD_CHARS - base)
        held, base = held[keep:], base + keep


def _read(scan: Scan, held: str, base: int, core: int, core_end: int, reached: dict[str, int]) -> Passage:
    start = max(base, core - LEAD_CHARS)
    text = held[start - base : core_end + TAIL_CHARS - base]
    result = scan(text)
    found = [one for finding in result.findings for one in _placed(scan, text, start, finding)]
    end = start + len(text)
    if end < base + len(held) and any(one.end >= end and core <= one.start < core_end for one in found):
        longer = held[start - base : start - base + _LONGEST_CHARS]
        more = scan(longer)
        found = [one for finding in more.findings for one in _placed(scan, longer, start, finding)]
    own: list[Finding] = []
    nearby: list[Finding] = []
    for one in found:
        if one.end <= reached.get(one.kind, 0) or not core <= one.start < core_end:
            nearby.append(one)
        else:
            own.append(one)
            reached[one.kind] = max(reached.get(one.kind, 0), one.end)
    return Passage(text=text, start=start, first=core, last=core_end, findings=tuple(own), nearby=tuple(nearby),
                   unscannable=result.unscannable, failures=result.failures)  # fmt: skip  # as it is declared


def _placed(scan: Scan, text: str, start: int, finding: Finding) -> Iterator[Finding]:
    """`finding` in offsets of the whole; one that covers all of the text because it was read in another way is looked
    for in each of its lines."""
    if finding.place is None or finding.place.form != "whole":
        yield _moved(finding, start)
        return
    at, is_found = 0, False
    for line in text.splitlines(keepends=True):
        for other in scan(line).findings:
            if other.kind == finding.kind and other.place is not None and other.place.form == "whole":
                is_found = True
                yield _moved(replace(other, end=min(other.end, len(line.rstrip("\r\n")))), start + at)
        at += len(line)
    if not is_found:
        yield _moved(finding, start)


def _moved(finding: Finding, by: int) -> Finding:
    return replace(finding, start=finding.start + by, end=finding.end + by, place=None)


def _after_a_line(text: str, start: int, end: int) -> int:
    """Behind the last line that ends in `text[start:end]`; `end` when none does in its second half."""
    at = text.rfind("\n", start + (end - start) // 2, end)
    return end if at < 0 else at + 1
