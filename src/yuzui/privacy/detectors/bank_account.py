"""Numbers of bank accounts behind a word that names one, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable

from yuzui.privacy.detectors._contract import Detector, Hit, Pattern
from yuzui.privacy.evidence import because
from yuzui.privacy.labelled import ALNUM, count_digits, value_after
from yuzui.privacy.surroundings import is_word

_NUMBER = ALNUM | frozenset("- ")
_BANKS = """
    工商银行 农业银行 建设银行 交通银行 招商银行 邮储银行 中国银行 民生银行 浦发银行 中信银行 兴业银行 平安银行
    光大银行 华夏银行 广发银行
"""


def _check(text: str, start: int, end: int) -> Iterable[Hit]:
    if text[start].isascii() and (is_word(text, start - 1) or is_word(text, end)):
        return
    found = value_after(text, end, _NUMBER, reach=28)
    if found is None:
        return
    first, last = found
    while last > first and not _is_number(text[first:last]):  # `12345 at` is a number and a word
        cut = text.rfind(" ", first, last)
        if cut < 0:
            return
        last = cut
    digits = count_digits(text[first:last])
    is_bank = not text[start].isascii() and text[start:end].endswith("银行")
    if (9 if is_bank else 6) <= digits <= 24 and not is_word(text, last):
        yield Hit("bank_account", first, last, 0.8, evidence=because(label=True))


def _is_number(value: str) -> bool:
    return count_digits(value) >= len(value.replace(" ", "").replace("-", "")) - 4 and all(
        any(char.isdigit() for char in group) for group in value.replace("-", " ").split()
    )


DETECTOR = Detector(
    levels={"bank_account": "restricted"},
    patterns=(
        Pattern(regex="(?:account|acct|a/c)(?: ?(?:number|no|num|details|id|#))?|iban|sort code", ignore_case=True),
        Pattern(regex=f"(?:账号|帐号|賬號|帳號|账户|帐户|賬戶|开户行|收款|卡号|银行卡|{'|'.join(_BANKS.split())})"),
    ),
    check=_check,
)
