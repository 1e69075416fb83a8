"""Findings out of a text that comes in pieces: each replaced by a marker, the rest flows on.

A text is searched at steps that its own characters decide, never the way it was cut: so any cut of it gives the same
text as no cut. Behind each step waits what a finding may yet begin in: words with digits and signs, and the last plain
words. The rest is certain and goes on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from yuzui.core.sensitivity import Finding
from yuzui.privacy.answer_scan import ACTING, Assessor, Verdict, marker
from yuzui.privacy.json_spelling import BARE, SIGN, STRING, JsonSpelling
from yuzui.privacy.json_text import escape, moved_by
from yuzui.privacy.scan import ScanResult

STEP_CHARS: Final = 24
LEAD_CHARS: Final = 256
"""In front of what is not certain yet: the words that say what a number is stand nearer than that."""
TELLING_CHARS: Final = 64
"""So far back a word with digits or signs may belong to a finding that is not complete: `+1 (202) 555-0134`."""
LONGEST_WORD: Final = 4096
"""A word that goes on for longer is let go of, unless something was found in it."""
LONGEST_FINDING: Final = 24 * 1024  # a private key of 16,384 bits has 12,700 characters
_BEHIND: Final = 4  # characters behind a finding that can make it another one
_BLOCK_CHARS: Final = 4096
_FORGOTTEN_CHARS: Final = 2048  # settled text is dropped in pieces of this size

_EDGE_CHARS: Final = '\\s,;"(){}\\[\\]<>|\u3000-\u303f\uff08\uff09\uff0c\uff1b'
_EDGE: Final = re.compile(f"[{_EDGE_CHARS}\u2e80-\uffef]")
"""Where a text can be searched: behind a word, and behind every ideograph."""
_WORD: Final = re.compile(f"[^{_EDGE_CHARS}]+")
_TELLING: Final = re.compile(
    r"[\d@=/\\_+#$%&^]|[:\uff1a].|---|\A[A-Z]{2,6}\W?\Z|(?i:\A(?:at|dot)\Z)"
    r"|[零〇一二三四五六七八九十两幺]{2}|[省市区县镇乡村路街巷弄号楼室栋]"
)
"""What ordinary words have not, and findings have."""

Scan = Callable[[str], ScanResult]


class NotSearched(Exception):
    """A text could not be searched, or not to its end; `str` is the reason, and holds no content."""


class Refused(Exception):
    """A finding of a kind for which answers are refused; `str` is the kind."""


@dataclass(slots=True)
class Redactions:
    """What became of the findings of one answer. Counts only."""

    redacted: Counter[str] = field(default_factory=Counter)


class _Span(NamedTuple):
    start: int
    end: int
    kind: str
    verdict: Verdict
    is_whole: bool = False
    """It was read out of all that was searched, and nobody knows where it stands."""


class TextRedactor:
    """One text of an answer. `feed`, `flush` and `whole` raise `NotSearched` and `Refused`, and then say no more.

    `is_json`: the arguments of a call, or an answer that was asked for as JSON; it stays valid.
    """

    __slots__ = (
        "_assessor", "_base", "_json", "_looked", "_scan", "_settled", "_shifts", "_stepped", "_tally", "_text",
        "has_redacted",
    )  # fmt: skip

    def __init__(self, scan: Scan, assessor: Assessor, tally: Redactions, *, is_json: bool = False) -> None:
        self._scan = scan
        self._assessor = assessor
        self._tally = tally
        self._json = JsonSpelling() if is_json else None
        self._start()

    def _start(self) -> None:
        self._text = ""
        self._base = 0
        """Of the text, the first character that is still here."""
        self._settled = 0
        """So far it was given out."""
        self._stepped = 0
        """So far it was searched."""
        self._looked = 0
        self._shifts: list[tuple[int, int, int]] = []
        self.has_redacted = False

    def feed(self, delta: str) -> str:
        """What is certain of the text so far and was not given out yet."""
        if len(delta) <= _BLOCK_CHARS:
            return self._feed(delta)
        return "".join([self._feed(delta[at : at + _BLOCK_CHARS]) for at in range(0, len(delta), _BLOCK_CHARS)])

    def flush(self) -> str:
        """The rest; nothing follows."""
        if self._json is not None:
            self._json.close()
            self._text = self._json.text
        end = self._base + len(self._text)
        return self._settle(end, is_final=True) if end > self._settled else ""

    def whole(self, text: str) -> str:
        """A text that is already complete."""
        return self.feed(text) + self.flush()

    def translate(self, offset: int) -> int:
        """Where the character at `offset` of the text as the model wrote it stands now; in a finding, behind it."""
        return moved_by(self._shifts, offset)

    # ---- where it is searched ----------------------------------------------------------------------------------------

    def _feed(self, delta: str) -> str:
        if self._json is None:
            self._text += delta
        else:
            self._json.feed(delta)
            self._text = self._json.text
        pieces = []
        while (step := self._next_step()) is not None:
            pieces.append(self._settle(step, is_final=False))
        return "".join(pieces)

    def _next_step(self) -> int | None:
        """Where the text is searched next, if that has come. The longer something waits, the longer the steps."""
        target = self._stepped + max(STEP_CHARS, (self._stepped - self._settled) // 4)
        end = self._base + len(self._text)
        if end < target:
            return None
        edge = _EDGE.search(self._text, max(target - 1, self._looked) - self._base)
        if edge is not None and self._base + edge.end() <= target + LONGEST_WORD:
            return self._base + edge.end()
        if end >= target + LONGEST_WORD:
            return target + LONGEST_WORD
        self._looked = end
        return None

    # ---- what is certain ---------------------------------------------------------------------------------------------

    def _settle(self, step: int, *, is_final: bool) -> str:
        """Search up to `step`; give out what is certain."""
        start = max(self._base, self._settled - LEAD_CHARS)
        window = self._text[start - self._base : step - self._base]
        spans = self._search(window, start, step)
        certain = step if is_final else self._certain(spans, step)
        if step - certain > LONGEST_FINDING:
            raise NotSearched("finding_too_long")
        out = self._give([span for span in spans if span.start < certain], certain)
        self._settled, self._stepped = certain, step
        self._forget()
        return out

    def _search(self, window: str, start: int, step: int) -> list[_Span]:
        """What is to be acted on in `window`, from `start` to `step`; in order, none over another."""
        try:
            result = self._scan(window)
        except Exception as error:  # fail closed whatever breaks; the name of the error holds no content
            raise NotSearched(type(error).__name__) from error
        if result.failures or result.unscannable:
            raise NotSearched((result.failures or result.unscannable)[0])
        spans: list[_Span] = []
        for finding in result.findings:
            if self._assessor.rules.action(finding.kind) not in ACTING:
                continue
            first, last = start + finding.start, start + finding.end
            if last <= self._settled:
                continue
            verdict = self._assess(finding, window)
            if verdict in ACTING:
                is_whole = finding.place is not None and finding.place.form == "whole"
                if is_whole:
                    first, last = self._settled, step
                spans.append(_Span(max(first, self._settled), last, finding.kind, verdict, is_whole))
        for begin, end, kind in self._secrets(window):
            action = self._assessor.rules.action(kind)
            if action in ACTING and start + end > self._settled:
                spans.append(_Span(max(start + begin, self._settled), start + end, kind, action))
        return _united(spans)

    def _secrets(self, window: str) -> list[tuple[int, int, str]]:
        try:
            return list(self._assessor.secrets_in(window))
        except Exception as error:  # as above
            raise NotSearched(type(error).__name__) from error

    def _assess(self, finding: Finding, window: str) -> Verdict:
        try:
            return self._assessor.assess(finding.kind, window[finding.start : finding.end])
        except Exception as error:  # as above
            raise NotSearched(type(error).__name__) from error

    def _certain(self, spans: list[_Span], step: int) -> int:
        """So far nothing that follows can change what was found."""
        if any(span.is_whole for span in spans):
            return step
        certain = self._before_what_waits(step)
        for span in reversed(spans):
            if span.end > certain or span.end + _BEHIND > step:
                certain = min(certain, span.start)
        at = certain - self._base
        if self._json is not None:  # what is bare is replaced whole
            while at > 0 and self._json.places[at - 1 : at + 1] == BARE + BARE:
                at -= 1
        return max(at + self._base, self._settled)

    def _before_what_waits(self, step: int) -> int:
        """Where the words begin that may yet belong to a finding."""
        reach = self._assessor.rules.reach
        text, base = self._text, self._base
        end = step - base
        first = self._start_of_word(end - max(TELLING_CHARS, reach))
        words = list(_WORD.finditer(text, first, end))
        telling = next((word.start() for word in words if _TELLING.search(word[0])), end)
        return base + next((word.start() for word in words if word.start() >= telling - reach), end)

    def _start_of_word(self, at: int) -> int:
        """Of the word that the character at `at` stands in; what was given out is no part of it."""
        least = self._settled - self._base
        if at <= least:
            return least
        edge = at if at - least > LONGEST_WORD else 0
        for found in _EDGE.finditer(self._text, max(least, at - LONGEST_WORD), at):
            edge = found.end()
        return max(edge, least)

    # ---- what is given out -------------------------------------------------------------------------------------------

    def _give(self, spans: list[_Span], end: int) -> str:
        for span in spans:
            if span.verdict == "refuse":
                raise Refused(span.kind)
        if not spans and self._json is None:
            return self._text[self._settled - self._base : end - self._base]
        pieces: list[str] = []
        at = self._settled
        for span in spans:
            first, last, said = span.start, span.end, marker(span.kind)
            if self._json is not None:
                first, last, said = self._in_json(self._json, span, at)
            if first == last:  # gone with the number that it stood in
                continue
            self.has_redacted = True
            self._tally.redacted[span.kind] += 1
            pieces += (self._spelled(at, first), said)
            self._shifts.append((first, last, len(said)))
            at = last
        pieces.append(self._spelled(at, end))
        return "".join(pieces)

    def _spelled(self, start: int, end: int) -> str:
        if self._json is None:
            return self._text[start - self._base : end - self._base]
        return "".join(self._json.pieces[start - self._base : end - self._base])

    def _in_json(self, spelling: JsonSpelling, span: _Span, least: int) -> tuple[int, int, str]:
        """The characters from `least` on that are replaced, and by what: signs between strings stay, and what is bare
        gets quotes."""
        places = spelling.places
        first, last = span.start - self._base, span.end - self._base
        while first > 0 and places[first - 1 : first + 1] == BARE + BARE:
            first -= 1
        while places[last - 1 : last + 1] == BARE + BARE:
            last += 1
        first = max(first, least - self._base)
        last = max(first, last)
        said = escape(marker(span.kind))
        pieces: list[str] = []
        for run in re.finditer(f"{STRING}+|{BARE}+|{SIGN}+", places[first:last]):
            if run[0][0] == SIGN:
                pieces += spelling.pieces[first + run.start() : first + run.end()]
            else:
                pieces.append(said if run[0][0] == STRING else f'"{said}"')
        return first + self._base, last + self._base, "".join(pieces)

    def _forget(self) -> None:
        count = self._settled - LEAD_CHARS - self._base
        if count < _FORGOTTEN_CHARS:
            return
        self._base += count
        if self._json is None:
            self._text = self._text[count:]
        else:
            self._json.drop(count)
            self._text = self._json.text


def _united(spans: list[_Span]) -> list[_Span]:
    """In order, overlapping ones as one, of the kind of the longest; one that refuses stays one."""
    united: list[_Span] = []
    longest = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        size = span.end - span.start
        if not united or span.start >= united[-1].end:
            united.append(span)
            longest = size
            continue
        last = united[-1]
        chosen = span if (span.verdict == "refuse", size) > (last.verdict == "refuse", longest) else last
        is_whole = last.is_whole or span.is_whole
        united[-1] = _Span(last.start, max(last.end, span.end), chosen.kind, chosen.verdict, is_whole)
        longest = max(longest, size)
    return united
