"""What a Claude model accepts, read from its name: sampling, thinking, effort, structured output, forced tools.

The generations differ in what they answer with a 400, and a request must not fail for a tuning knob. New names count
as the newest generation, because each one so far took fewer knobs than the one before it.

Sources (read 2026-11-22):
* https://platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting (thinking types per model)
* https://platform.claude.com/docs/en/build-with-claude/effort (levels per model)
* https://platform.claude.com/docs/en/build-with-claude/structured-outputs (4.5 and later)
* https://openrouter.ai/docs/guides/evaluate-and-optimize/model-migrations/claude-4-7 (no sampling from 4.7 on)
and, read 2026-11-26:
* https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5, …/sonnet-5-5/whats-new-sonnet-5-5,
  …/haiku-5-5/whats-new-haiku-5-5 and …/fable-5-1/migration-guide (tools cannot be forced; `between_tools`)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_NAME = re.compile(r"claude-(?:(?P<family>[a-z]+)-)?(?P<major>\d{1,2})(?:[-.](?P<minor>\d{1,2}))?(?!\d)")
_NEWEST = (99, 0)
_CAN_STOP_THINKING = frozenset({("opus", (5, 0)), ("sonnet", (5, 0)), ("haiku", (5, 5))})
_THINKS_BETWEEN_TOOLS = frozenset({("sonnet", (5, 5))})
_LAST_FORCED = (5, 0)
_STILL_FORCED = frozenset({("haiku", (5, 5))})


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTraits:
    """Which spellings a model takes; everything else would be refused by the vendor."""

    takes_sampling: bool
    """`temperature` or `top_p`."""
    takes_both_samplers: bool
    """`temperature` and `top_p` in one request."""
    thinking: Literal["budget", "adaptive"]
    thinks_unasked: bool
    """Thinking is on when the request says nothing about it."""
    can_stop_thinking: bool
    """Thinking that is on by itself can be switched off."""
    least_thinking: Literal["disabled", "between_tools", ""]
    """Value of `thinking.type` for as little thinking as the model knows; "": it thinks as it likes."""
    takes_forced_tools: bool
    """`tool_choice` of type `any` or `tool`."""
    efforts: frozenset[str]
    """Values of `output_config.effort`; empty: the field is refused."""
    takes_schemas: bool
    """`output_config.format` and `strict` tools."""


_BASIC_EFFORTS = frozenset({"low", "medium", "high"})

OTHER_VENDOR = ModelTraits(  # servers that speak this protocol with a model of their own
    takes_sampling=True,
    takes_both_samplers=True,
    thinking="budget",
    thinks_unasked=False,
    can_stop_thinking=True,
    least_thinking="disabled",
    takes_forced_tools=True,
    efforts=frozenset(),
    takes_schemas=True,
)


def traits_of(model: str) -> ModelTraits:
    """The traits of `model` as the vendor names it; prefixes (`anthropic/…`) and date suffixes do not matter."""
    name = model.lower()
    if "claude" not in name:
        return OTHER_VENDOR
    found = _NAME.search(name)
    family = (found["family"] or "") if found else ""
    version = (int(found["major"]), int(found["minor"] or 0)) if found else _NEWEST
    can_stop = version < (5, 0) or (family, version) in _CAN_STOP_THINKING
    efforts: frozenset[str] = frozenset()
    if version >= (4, 7):
        efforts = _BASIC_EFFORTS | {"xhigh", "max"}
    elif version >= (4, 6):
        efforts = _BASIC_EFFORTS | {"max"}
    elif (family, version) == ("opus", (4, 5)):
        efforts = _BASIC_EFFORTS
    return ModelTraits(
        takes_sampling=version < (4, 7),
        takes_both_samplers=version < (4, 1),
        thinking="adaptive" if version >= (4, 6) else "budget",
        thinks_unasked=version >= (5, 0),
        can_stop_thinking=can_stop,
        least_thinking=(
            "disabled" if can_stop else "between_tools" if (family, version) in _THINKS_BETWEEN_TOOLS else ""
        ),
        takes_forced_tools=version <= _LAST_FORCED or (family, version) in _STILL_FORCED,
        efforts=efforts,
        takes_schemas=version >= (4, 5),
    )
