"""Passport numbers: shapes of China, the United States and Europe, believed only after a word that says passport."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because

_REACH = 40  # characters between the cue and the number: ` number is: `
_CUES = ("passport", "passeport", "reisepass", "pasaporte", "passaporto", "paspoort", "护照", "護照", "паспорт")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    limit = min(len(text), end + _REACH)
    at = end
    while at < limit and text[at] != "\x1e":
        if not (text[at].isascii() and text[at].isalnum()):
            at += 1
            continue
        last = at
        while last < len(text) and last - at <= 12 and text[last].isascii() and text[last].isalnum():
            last += 1
        if _has_shape(text[at:last].upper()):
            yield Hit("passport", at, last, 0.85, evidence=because(label=True))
            return
        at = last


def _has_shape(value: str) -> bool:
    """China `E12345678`, `EA1234567`; US nine digits or a letter and eight; Europe eight or nine, mostly digits."""
    digits = sum(char.isdigit() for char in value)
    if not 7 <= len(value) <= 10 or digits < 5:
        return False
    if value.isdigit():
        return len(value) in (8, 9) and not (len(value) == 8 and value[:2] in ("19", "20"))
    return len(value) <= 9 and not value[-2:].isalpha()


DETECTOR = Detector(
    levels={"passport": "confidential"},
    # canonical text has Cyrillic letters that look Latin already folded: `паспорт` reads `пacпopт`
    patterns=(Pattern(regex=f"(?:{'|'.join(_CUES[:-1])}|пacпopт)", ignore_case=True),),
    check=_check,
)
