"""Vehicle plates of China: a province, a letter, five characters; six for new-energy vehicles (GA 36-2018)."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_ALPHABET = frozenset("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789")  # neither I nor O
_LAST = frozenset("挂学警港澳领使")
_CUES = ("车牌", "号牌", "车辆", "牌照", "车号", "车主", "plate")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    last = end
    if text[last : last + 1] in ("·", "•", ".", "-", " ", "・"):
        last += 1
    first = last
    while last < len(text) and last - first < 6 and text[last].upper() in _ALPHABET:
        last += 1
    if last - first == 4 and text[last : last + 1] in _LAST:
        last += 1
    value = text[first:last].upper()
    if not 5 <= len(value) <= 6 or is_word(text, last):
        return
    digits = sum(char.isdigit() for char in value)
    if len(value) == 6 and not (value[0] in "ABCDEFGHJK" or value[-1] in "ABCDEFGHJK"):
        return  # new energy: the letter stands first (small vehicles) or last (large ones)
    is_cued = digits < 3 and bool(digits) and has_cue(text, start, _CUES, reach=16)
    if digits >= 3 or is_cued:
        why = because(near=is_cued, listed="plate_provinces")
        yield Hit("vehicle_plate", start, last, 0.9 if first > end or digits >= 4 else 0.75, evidence=why)


DETECTOR = Detector(
    levels={"vehicle_plate": "confidential"},
    patterns=(Pattern(regex=f"[{_PROVINCES}][A-HJ-NP-Z]"),),
    check=_check,
)
