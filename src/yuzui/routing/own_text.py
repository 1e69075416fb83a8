"""What an open model's own answer gives away about itself: sums that do not add up, hedging, a form that was not kept.

None of it asks another model, and none of it knows the right answer. A fixed list of named numbers (`NAMES`), in order.
"""

from __future__ import annotations

import ast
import math
import re
import warnings
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from yuzui.routing.answers import final_answer
from yuzui.routing.arithmetic import check

MOST_CHARACTERS: Final = 20_000
MOST_CODE: Final = 8_000

_NUMBERS: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_FENCE: Final = re.compile(r"```(\w*)[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_HEDGES: Final = re.compile(
    r"\b(?:i think|i believe|probably|perhaps|might|maybe|not sure|unclear|assum\w+|approximate\w*|roughly|about|"
    r"seems?|likely|appears?|guess|however|wait|actually|mistake|correction|recheck|let me|not possible|cannot|can't|"
    r"not enough|insufficient|unknown|ambiguous|sorry)\b|可能|也许|大概|不确定|无法|假设|抱歉",
    re.IGNORECASE,
)
_REFUSALS: Final = re.compile(
    r"\b(?:as an ai|i cannot|i can't|i am unable|i'm unable|i'm sorry|"
    r"none of the (?:above|options|choices))\b|无法回答|很抱歉",
    re.IGNORECASE,
)
_STEPS: Final = re.compile(
    r"(?m)^\s*(?:#+\s*step|\d+[.)]|[-*•])\s|\b(?:first|second|then|next|so|therefore|thus|hence)\b", re.IGNORECASE
)
NAMES: Final = (
    "equations", "equations_wrong", "share_wrong", "last_result_is_answer", "log_characters", "log_lines", "hedges",
    "refuses", "steps", "has_answer", "answer_is_number", "answer_is_whole", "answer_is_negative", "log_answer",
    "answer_is_letter", "answer_marked", "answer_in_question", "log_answer_ratio", "question_numbers_used",
    "question_numbers_unused", "new_numbers", "is_cut_off", "repeats", "empty", "json_broken", "code_broken",
    "log_length_ratio",
    "log_likelihood", "least_log_likelihood", "log_likelihood_known",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer of the open model, and what was asked of it."""

    question: str
    text: str
    wants_json: bool = False
    was_cut: bool = False
    """It stopped because the limit of tokens was reached."""
    log_probabilities: tuple[float, ...] = ()
    """Natural logarithms, one per token of the answer, where the engine gives them."""


def own_text(answered: Answered) -> npt.NDArray[np.float32]:
    """One number per name of `NAMES`. Nothing of the answer is executed."""
    text = answered.text[:MOST_CHARACTERS]
    sums = check(text)
    found = final_answer(text)
    number = _value(found)
    asked = {_plain(n) for n in _NUMBERS.findall(answered.question[:MOST_CHARACTERS])}
    used = {_plain(n) for n in _NUMBERS.findall(text)}
    largest = max((abs(v) for v in (_value(n) for n in asked) if v is not None), default=0.0)
    done = sums.right + sums.wrong
    known = answered.log_probabilities
    agrees = number is not None and sums.last_result is not None and abs(number - sums.last_result) < 0.01
    return np.array(
        [
            min(done, 20), min(sums.wrong, 5), sums.wrong / max(1, done), float(agrees), math.log1p(len(answered.text)),
            math.log1p(text.count("\n")), min(6, len(_HEDGES.findall(text))), float(bool(_REFUSALS.search(text))),
            math.log1p(len(_STEPS.findall(text))), float(bool(found)), float(number is not None),
            float(number is not None and number == int(number)), float(number is not None and number < 0),
            math.log1p(min(abs(number), 1e12)) if number is not None else 0.0,
            float(len(found) == 1 and found.isalpha()), float("answer" in text[-400:].lower() or "####" in text[-400:]
            or "boxed" in text[-400:]), float(found in asked),
            math.log1p(min(abs(number), 1e12)) - math.log1p(largest) if number is not None else 0.0,
            len(asked & used) / max(1, len(asked)), min(10, len(asked - used)), math.log1p(len(used - asked)),
            float(_is_cut_off(answered, text)), _repetition(text), float(not text.strip()),
            float(answered.wants_json and not _is_json(text)), float(_code_is_broken(text)),
            math.log1p(len(answered.text)) - math.log1p(len(answered.question)),
            sum(known) / len(known) if known else 0.0, max(-20.0, min(known)) if known else 0.0, float(bool(known)),
        ],
        np.float32,
    )  # fmt: skip  # a list of numbers


def _plain(number: str) -> str:
    bare = number.replace(",", "").rstrip(".")
    return bare.rstrip("0").rstrip(".") if "." in bare else bare.lstrip("0") or "0"


def _value(normalised: str) -> float | None:
    above, _, below = normalised.partition("/")
    try:
        value = float(above) / (float(below) if below else 1.0)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def _is_cut_off(answered: Answered, text: str) -> bool:
    tail = text.rstrip()
    return (
        answered.was_cut or (bool(tail) and tail.count("```") % 2 == 1) or tail[-1:] in (",", ":", "(", "=", "+", "{")
    )


def _repetition(text: str) -> float:
    """Share of the lines that stood there before: a model that turns in circles."""
    lines = [line.strip() for line in text.split("\n") if len(line.strip()) > 8]
    return 1.0 - len(set(lines)) / len(lines) if lines else 0.0


def _is_json(text: str) -> bool:
    fenced = _FENCE.search(text)
    try:
        msgspec.json.decode((fenced.group(2) if fenced else text).strip().encode("utf-8", "replace"))
    except msgspec.DecodeError:
        return False
    return True


def _code_is_broken(text: str) -> bool:
    """Whether a block that says it is Python or JSON cannot be read as that. Parsed, never run."""
    for language, code in _FENCE.findall(text)[:4]:
        kind = language.lower()
        if kind in ("python", "py") and not _is_python(code[:MOST_CODE]):
            return True
        if kind == "json" and len(code) < MOST_CODE and not _is_json(code):
            return True
    return False


def _is_python(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of somebody else's program
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
