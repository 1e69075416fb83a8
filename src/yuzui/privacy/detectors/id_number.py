"""Numbers of persons that only their label names: employee, member, customer, student, user; 工号, 学号, 证件号."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import DASHED, count_digits, value_after
from yuzui.privacy.surroundings import is_word


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isascii() and (is_word(text, start - 1) or is_word(text, end)):
        return
    found = value_after(text, end, DASHED, reach=24)
    if (
        found
        and 4 <= found[1] - found[0] <= 24
        and count_digits(text[found[0] : found[1]]) >= 4
        and "/" not in text[found[0] : found[1]]
    ):
        yield Hit("id_number", *found, 0.75, evidence=because(label=True))


DETECTOR = Detector(
    levels={"id_number": "confidential"},
    patterns=(
        Pattern(
            regex="(?:id (?:card )?(?:number|no\\.?|card)|(?:employee|staff|member|membership|customer"
            "|client|student|user|subscriber|policy|licen[cs]e"
            "|identification|identity|badge|personnel|enrolment)[ -]?(?:id|number|no\\.?"
            "|card)(?: number)?|green card|visa number)",
            ignore_case=True,
        ),
        Pattern(
            regex="(?:工号|学号|员工编号|会员号|会员卡号|客户号|客户编号|证件号|证件编号|证书编号|准考证"
            "|保单号|保单编号|军官证|士兵证|执业证|资格证|户口簿|居住证)"
        ),
    ),
    check=_check,
)
