"""Addresses around a flat or suite number, with the lines of city, code and country below it."""

from __future__ import annotations

import re
from typing import Final

from yuzui.privacy.ner.spans import NameSpan

_UNIT: Final = re.compile(r"\b(?:Apt|Apartment|Suite|Ste|Unit|Flat|PSC|Box)\b\.?,? ?#?\d{1,5}[A-Za-z]?\b")
_HOUSE_FIRST: Final = re.compile(r"\b\d{1,6}[A-Za-z]?,? [^\W\d_]")
_HOUSE_LAST: Final = re.compile(r"\b[A-ZÀ-Þ][^\n:]{2,30} \d{1,5}\b")
_NEXT_LINE: Final = re.compile(r"\n[ \t>]*([^\n:?!]{1,34}?)[ \t]*(?=\n|\Z|[?!])")
_POST_CODE: Final = re.compile(r"\b(?:[A-Z]{1,2}-?)?\d{3,6}(?:[ -]\d{2,4})?\b|\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_BEFORE_UNIT: Final = 70
_MOST_LINES: Final = 4


def postal_blocks(text: str) -> list[NameSpan]:
    """Addresses around a flat or suite number, with the lines of city, code and country below it."""
    found: list[NameSpan] = []
    for unit in _UNIT.finditer(text):
        if found and unit.start() < found[-1].end:
            continue
        first = max(0, unit.start() - _BEFORE_UNIT)
        line = text.rfind("\n", first, max(first, text.rfind("\n", first, unit.start())))
        above = max(first, line + 1)
        house = _HOUSE_FIRST.search(text, above, unit.start()) or _HOUSE_LAST.search(text, above, unit.start())
        start = house.start() if house is not None else unit.start()
        end, lines, at = unit.end(), 0, unit.end()
        rest = text.find("\n", at)
        if 0 <= rest - at <= 40:
            at = rest
        while lines < _MOST_LINES and (following := _NEXT_LINE.match(text, at)) is not None:
            lines, at = lines + 1, following.end(1)
            words = following[1]
            if words.rstrip().endswith(".") or (words.strip(" ,>").islower() and len(words) > 3):
                break
            if _POST_CODE.search(words) or _UNIT.search(words) or words.strip(" ,>").istitle() or words.isupper():
                end = at
        if end > unit.end() or house is not None:
            found.append(NameSpan(start, end, "postal_address", 0.7, "rule: postal block"))
    return found
