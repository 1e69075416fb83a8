"""Driver's licence numbers behind a word that names one."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern, label
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import DASHED, count_digits, value_after


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    found = value_after(text, end, DASHED, reach=40)
    if found is None:
        return
    value = text[found[0] : found[1]]
    # From seven digits (Pennsylvania) to a letter and 14 (New Jersey), 16 characters for the United Kingdom.
    if 5 <= len(value) <= 20 and count_digits(value) >= 4 and "/" not in value:
        yield Hit("driver_licence", *found, 0.85, evidence=because(label=True))


DETECTOR = Detector(
    levels={"driver_licence": "restricted"},
    patterns=(
        label(r"(?:driver'?s?'?|driving) licen[cs]e"),
        Pattern(regex="(?:驾驶证|驾照|駕照|駕駛執照|行驶证|档案编号)"),
    ),
    check=_check,
)
