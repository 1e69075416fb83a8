"""Sums that an answer writes down, done again: `16 - 3 - 4 = 9` is right or wrong whatever the question was.

Only what is unambiguous is judged: digits, the four operations, powers, brackets, percent. Anything with a letter in it
is passed over, never evaluated as a program.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_EQUATIONS: Final = 200
MOST_CHARACTERS: Final = 20_000
MOST_SIDE: Final = 120
"""Characters of one side of an equals sign that are looked at."""
TOLERANCE: Final = 0.006
"""Relative, or absolute below one: 1/3 = 0.33 counts as right, and so does 66.67."""

WHOLE_PERCENT: Final = 0.51
"""11 / 30 = 37% counts as right."""

_SIDE: Final = r"[-+*/^()\d.,%$€£¥ ×÷·x]"
_LEFT: Final = re.compile(f"{_SIDE}{{3,{MOST_SIDE}}}$")
_RIGHT: Final = re.compile(r"\s*[$€£¥]?\s*(-?[\d,]*\.?\d+)(\s*/\s*\d+)?(\s*%)?")
_TOKEN: Final = re.compile(r"\d+\.?\d*|\.\d+|[-+*/^()%]")
_OPERATION: Final = re.compile(r"[\d)%]\s*[-+*/^]\s*[-(\d.$]")
_SPELLING: Final = str.maketrans(
    {"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "$": None, "€": None, "£": None, "¥": None, ",": None}
)
_LATEX: Final = (
    (re.compile(r"\\(?:times|cdot)"), "*"),
    (re.compile(r"\\div"), "/"),
    (re.compile(r"\\[dt]?frac\s*\{([\d.]+)\}\s*\{([\d.]+)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\[%$]"), ""),
    (re.compile(r"\\(?:left|right|,|!|;)"), ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many equations of a text could be done again, and how they came out."""

    right: int = 0
    wrong: int = 0
    last_result: float | None = None
    """The right-hand side of the last equation that was looked at."""


def check(text: str) -> Checked:
    """Do every plain equation of `text` again. Linear in its length, which is cut to `MOST_CHARACTERS`."""
    text = text[:MOST_CHARACTERS]
    if "\\" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    right = wrong = 0
    last: float | None = None
    place = text.find("=")
    while place >= 0 and right + wrong < MOST_EQUATIONS:
        verdict, result = _judge(text, place)
        if verdict is not None:
            last = result
            if verdict:
                right += 1
            else:
                wrong += 1
        place = text.find("=", place + 1)
    return Checked(right=right, wrong=wrong, last_result=last)


def _judge(text: str, place: int) -> tuple[bool | None, float | None]:
    """Whether the equation around the `=` at `place` holds; None when it is none that can be judged."""
    before = _LEFT.search(text[max(0, place - MOST_SIDE) : place])
    after = _RIGHT.match(text, place + 1)
    if before is None or after is None:
        return None, None
    side = re.sub(r"(?<=[\d ])x(?=[ \d])", "*", before.group()).translate(_SPELLING).strip()
    side = re.sub(r"^[^\d(.-]+", "", side)
    if "x" in side or not _OPERATION.search(side):
        return None, None
    following = text[after.end() : after.end() + 3].lstrip()
    if following[:1] in ("*", "/", "^", "×", "x", "÷") or (following[:1] in ("+", "-") and len(following) > 1):
        return None, None  # the right-hand side goes on: 3 * 4 = 10 + 2
    left = evaluate(side)
    if left is None:
        return None, None
    result = float(after.group(1).replace(",", ""))
    if after.group(2):
        divisor = float(after.group(2).replace("/", ""))
        if not divisor:
            return None, None
        result /= divisor
    is_percent = bool(after.group(3)) and abs(left * 100 - result) <= WHOLE_PERCENT
    return _close(left, result) or is_percent or ("%" in side and _close(left, result * 100)), result


def _close(left: float, right: float) -> bool:
    return abs(left - right) <= TOLERANCE * max(abs(right), 1.0)


def evaluate(expression: str) -> float | None:
    """The value of a plain expression; None when it is not one, divides by zero or grows out of hand."""
    tokens = _TOKEN.findall(expression)
    if "".join(tokens) != expression.replace(" ", "") or not tokens or len(tokens) > 60:
        return None
    reader = _Reader(tokens)
    try:
        value = reader.sum(0)
    except (ValueError, ZeroDivisionError, OverflowError, IndexError):
        return None
    if reader.place != len(tokens) or isinstance(value, complex) or abs(value) > 1e15:
        return None
    return value


class _Reader:
    """Recursive descent over the tokens; the depth is bounded because a token is consumed for each level."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.place = 0

    def take(self) -> str:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def sum(self, depth: int) -> float:
        value = self.product(depth)
        while self.tokens[self.place] in ("+", "-"):
            value = value + self.product(depth) if self.take() == "+" else value - self.product(depth)
        return value

    def product(self, depth: int) -> float:
        value = self.power(depth)
        while self.tokens[self.place] in ("*", "/"):
            value = value * self.power(depth) if self.take() == "*" else value / self.power(depth)
        return value

    def power(self, depth: int) -> float:
        value = self.unit(depth)
        while self.tokens[self.place] == "%":
            self.take()
            value /= 100
        if self.tokens[self.place] == "^":
            self.take()
            exponent = self.power(depth + 1)
            if abs(exponent) > 64 or abs(value) > 1e6:
                raise OverflowError
            value = float(value) ** exponent
            if isinstance(value, complex):
                raise ValueError
        return value

    def unit(self, depth: int) -> float:
        if depth > 20:
            raise ValueError
        token = self.take()
        if token == "-":
            return -self.unit(depth + 1)
        if token == "(":
            value = self.sum(depth + 1)
            if self.take() != ")":
                raise ValueError
            return value
        return float(token)
