"""Originals back in place of their stand-ins, in texts and calls of tools, whole or as they come.

A stream waits only for what may yet become an issued stand-in; any cut of it gives the same text. A call of a tool
waits from its first stand-in on until its end, for only then is it known at whom it is aimed. What looks like a
stand-in but was never issued stays as it is and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from yuzui.privacy.json_text import Edit, apply, edits_in, escape, moved_by, read_literals
from yuzui.privacy.matcher import Matcher
from yuzui.privacy.sinks import REACH, Sinks
from yuzui.privacy.surrogates import LOOKALIKE

_ESCAPE: Final = re.compile(r"\\u|\\[^u]|\\\Z", re.DOTALL)
_MOST_LEVELS: Final = 8
_json: Final = msgspec.json.Decoder()
EVERYWHERE: Final = Sinks(everywhere=True)


@dataclass(slots=True)
class Tally:
    """What became of the stand-ins of one answer. Counts only."""

    restored: int = 0
    withheld: int = 0
    """They would have reached a host that is not listed."""
    foreign: int = 0
    """They look like ours, but were not issued for this request: never guessed."""


class Originals:
    """The mapping of one request, ready to be looked for; shared by all restorers of its answer."""

    __slots__ = ("matcher", "of")

    def __init__(self, originals: Mapping[str, str]) -> None:
        self.of = originals
        self.matcher = Matcher(originals)


class TextRestorer:
    """One text of an answer. `translate` says where its characters have gone."""

    __slots__ = ("_held", "_is_json", "_last", "_originals", "_passed", "_raw", "_shifts", "_sinks", "tally")

    def __init__(self, originals: Originals, sinks: Sinks, tally: Tally, *, is_json: bool = False) -> None:
        """`is_json`: the client asked for JSON, so originals stand inside its strings."""
        self._is_json = is_json
        self._originals = originals
        self._sinks = sinks
        self.tally = tally
        self._held = ""
        self._last = ""
        self._raw: list[str] = []
        self._passed = 0
        self._shifts: list[tuple[int, int, int]] = []

    def feed(self, delta: str) -> str:
        """What is certain of the text so far and was not given out yet."""
        return self._take(self._held + delta if self._held else delta, is_final=False)

    def flush(self) -> str:
        """The rest; nothing follows."""
        out = self._take(self._held, is_final=True) if self._held else ""
        if self._raw:
            issued = self._originals.of
            whole = "".join(self._raw)
            self.tally.foreign += sum(token not in issued for token in LOOKALIKE.findall(whole))
        self._held, self._raw = "", []
        return out

    def whole(self, text: str) -> str:
        """A text that is already complete."""
        return self.feed(text) + self.flush()

    def translate(self, offset: int) -> int:
        """Where the character at `offset` of the text as the model wrote it stands now; inside a stand-in, its end."""
        return moved_by(self._shifts, offset)

    def _take(self, text: str, *, is_final: bool) -> str:
        found, settled = self._originals.matcher.next(text, is_final=is_final, before=self._last)
        if found is None and settled == len(text):  # nearly always
            self._held = ""
            self._note(text)
            return text
        pieces: list[str] = []
        at = 0
        while found is not None:
            pieces.append(text[at : found.start])
            self._note(text[at : found.start])
            if self._sinks.withholds(self._before()):
                self.tally.withheld += 1
                pieces.append(text[found.start : found.end])
            else:
                self.tally.restored += 1
                original = found.marks + self._originals.of[found.token]
                if self._is_json:
                    original = escape(original)
                start = self._passed
                self._shifts.append((start, start + found.end - found.start, len(original)))
                pieces.append(original)
            self._note(text[found.start : found.end])
            at = found.end
            found, settled = self._originals.matcher.next(text, at, is_final=is_final, before=self._last)
        pieces.append(text[at:settled])
        self._note(text[at:settled])
        self._held = text[settled:]
        return "".join(pieces)

    def _note(self, raw: str) -> None:
        if raw:
            self._raw.append(raw)
            self._passed += len(raw)
            self._last = raw[-1]

    def _before(self) -> str:
        """The end of the text as the model wrote it, up to the stand-in."""
        if len(self._raw) > 1:
            self._raw = ["".join(self._raw)]
        return self._raw[0][-REACH:] if self._raw else ""


class CallRestorer:
    """The arguments of one call: JSON, or a free text when `is_custom`."""

    __slots__ = ("_given", "_has_token", "_is_custom", "_name", "_originals", "_raw", "_seen", "_sinks", "tally")

    def __init__(self, originals: Originals, sinks: Sinks, tally: Tally, *, name: str, is_custom: bool = False) -> None:
        self._originals = originals
        self._sinks = sinks
        self.tally = tally
        self._name = name
        self._is_custom = is_custom
        self._raw = ""
        self._given = 0
        """Characters of `_raw` that were given out."""
        self._has_token = False

    def feed(self, delta: str) -> str:
        self._raw += delta
        if self._has_token:
            return ""
        start = self._given
        found, settled = self._originals.matcher.next(self._raw, start, is_final=False, is_spelled=True)
        if found is not None:
            self._has_token = True
            settled = found.start
        if not self._is_custom and self._raw.find("\\", start, settled) >= 0:
            settled = self._await_escapes(start, settled)
        self._given = settled
        return self._raw[start:settled]

    def _await_escapes(self, start: int, settled: int) -> int:
        """A stand-in may be spelled in Unicode escapes: from the first of them on the call waits as well."""
        for match in _ESCAPE.finditer(self._raw, start):
            if match.start() >= settled:
                break
            if match[0] in ("\\", "\\u"):
                self._has_token = self._has_token or match[0] == "\\u"
                return match.start()
        return settled

    def flush(self) -> str:
        """The rest of the call, which is complete."""
        raw, given = self._raw, self._given
        self._raw, self._given, self._has_token = "", 0, False
        issued = self._originals.of
        self.tally.foreign += sum(token not in issued for token in LOOKALIKE.findall(raw))
        edits = [edit for edit in self._edits(raw) if edit.start >= given]
        if edits and not self._sinks.may_call(self._name, raw if self._is_custom else _read(raw)):
            self.tally.withheld += len(edits)
            edits = []
        self.tally.restored += len(edits)
        return apply(raw[given:], [Edit(start - given, end - given, text) for start, end, text in edits])

    def whole(self, arguments: str) -> str:
        return self.feed(arguments) + self.flush()

    def _edits(self, raw: str) -> list[Edit]:
        literals = None if self._is_custom else read_literals(raw)
        if literals is None:
            edits = self._edits_of_text(raw)
            return edits if self._is_custom else [Edit(start, end, escape(text)) for start, end, text in edits]
        return self._edits_of_json(raw, 0)

    def _edits_of_json(self, raw: str, level: int) -> list[Edit]:
        edits: list[Edit] = []
        for literal in read_literals(raw) or ():
            if literal.is_number:
                if literal.value in self._originals.of and self._originals.of[literal.value].isdigit():
                    edits.append(Edit(literal.start, literal.end, self._originals.of[literal.value]))
                continue
            said = literal.value
            is_json = level < _MOST_LEVELS and said.lstrip()[:1] in ("{", "[") and read_literals(said) is not None
            inner = self._edits_of_json(said, level + 1) if is_json else self._edits_of_text(said)
            edits += edits_in(literal, raw, inner)
        return edits

    def _edits_of_text(self, text: str) -> list[Edit]:
        edits: list[Edit] = []
        found, at = self._originals.matcher.next(text)
        while found is not None:
            if self._sinks.withholds(text[max(0, found.start - REACH) : found.start]):
                self.tally.withheld += 1
            else:
                edits.append(Edit(found.start, found.end, found.marks + self._originals.of[found.token]))
            found, at = self._originals.matcher.next(text, at)
        return edits


def _read(arguments: str) -> object:
    try:
        return _json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return arguments  # looked at as a text
