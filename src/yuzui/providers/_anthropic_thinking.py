"""How much a Claude model is to think, said the way the model takes it: a budget, an effort, or not at all.

Sources: https://platform.claude.com/docs/en/build-with-claude/thinking (thinking, forced tools, display; read
2026-11-22), https://platform.claude.com/docs/en/build-with-claude/effort.
"""

from __future__ import annotations

from collections.abc import Callable

from yuzui.core.chat import Meaning
from yuzui.providers._anthropic_models import ModelTraits
from yuzui.providers._anthropic_turns import Block, Drop, is_unthought_tool_loop

MIN_THINKING_BUDGET = 1024  # the API's own minimum
THINKING_BUDGETS = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 65_536}
"""Tokens of thinking per effort, for the models that take a budget; our choice, from the API's minimum up."""
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_Report = Callable[[], None]


def write_thinking(body: Block, config: Block, meaning: Meaning, traits: ModelTraits, drop: Drop) -> None:
    """`thinking` in `body` and `effort` in `config`, from whichever way the client said it."""
    effort, budget = meaning.reasoning_effort, meaning.thinking_budget
    asked = "reasoning_effort" if effort is not None else "thinking_budget"
    if effort == "none" or (effort is None and budget == 0):
        _stop_thinking(body, config, traits, lambda: drop(asked))
        return
    if effort is not None and effort not in _EFFORTS:
        drop("reasoning_effort")
        effort = None
    if effort is None and budget is None and meaning.wants_thoughts is not True:
        return
    if traits.thinking == "adaptive":
        _write_adaptive(body, config, effort, meaning, traits)
    elif effort is not None or budget is not None:
        if traits.efforts and effort is not None:
            config["effort"] = _nearest_effort(effort, traits)
        if effort != "minimal":  # then thinking is off unless asked for
            _write_budget(body, effort, meaning, lambda: drop(asked))


def forces_tool(body: Block) -> bool:
    return body.get("tool_choice", {}).get("type") in ("any", "tool")


def _write_adaptive(body: Block, config: Block, effort: str | None, meaning: Meaning, traits: ModelTraits) -> None:
    budget = meaning.thinking_budget
    if effort is None and budget is not None and budget > 0:
        effort = next((name for name in reversed(THINKING_BUDGETS) if THINKING_BUDGETS[name] <= budget), "low")
    if effort is not None:
        config["effort"] = _nearest_effort(effort, traits)
    # A tool that must be called leaves no room for thinking, on most models: the tool is what was asked for.
    if effort != "minimal" and not forces_tool(body):
        display = "omitted" if meaning.wants_thoughts is False else "summarized"
        body["thinking"] = {"type": "adaptive", "display": display}


def _nearest_effort(effort: str, traits: ModelTraits) -> str:
    """The model's highest level that is not above `effort`."""
    return next((level for level in reversed(_EFFORTS[: _EFFORTS.index(effort) + 1]) if level in traits.efforts), "low")


def _write_budget(body: Block, effort: str | None, meaning: Meaning, drop_it: _Report) -> None:
    most = body["max_tokens"] // 2  # it counts towards max_tokens; an answer must fit too
    asked = meaning.thinking_budget
    if effort is not None:
        wanted = THINKING_BUDGETS[effort]
    elif asked is None or asked < 0:
        wanted = THINKING_BUDGETS["medium"]
    else:
        wanted, most = max(asked, MIN_THINKING_BUDGET), max(most, min(body["max_tokens"] - 1, asked))
    budget = min(wanted, most)
    if budget < MIN_THINKING_BUDGET or forces_tool(body) or is_unthought_tool_loop(body["messages"]):
        drop_it()
        return
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}
    if meaning.wants_thoughts is False:
        body["thinking"]["display"] = "omitted"


def _stop_thinking(body: Block, config: Block, traits: ModelTraits, drop_it: _Report) -> None:
    if not traits.thinks_unasked:
        return
    if traits.least_thinking:
        body["thinking"] = {"type": traits.least_thinking}
        return
    config["effort"] = "low"  # as near as this model comes
    drop_it()
