"""What a Gemini model accepts, read from its name: how its thinking is set, and what only newer generations take.

New names count as the newest generation. Sources (2026-11-26):
* https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/thinking (levels and budgets per model)
* https://ai.google.dev/gemini-api/docs/thinking, https://ai.google.dev/gemini-api/docs/openai (efforts as budgets)
* https://ai.google.dev/gemini-api/docs/thought-signatures (validated from Gemini 3 on)
* https://ai.google.dev/gemini-api/docs/function-calling (pictures in results from Gemini 3 on)
* https://ai.google.dev/gemini-api/docs/structured-output (beside functions from Gemini 3 on)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

_NAME: Final = re.compile(r"gemini-(?P<major>\d{1,2})(?:\.(?P<minor>\d{1,2}))?(?:-(?P<rest>.*))?")
_NEWEST: Final = (99, 0)
_LAST_WITH_MINIMAL: Final = (3, 6)
LEVELS: Final = ("MINIMAL", "LOW", "MEDIUM", "HIGH")
MOST_BUDGET: Final = 24_576


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTraits:
    """Which spellings a model takes; others would be refused by the vendor, or ignored."""

    thinking: Literal["level", "budget", "none"]
    levels: tuple[str, ...] = ()
    """Of `LEVELS`, from least to most."""
    least_budget: int = 0
    """Fewest tokens of thought, when it thinks."""
    most_budget: int = MOST_BUDGET
    can_stop_thinking: bool = False
    is_current: bool
    """From Gemini 3 on: wants its signatures back with calls, takes pictures in results, and JSON beside functions."""


def traits_of(model: str) -> ModelTraits:
    """The traits of `model` as the vendor names it; prefixes (`models/…`) do not matter."""
    name = model.lower().rpartition("/")[2]
    if not name.startswith("gemini"):  # Gemma, tuned models and endpoints by number
        return ModelTraits(thinking="none", is_current=False)
    found = _NAME.match(name)
    version = (int(found["major"]), int(found["minor"] or 0)) if found else _NEWEST
    if version >= (3, 0):
        return ModelTraits(thinking="level", levels=_levels(version, name), is_current=True)
    if version < (2, 5):
        return ModelTraits(thinking="none", is_current=False)
    if "pro" in name:
        return ModelTraits(thinking="budget", least_budget=128, most_budget=32_768, is_current=False)
    least = 512 if "lite" in name else 1
    return ModelTraits(thinking="budget", least_budget=least, can_stop_thinking=True, is_current=False)


def _levels(version: tuple[int, int], name: str) -> tuple[str, ...]:
    if "flash" in name and version <= _LAST_WITH_MINIMAL:
        return LEVELS
    return ("LOW", "HIGH") if version == (3, 0) else LEVELS[1:]
