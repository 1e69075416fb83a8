"""`yuzui scan`: what is sensitive in files, folders and standard input, with the detectors that requests meet."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from yuzui.cli._options import ConfigOption, DataDirOption, JsonOption, load_config
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:  # loaded when the command runs
    from yuzui.cli._scan_places import Found, Reading
    from yuzui.cli._scan_report import Report, Summary
    from yuzui.cli._scan_tree import Entry
    from yuzui.core.sensitivity import SensitivityRules
    from yuzui.privacy.scan import Scanner

app = typer.Typer()

UNREADABLE: Final = "unreadable"
NEVER: Final = "never"
MIB: Final = 1024 * 1024
Format = Literal["text", "json", "sarif"]


@app.command()
def scan(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Files and folders; - is standard input.")],
    format: Annotated[Format, typer.Option("--format", help="For people, programs, or code scanning.")] = "text",
    min_level: Annotated[str, typer.Option(
        "--min-level", metavar="LEVEL", show_default=False, help="Report nothing below this level.",
    )] = "",
    kinds: Annotated[list[str] | None, typer.Option(
        "--kinds", metavar="KIND,…", show_default=False, help="Report these kinds only.",
    )] = None,
    exclude: Annotated[list[str] | None, typer.Option(
        "--exclude", metavar="GLOB", show_default=False, help="Skip names (or, with a slash, paths) like this; repeat.",
    )] = None,
    fail_on: Annotated[list[str] | None, typer.Option(
        "--fail-on", metavar="LEVEL|KIND", show_default=False,
        help="Exit with 1 for findings at or above this level, or of this kind; `unreadable`: for files that cannot be "
             "read; `never`. Repeat. Default: for every finding reported.",
    )] = None,
    show: Annotated[Literal["place", "line", "masked", "value"], typer.Option(
        "--show", help="What is shown of a finding: its place, its line without it, its ends, or all of it.",
    )] = "line",
    why: Annotated[bool, typer.Option(
        "--why", help="Say of each finding which rule found it, in which version, and what speaks for it.",
    )] = False,
    stdin_name: Annotated[str, typer.Option(
        "--stdin-name", metavar="NAME", help="What standard input is called, and what its ending says it is.",
    )] = "<stdin>",
    max_mib: Annotated[int, typer.Option("--max-mib", min=1, help="Files larger than this are not read.")] = 256,
    json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Find what is sensitive in files, folders and standard input. Exits 0 when nothing is found, 1 when something is.

    Uses the patterns, words and levels of the configuration. Sends nothing anywhere and writes nothing.
    """
    from yuzui.cli._scan_report import JsonReport, SarifReport, TextReport
    from yuzui.privacy.scan import Scanner

    rules = load_config(config).sensitivity
    wanted = _Wanted.read(rules, min_level, _split(kinds), _split(fail_on))
    report: Report
    with _any_character():
        if format == "sarif" and not json:
            report = SarifReport(rules.lattice, rules.kinds)
        elif format == "json" or json:
            report = JsonReport(rules.lattice, show)
        else:
            report = TextReport(rules.lattice, show, why=why)
        work = _Work(Scanner(rules), rules, wanted, report, stdin_name, max_mib * MIB)
        has_failed = work.run(paths, exclude or [])
    if has_failed:
        raise typer.Exit(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is reported, and what of it is a failure."""

    min_level: int
    kinds: frozenset[str]
    fail_level: int
    fail_kinds: frozenset[str]
    fails_unreadable: bool
    never_fails: bool

    @classmethod
    def read(cls, rules: SensitivityRules, min_level: str, kinds: list[str], fail_on: list[str]) -> _Wanted:
        """Raise `ConfigError` for a level or kind that there is not."""
        names = rules.lattice.names
        levels = [names.index(word) for word in fail_on if word in names]
        others = [word for word in fail_on if word not in names and word not in (UNREADABLE, NEVER)]
        for word in (*kinds, *others):
            if word not in rules.kinds:
                what = "kind" if word in kinds else "level or kind"
                raise ConfigError(f"{word!r} is no {what}; levels: {', '.join(names)}; kinds: {_all_kinds(rules)}")
        if min_level and min_level not in names:
            raise ConfigError(f"--min-level: {min_level!r} is no level; the levels are {', '.join(names)}")
        is_narrow = bool(levels or others or fail_on == [UNREADABLE])
        return cls(
            min_level=names.index(min_level) if min_level else 0,
            kinds=frozenset(kinds),
            fail_level=min(levels, default=len(names)) if is_narrow else 0,
            fail_kinds=frozenset(others),
            fails_unreadable=UNREADABLE in fail_on,
            never_fails=NEVER in fail_on,
        )

    def reports(self, found: Found) -> bool:
        return found.level >= self.min_level and (not self.kinds or found.kind in self.kinds)

    def fails(self, found: Found) -> bool:
        return not self.never_fails and (found.level >= self.fail_level or found.kind in self.fail_kinds)


class _Work:
    """Goes through the files; remembers only numbers."""

    def __init__(
        self, scanner: Scanner, rules: SensitivityRules, wanted: _Wanted, report: Report, stdin_name: str,
        most_bytes: int,
    ) -> None:  # fmt: skip  # what the command line says
        from yuzui.cli._scan_report import Summary

        self._scanner = scanner
        self._rules = rules
        self._wanted = wanted
        self._report = report
        self._stdin_name = stdin_name
        self._most_bytes = most_bytes
        self._summary: Summary = Summary()
        self._has_failed = False

    def run(self, paths: list[str], excluded: list[str]) -> bool:
        """Whether something was found that the caller calls a failure."""
        from yuzui.cli._scan_tree import Unreadable, list_files

        for entry in list_files(paths, excluded):
            name = self._stdin_name if entry.path is None else entry.name
            if entry.skipped:
                self._skip(name, entry.skipped)
                continue
            try:
                self._scan(entry, name)
            except Unreadable as reason:
                self._unreadable(name, str(reason))
        self._report.end(self._summary)
        return self._has_failed

    def _skip(self, name: str, reason: str) -> None:
        if reason in ("excluded", "symbolic link", "version control"):
            self._summary.skipped[reason] += 1
        else:
            self._unreadable(name, reason)

    def _unreadable(self, name: str, reason: str) -> None:
        self._summary.unreadable += 1
        self._report.unreadable(name, reason)
        self._has_failed |= self._wanted.fails_unreadable and not self._wanted.never_fails

    def _scan(self, entry: Entry, name: str) -> None:
        from yuzui.cli._scan_places import Coding, Reading, scan_pieces
        from yuzui.cli._scan_tree import open_entry, read_text

        summary = self._summary
        with open_entry(entry, self._most_bytes) as file:
            text = read_text(file)
            if text.is_guessed:
                damaged = ", with bytes that are not of it" if text.errors != "strict" else ""
                self._report.remark(name, f"read as {text.encoding}, which is a guess{damaged}")
            coding = Coding(encoding=text.encoding, errors=text.errors, mark_bytes=text.mark_bytes)
            reading = Reading()
            count = 0
            for found in scan_pieces(self._scanner, self._rules, text.pieces(), name, coding, reading):
                if self._wanted.reports(found):
                    count += 1
                    summary.kinds[found.kind] += 1
                    self._report.add(name, found)
                    self._has_failed |= self._wanted.fails(found)
            summary.files += 1
            summary.size_bytes += text.size_bytes
            summary.findings += count
            summary.files_with_findings += count > 0
        self._tell_rest(name, reading)

    def _tell_rest(self, name: str, reading: Reading) -> None:
        if reading.unscannable:
            parts = ", ".join(sorted(set(reading.unscannable)))
            self._unreadable(name, f"parts that no detector reads ({parts})")
        for failure in sorted(set(reading.failures)):  # not looked at is not clean
            self._unreadable(name, f"a detector failed ({failure})")
            self._has_failed |= not self._wanted.never_fails


@contextmanager
def _any_character() -> Iterator[None]:
    """What the terminal's encoding cannot say is escaped; files may hold anything."""
    from io import TextIOWrapper

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    yield


def _split(values: list[str] | None) -> list[str]:
    return [word.strip() for value in values or [] for word in value.split(",") if word.strip()]


def _all_kinds(rules: SensitivityRules) -> str:
    return ", ".join(sorted(rules.kinds))
