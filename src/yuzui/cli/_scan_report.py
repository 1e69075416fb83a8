"""Knows how the findings of `yuzui scan` are written, one after another: for people, as JSON, as SARIF."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol
from urllib.parse import quote

import msgspec

from yuzui import __version__
from yuzui.cli._output import note, say
from yuzui.cli._scan_places import Found
from yuzui.cli._why import evidence_as_json, spell_why
from yuzui.core.sensitivity import Lattice

Show = Literal["place", "line", "masked", "value"]
MOST_LISTED: Final = 10_000  # names of files that were not read; all of them are counted
_ENDS_SHOWN: Final = 2
_SHORTEST_WITH_ENDS: Final = 8
_SARIF_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(slots=True)
class Summary:
    """What was done, in numbers."""

    files: int = 0
    files_with_findings: int = 0
    findings: int = 0
    size_bytes: int = 0
    unreadable: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    """Reason → files and folders."""
    kinds: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, object]:
        return {
            "files": self.files, "files_with_findings": self.files_with_findings, "findings": self.findings,
            "bytes": self.size_bytes, "unreadable": self.unreadable, "skipped": dict(sorted(self.skipped.items())),
            "kinds": dict(sorted(self.kinds.items())),
        }  # fmt: skip


class Report(Protocol):
    def add(self, name: str, found: Found) -> None: ...

    def unreadable(self, name: str, reason: str) -> None:
        """A file, or a part of one, that nobody has looked at."""
        ...

    def remark(self, name: str, text: str) -> None:
        """What the reader should know of a file that was read."""
        ...

    def end(self, summary: Summary) -> None: ...


def masked(value: str) -> str:
    """Its two first and last characters, of a long one; of a short one nothing."""
    if len(value) < _SHORTEST_WITH_ENDS:
        return "•" * len(value)
    return f"{value[:_ENDS_SHOWN]}{'•' * (len(value) - 2 * _ENDS_SHOWN)}{value[-_ENDS_SHOWN:]}"


class TextReport:
    """`file:line:column: kind (level), 18 characters`, and below it the line without the value."""

    def __init__(self, lattice: Lattice, show: Show, *, why: bool = False) -> None:
        self._lattice = lattice
        self._show = show
        self._why = why
        self._last: tuple[str, int, str] = ("", 0, "")

    def add(self, name: str, found: Found) -> None:
        where = f" at {found.path}" if found.path else ""
        rule = f", {found.detector}" if found.detector != found.kind else ""
        size = f"{found.length} character{'' if found.length == 1 else 's'}"
        level = self._lattice.names[found.level]
        say(f"{name}:{found.line}:{found.column}: {found.kind} ({level}), {size}{rule}{where}")
        if self._why:
            say(f"    {spell_why(found)}")
        match self._show:
            case "line":
                if (name, found.line, found.shown) != self._last:
                    say(f"    {found.shown}")
            case "masked":
                say(f"    {masked(found.value)}")
            case "value":
                say(f"    {found.value}")
            case "place":
                pass
        self._last = name, found.line, found.shown

    def unreadable(self, name: str, reason: str) -> None:
        note(f"{name}: not readable: {reason}")

    def remark(self, name: str, text: str) -> None:
        note(f"{name}: {text}")

    def end(self, summary: Summary) -> None:
        say(spell(summary))


def spell(summary: Summary) -> str:
    """`2 findings in 1 of 14 files (0.1 MB), 1 not readable, 2 skipped (1 symbolic link, 1 version control)`."""
    text = _counted(summary.findings, "finding")
    if summary.findings:
        text += f" in {summary.files_with_findings} of {_counted(summary.files, 'file')}"
    else:
        text += f" in {_counted(summary.files, 'file')}"
    text += f" ({summary.size_bytes / 1e6:,.1f} MB)"
    if summary.unreadable:
        text += f", {summary.unreadable} not readable"
    if summary.skipped:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(summary.skipped.items()))
        text += f", {summary.skipped.total()} skipped ({reasons})"
    return text


class _Listed:
    """Files that were not read, for reports that list them at the end."""

    def __init__(self) -> None:
        self.unread: list[dict[str, str]] = []
        self.remarks: list[dict[str, str]] = []

    def unreadable(self, name: str, reason: str) -> None:
        if len(self.unread) < MOST_LISTED:
            self.unread.append({"file": name, "reason": reason})

    def remark(self, name: str, text: str) -> None:
        if len(self.remarks) < MOST_LISTED:
            self.remarks.append({"file": name, "remark": text})


class JsonReport(_Listed):
    """One JSON object. Findings are written as they come; they hold no value unless it was asked for."""

    def __init__(self, lattice: Lattice, show: Show) -> None:
        super().__init__()
        self._lattice = lattice
        self._show = show
        self._is_first = True
        _write('{"findings": [')

    def add(self, name: str, found: Found) -> None:
        _write(("" if self._is_first else ",") + "\n  " + _json(self._fields(name, found)))
        self._is_first = False

    def _fields(self, name: str, found: Found) -> dict[str, object]:
        fields: dict[str, object] = {
            "file": name, "kind": found.kind, "level": self._lattice.names[found.level], "rule": found.rule,
            "version": found.version, "confidence": found.confidence,
            "evidence": evidence_as_json(found.evidence), "path": found.path, "line": found.line,
            "column": found.column, "end_line": found.end_line, "end_column": found.end_column, "start": found.start,
            "end": found.end, "byte_start": found.byte_start, "byte_end": found.byte_end, "length": found.length,
        }  # fmt: skip
        match self._show:
            case "line":
                fields["shown"] = found.shown
            case "masked":
                fields["masked"] = masked(found.value)
            case "value":
                fields["value"] = found.value
            case "place":
                pass
        return fields

    def end(self, summary: Summary) -> None:
        rest = {"unreadable": self.unread, "remarks": self.remarks, "summary": summary.as_json()}
        _write(f"{'' if self._is_first else chr(10)}], {_json(rest)[1:]}\n")


class SarifReport(_Listed):
    """SARIF 2.1.0, which code scanning of several forges reads.

    Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """

    def __init__(self, lattice: Lattice, levels: dict[str, int]) -> None:
        super().__init__()
        self._lattice = lattice
        rules = [_rule(kind, lattice.names[level], self._grade(level)) for kind, level in sorted(levels.items())]
        driver = {"name": "yuzui", "version": __version__, "rules": rules}
        run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints"}
        self._is_first = True
        _write(f'{{"$schema": "{_SARIF_SCHEMA}", "version": "2.1.0", "runs": [{{{_json(run)[1:-1]},"results": [')

    def add(self, name: str, found: Found) -> None:
        level = self._lattice.names[found.level]
        region = {
            "startLine": found.line, "startColumn": found.column, "endLine": found.end_line,
            "endColumn": found.end_column, "charOffset": found.start, "charLength": found.length,
            "byteOffset": found.byte_start, "byteLength": found.byte_end - found.byte_start,
        }  # fmt: skip
        location = {"artifactLocation": {"uri": quote(name.replace("\\", "/"))}, "region": region}
        result = {
            "ruleId": found.kind, "level": self._grade(found.level),
            "message": {"text": f"{found.kind} ({level}), {found.length} characters"},
            "locations": [{"physicalLocation": location}], "properties": self._properties(found),
        }  # fmt: skip
        _write(("" if self._is_first else ",") + "\n  " + _json(result))
        self._is_first = False

    def _properties(self, found: Found) -> dict[str, object]:
        return {"confidence": found.confidence, "rule": found.versioned_rule,
                "evidence": evidence_as_json(found.evidence)}  # fmt: skip  # as the result above

    def end(self, summary: Summary) -> None:
        told = [
            {"level": "warning", "message": {"text": f"{one['file']}: not readable: {one['reason']}"}}
            for one in self.unread
        ]
        invocation = {"executionSuccessful": True, "toolExecutionNotifications": told}
        rest = {"invocations": [invocation], "properties": summary.as_json()}
        _write(f"\n], {_json(rest)[1:]}]}}\n")

    def _grade(self, level: int) -> str:
        if level == self._lattice.top:
            return "error"
        return "warning" if level * 2 >= self._lattice.top else "note"


def _rule(kind: str, level: str, grade: str) -> dict[str, object]:
    return {"id": kind, "shortDescription": {"text": f"{kind}, counts as {level}"},
            "defaultConfiguration": {"level": grade}}  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _write(text: str) -> None:
    sys.stdout.write(text)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
