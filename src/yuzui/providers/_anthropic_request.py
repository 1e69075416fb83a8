"""A chat request in the words of the Messages API: what can be said is said, the rest is reported or refused.

Sources: https://platform.claude.com/docs/en/api/messages (read 2026-11-22);
https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool and `anthropic` 2.14.0, types/*_param.py
(2026-11-26).
"""

from __future__ import annotations

from typing import Any

from yuzui.core.chat import ChatRequest, Meaning, ResponseFormat, ToolChoice, ToolSpec, WebSearch
from yuzui.core.custom_tools import as_function, loses_grammar
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._anthropic_fields import FEATURE_FIELDS, FIELDS
from yuzui.providers._anthropic_models import ModelTraits, traits_of
from yuzui.providers._anthropic_schema import enforceable
from yuzui.providers._anthropic_thinking import write_thinking
from yuzui.providers._anthropic_turns import Block, called_tools, limit_marks, mark, write_conversation
from yuzui.providers.native_request import Dropped

DEFAULT_MAX_TOKENS = 16_384  # the API requires a value, OpenAI clients rarely send one, and thinking counts towards it
MAX_USER_ID_CHARS = 256  # https://platform.claude.com/docs/en/api/messages, metadata.user_id
WEB_SEARCH = "web_search_20250305"  # the version that every model takes, and that needs no code execution beside it
ANSWER_TOOL = "answer"
_ANSWER_HINT = "Gives the answer. Call it once, with the whole answer as its input."
_SERVICE_TIERS = {"auto": "auto", "default": "standard_only"}
_MAPPED_KNOBS = frozenset({"safety_identifier", "service_tier", "stream_options", "top_k", "user"})
_HARMLESS = {"modalities": ["text"], "n": 1}


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Block, tuple[str, ...], str]:
    """The JSON body, the names of dropped knobs, and the name of the tool whose input will be the answer.

    Raise `UnsupportedFeature` naming the field.
    """
    _refuse_features(request)
    meaning, traits, drop = request.meaning, traits_of(target.model), Dropped()
    system, turns = write_conversation(meaning.messages, target.provider, drop)
    body: Block = {
        "model": target.model,
        "max_tokens": max_tokens(request, target, output_cap),
        "messages": turns,
    }
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    stops = [stop for stop in meaning.stop if stop.strip()]
    if stops:
        body["stop_sequences"] = stops
    if len(stops) < len(meaning.stop):
        drop("stop")
    _write_tools(body, meaning, traits, drop)
    config: Block = {}
    answer_tool = _write_format(body, config, meaning.response_format, traits, drop)
    write_thinking(body, config, meaning, traits, drop)
    if config:
        body["output_config"] = config
    _write_sampling(body, meaning, traits, drop)
    _write_knobs(body, meaning, drop)
    limit_marks(body.get("tools", []), system, turns, drop)
    return body, drop.names, answer_tool


def max_tokens(request: ChatRequest, target: Target, output_cap: int | None) -> int:
    """The client's bound, or the budget's, or the model's; more than the model can write is refused by the API."""
    wanted = request.max_output_tokens or output_cap or target.max_output_tokens or DEFAULT_MAX_TOKENS
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


def _write_tools(body: Block, meaning: Meaning, traits: ModelTraits, drop: Dropped) -> None:
    if meaning.server_tools:
        name = meaning.server_tools[0][:64]
        raise UnsupportedFeature(
            f"this target cannot run the tool {name!r}; leave it out of `tools`, or ask its vendor in its own dialect",
            param="tools",
        )
    if any(loses_grammar(tool) for tool in meaning.tools):
        drop("tools.format")
    tools = [_write_tool(as_function(tool), traits, drop) for tool in meaning.tools]
    if meaning.web_search is not None:
        tools.append(_write_search(meaning.web_search, drop))
    names = called_tools(body["messages"])
    if tools:
        body["tools"] = tools
        choice = _write_choice(meaning.tool_choice, meaning.parallel_tool_calls, traits)
        if choice is not None and meaning.tools:
            body["tool_choice"] = choice
    elif names:
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
    return mark(written, tool.cache)


def _write_search(search: WebSearch, drop: Dropped) -> Block:
    written: Block = {"type": WEB_SEARCH, "name": "web_search"}
    if search.allowed_domains:
        written["allowed_domains"] = list(search.allowed_domains)
        if search.blocked_domains:  # the API takes one of the two, and what is allowed says more
            drop("web_search_options.blocked_domains")
    elif search.blocked_domains:
        written["blocked_domains"] = list(search.blocked_domains)
    if search.most_uses is not None:
        written["max_uses"] = search.most_uses
    if search.location:
        written["user_location"] = {"type": "approximate", **search.location}
    if search.context_size:
        drop("web_search_options.search_context_size")
    return written


def _write_choice(choice: ToolChoice | None, is_parallel: bool | None, traits: ModelTraits) -> Block | None:
    if choice is None:
        if is_parallel is not False:
            return None
        return {"type": "auto", "disable_parallel_tool_use": True}
    if choice.mode == "none":
        return {"type": "none"}
    if choice.mode != "auto" and not traits.takes_forced_tools:
        raise UnsupportedFeature(
            "this model cannot be made to call a tool; send `tool_choice` auto, or choose another model",
            param="tool_choice",
        )
    written: Block
    if choice.mode == "named":
        written = {"type": "tool", "name": choice.name}
    else:
        written = {"type": "any" if choice.mode == "required" else "auto"}
    if is_parallel is False:
        written["disable_parallel_tool_use"] = True
    return written


# ---- output ---------------------------------------------------------------------------------------------------------


def _write_format(body: Block, config: Block, wanted: ResponseFormat | None, traits: ModelTraits, drop: Dropped) -> str:
    """Hold the answer to `wanted`; the name of the tool that does it, where the model has no better way."""
    if wanted is None or wanted.kind == "text":
        return ""
    if wanted.kind == "json_schema" and traits.takes_schemas:
        schema, hints = enforceable(wanted.whole_schema)
        for keyword in sorted(hints):
            drop(f"response_format.{keyword}")
        config["format"] = {"type": "json_schema", "schema": schema}
        return ""
    return _write_answer_tool(body, wanted, traits, drop)


def _write_answer_tool(body: Block, wanted: ResponseFormat, traits: ModelTraits, drop: Dropped) -> str:
    """A tool that must be called, and whose input is the answer. Next to the client's own tools any may be called."""
    if not traits.takes_forced_tools:
        raise UnsupportedFeature(
            "this target has no free-form JSON mode; send `response_format` of type json_schema",
            param="response_format",
        )
    schema = {"type": "object", **wanted.whole_schema}
    if schema["type"] != "object":
        raise UnsupportedFeature(
            "this model can be held to JSON objects only; put the value into a property of one, or choose a model from "
            "Claude 4.5 on",
            param="response_format",
        )
    choice = body.get("tool_choice", {})
    if choice.get("type") in ("any", "tool"):
        drop("response_format")  # the answer will be a call of the client's own tool
        return ""
    tools = body.setdefault("tools", [])
    name = ANSWER_TOOL
    while any(tool["name"] == name for tool in tools):
        name += "_"
    is_alone = not tools or choice.get("type") == "none"
    body["tool_choice"] = {"type": "tool", "name": name} if is_alone else {**choice, "type": "any"}
    body["tools"] = [*tools, {"name": name, "description": _ANSWER_HINT, "input_schema": schema}]
    return name


# ---- knobs ----------------------------------------------------------------------------------------------------------


def _write_sampling(body: Block, meaning: Meaning, traits: ModelTraits, drop: Dropped) -> None:
    temperature, top_p, top_k = meaning.temperature, meaning.top_p, meaning.knobs.get("top_k")
    is_thinking = body.get("thinking", {}).get("type") in ("adaptive", "enabled", "between_tools")
    if is_thinking or not traits.takes_sampling:
        for name, value in (("temperature", temperature), ("top_p", top_p), ("top_k", top_k)):
            if value is not None:
                drop(name)
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
    if isinstance(top_k, int | float) and top_k >= 1:
        body["top_k"] = int(top_k)
    elif top_k is not None:
        drop("top_k")  # 0 and -1 mean no limit elsewhere, which is how it is without the field


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
