"""Vehicle identification numbers (ISO 3779): 17 characters without I, O and Q, the ninth often a check digit."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import vin_check
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_CUES = ("vin", "车架号", "识别代码", "识别代号", "vehicle identification", "chassis")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    start = end - 18  # the pattern saw what stands on both sides: else long runs would have a match at every place
    end -= 1
    if is_word(text, start - 1):
        return
    value = text[start:end].upper()
    digits = sum(char.isdigit() for char in value)
    if not 3 <= digits <= 15 or not value[-3:].isdigit():
        return
    is_cued = has_cue(text, start, _CUES, reach=24)
    is_valid = vin_check(value) == value[8]
    if is_cued or (is_valid and text[start:end] == value and digits >= 6):
        yield Hit("vin", start, end, 0.95 if is_valid else 0.7, evidence=because(checksum=is_valid, near=is_cued))


DETECTOR = Detector(
    levels={"vin": "confidential"},
    patterns=(Pattern(regex="(?:^|[^0-9A-Z])[A-HJ-NPR-Z0-9]{17}[^0-9A-Z]", ignore_case=True),),
    check=_check,
)
