"""A chat request of another dialect as a body of the Responses API: said, reported as dropped, or refused.

Source: openai==3.57.0, types/responses/response_create_params.py (read 2026-11-26). Marks for the prompt cache become
breakpoints for the models that take them (from gpt-5.6 on, four in a request); the others cache by themselves.
"""

from __future__ import annotations

import re
from typing import Final

from yuzui.core.chat import ChatRequest, Feature, Meaning, ResponseFormat, ToolChoice, ToolSpec, WebSearch
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._openai_responses_items import Item, limit_breakpoints, write_items
from yuzui.providers._openai_responses_models import EFFORTS, ModelTraits, nearest_effort, traits_of
from yuzui.providers.native_request import Dropped

MOST_BREAKPOINTS: Final = 4
ENCRYPTED: Final = "reasoning.encrypted_content"
_SENT: Final = frozenset(
    (
        "metadata",
        "moderation",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
    )
)
"""Knobs of chat completions that have the same name and meaning here."""
_SETTLED: Final = frozenset(("store", "stream_options", "top_logprobs", "user", "verbosity"))
"""Said elsewhere, or decided by us: nothing is stored at the vendor, usage always comes."""
_HARMLESS: Final[dict[str, object]] = {"modalities": ["text"], "n": 1, "logprobs": False}
_FEATURE_FIELDS: Final[dict[Feature, str]] = {"n": "n", "logprobs": "logprobs", "audio": "audio"}
_BUDGETS: Final = ((0, "none"), (2048, "low"), (8192, "medium"))
"""Tokens of thought up to which an effort stands for them; our choice. More is `high`."""
_FORMAT_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def write_meaning(request: ChatRequest, target: Target, drop: Dropped) -> Item:
    """The body without `model`, `store` and the limit; raise `UnsupportedFeature` naming the field."""
    meaning, traits = request.meaning, traits_of(target.model, target.parameters)
    _refuse(request, meaning)
    items = write_items(meaning.messages, target, drop)
    limit_breakpoints(items, MOST_BREAKPOINTS if traits.takes_breakpoints else 0, drop)
    body: Item = {"input": items}
    if request.stream:
        body["stream"] = True
    _write_tools(body, meaning, drop)
    _write_text(body, meaning)
    _write_reasoning(body, meaning, traits, drop)
    _write_sampling(body, meaning, traits, drop)
    _write_knobs(body, meaning, drop)
    return body


def wants_encrypted(body: Item, traits: ModelTraits) -> bool:
    """Whether `include` asks for what the model thinks, encrypted, so that it can return in the next turn."""
    if traits.reasons is not None:
        return traits.reasons
    reasoning = body.get("reasoning")
    if isinstance(reasoning, dict) and reasoning.get("effort") != "none":
        return True
    items = body.get("input")
    return isinstance(items, list) and any(isinstance(i, dict) and i.get("type") == "reasoning" for i in items)


def _refuse(request: ChatRequest, meaning: Meaning) -> None:
    if request.n != 1:
        raise _unsupported("n", "this API gives one answer")
    for feature, field in _FEATURE_FIELDS.items():
        if feature in request.features:
            raise _unsupported(field, "not translated to this API")
    if meaning.server_tools:
        raise _unsupported("tools", f"a tool of type {meaning.server_tools[0][:40]!r} is another vendor's")


def _unsupported(field: str, note: str) -> UnsupportedFeature:
    return UnsupportedFeature(
        f"this target cannot do what `{field}` asks ({note}); leave it out or choose another model", param=field
    )


# ---- tools ----------------------------------------------------------------------------------------------------------


def _write_tools(body: Item, meaning: Meaning, drop: Dropped) -> None:
    if any(tool.cache for tool in meaning.tools):
        drop("cache_control")  # tools have no breakpoints; one behind them covers them as well
    tools = [_write_tool(tool) for tool in meaning.tools]
    if meaning.web_search is not None:
        tools.append(_write_search(meaning.web_search))
        if meaning.web_search.most_uses is not None:
            body["max_tool_calls"] = meaning.web_search.most_uses  # counts the vendor's own tools only
    if tools:
        body["tools"] = tools
    if meaning.tool_choice is not None and tools:
        body["tool_choice"] = _write_choice(meaning.tool_choice, meaning)
    if meaning.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = meaning.parallel_tool_calls


def _write_tool(tool: ToolSpec) -> Item:
    written: Item = {"type": "custom" if tool.is_custom else "function", "name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if tool.is_custom:
        if tool.grammar is not None:
            written["format"] = tool.grammar
        return written
    written["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    written["strict"] = tool.is_strict  # left out it means true here, false everywhere else
    return written


def _write_choice(choice: ToolChoice, meaning: Meaning) -> str | Item:
    if choice.mode != "named":
        return choice.mode
    is_custom = any(tool.is_custom for tool in meaning.tools if tool.name == choice.name)
    return {"type": "custom" if is_custom else "function", "name": choice.name}


def _write_search(search: WebSearch) -> Item:
    if search.blocked_domains:
        raise _unsupported("tools.blocked_domains", "its web search can only be limited to allowed domains")
    tool: Item = {"type": "web_search"}
    if search.allowed_domains:
        tool["filters"] = {"allowed_domains": list(search.allowed_domains)}
    if search.context_size:
        tool["search_context_size"] = search.context_size
    if search.location:
        tool["user_location"] = {"type": "approximate", **search.location}
    return tool


# ---- output ---------------------------------------------------------------------------------------------------------


def _write_text(body: Item, meaning: Meaning) -> None:
    text: Item = {}
    if meaning.response_format is not None:
        text["format"] = _write_format(meaning.response_format)
    if meaning.knobs.get("verbosity") is not None:
        text["verbosity"] = meaning.knobs["verbosity"]
    if text:
        body["text"] = text


def _write_format(wanted: ResponseFormat) -> Item:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    return {
        "type": "json_schema",
        "name": wanted.name if _FORMAT_NAME.fullmatch(wanted.name) else "answer",
        **({"description": wanted.description} if wanted.description else {}),
        "schema": wanted.schema or {"type": "object"},
        "strict": wanted.is_strict,
    }


def _write_reasoning(body: Item, meaning: Meaning, traits: ModelTraits, drop: Dropped) -> None:
    effort = meaning.reasoning_effort
    if effort is None and meaning.thinking_budget is not None and meaning.thinking_budget >= 0:
        effort = next((word for most, word in _BUDGETS if meaning.thinking_budget <= most), "high")
    if traits.reasons is False:
        if effort not in (None, "none"):
            drop("reasoning_effort")
        return
    reasoning: Item = {}
    if effort is not None:
        if effort in EFFORTS:
            reasoning["effort"] = nearest_effort(effort, traits)
            if effort == "none" != reasoning["effort"]:
                drop("reasoning_effort")  # as near as this model comes
        else:
            drop("reasoning_effort")
    if meaning.wants_thoughts and reasoning.get("effort") != "none":
        reasoning["summary"] = "auto"
    if reasoning:
        body["reasoning"] = reasoning


def _write_sampling(body: Item, meaning: Meaning, traits: ModelTraits, drop: Dropped) -> None:
    takes = traits.takes_sampling(body.get("reasoning", {}).get("effort"))
    for name, value in (("temperature", meaning.temperature), ("top_p", meaning.top_p)):
        if value is None:
            continue
        if takes:
            body[name] = value
        else:
            drop(name)
    if meaning.stop:
        drop("stop")  # this API has no stop sequences


def _write_knobs(body: Item, meaning: Meaning, drop: Dropped) -> None:
    for name, value in meaning.knobs.items():
        if value is None or name in _SETTLED or _HARMLESS.get(name) == value:
            continue
        if name in _SENT:
            body[name] = value
        else:
            drop(name)
    user = meaning.user or meaning.knobs.get("user")
    if user:
        body["user"] = user
