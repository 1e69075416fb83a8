"""Connection strings with a password among their pairs, as ADO.NET, ODBC and Azure write them."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.randomness import is_placeholder

_MOST = 400  # characters on each side of the password
_STOPS = frozenset("\r\n\"'`<>\x1e")
_DUMMIES = frozenset(["password", "pass", "pwd", "secret", "test", "***", "admin"])


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    first, least = start, max(0, start - _MOST)
    while first > least and text[first - 1] not in _STOPS:
        first -= 1
    last, limit = end, min(len(text), end + _MOST)
    while last < limit and text[last] not in _STOPS:
        last += 1
    closing = text.find(";", end, last)
    value = text[end : closing if closing >= 0 else last].split("&")[0].strip()
    if closing < 0:
        value = value.partition(" ")[0]  # the last pair; what follows is the sentence around it
    pairs = text[first:last].split(";")
    if sum("=" in pair for pair in pairs) < 2 or len(value) < 3 or " " in value:
        return
    if value.lower() in _DUMMIES or value[0] in "$%{<" or is_placeholder(value + "abcd"):
        return
    first += len(text[first:last]) - len(text[first:last].lstrip())
    blank = text.rfind(" ", first, text.find("=", first, last)) + 1  # words of a sentence before the first key
    behind = closing if closing >= 0 else end + len(value)
    tail = text[behind:last]
    while tail.startswith(";") and "=" in tail[1:].split(";")[0] and " " not in tail[1:].split("=")[0].strip():
        step = tail.find(";", 1)
        behind, tail = (behind + step, tail[step:]) if step > 0 else (last, "")
    yield Hit("connection_string", max(first, blank), behind, 0.9, evidence=because(label=True))


DETECTOR = Detector(
    levels={"connection_string": "restricted"},
    patterns=(Pattern(regex="; ?(?:password|pwd|accountkey|sharedaccesskey|sharedsecret) ?= ?", ignore_case=True),),
    check=_check,
)
