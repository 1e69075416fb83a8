"""Travel permits between the mainland, Hong Kong, Macao and Taiwan (回乡证, 台胞证) behind a word that names one.

Shapes: H or M and 8 or 10 digits; 8 digits (residents of Taiwan); C or W and 7 or 8 digits (of the mainland).
Source: National Immigration Administration, https://www.nia.gov.cn/ (2025).
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern, label
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, count_digits, value_after

_CUES = ["回乡证", "回鄉證", "通行证", "通行證", "台胞证", "台胞證", "来往内地", "來往內地", "来往大陆", "來往大陸"]


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    found = value_after(text, end, ALNUM, reach=16)
    if found and _has_shape(text[found[0] : found[1]].upper()):
        yield Hit("cn_travel_permit", *found, 0.9, evidence=because(label=True))


def _has_shape(value: str) -> bool:
    digits = count_digits(value)
    if value.isdigit():
        return digits in (8, 10)
    if value[0] in "HM":
        return digits == len(value) - 1 and digits in (8, 10)
    return value[0] in "CWLT" and 7 <= digits <= 8 and len(value) <= 10


DETECTOR = Detector(
    levels={"cn_travel_permit": "restricted"},
    patterns=(
        Pattern(regex=f"(?:{'|'.join(_CUES)})"),
        label("(?:home return|mainland travel|hong kong macao travel|taiwan compatriot|cn travel) permit"),
    ),
    check=_check,
)
