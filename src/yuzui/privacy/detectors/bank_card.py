"""Payment card numbers: an issuer prefix, a length that goes with it, and the Luhn digit."""

from __future__ import annotations

from yuzui.privacy.checksums import luhn_is_valid
from yuzui.privacy.detectors._contract import Detector, Digits, Hit
from yuzui.privacy.evidence import because
from yuzui.privacy.numbers import singles
from yuzui.privacy.surroundings import has_cue, is_inside_number, stands_alone

_CUES_WORDS = """
    card creditcard 卡号 银行卡 信用卡 储蓄卡 visa mastercard unionpay 银联 账号 账户 debit credit cc maestro
    amex
"""
_CUES = tuple(_CUES_WORDS.split())
_NAMING = ("credit card", "debit card", "card number", "信用卡", "银行卡", "储蓄卡", "借记卡", "卡号")
"""Who writes these means a card, also with a mistyped digit."""
_ANTI_CUES = ("example", "sample", "test card", "invalid", "fails", "dummy", "示例", "样例")
_GAP_CHARS = frozenset(" -_.*`()[]")


def _is_issued(value: str) -> bool:
    """Prefix and length as in ISO/IEC 7812 assignments (issuers' public BIN ranges, 2026-11)."""
    size, two, four = len(value), int(value[:2]), int(value[:4])
    if value[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return size == 16
    if two in (34, 37) or four in (1800, 2131):
        return size == 15
    if two in (62, 81):
        return 16 <= size <= 19
    if four == 6011 or two == 65 or 644 <= int(value[:3]) <= 649 or 3528 <= four <= 3589:
        return 16 <= size <= 19
    return two in (30, 36, 38, 39) and size == 14


def _check_digits(number: Digits) -> Hit | None:
    text, start, end, value = number.text, number.start, number.end, number.value
    is_valid = luhn_is_valid(value)
    if len(set(value)) < 2 or not (is_valid or _is_named(number)):
        return None
    if not all(len(gap) <= 3 and _GAP_CHARS.issuperset(gap) for gap in number.gaps) and len(number.layout) < 13:
        return None
    if len(set(number.gaps)) > 2 or not stands_alone(text, start, end) or is_inside_number(text, start, end):
        return None
    is_cued = has_cue(text, start, _CUES)
    is_issued = _is_issued(value)
    if not is_issued and not (is_cued and is_valid):
        return None
    if not is_valid:
        return Hit("bank_card", start, end, 0.6, evidence=because(checksum=False, near=True, listed="issuers"))
    why = because(checksum=True, near=is_cued, listed="issuers" if is_issued else "")
    return Hit("bank_card", start, end, 0.95 if is_cued or len(number.layout) > 1 else 0.8, evidence=why)


def _is_named(number: Digits) -> bool:
    """Whether a word right before says that this is a card, and none that it is only shown as one."""
    text, start = number.text, number.start
    if (
        len(number.value) < 15
        or has_cue(text, start, _ANTI_CUES, reach=32)
        or "fail" in text[number.end : number.end + 12].lower()
    ):
        return False
    return has_cue(text, start, _NAMING, reach=16)


DETECTOR = Detector(
    levels={"bank_card": "restricted"},
    layouts=(
        (12,),
        (13,),
        (14,),
        (15,),
        (16,),
        (17,),
        (18,),
        (19,),
        (4, 4, 4, 4),
        (4, 4, 4, 4, 3),
        (4, 4, 4, 4, 2),
        (4, 4, 4, 4, 1),
        (4, 6, 5),
        (4, 6, 4),
        (6, 13),
        (8, 8),
        (6, 4, 4, 5),
        singles(14),
        singles(15),
        singles(16),
        singles(19),
    ),
    check_digits=_check_digits,
)
