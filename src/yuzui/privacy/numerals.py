"""Digits written in Chinese: everyday, financial and radio numerals, and the run of them that is worth a look."""

from __future__ import annotations

_WRITTEN = ("零〇洞", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾")
_VALUES = str.maketrans({numeral: str(value) for value, numerals in enumerate(_WRITTEN) for numeral in numerals})

# A higher minimum would say more, but Hyperscan unrolls bounded repeats of multi-byte classes until they are too large.
NUMERALS_REGEX = f"[{''.join(_WRITTEN)}]{{5,}}"


def read_numerals(text: str) -> str:
    """`text`, all numerals, as ASCII digits: one for one, so offsets stay."""
    return text.translate(_VALUES)
