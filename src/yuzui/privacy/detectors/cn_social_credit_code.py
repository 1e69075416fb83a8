"""Unified social credit codes of Chinese organisations (GB 32100-2015): 18 characters, the last a check character."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import social_credit_check
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
_CUES = ("信用代码", "税号", "纳税人识别", "社会信用", "uscc", "credit code")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    start = end - 10  # the pattern saw what stands before: else a long number would have a match at every place
    end = start + 18
    value = text[start:end].upper()
    if is_word(text, start - 1) or is_word(text, end) or len(value) < 18 or not _ALPHABET.issuperset(value):
        return
    if social_credit_check(value[:17]) == value[17]:
        yield Hit("cn_social_credit_code", start, end, 1.0, evidence=because(checksum=True))
    elif has_cue(text, start, _CUES, reach=24):
        yield Hit("cn_social_credit_code", start, end, 0.6, evidence=because(checksum=False, near=True))


DETECTOR = Detector(
    levels={"cn_social_credit_code": "internal"},
    patterns=(
        # registration department, kind of organisation, region (GB/T 2260), and a start of the organisation code:
        # the rest is left to the check, because Hyperscan unrolls bounded repeats
        Pattern(regex="(?:^|[^0-9A-Z])[1-9AGNY][1-9ABCDEFGNY][1-9][0-9]{5}[0-9A-HJ-NPQRTUWXY]{2}", ignore_case=True),
    ),
    check=_check,
)
