"""JSON in answers: found, and compared field by field."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

import msgspec

from yuzui.evaluation.normal_text import normalised

_FENCE: Final = re.compile(r"```[A-Za-z0-9_-]*\s*\n(.*?)```", re.DOTALL)
MOST_DEPTH: Final = 64

Leaf = tuple[str, str]


def find_json(text: str) -> Any:  # Any: JSON values
    """The JSON value that `text` is, or that stands alone in its only fence. Raise `ValueError` where there is none."""
    fences = _FENCE.findall(text)
    for candidate in (text, *(fences if len(fences) == 1 else ())):
        try:
            return msgspec.json.decode(candidate.strip())
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            continue
    raise ValueError("not JSON")


def leaves(value: Any, *, is_loose: bool = False) -> Counter[Leaf]:  # Any: JSON values
    """Every scalar and every empty container with its path; `is_loose`: texts normalised. 1 and 1.0 are one number."""
    found: Counter[Leaf] = Counter()

    def walk(value: Any, path: str, depth: int) -> None:  # Any: JSON values
        if depth > MOST_DEPTH:
            raise ValueError(f"JSON deeper than {MOST_DEPTH}")
        if isinstance(value, dict) and value:
            for name, inner in value.items():
                walk(inner, f"{path}.{name}", depth + 1)
        elif isinstance(value, list) and value:
            for place, inner in enumerate(value):
                walk(inner, f"{path}[{place}]", depth + 1)
        else:
            found[path, _scalar(value, is_loose)] += 1

    walk(value, "$", 0)
    return found


def _scalar(value: Any, is_loose: bool) -> str:  # Any: JSON values
    if isinstance(value, bool) or value is None:
        return f"constant {value}"
    if isinstance(value, int | float):
        return f"number {value:g}" if isinstance(value, float) and not value.is_integer() else f"number {int(value)}"
    if isinstance(value, str):
        return f"text {normalised(value) if is_loose else value}"
    return f"empty {type(value).__name__}"


def same(left: Any, right: Any, *, is_loose: bool = False) -> bool:  # Any: JSON values
    return leaves(left, is_loose=is_loose) == leaves(right, is_loose=is_loose)


def field_score(answer: Any, reference: Any, *, is_loose: bool = False) -> float:  # Any: JSON values
    """F1 over fields: of the answer's right ones and of the wanted ones found."""
    mine, theirs = leaves(answer, is_loose=is_loose), leaves(reference, is_loose=is_loose)
    common = sum((mine & theirs).values())
    return 2 * common / (sum(mine.values()) + sum(theirs.values()))
