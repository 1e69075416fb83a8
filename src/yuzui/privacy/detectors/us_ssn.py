"""Social security numbers of the United States: 3-2-4 with dashes, or nine digits after a cue word."""

from __future__ import annotations

from yuzui.privacy.detectors._contract import Detector, Digits, Hit
from yuzui.privacy.evidence import because
from yuzui.privacy.numbers import singles
from yuzui.privacy.surroundings import has_cue, is_inside_number, stands_alone

_CUES = ("ssn", "social security", "social-security", "tax id", "taxpayer")
_NEVER_ISSUED = frozenset(
    ("078051120", "219099999", "123456789")
)  # published as examples by the SSA and by advertisers


def _check_digits(number: Digits) -> Hit | None:
    text, start, end, value = number.text, number.start, number.end, number.value
    # Source: https://www.ssa.gov/employer/randomization.html (2026-11): never 000, 666, 9xx; no zero group or serial.
    if value[:3] in ("000", "666") or value[0] == "9" or value[3:5] == "00" or value[5:] == "0000":
        return None
    if value in _NEVER_ISSUED or not stands_alone(text, start, end) or is_inside_number(text, start, end):
        return None
    if number.gaps == ("-", "-"):
        return Hit("us_ssn", start, end, 0.9, "dashed")
    if has_cue(text, start, _CUES):
        return Hit("us_ssn", start, end, 0.85, "cue", because(near=True))
    return None


DETECTOR = Detector(levels={"us_ssn": "restricted"}, layouts=((3, 2, 4), (9,), singles(9)), check_digits=_check_digits)
