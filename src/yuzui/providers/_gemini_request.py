"""A chat request in Google's words: what can be said is said, the rest is reported or refused.

A client that speaks this dialect keeps its own JSON: only what must be is patched in it (`patch_body`).

Sources (2026-11-26): https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/thinking,
https://ai.google.dev/gemini-api/docs/structured-output, https://ai.google.dev/gemini-api/docs/google-search,
https://ai.google.dev/gemini-api/docs/tool-combination, `google-genai` 3.6.1, types.py and models.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yuzui.core.chat import AudioPart, ChatRequest, Meaning, ResponseFormat, ToolChoice, ToolSpec, WebSearch
from yuzui.core.custom_tools import as_function, loses_grammar
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._gemini_models import LEVELS, ModelTraits, traits_of
from yuzui.providers._gemini_turns import Drop, Json, patch_contents, write_conversation
from yuzui.providers.native_request import Dropped

MOST_STOPS: Final = 5  # https://ai.google.dev/api/generate-content, stopSequences
BUDGETS: Final[Mapping[str, int]] = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 24_576,
    "xhigh": 24_576,
    "max": 24_576,
}
"""Tokens of thinking per effort, for the models that take a budget, as Google's own OpenAI endpoint reads them."""
_LEVEL_OF_EFFORT: Final = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "HIGH",
    "max": "HIGH",
}
_LEVEL_OF_BUDGET: Final = ((512, "MINIMAL"), (4096, "LOW"), (16_384, "MEDIUM"))
_SAMPLING: Final = {
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_TIERS: Final = {"default": "standard", "flex": "flex", "priority": "priority"}
SAYABLE: Final = frozenset([f"service_tier={tier}" for tier in _TIERS])
"""Price terms that a client of another dialect can ask for."""
_HARMLESS: Final[Mapping[str, object]] = {
    "logprobs": False, "modalities": ["text"], "n": 1, "parallel_tool_calls": True, "service_tier": "auto",
    "store": False, "stream_options": None,
}  # fmt: skip


def patch_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Json, tuple[str, ...]]:
    """The client's own body, patched where it must be, and the names of what was left out."""
    body, drop = dict(request.body), Dropped()
    if body.get("model") is not None:
        body["model"] = f"models/{target.model}"  # the path says the same
    contents = patch_contents(body.get("contents"), traits_of(target.model), drop)
    if contents is not None:
        body["contents"] = contents
    if request.max_output_tokens is None and output_cap is not None:
        name = "generation_config" if body.get("generation_config") is not None else "generationConfig"
        config = body.get(name)
        body[name] = {**(config if isinstance(config, Mapping) else {}), "maxOutputTokens": output_cap}
        body[name].pop("max_output_tokens", None)  # null there means the same as nothing
    return body, drop.names


def write_body(request: ChatRequest, target: Target, output_cap: int | None) -> tuple[Json, tuple[str, ...]]:
    """The JSON body and the names of dropped knobs; raise `UnsupportedFeature` naming the field."""
    meaning, traits, drop = request.meaning, traits_of(target.model), Dropped()
    _refuse_features(request, meaning)
    system, contents = write_conversation(meaning.messages, target.provider, traits, drop)
    body: Json = {"contents": contents}
    if system:
        body["systemInstruction"] = {"parts": system}
    _write_tools(body, meaning, traits, drop)
    config: Json = {}
    most = _max_tokens(request, target, output_cap)
    if most is not None:
        config["maxOutputTokens"] = most
    if request.n > 1:
        config["candidateCount"] = request.n
    if meaning.response_format is not None:
        _write_format(config, body, meaning.response_format, traits)
    _write_sampling(config, meaning, drop)
    thinking = _thinking(meaning, traits, drop)
    if thinking:
        config["thinkingConfig"] = thinking
    if config:
        body["generationConfig"] = config
    _write_knobs(body, meaning, drop)
    return body, drop.names


def _max_tokens(request: ChatRequest, target: Target, output_cap: int | None) -> int | None:
    wanted = request.max_output_tokens or output_cap
    if wanted is None or not target.max_output_tokens:
        return wanted
    return min(wanted, target.max_output_tokens)  # more than the model can write is refused


def _refuse_features(request: ChatRequest, meaning: Meaning) -> None:
    if "logprobs" in request.features:
        raise _unsupported("logprobs", "token probabilities are told to clients of its own dialect only")
    hears = any(isinstance(part, AudioPart) for message in meaning.messages for part in message.parts)
    if "audio" in request.features and not hears:
        raise _unsupported("modalities", "it speaks to clients of its own dialect only")
    if meaning.server_tools:
        names = ", ".join(meaning.server_tools)[:100]
        raise _unsupported("tools", f"its own spelling is needed for tools that a vendor runs ({names})")


def _unsupported(field: str, why: str) -> UnsupportedFeature:
    return UnsupportedFeature(
        f"this target cannot do what `{field}` asks ({why}); leave it out or choose another model", param=field
    )


# ---- tools ----------------------------------------------------------------------------------------------------------


def _write_tools(body: Json, meaning: Meaning, traits: ModelTraits, drop: Drop) -> None:
    if meaning.web_search is not None:
        if meaning.tools:
            raise _unsupported("tools", "it searches the web or calls functions, not both in one request")
        body["tools"] = [{"googleSearch": _search(meaning.web_search, drop)}]
    if not meaning.tools:
        return
    body["tools"] = [{"functionDeclarations": [_tool(tool) for tool in meaning.tools]}]
    if any(tool.cache for tool in meaning.tools):
        drop("cache_control")  # Google finds repeated beginnings by itself
    if any(loses_grammar(tool) for tool in meaning.tools):
        drop("tools.format")
    calling = _choice(meaning.tool_choice)
    if any(tool.is_strict for tool in meaning.tools) and calling.get("mode", "AUTO") == "AUTO":
        if traits.is_current:
            calling = {"mode": "VALIDATED"}  # calls are held to their schemas; with ANY they are so anyway
        else:
            drop("tools.strict")
    if calling:
        body["toolConfig"] = {"functionCallingConfig": calling}
    if meaning.parallel_tool_calls is False:
        drop("parallel_tool_calls")


def _tool(tool: ToolSpec) -> Json:
    tool = as_function(tool)
    written: Json = {"name": tool.name}
    if tool.description:
        written["description"] = tool.description
    if tool.parameters is not None:
        written["parametersJsonSchema"] = tool.parameters
    return written


def _choice(choice: ToolChoice | None) -> Json:
    if choice is None:
        return {}
    match choice.mode:
        case "named":
            return {"mode": "ANY", "allowedFunctionNames": [choice.name]}
        case "required":
            return {"mode": "ANY"}
        case "none":
            return {"mode": "NONE"}
        case _:
            return {"mode": "AUTO"}


def _search(wanted: WebSearch, drop: Drop) -> Json:
    if wanted.allowed_domains or wanted.blocked_domains:
        raise _unsupported("web_search", "it searches the whole web; leave the domains out")
    if wanted.most_uses is not None:
        drop("web_search_options.max_uses")
    if wanted.context_size:
        drop("web_search_options.search_context_size")
    if wanted.location:
        drop("web_search_options.user_location")
    return {}


# ---- output ---------------------------------------------------------------------------------------------------------


def _write_format(config: Json, body: Json, wanted: ResponseFormat, traits: ModelTraits) -> None:
    if wanted.kind == "text":
        return
    if "tools" in body and not traits.is_current:
        raise _unsupported("response_format", "models before Gemini 3 take a JSON format or tools, not both")
    config["responseMimeType"] = "application/json"
    if wanted.kind == "json_schema":
        config["responseJsonSchema"] = wanted.whole_schema


def _write_sampling(config: Json, meaning: Meaning, drop: Drop) -> None:
    if meaning.temperature is not None:
        config["temperature"] = meaning.temperature
    if meaning.top_p is not None:
        config["topP"] = meaning.top_p
    stops = [stop for stop in meaning.stop if stop]
    if stops:
        config["stopSequences"] = stops[:MOST_STOPS]
    if len(stops) > MOST_STOPS or len(stops) < len(meaning.stop):
        drop("stop")
    for name, field in _SAMPLING.items():
        value = meaning.knobs.get(name)
        if value is not None:
            config[field] = value


def _thinking(meaning: Meaning, traits: ModelTraits, drop: Drop) -> Json:
    effort, budget = meaning.reasoning_effort, meaning.thinking_budget
    if effort not in (None, "none", *BUDGETS):
        drop("reasoning_effort")
        effort = None
    if traits.thinking == "none":
        if effort not in (None, "none"):
            drop("reasoning_effort")
        if budget:
            drop("thinking_budget")
        return {}
    written: Json = {}
    wanted = "reasoning_effort" if effort is not None else "thinking_budget"
    if traits.thinking == "level":
        level = _level(effort, budget, traits)
        if level:
            written["thinkingLevel"] = level
    elif effort is not None or budget is not None:
        written["thinkingBudget"] = _budget(effort, budget, traits)
    if (effort == "none" or (effort is None and budget == 0)) and not traits.can_stop_thinking:
        drop(wanted)  # as little as this model can
    asks = effort not in (None, "none", "minimal") or budget not in (None, 0)
    if meaning.wants_thoughts or (meaning.wants_thoughts is None and asks):
        written["includeThoughts"] = True  # who asks for thinking in another dialect expects to see it
    return written


def _level(effort: str | None, budget: int | None, traits: ModelTraits) -> str:
    if effort is None and budget in (None, -1):
        return ""
    if effort == "none" or (effort is None and budget == 0):
        return traits.levels[0]
    if effort is not None:
        wanted = _LEVEL_OF_EFFORT[effort]
    else:
        wanted = next((level for most, level in _LEVEL_OF_BUDGET if (budget or 0) <= most), "HIGH")
    nearest = [level for level in traits.levels if LEVELS.index(level) >= LEVELS.index(wanted)]
    return nearest[0]


def _budget(effort: str | None, budget: int | None, traits: ModelTraits) -> int:
    wanted = budget if effort is None else 0 if effort == "none" else BUDGETS[effort]
    assert wanted is not None  # one of both was given
    if wanted == -1:
        return wanted
    if wanted == 0 and traits.can_stop_thinking:
        return 0
    return min(max(wanted, traits.least_budget), traits.most_budget)


# ---- knobs ----------------------------------------------------------------------------------------------------------


def _write_knobs(body: Json, meaning: Meaning, drop: Drop) -> None:
    for name, value in meaning.knobs.items():
        if value is None or name in _SAMPLING or (name in _HARMLESS and value == _HARMLESS[name]):
            continue
        if name == "service_tier" and isinstance(value, str) and value in _TIERS:
            body["serviceTier"] = _TIERS[value]
        elif name != "stream_options":  # usage always comes
            drop(name)
    if meaning.user and "user" not in meaning.knobs:
        drop("user")
