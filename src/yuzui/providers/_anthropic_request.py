"""A chat request in the words of the Messages API: what can be said is said, the rest is reported or refused.

Sources (read 2026-11-22): https://platform.claude.com/docs/en/api/messages,
https://platform.claude.com/docs/en/build-with-claude/thinking (thinking, forced tools, sampling beside thinking),
https://platform.claude.com/docs/en/build-with-claude/effort.
"""

from __future__ import annotations

import re
from typing import Any

from yuzui.core.chat import ChatRequest, Meaning, ResponseFormat, ToolChoice, ToolSpec
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._anthropic_fields import FEATURE_FIELDS, FIELDS
from yuzui.providers._anthropic_models import ModelTraits, traits_of
from yuzui.providers._anthropic_schema import enforceable
from yuzui.providers._anthropic_turns import Block, called_tools, is_unthought_tool_loop, write_conversation

DEFAULT_MAX_TOKENS = 16_384  # the API requires a value, OpenAI clients rarely send one, and thinking counts towards it
MIN_THINKING_BUDGET = 1024  # the API's own minimum
THINKING_BUDGETS = {"low": 1024, "medium": 4096, "high": 16_384, "xhigh": 32_768, "max": 65_536}
"""Tokens of thinking per effort, for the models that take a budget; our choice, from the API's minimum up."""
MAX_USER_ID_CHARS = 256  # https://platform.claude.com/docs/en/api/messages, metadata.user_id
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_SERVICE_TIERS = {"auto": "auto", "default": "standard_only"}
_MAPPED_KNOBS = frozenset({"safety_identifier", "service_tier", "stream_options", "user"})
_HARMLESS = {"modalities": ["text"], "n": 1}
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.$-]{1,64}")


class Dropped:
    """The names of what was left out, each once, in the order in which it was met."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def __call__(self, name: str) -> None:
        # The names end up in a header, and unknown ones are the client's text.
        self._names[name if _FIELD_NAME.fullmatch(name) else "unknown_field"] = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._names)


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...]]:
    """The JSON body and the names of dropped knobs; raise `UnsupportedFeature` naming the field."""
    _refuse_features(request)
    meaning, traits, drop = request.meaning, traits_of(target.model), Dropped()
    system, turns = write_conversation(meaning.messages, drop)
    max_tokens = _max_tokens(request, target, output_cap)
    body: Block = {"model": target.model, "max_tokens": max_tokens, "messages": turns}
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    stops = [stop for stop in meaning.stop if stop.strip()]
    if stops:
        body["stop_sequences"] = stops
    if len(stops) < len(meaning.stop):
        drop("stop")
    _write_tools(body, meaning, traits, turns, drop)
    config: Block = {}
    if meaning.response_format is not None:
        _write_format(config, meaning.response_format, traits, drop)
    if meaning.reasoning_effort is not None:
        _write_effort(body, config, meaning.reasoning_effort, traits, drop)
    if config:
        body["output_config"] = config
    _write_sampling(body, meaning, traits, drop)
    _write_knobs(body, meaning, drop)
    return body, drop.names


def _max_tokens(request: ChatRequest, target: Target, output_cap: int | None) -> int:
    wanted = request.max_output_tokens or output_cap or target.max_output_tokens or DEFAULT_MAX_TOKENS
    # More than the model can write is refused by the API; the answer cannot be longer anyway.
    return min(wanted, target.max_output_tokens) if target.max_output_tokens else wanted


def _refuse_features(request: ChatRequest) -> None:
    if request.n != 1:
        raise _unsupported("n")
    for feature, field in FEATURE_FIELDS.items():
        if feature in request.features:
            raise _unsupported(field)


def _unsupported(field: str) -> UnsupportedFeature:
    note = FIELDS[field].note
    return UnsupportedFeature(
        f"this target cannot do what `{field}` asks ({note}); leave it out or choose another model", param=field
    )


# ---- tools ----------------------------------------------------------------------------------------------------------


def _write_tools(body: Block, meaning: Meaning, traits: ModelTraits, turns: list[Block], drop: Dropped) -> None:
    if meaning.tools:
        body["tools"] = [_write_tool(tool, traits, drop) for tool in meaning.tools]
        choice = _write_choice(meaning.tool_choice, meaning.parallel_tool_calls)
        if choice is not None:
            body["tool_choice"] = choice
    elif names := called_tools(turns):
        # The API refuses tool blocks in a conversation without tools; OpenAI's does not.
        body["tools"] = [{"name": name, "input_schema": {"type": "object"}} for name in names]
        body["tool_choice"] = {"type": "none"}


def _write_tool(tool: ToolSpec, traits: ModelTraits, drop: Dropped) -> Block:
    schema: dict[str, Any] = {"type": "object", **(tool.parameters or {})}  # Any: a JSON schema
    is_strict = tool.is_strict and traits.takes_schemas
    if is_strict:
        schema, hints = enforceable(schema)
        for keyword in sorted(hints):
            drop(f"tools.parameters.{keyword}")
    elif tool.is_strict:
        drop("tools.strict")
    written: Block = {"name": tool.name, "input_schema": schema}
    if tool.description:
        written["description"] = tool.description
    if is_strict:
        written["strict"] = True
    return written


def _write_choice(choice: ToolChoice | None, is_parallel: bool | None) -> Block | None:
    if choice is None:
        if is_parallel is not False:
            return None
        return {"type": "auto", "disable_parallel_tool_use": True}
    if choice.mode == "none":
        return {"type": "none"}
    written: Block
    if choice.mode == "named":
        written = {"type": "tool", "name": choice.name}
    else:
        written = {"type": "any" if choice.mode == "required" else "auto"}
    if is_parallel is False:
        written["disable_parallel_tool_use"] = True
    return written


# ---- output ---------------------------------------------------------------------------------------------------------


def _write_format(config: Block, wanted: ResponseFormat, traits: ModelTraits, drop: Dropped) -> None:
    if wanted.kind == "text":
        return
    if wanted.kind == "json_object":
        raise UnsupportedFeature(
            "this target has no free-form JSON mode; send `response_format` of type json_schema",
            param="response_format",
        )
    if not traits.takes_schemas:
        raise UnsupportedFeature(
            "this model cannot be held to a JSON schema; choose a model from Claude 4.5 on", param="response_format"
        )
    schema, hints = enforceable(wanted.schema or {"type": "object"})
    for keyword in sorted(hints):
        drop(f"response_format.{keyword}")
    config["format"] = {"type": "json_schema", "schema": schema}


def _write_effort(body: Block, config: Block, effort: str, traits: ModelTraits, drop: Dropped) -> None:
    if effort == "none":
        _stop_thinking(body, config, traits, drop)
    elif effort not in _EFFORTS:
        drop("reasoning_effort")
    elif traits.thinking == "adaptive":
        config["effort"] = _nearest_effort(effort, traits)
        # A tool that must be called leaves no room for thinking, on most models: the tool is what was asked for.
        if effort != "minimal" and not _forces_tool(body):
            body["thinking"] = {"type": "adaptive", "display": "summarized"}
    else:
        _write_budget(body, config, effort, traits, drop)


def _nearest_effort(effort: str, traits: ModelTraits) -> str:
    """The model's highest level that is not above `effort`."""
    return next((level for level in reversed(_EFFORTS[: _EFFORTS.index(effort) + 1]) if level in traits.efforts), "low")


def _write_budget(body: Block, config: Block, effort: str, traits: ModelTraits, drop: Dropped) -> None:
    if traits.efforts:
        config["effort"] = _nearest_effort(effort, traits)
    if effort == "minimal":
        return  # thinking is off unless asked for
    budget = min(
        THINKING_BUDGETS[effort], body["max_tokens"] // 2
    )  # it counts towards max_tokens; an answer must fit too
    if budget < MIN_THINKING_BUDGET or _forces_tool(body) or is_unthought_tool_loop(body["messages"]):
        drop("reasoning_effort")
        return
    body["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _stop_thinking(body: Block, config: Block, traits: ModelTraits, drop: Dropped) -> None:
    if not traits.thinks_unasked:
        return
    if traits.can_stop_thinking:
        body["thinking"] = {"type": "disabled"}
        return
    config["effort"] = "low"  # as near as this model comes
    drop("reasoning_effort")


def _forces_tool(body: Block) -> bool:
    return body.get("tool_choice", {}).get("type") in ("any", "tool")


# ---- knobs ----------------------------------------------------------------------------------------------------------


def _write_sampling(body: Block, meaning: Meaning, traits: ModelTraits, drop: Dropped) -> None:
    temperature, top_p = meaning.temperature, meaning.top_p
    is_thinking = body.get("thinking", {}).get("type") in ("adaptive", "enabled")
    if is_thinking or not traits.takes_sampling:
        if temperature is not None:
            drop("temperature")
        if top_p is not None:
            drop("top_p")
        return
    if temperature is not None:
        body["temperature"] = min(temperature, 1.0)
        if temperature > 1.0:  # OpenAI's scale ends at 2, this one at 1
            drop("temperature")
    if top_p is not None:
        if temperature is None or traits.takes_both_samplers:
            body["top_p"] = top_p
        else:
            drop("top_p")


def _write_knobs(body: Block, meaning: Meaning, drop: Dropped) -> None:
    for name, value in meaning.knobs.items():
        if value is None or name in _MAPPED_KNOBS or _HARMLESS.get(name) == value:
            continue
        fate = FIELDS.get(name)
        if fate is None or fate.treatment == "dropped":
            drop(name)
        elif fate.treatment == "refused" and value:
            raise _unsupported(name)
    user = meaning.knobs.get("safety_identifier") or meaning.user or meaning.knobs.get("user")
    if isinstance(user, str) and user:
        if len(user) <= MAX_USER_ID_CHARS:
            body["metadata"] = {"user_id": user}
        else:
            drop("user")
    tier = meaning.knobs.get("service_tier")
    if isinstance(tier, str) and tier in _SERVICE_TIERS:
        body["service_tier"] = _SERVICE_TIERS[tier]
    elif tier is not None:
        drop("service_tier")
