"""Numbers of court cases: Strasbourg (`12345/67`), China (`(2023)京01民初123号`), neutral citations, docket numbers.

Sources: https://www.echr.coe.int/ (application numbers), https://www.court.gov.cn/ (rules on case numbers, 2015),
https://www.judiciary.uk/ (neutral citation), 2025.
"""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, count_digits, value_after
from yuzui.privacy.surroundings import has_cue, is_digit, is_word

KIND = "case_number"
_CUES_WORDS = """
    no. nos. no nos application applications case cases appl 案号 file docket decision judgment
"""
_CUES = tuple(_CUES_WORDS.split())
_DOCKET = ALNUM | frozenset("-/:")


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    trigger = text[start:end]
    if trigger[0] in "([<":
        yield from _check_year(text, start, end)
    elif trigger[0].isdigit():
        yield from _check_slash(text, start, end)
    else:
        yield from _check_label(text, start, end)


def _check_slash(text: str, start: int, end: int) -> Iterable[Hit]:
    """`43185/98`: up to six digits, a slash, two digits of a year."""
    while is_digit(text, start - 1):
        start -= 1
    if (
        is_word(text, start - 1)
        or is_word(text, end)
        or text[start - 1 : start] in ("/", ".", "-", "$", "#", ":", "_", "=")
    ):
        return
    if text[end : end + 1] in ("/", "%", "\\") or (text[end : end + 1] in (".", "-", ":") and is_digit(text, end + 1)):
        return
    number = text[start : text.index("/", start)]
    if len(number) > 6 or (
        len(number) == 4 and number[:2] in ("19", "20") and not has_cue(text, start, _CUES, reach=10)
    ):
        return  # a season or a fiscal year
    if len(number) >= 4 or (len(number) >= 2 and has_cue(text, start, _CUES, reach=24)) or _is_listed(text, start):
        yield Hit(KIND, start, end, 0.85, "slash")


def _is_listed(text: str, start: int) -> bool:
    """Whether another such number stands right before: `682/02, 2573/02`."""
    before = text[max(0, start - 9) : start].rstrip(" ,;and")
    return len(before) >= 5 and before[-3:-2] == "/" and before[-2:].isdigit() and before[-4].isdigit()


def _check_year(text: str, start: int, end: int) -> Iterable[Hit]:
    """`(2023)京01民初123号`, `[2008] EWHC 860 (QB)`."""
    if not text[end - 1].isascii():
        at = text.find("号", end, end + 24)
        if at < 0:
            at = text.find("號", end, end + 24)
        if at > 0 and text[at - 1].isdigit():
            yield Hit(KIND, start, at + 1, 0.95, "chinese")
        return
    last = end
    while last < len(text) and text[last].isascii() and text[last].isupper():
        last += 1
    if last - end > 4:
        return
    for _ in range(2):
        while last < len(text) and text[last] == " ":
            last += 1
        if text[last : last + 4].lower() in ("civ ", "crim"):
            last += 4
            while last < len(text) and text[last] == " ":
                last += 1
    digits = last
    while is_digit(text, digits):
        digits += 1
    if digits == last:
        return
    last = digits
    if text[last : last + 2] == " (" and 0 < text.find(")", last) - last <= 12:
        last = text.find(")", last) + 1
    yield Hit(KIND, start, last, 0.9, "citation")


def _check_label(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isascii() and is_word(text, start - 1):
        return
    found = value_after(text, end, _DOCKET, reach=12)
    if found and 4 <= found[1] - found[0] <= 32 and count_digits(text[found[0] : found[1]]) >= 3:
        yield Hit(KIND, *found, 0.8, "label", because(label=True))


DETECTOR = Detector(
    levels={KIND: "confidential"},
    patterns=(
        Pattern(regex="[0-9]{2}/[0-9]{2}"),
        Pattern(regex=r"[\[(](?:19|20)[0-9]{2}[\])] ?(?:EW|UK|ZA|NS|HK|SG|IE|NI|S|C|F)[A-Z]"),
        Pattern(
            regex=f"[(\\[<](?:19"
            f"|20)[0-9]{{2}}[)\\]>][{'京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼最'}]"
        ),
        Pattern(
            regex="(?:case|docket|claim|matter|complaint|police report|incident|file|application) (?:no\\.?|number|#)",
            ignore_case=True,
        ),
        Pattern(regex="(?:案号|案件编号|立案号|卷宗号|报案号|受理号|仲裁号)"),
    ),
    check=_check,
)
