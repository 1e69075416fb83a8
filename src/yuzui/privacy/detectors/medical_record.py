"""Numbers of patients, records and health insurance behind a word that names one."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern, label
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import DASHED, count_digits, value_after
from yuzui.privacy.surroundings import is_word


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isascii() and (is_word(text, start - 1) or is_word(text, end)):
        return
    found = value_after(text, end, DASHED, reach=24)
    if found is None:
        return
    value = text[found[0] : found[1]]
    is_year = len(value) == 4 and value[:2] in ("19", "20")
    if 4 <= len(value) <= 24 and count_digits(value) >= 3 and not is_year:
        yield Hit("medical_record", *found, 0.85, evidence=because(label=True))


DETECTOR = Detector(
    levels={"medical_record": "restricted"},
    patterns=(
        label(
            "(?:mrn|medical record|medical file|medical id|patient id|patient no|patient number"
            "|patient mrn|health insurance"
            "|insurance (?:policy|number|code|id|no)|member id|medicare|medicaid|health card|chart number|nhi number)"
        ),
        Pattern(
            regex="(?:病历号|病歷號|病案号|住院号|门诊号|就诊卡|诊疗卡|医保号|医保卡|医疗保险|社保号|社保卡"
            "|检验号|床号|患者编号|病历编号)"
        ),
    ),
    check=_check,
)
