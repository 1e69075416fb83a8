"""Mobile numbers of mainland China: 11 digits, with or without +86, also in Chinese numerals."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Digits, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.numbers import singles
from yuzui.privacy.numerals import NUMERALS_REGEX, read_numerals
from yuzui.privacy.surroundings import is_digit, stands_alone, with_markup

# Segments of the MIIT's numbering plan (2019 edition and later additions); IoT segments have 13 digits.
_SECOND_AND_THIRD = frozenset(
    [f"3{n}" for n in range(10)]
    + [f"4{n}" for n in (0, 1, 5, 6, 7, 8, 9)]
    + [f"5{n}" for n in (0, 1, 2, 3, 5, 6, 7, 8, 9)]
    + [f"6{n}" for n in (2, 5, 6, 7)]
    + [f"7{n}" for n in range(9)]
    + [f"8{n}" for n in range(10)]
    + [f"9{n}" for n in range(10)]
)
_COUNTRY = ("+86", "0086", "86")


_SEGMENT = because(listed="mobile_segments")


def _check_digits(number: Digits) -> Hit | None:
    value, start = number.value, number.start
    for prefix in ("0086", "86"):
        if len(value) == 11 + len(prefix) and value.startswith(prefix):
            value = value[len(prefix) :]
    if len(value) != 11 or value[0] != "1" or value[1:3] not in _SECOND_AND_THIRD:
        return None
    if not _has_clean_edges(number.text, start, number.end):
        return None
    first, last = with_markup(number.text, start, number.end)
    return Hit("cn_mobile", first, last, 0.9 if len(number.layout) <= 4 else 0.7, "digits", _SEGMENT)


def _has_clean_edges(text: str, start: int, end: int) -> bool:
    if not stands_alone(text, start, end):
        return False
    before = text[max(0, start - 6) : start].rstrip(" -)")
    if before.endswith(_COUNTRY):
        return True
    # A fraction or a longer dashed number is not a phone number.
    if start >= 2 and text[start - 1] in ".-" and is_digit(text, start - 2):
        return False
    return not (end < len(text) and text[end] in ".-" and is_digit(text, end + 1))


def _check_numerals(text: str, start: int, end: int) -> Iterable[Hit]:
    value = read_numerals(text[start:end])
    for at in range(len(value) - 10):
        if value[at] == "1" and value[at + 1 : at + 3] in _SECOND_AND_THIRD:
            yield Hit("cn_mobile", start + at, start + at + 11, 0.8, "numerals", _SEGMENT)
            return


DETECTOR = Detector(
    levels={"cn_mobile": "confidential"},
    patterns=(Pattern(regex=NUMERALS_REGEX),),
    check=_check_numerals,
    layouts=(
        (11,),
        (3, 4, 4),
        (3, 8),
        (7, 4),
        (2, 11),
        (2, 3, 4, 4),
        (13,),
        (4, 3, 4, 4),
        (15,),
        singles(11),
        singles(13),
    ),
    check_digits=_check_digits,
)
