"""Routing numbers of banks in the United States: nine digits with a check digit, behind a word that names one.

Source: https://www.aba.com/about-us/routing-number (2025): 3, 7, 1 as weights, modulus 10.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.checksums import routing_number_is_valid
from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import DIGITS, value_after
from yuzui.privacy.surroundings import is_word


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if is_word(text, start - 1) or is_word(text, end):
        return
    found = value_after(text, end, DIGITS)
    if found and found[1] - found[0] == 9 and not is_word(text, found[1]):
        is_valid = routing_number_is_valid(text[found[0] : found[1]])
        why = because(checksum=is_valid, label=True)
        yield Hit("us_routing_number", *found, 0.95 if is_valid else 0.6, evidence=why)


DETECTOR = Detector(
    levels={"us_routing_number": "confidential"},
    patterns=(Pattern(regex="(?:routing|aba|rtn)(?: transit)?", ignore_case=True),),
    check=_check,
)
