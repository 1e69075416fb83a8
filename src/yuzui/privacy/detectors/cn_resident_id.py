"""Resident identity numbers of China (GB 11643-1999): region, date of birth, sequence, check character.

The check character raises the confidence and is not the gate: people mistype, and data sets invent.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import resident_id_check
from yuzui.privacy.detectors._contract import Detector, Digits, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.numbers import singles
from yuzui.privacy.numerals import NUMERALS_REGEX, read_numerals
from yuzui.privacy.surroundings import has_cue, stands_alone

# GB/T 2260: the province-level codes; 81 to 83 are the residence permits for Hong Kong, Macao and Taiwan.
_PROVINCES = frozenset(
    str(n)
    for n in (
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
        71,
        81,
        82,
        83,
    )
)
_CUES = (
    "身份证",
    "身份號",
    "证件号",
    "id card",
    "id number",
    "identity",
    "identification",
    "resident id",
    "national id",
    "sfz",
)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def has_birth_date(value: str) -> bool:
    """Whether `value` is YYYYMMDD from 1850 to 2099."""
    return (
        "1850" <= value[:4] <= "2099"
        and "01" <= value[4:6] <= "12"
        and 1 <= int(value[6:]) <= _DAYS[int(value[4:6]) - 1]
    )


def _confidence(value: str, *, is_cued: bool) -> float:
    """0 when `value` (17 digits and a check character) is no such number."""
    fits = value[:2] in _PROVINCES and has_birth_date(value[6:14])
    if fits:
        return 1.0 if resident_id_check(value[:17]) == value[17] else 0.8
    return 0.6 if is_cued else 0.0


def _check_digits(number: Digits) -> Hit | None:
    text, start, end, value = number.text, number.start, number.end, number.value
    is_cued = has_cue(text, start, _CUES, reach=32)
    if len(value) == 17:
        at = end + 1 if text[end : end + 1] in (" ", "-", ",") else end
        if text[at : at + 1] not in ("X", "x"):
            return None
        value, end = value + "X", at + 1
    if not stands_alone(text, start, end):
        return None
    if len(value) == 15:  # the form of before 1999; too common a length to believe without a cue
        fits = is_cued and value[:2] in _PROVINCES and has_birth_date("19" + value[6:12])
        return Hit("cn_resident_id", start, end, 0.7, "15", because(near=True)) if fits else None
    confidence = _confidence(value, is_cued=is_cued)
    if not confidence:
        return None
    why = because(checksum=resident_id_check(value[:17]) == value[17], near=is_cued)
    return Hit("cn_resident_id", start, end, confidence, "18", why)


def _check_numerals(text: str, start: int, end: int) -> Iterable[Hit]:
    value = read_numerals(text[start:end])
    for at in range(len(value) - 17):
        if confidence := _confidence(value[at : at + 18], is_cued=False):
            why = because(checksum=confidence == 1.0)
            yield Hit("cn_resident_id", start + at, start + at + 18, 0.8, "numerals", why)
            return


DETECTOR = Detector(
    levels={"cn_resident_id": "restricted"},
    patterns=(Pattern(regex=NUMERALS_REGEX),),
    check=_check_numerals,
    layouts=(
        (18,),
        (6, 12),
        (6, 8, 4),
        (6, 4, 4, 4),
        (6, 4, 2, 2, 4),
        (3, 3, 4, 4, 4),
        (14, 4),
        (15,),
        (17,),
        (6, 11),
        (6, 8, 3),
        (6, 4, 4, 3),
        (6, 4, 2, 2, 3),
        (3, 3, 4, 4, 3),
        (14, 3),
        singles(18),
        singles(17),
    ),
    crosses_lines=True,
    check_digits=_check_digits,
)
