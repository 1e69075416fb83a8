"""The value behind a label: `account number: 12345678`, `病历号为 A10293`, `MRN# 77421`."""

from __future__ import annotations

from typing import Final

DIGITS: Final = frozenset("0123456789")
UPPER: Final = DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
ALNUM: Final = UPPER | frozenset("abcdefghijklmnopqrstuvwxyz")
DASHED: Final = ALNUM | frozenset("-/")
SPACED_DIGITS: Final = DIGITS | frozenset(" -")
_SKIPPED: Final = frozenset(" \t:=#'\"`*_([-.,|>“”’")
_HAN: Final = frozenset("号號码碼为為是的编編及和与與一:")
_FILLERS_WORDS = """
    number numbers no nr num code id ids is was are as the of my his her their your our this be to and s card
    account registered under reads shown given listed issued ending value record records holder with
"""
_FILLERS: Final = frozenset(_FILLERS_WORDS.split())
REACH = 32  # characters between a label and its value


def value_after(text: str, at: int, allowed: frozenset[str], *, reach: int = REACH) -> tuple[int, int] | None:
    """Start and end of the run of `allowed` characters that follows the label ending at `at`; None when prose follows.

    Between the two may stand marks, `is`, `number`, `为`, `号` and the like.
    """
    limit = min(len(text), at + reach)
    while at < limit:
        char = text[at]
        if char in _SKIPPED or char in _HAN or char in "\r\n":
            at += 1
        elif char in ALNUM:
            last = at
            while last < len(text) and last - at < 12 and text[last].isascii() and text[last].isalpha():
                last += 1
            if last > at and text[at:last].lower() in _FILLERS and not text[last : last + 1].isdigit():
                at = last
                continue
            break
        else:
            return None
    if at >= limit or text[at] not in allowed:
        return None
    if text[at - 1] == "_" and text[at - 2] in ALNUM:  # `NATIONAL_ID_7QX2` is a name of ours
        return None
    end = at
    most = min(len(text), at + 64)
    while end < most and text[end] in allowed:
        end += 1
    while end > at and text[end - 1] in " -/._":
        end -= 1
    return at, end


def count_digits(value: str) -> int:
    return sum(char in DIGITS for char in value)
