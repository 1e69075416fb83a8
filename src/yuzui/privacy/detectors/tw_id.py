"""Identity numbers of Taiwan: a letter for the region, 1, 2, 8 or 9, eight digits, the last a check digit.

Source: https://www.ris.gov.tw/ (2025): weights 1, 9, 8 … 1, 1 over the region's two digits and the rest, modulus 10.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import taiwan_id_is_valid
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.surroundings import has_cue, is_word

_CUES = ("身分證", "身分证", "身份證", "身份证", "統一編號", "taiwan", "居留證", "national id", "id number")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if is_word(text, start - 1) or is_word(text, end):
        return
    is_valid = taiwan_id_is_valid(text[start:end].upper())
    is_cued = has_cue(text, start, _CUES)
    if is_valid or is_cued:
        why = because(checksum=is_valid, near=is_cued)
        yield Hit("tw_id", start, end, 0.95 if is_valid and is_cued else 0.75, evidence=why)


DETECTOR = Detector(
    levels={"tw_id": "restricted"}, patterns=(Pattern(regex="[A-Z][1289][0-9]{8}", ignore_case=True),), check=_check
)
