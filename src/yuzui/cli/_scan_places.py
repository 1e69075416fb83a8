"""Knows how a text is scanned so that each finding has its line, its column, its bytes and its place in the JSON."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from yuzui.core import strict_json
from yuzui.core.errors import InvalidRequest
from yuzui.core.sensitivity import Fact, Finding, Path, SensitivityRules
from yuzui.privacy.json_places import ROOT, JsonPlaces
from yuzui.privacy.leaves import spell_path
from yuzui.privacy.scan import NOTHING, Scanner
from yuzui.privacy.windows import LEAD_CHARS, Passage, Scan, read_passages

MOST_JSON_CHARS: Final = 8 * 1024 * 1024  # walking takes thirty times the memory; longer ones are read as text
SHORTEST_REPEAT: Final = 6  # characters; shorter ones are words of the language, too
REACH: Final = 60  # characters of the line that are shown on each side of a finding
_JSON_SUFFIXES: Final = (".json", ".ipynb", ".geojson", ".har", ".webmanifest")
_LINE_SUFFIXES: Final = (".jsonl", ".ndjson")
_LIST_KEY: Final = "documents"  # a list is walked as the value of a key; no other meaning is attached to this one
_LIST_ROOT: Final = (ROOT, "." + _LIST_KEY)
_HALF: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding in a file. Lines and columns count from 1, offsets from 0; `end` is exclusive."""

    kind: str
    level: int
    detector: str
    rule: str
    """With its detector: `case_number/label`."""
    version: str
    evidence: tuple[Fact, ...]
    confidence: float
    path: str
    """Where it stands in JSON; empty elsewhere."""
    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int
    """Characters of the text."""
    byte_start: int
    byte_end: int
    """Bytes of the file."""
    shown: str
    """Its line, with every finding on it replaced by its kind."""
    value: str
    leaf_span: tuple[int, int] | None = None
    """Characters of the string at `path`, where the finding has some there."""

    @property
    def length(self) -> int:
        return self.end - self.start

    @property
    def versioned_rule(self) -> str:
        return f"{self.rule}@{self.version}" if self.version else self.rule


@dataclass(slots=True)
class Reading:
    """What is known of a text when it was read to its end."""

    form: str = "text"
    """text | json | jsonl."""
    unscannable: tuple[str, ...] = ()
    """Parts of JSON that no detector reads: pictures, files, unknown kinds."""
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How characters of the text become bytes of the file."""

    encoding: str = "utf-8"
    errors: str = "strict"
    mark_bytes: int = 0

    def size_of(self, text: str) -> int:
        return len(text) if self.encoding == "cp1252" else len(text.encode(self.encoding, self.errors))


def scan_pieces(
    scanner: Scanner, rules: SensitivityRules, pieces: Iterable[str], name: str, coding: Coding, reading: Reading
) -> Iterator[Found]:
    """Findings in their order; `reading` is complete when they end. JSON is read twice: as JSON, where a request's
    values stand, and as text, where a name stands beside its value."""
    source = iter(pieces)
    head = next(source, "")
    walked: list[tuple[int, int, Finding]] = []
    places: list[tuple[int, JsonPlaces]] = []
    if _may_be_json(head, name):
        text = _joined(head, source, MOST_JSON_CHARS)
        if len(text) <= MOST_JSON_CHARS:
            reading.form = _walk_json(scanner, text, name, walked, places, reading)
        source = iter((text, *source)) if len(text) > MOST_JSON_CHARS else iter((text,))
        head = ""
    walked.sort(key=lambda one: one[:2])
    passages = read_passages(_scan_of(scanner, coding), _all(head, source))
    yield from _Teller(rules, coding, walked, places, reading).tell(passages)


def scan_body(scanner: Scanner, rules: SensitivityRules, text: str, reading: Reading) -> list[Found] | None:
    """What a gateway finds in the body of a request, no more and no less; None when it would not read it."""
    walked: list[tuple[int, int, Finding]] = []
    places: list[tuple[int, JsonPlaces]] = []
    if text.lstrip()[:1] != "{" or not _walk_value(scanner, text, 0, walked, places, reading):
        return None
    reading.form = "json"
    walked.sort(key=lambda one: one[:2])
    passages = read_passages(lambda _text: NOTHING, [text])
    return list(_Teller(rules, Coding(), walked, places, reading).tell(passages))


def _scan_of(scanner: Scanner, coding: Coding) -> Scan:
    if coding.errors == "strict":
        return scanner.scan_text
    return lambda text: scanner.scan_text(_HALF.sub("\ufffd", text))  # one character for one: offsets stay


def _all(head: str, rest: Iterator[str]) -> Iterator[str]:
    yield head
    yield from rest


def _joined(head: str, rest: Iterator[str], most: int) -> str:
    """Pieces until there are more than `most` characters; the others stay in `rest`."""
    pieces, size = [head], len(head)
    while size <= most:
        piece = next(rest, None)
        if piece is None:
            break
        pieces.append(piece)
        size += len(piece)
    return "".join(pieces)


def _may_be_json(head: str, name: str) -> bool:
    if name.lower().endswith((*_JSON_SUFFIXES, *_LINE_SUFFIXES)):
        return True
    return head.lstrip()[:1] in ("{", "[")


def _walk_json(
    scanner: Scanner, text: str, name: str, walked: list[tuple[int, int, Finding]],
    places: list[tuple[int, JsonPlaces]], reading: Reading,
) -> str:  # fmt: skip  # the arguments of one reading
    """Add what is found; return what the text is: json, jsonl or text."""
    if not name.lower().endswith(_LINE_SUFFIXES) and _walk_value(scanner, text, 0, walked, places, reading):
        return "json"
    first, _, rest = text.lstrip().partition("\n")
    if not rest.strip() or not _is_json(first):
        return "text"
    at = 0
    for line in text.split("\n"):
        if line.strip():
            _walk_value(scanner, line, at, walked, places, reading)  # a line that is no JSON is read as text, below
        at += len(line) + 1
    return "jsonl"


def _is_json(text: str) -> bool:
    return _read_value(text) is not None


def _read_value(text: str) -> tuple[dict[str, Any], Path] | None:  # Any: checked JSON
    """The value, and where the paths of its leaves begin; None when it is not JSON in one meaning."""
    plain = text.strip()
    try:
        if plain[:1] == "{":
            return strict_json.read_object(plain.encode()), ROOT
        if plain[:1] == "[":
            return strict_json.read_object(f'{{"{_LIST_KEY}":{plain}}}'.encode()), _LIST_ROOT
    except (InvalidRequest, UnicodeEncodeError):
        return None
    return None


def _walk_value(
    scanner: Scanner, text: str, at: int, walked: list[tuple[int, int, Finding]],
    places: list[tuple[int, JsonPlaces]], reading: Reading,
) -> bool:  # fmt: skip  # as above
    read = _read_value(text)
    if read is None:
        return False
    value, root = read
    try:
        result = scanner.scan(value)
    except InvalidRequest:
        return False  # nested too deep to be walked: it is read as text
    reading.unscannable += result.unscannable
    reading.failures += result.failures
    inside = JsonPlaces(text, root)
    places.append((at, inside))
    for finding in result.findings:
        start, end = inside.span_of(finding)
        walked.append((at + start, at + end, replace(finding, start=at + start, end=at + end)))
    return True


class _Teller:
    """Brings findings of both readings together and counts lines and bytes on the way."""

    def __init__(
        self, rules: SensitivityRules, coding: Coding, walked: list[tuple[int, int, Finding]],
        places: list[tuple[int, JsonPlaces]], reading: Reading,
    ) -> None:  # fmt: skip  # as above
        self._rules = rules
        self._coding = coding
        self._walked = walked
        self._places = places
        self._reading = reading
        self._line = 1
        self._line_start = 0
        self._bytes = coding.mark_bytes

    def tell(self, passages: Iterable[Passage]) -> Iterator[Found]:
        position = 0
        for passage in passages:
            self._reading.failures += passage.failures
            self._reading.unscannable += passage.unscannable
            mine: list[Finding] = []
            while position < len(self._walked) and self._walked[position][0] < passage.last:
                mine.append(self._walked[position][2])
                position += 1
            near = self._near(passage)
            vague = [one for one in near if _is_better_said(one, passage.findings)]
            near = [one for one in near if one not in vague]
            own = [one for one in mine if one not in vague]
            own += [one for one in passage.findings if not _is_among(one, near)]
            own.sort(key=lambda one: (one.start, one.end))
            seen = [*own, *near, *passage.findings, *passage.nearby]
            covers, values = _merged(seen), _values(passage, seen)
            at = passage.first
            for one in own:
                start = max(one.start, passage.start)
                self._advance(passage, at, start)
                at = max(at, start)
                yield self._found(passage, one, covers, values)
            self._advance(passage, at, passage.last)

    def _near(self, passage: Passage) -> list[Finding]:
        """What the walk found in the window, whoever reports it."""
        first = bisect_left(self._walked, (passage.start - LEAD_CHARS,), key=lambda one: one[:1])
        last = bisect_left(self._walked, (passage.start + len(passage.text),), key=lambda one: one[:1])
        return [one for _, end, one in self._walked[first:last] if end > passage.start]

    def _advance(self, passage: Passage, start: int, end: int) -> None:
        if end <= start:
            return
        text = passage.text[start - passage.start : end - passage.start]
        self._bytes += self._coding.size_of(text)
        self._line += text.count("\n")
        newline = text.rfind("\n")
        if newline >= 0:
            self._line_start = start + newline + 1

    def _found(self, passage: Passage, one: Finding, covers: Sequence[_Cover], values: Mapping[str, str]) -> Found:
        value = passage.text[max(0, one.start - passage.start) : one.end - passage.start]
        newlines = value.count("\n")
        end_column = len(value) - value.rfind("\n") if newlines else one.start - self._line_start + 1 + len(value)
        path = one.path if one.path != "$" else ""
        return Found(
            kind=one.kind,
            level=self._rules.kinds.get(one.kind, self._rules.lattice.top),
            detector=one.detector,
            rule=one.rule_id,
            version=one.version,
            evidence=one.evidence,
            confidence=one.confidence,
            path=_without_list_key(path or self._path_at(one.start)),
            line=self._line,
            column=one.start - self._line_start + 1,
            end_line=self._line + newlines,
            end_column=end_column,
            start=one.start,
            end=one.start + len(value),  # of a value that goes on for very long, what was looked at
            byte_start=self._bytes,
            byte_end=self._bytes + self._coding.size_of(value),
            shown=_shown(passage, one, covers, values),
            value=value,
            leaf_span=_leaf_span(one),
        )

    def _path_at(self, at: int) -> str:
        position = bisect_right(self._places, at, key=lambda one: one[0]) - 1
        if position < 0:
            return ""
        start, inside = self._places[position]
        path = inside.path_at(at - start)
        return spell_path(path) if path is not None else ""


def _leaf_span(one: Finding) -> tuple[int, int] | None:
    place = one.place
    return (place.start, place.end) if place is not None and place.form in ("text", "joined") else None


_Cover = tuple[int, int, tuple[str, ...]]


def _is_among(one: Finding, others: Sequence[Finding]) -> bool:
    """Whether the other reading has it too."""
    return any(other.kind == one.kind and other.start < one.end and one.start < other.end for other in others)


def _is_better_said(one: Finding, others: Sequence[Finding]) -> bool:
    """Whether it covers a whole string because it was read in another way, and the text shows where it stands in it."""
    if one.place is None or one.place.form != "whole":
        return False
    return any(other.kind == one.kind and one.start <= other.start and other.end <= one.end for other in others)


def _merged(findings: Iterable[Finding]) -> list[_Cover]:
    """Spans that overlap as one, with their kinds."""
    covers: list[_Cover] = []
    for one in sorted(findings, key=lambda one: (one.start, one.end)):
        if covers and one.start < covers[-1][1]:
            start, end, kinds = covers[-1]
            covers[-1] = (start, max(end, one.end), kinds if one.kind in kinds else (*kinds, one.kind))
        else:
            covers.append((one.start, one.end, (one.kind,)))
    return covers


def _shown(passage: Passage, one: Finding, covers: Sequence[_Cover], values: Mapping[str, str]) -> str:
    """The line of a finding without any value that was found on it, also of those that are not reported."""
    text, base = passage.text, passage.start
    here = next(cover for cover in covers if cover[0] <= one.start and one.end <= cover[1])
    first = max(base, here[0])
    line_start = max(text.rfind("\n", 0, first - base) + 1 + base, first - 4 * REACH)
    last = min(here[1], base + len(text))
    line_end = text.find("\n", last - base)
    line_end = min(len(text) + base if line_end < 0 else line_end + base, last + 4 * REACH)
    before = _without_values(text, base, line_start, first, covers)
    after = _without_values(text, base, last, line_end, covers)
    before, after = (_without_repeats(side, values) for side in (before, after))
    is_cut = len(before) > REACH, len(after) > REACH
    before = f"…{before[-REACH:]}" if is_cut[0] else before.lstrip()
    after = f"{after[:REACH]}…" if is_cut[1] else after.rstrip()
    return f"{before}{_mark(here)}{after}"


def _without_values(text: str, base: int, start: int, end: int, covers: Sequence[_Cover]) -> str:
    pieces: list[str] = []
    at = start
    for cover in covers:
        if cover[1] <= start or cover[0] >= end:
            continue
        pieces.append(text[at - base : max(at, cover[0]) - base])
        pieces.append(_mark(cover))
        at = max(at, cover[1])
    pieces.append(text[at - base : end - base] if at < end else "")
    return "".join(pieces)


def _values(passage: Passage, findings: Iterable[Finding]) -> dict[str, str]:
    """What was found and what to show instead, longest first."""
    found: dict[str, str] = {}
    for one in findings:
        value = passage.text[max(0, one.start - passage.start) : one.end - passage.start]
        if len(value) >= SHORTEST_REPEAT:
            found[value] = f"‹{one.kind}›"
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _without_repeats(shown: str, values: Mapping[str, str]) -> str:
    """A value that was found once is hidden wherever it stands, also where its surroundings hid it from a detector."""
    for value, mark in values.items():
        if value in shown:
            shown = shown.replace(value, mark)
    return shown


def _mark(cover: _Cover) -> str:
    return f"‹{' '.join(cover[2])}›"


def _without_list_key(path: str) -> str:
    """`$.documents[0]` is how a list at the top was walked; its owner knows it as `$[0]`."""
    prefix = f"$.{_LIST_KEY}["
    return f"$[{path[len(prefix) :]}" if path.startswith(prefix) else path
