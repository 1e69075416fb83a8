"""Dates of birth: a date behind or before a word that says so."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern, label
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import is_digit, is_word

KIND = "date_of_birth"
_REACH = 24
_MONTHS_WORDS = """
    jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september
    october november december
"""
_MONTHS = frozenset(_MONTHS_WORDS.split())
_MARKS = frozenset("0123456789-/.年月日 ,")
_DATE_WORDS = frozenset(("st", "nd", "rd", "th", "of"))


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isdigit():  # `1995年8月18日出生`
        first = start
        while first and start - first < 10 and text[first - 1] in _MARKS - {" ", ","}:
            first -= 1
        last = text.index("日", start) + 1
        if text.find("年", first, last) > 0:
            yield Hit(KIND, first, last, 0.9, "before", because(behind=True))
        return
    if text[start - 1 : start] == "先" or (text[start].isascii() and is_word(text, start - 1)):
        return  # 先生于 is `Mr … in`
    at = end
    limit = min(len(text), end + _REACH)
    while at < limit and text[at] != "\x1e":
        if text[at].isdigit() or _month_at(text, at):
            last = _date_end(text, at)
            if last:
                yield Hit(KIND, at, last, 0.9, "behind", because(label=True))
            return
        if text[at] in ".;!?。；\n" and at > end + 8:
            return
        at += 1


def _month_at(text: str, at: int) -> bool:
    last = at
    while last < len(text) and last - at < 10 and text[last].isascii() and text[last].isalpha():
        last += 1
    return not is_word(text, at - 1) and text[at:last].lower() in _MONTHS


def _date_end(text: str, at: int) -> int:
    """Where the date that begins at `at` ends; 0 when it is no date with a year and a month or day."""
    last = at
    groups: list[str] = []
    has_month = False
    while last < len(text) and last - at < 32:
        if text[last].isdigit():
            first = last
            while is_digit(text, last):
                last += 1
            groups.append(text[first:last])
            continue
        if text[last].isascii() and text[last].isalpha():
            first = last
            while last < len(text) and text[last].isascii() and text[last].isalpha():
                last += 1
            word = text[first:last].lower()
            if word in _MONTHS:
                has_month = True
            elif word not in _DATE_WORDS:
                last = first
                break
            continue
        if text[last] not in _MARKS or (text[last] in ",. " and len(groups) >= 3) or (has_month and len(groups) == 2):
            break
        last += 1
        if text[last - 1] == "日":
            break
    while last > at and text[last - 1] in " ,.-/":
        last -= 1
    if len(groups) == 1 and len(groups[0]) == 8:
        return last if groups[0][:2] in ("19", "20") and groups[0][4:6] <= "12" else 0
    years = sum(len(group) == 4 and group[:2] in ("18", "19", "20") for group in groups)
    is_short = len(groups) == 3 and all(len(group) <= 2 for group in groups)
    return last if (years == 1 and (len(groups) >= 2 or has_month)) or is_short else 0


DETECTOR = Detector(
    levels={KIND: "confidential"},
    patterns=(
        label(
            "(?:date of birth|birth date|birth day|born on|born|d\\.?o\\.?b\\.?|geburtsdatum|geboren"
            "|date de naissance|fecha de nacimiento)"
        ),
        Pattern(regex="(?:出生日期|出生年月|出生于|出生|生日|生于|诞辰)"),
        Pattern(regex="[0-9]日(?:出生|生)"),
    ),
    check=_check,
)
