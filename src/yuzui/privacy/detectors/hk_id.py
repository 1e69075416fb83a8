"""Hong Kong identity card numbers: one or two letters, six digits, a check character, mostly in brackets.

Source: https://www.immd.gov.hk/eng/services/hkid.html (2025); the check is modulus 11 over the letters and digits.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import hong_kong_id_check
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_CUES = ("hkid", "hong kong id", "hong kong identity", "香港身份", "身份證", "身份证", "identity card")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if start and text[start].isalpha() and is_word(text, start - 1):
        if not text[start - 1].isalpha() or is_word(text, start - 2):
            return
        start -= 1
    if is_word(text, end):
        return
    value = text[start:end].upper()
    is_bracketed = value.endswith(")")
    body = value.replace("(", "").replace(")", "")
    is_valid = hong_kong_id_check(body[:-1]) == body[-1]
    is_cued = has_cue(text, start, _CUES)
    if (is_bracketed and is_valid) or is_cued:
        yield Hit("hk_id", start, end, 0.95 if is_valid else 0.6, evidence=because(checksum=is_valid, near=is_cued))


DETECTOR = Detector(
    levels={"hk_id": "restricted"},
    patterns=(Pattern(regex=r"[A-Z][0-9]{6}(?:\([0-9A]\)|[0-9A])", ignore_case=True),),
    check=_check,
)
