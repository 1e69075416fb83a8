"""What an answer comes down to, in a form that two models' answers can be compared in: a number, a letter, a word.

Nothing here knows the question. Where no final answer can be found the result is "", and two of those do not agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

MOST_CHARACTERS: Final = 40_000
"""Of an answer, from its end: what it comes down to stands there."""
MOST_RESULT: Final = 200
TOLERANCE: Final = 1e-4
"""Relative. Two numbers that differ by less are one: models round differently."""

_MARKED: Final = (
    re.compile(r'"answer"\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|(-?[\d.,/]+)|(true|false|null))', re.IGNORECASE),
    re.compile(r"\\boxed\s*\{((?:[^{}\n]|\{[^{}\n]*\})*)\}"),
    re.compile(r"^#{3,}[ \t]*(-?[^\s#][^\n]*)$", re.MULTILINE),
    re.compile(r"(?:answer|result)\s*(?:is|=|:)\s*:?\s*\**\s*\(?([A-Z])\)?(?![A-Za-z])", re.IGNORECASE),
    re.compile(r"(?:final answer|answer|result|答案)\s*(?:is|=|:|：|为|是)\s*:?\s*\**([^\n]{1,120})", re.IGNORECASE),
)
"""Ways of marking the final answer, the most explicit first; of one way the last occurrence counts."""
_NUMBER: Final = re.compile(r"-?\$?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:\s?/\s?\d+(?:\.\d+)?)?|-?\.\d+")
_FRACTION: Final = re.compile(r"\\[dt]?frac\s*\{(-?\d+)\}\s*\{(\d+)\}")
_DRESSING: Final = re.compile(r"\\(?:text|mathrm|mbox|left|right|,|!|;|%|\$)|[*_`~]|\\[()\[\]]")


def final_answer(text: str) -> str:
    """The final answer of `text`, normalised: a number as a reduced fraction, a letter in upper case, else words."""
    text = text[-MOST_CHARACTERS:]
    for pattern in _MARKED:
        last = None
        for last in pattern.finditer(text):  # noqa: B007  # the last one is wanted
            pass
        if last is not None:
            found = normalise(next((group for group in last.groups() if group), ""))
            if found:
                return found
    numbers = _NUMBER.findall(_DRESSING.sub("", text))
    if numbers:
        return normalise(numbers[-1])
    lines = text.strip().splitlines()
    return normalise(lines[-1]) if lines else ""


def normalise(answer: str) -> str:
    """`answer` without dressing. Numbers become `p` or `p/q`; a word or a sentence keeps its letters and digits."""
    bare = _FRACTION.sub(r"\1/\2", answer[: 4 * MOST_RESULT])
    bare = _DRESSING.sub("", bare).strip().strip(".。,;:!").strip()
    if re.fullmatch(r"\(?[A-Za-z]\)?", bare):
        return bare.strip("()").upper()
    number = _as_number(bare)
    if number is not None:
        return str(number)
    inside = _NUMBER.findall(bare)
    if len(inside) == 1 and len(bare) <= 40:  # "18 dollars", "x = 5", "$2.50 per day"
        number = _as_number(inside[0])
        if number is not None:
            return str(number)
    return " ".join(re.findall(r"[^\W_]+|[-+*/^=<>()]", bare.lower()))[:MOST_RESULT]


def agree(left: str, right: str) -> bool:
    """Whether two normalised answers are the same; an empty one agrees with nothing."""
    if not left or not right:
        return False
    if left == right:
        return True
    one, other = _as_number(left), _as_number(right)
    if one is None or other is None:
        return False
    return abs(one - other) <= TOLERANCE * max(abs(one), abs(other))


def vote_share(answers: Sequence[str]) -> float:
    """Share of normalised `answers` that agree with the first one, itself included; 0 when that is empty."""
    if not answers or not answers[0]:
        return 0.0
    return sum(agree(answers[0], other) for other in answers) / len(answers)


def _as_number(text: str) -> Fraction | None:
    bare = text.replace(",", "").replace("$", "").replace(" ", "").rstrip("%")
    if len(bare) > 60 or not re.fullmatch(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:/\d+(?:\.\d+)?)?", bare):
        return None
    above, _, below = bare.partition("/")
    divisor = Fraction(below) if below else Fraction(1)
    return Fraction(above) / divisor if divisor else None
