"""Secrets in the address of a service: `scheme://user:secret@host` (RFC 3986 section 3.2.1)."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.randomness import is_placeholder

_DUMMIES_WORDS = """
    pass password passwd pwd secret user username token key pw test admin root guest
"""
_DUMMIES = frozenset(_DUMMIES_WORDS.split())
_ENDS = frozenset(" \t\r\n\"'`<>\x1e")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    """The pattern ends with the at-sign; a password may hold another one."""
    last = end - 1
    limit = min(len(text), end + 64)
    at = end
    while at < limit and text[at] not in _ENDS and text[at] != "/":
        if text[at] == "@":
            last = at
        at += 1
    colon = text.find(":", start + 3, last)
    value = text[colon + 1 : last]
    if (
        len(value) >= 3
        and value.lower() not in _DUMMIES
        and not is_placeholder(value + "abcd")
        and value[0] not in "$%{<"
    ):
        yield Hit("url_credentials", colon + 1, last, 0.85)


DETECTOR = Detector(
    levels={"url_credentials": "restricted"},
    patterns=(Pattern(regex=r"://[^/\s:@'\"]*:[^/\s@'\"]+@"),),
    check=_check,
)
