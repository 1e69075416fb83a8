"""Telephone numbers: E.164 with a plus sign, North American and Chinese fixed-line shapes, others after a cue word."""

from __future__ import annotations

from yuzui.privacy.detectors._contract import Detector, Digits, Hit
from yuzui.privacy.evidence import because
from yuzui.privacy.numbers import singles
from yuzui.privacy.surroundings import has_cue, is_digit, is_inside_number, stands_alone

_CUE_WORDS = (
    "phone phones telephone telefon telefono cellphone smartphone tel call dial mobile handy cell fax whatsapp sms text"
    " reach contact office desk answering messages message registered voicemail landline hotline ring extension"
    " 电话 手机 联系方式 座机 致电 传真 热线 來電 電話"
)
_CUES = tuple(_CUE_WORDS.split())
_GAP_CHARS = frozenset(" -.()/")
_DIGITS = frozenset("0123456789")  # canonical text has no others
_NORTH_AMERICAN = frozenset(((3, 3, 4), (3, 7), (1, 3, 3, 4), (4, 3, 4)))

_LAYOUTS = tuple(
    dict.fromkeys(
        [(n,) for n in range(7, 16)]
        + [(a, b) for a in range(1, 6) for b in range(4, 11) if 7 <= a + b <= 15]
        + [(a, b, c) for a in range(1, 5) for b in range(2, 6) for c in range(2, 9) if 7 <= a + b + c <= 15]
        + [
            (a, b, c, d)
            for a in range(1, 5)
            for b in range(1, 5)
            for c in range(2, 5)
            for d in range(2, 6)
            if 7 <= a + b + c + d <= 15
        ]
        + [(a, b, c, 2, 2) for a in range(1, 4) for b in range(1, 4) for c in (2, 3)]
        + [(a, 1, b, c, d) for a in range(1, 4) for b in range(2, 4) for c in (3, 2) for d in (2, 3, 4)]  # +41 (0)96 …
        + [(a, 1, b, c, d, 2) for a in range(1, 4) for b in range(2, 4) for c in (3, 2) for d in (2, 3)]
        + [(6, 3, 3), (5, 6), (6, 6), (2, 2, 2, 2, 2), (3, 1, 3, 3, 4)]
    )
)


def _check_digits(number: Digits) -> Hit | None:
    text, start, end = number.text, number.start, number.end
    opening = _opening(text, start)
    has_plus = text[opening] == "+"
    may_have_shape = number.value[0] == "0" or number.layout in _NORTH_AMERICAN
    # First what tells most numbers apart: dates, orders and amounts have neither plus sign nor shape nor cue.
    if not has_plus and not may_have_shape and not _is_cued(number, opening):
        return None
    for gap in number.gaps:
        if len(gap) > 3 or not _GAP_CHARS.issuperset(gap):
            return None
    if not stands_alone(text, start, _with_extension(text, end)) or is_inside_number(text, start, end):
        return None
    if _is_chinese_mobile(number):
        return None  # its own kind
    if has_plus:
        is_whole = 8 <= len(number.value) <= 15 and number.value[0] != "0"
        return Hit("phone", opening, _with_extension(text, end), 0.95, "plus") if is_whole else None
    if not may_have_shape:
        return Hit("phone", opening, end, 0.6, "cue", because(shape=False, near=True))  # the cue it is, then
    if _is_north_american(number) or _is_chinese_landline(number) or _is_dashed_national(number):
        return Hit("phone", opening, _with_extension(text, end), 0.8, "national")
    if number.value.startswith("00") and len(number.value) >= 11 and len(number.layout) > 1:
        return Hit("phone", opening, end, 0.7, "zeros")
    return (
        Hit("phone", opening, end, 0.6, "cue", because(shape=False, near=True)) if _is_cued(number, opening) else None
    )


def _with_extension(text: str, end: int) -> int:
    """`555-0134x4508`, `555-0134 ext. 12`."""
    at = end
    for mark in ("x", " x", " ext. ", " ext ", "ext"):
        if text[at : at + len(mark)].lower() == mark and is_digit(text, at + len(mark)):
            at += len(mark)
            while is_digit(text, at):
                at += 1
            return at if at - end <= 12 else end
    return end


def _opening(text: str, start: int) -> int:
    """Where the number begins when a bracket or a plus sign belongs to it."""
    if start and text[start - 1] == "(":
        start -= 1
    if start and text[start - 1] == "+":
        start -= 1
    return start


def _is_north_american(number: Digits) -> bool:
    """NANP: 3-3-4, area and exchange begin with 2 to 9. Spaces alone are too weak: tables of numbers look like that."""
    value, layout = number.value, number.layout
    if layout in ((1, 3, 3, 4), (4, 3, 4)) and value[0] == "1":
        value, layout = value[1:], (3, 3, 4)
    if layout != (3, 3, 4) and layout != (3, 7):
        return False
    has_mark = any("-" in gap or "." in gap or ")" in gap for gap in number.gaps)
    return has_mark and value[0] >= "2" and value[3] >= "2"


def _is_chinese_landline(number: Digits) -> bool:
    """Area code 010, 02x or 0xxx, a dash or bracket, seven or eight digits."""
    if len(number.layout) != 2 or number.layout[0] not in (3, 4) or number.layout[1] not in (7, 8):
        return False
    return number.value[0] == "0" and number.value[1] != "0" and number.gaps[0].strip() in ("-", ")")


def _is_dashed_national(number: Digits) -> bool:
    """A trunk zero and three dashed groups: `010-9876-5432` (Korea), `03-1234-5678` (Japan)."""
    if len(number.layout) != 3 or number.gaps != ("-", "-") or number.layout[2] != 4:
        return False
    return number.value[0] == "0" and number.value[1] != "0" and 9 <= len(number.value) <= 11


def _is_chinese_mobile(number: Digits) -> bool:
    if (number.layout[0] == 1 and number.layout[-1] > 1) or (number.layout[0] == 2 and number.value[:2] != "86"):
        return False  # `1-786-555-0987`, `(13) 98824-5547`: groups that no mobile number of China has
    value = number.value.removeprefix("00")
    if len(value) == 13:
        value = value.removeprefix("86")
    return len(value) == 11 and value[0] == "1" and value[1] >= "3"


def _is_cued(number: Digits, opening: int) -> bool:
    return not _looks_like_date(number) and _is_whole(number) and has_cue(number.text, opening, _CUES, reach=20)


def _is_whole(number: Digits) -> bool:
    """Whether no further digits follow or precede closely: a cue believes in numbers, not in pieces of them."""
    text, start, end = number.text, number.start, number.end
    return _DIGITS.isdisjoint(text[end : end + 3]) and _DIGITS.isdisjoint(text[max(0, start - 3) : start])


def _looks_like_date(number: Digits) -> bool:
    value = number.value
    return len(value) == 8 and value[:2] in ("19", "20") and value[4:6] <= "12"


DETECTOR = Detector(
    levels={"phone": "confidential"},
    layouts=(*_LAYOUTS, singles(10)),
    check_digits=_check_digits,
)
