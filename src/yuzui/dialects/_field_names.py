"""Who refuses a request, or drops a part of it, names its fields as chat completions do; each client hears the names of
its own dialect. A name that ends in a dot stands for all that begin with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from yuzui.core.errors import UnsupportedFeature, YuzuiError

CHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cache_control": "messages.prompt_cache_breakpoint",
        "cache_control.ttl": "messages.prompt_cache_breakpoint.ttl",
        "document.title": "messages.file.filename",
        "tools.parameters.": "tools.function.parameters.",
        "tools.strict": "tools.function.strict",
    }
)
RESPONSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cache_control": "prompt_cache_breakpoint",
        "cache_control.ttl": "prompt_cache_breakpoint.ttl",
        "document.title": "input.filename",
        "functions": "tools",
        "logprobs": "top_logprobs",
        "max_completion_tokens": "max_output_tokens",
        "max_tokens": "max_output_tokens",
        "messages": "input",
        "messages.image_url.detail": "input.detail",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "response_format.": "text.format.schema.",
        "verbosity": "text.verbosity",
        "web_search_options": "tools",
        "web_search_options.": "tools.",
    }
)
MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "functions": "tools",
        "max_completion_tokens": "max_tokens",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "reasoning": "messages.thinking",
        "reasoning_effort": "output_config.effort",
        "response_format": "output_config.format",
        "response_format.": "output_config.format.schema.",
        "stop": "stop_sequences",
        "tools.parameters.": "tools.input_schema.",
        "user": "metadata.user_id",
        "web_search_options": "tools",
        "web_search_options.": "tools.",
    }
)
GEMINI: Final[Mapping[str, str]] = MappingProxyType(
    {
        "audio": "generationConfig.responseModalities",
        "dimensions": "outputDimensionality",
        "document.title": "contents.parts.inlineData.displayName",
        "frequency_penalty": "generationConfig.frequencyPenalty",
        "functions": "tools",
        "input_type": "taskType",
        "logprobs": "generationConfig.responseLogprobs",
        "max_completion_tokens": "generationConfig.maxOutputTokens",
        "max_tokens": "generationConfig.maxOutputTokens",
        "messages": "contents",
        "messages.image_url.detail": "mediaResolution",
        "modalities": "generationConfig.responseModalities",
        "n": "generationConfig.candidateCount",
        "presence_penalty": "generationConfig.presencePenalty",
        "reasoning": "contents.parts.thought",
        "reasoning_effort": "generationConfig.thinkingConfig.thinkingLevel",
        "response_format": "generationConfig.responseSchema",
        "response_format.": "generationConfig.responseSchema.",
        "seed": "generationConfig.seed",
        "service_tier": "serviceTier",
        "stop": "generationConfig.stopSequences",
        "temperature": "generationConfig.temperature",
        "thinking": "generationConfig.thinkingConfig",
        "thinking.budget_tokens": "generationConfig.thinkingConfig.thinkingBudget",
        "tool_choice": "toolConfig.functionCallingConfig",
        "tool_result.is_error": "contents.parts.functionResponse.response",
        "tools.parameters.": "tools.functionDeclarations.parameters.",
        "top_k": "generationConfig.topK",
        "top_logprobs": "generationConfig.logprobs",
        "top_p": "generationConfig.topP",
        "web_search_options": "tools",
        "web_search_options.": "tools.googleSearch.",
        "web_search_options.blocked_domains": "tools.googleSearch.excludeDomains",
    }
)

_QUOTED: Final = re.compile(r"`([a-z_]+)`")


def spelled(names: Mapping[str, str], name: str) -> str:
    """The field `name` as a client writes it whose dialect has `names`."""
    found = names.get(name)
    if found is not None or "." not in name:
        return found or name
    begins = (part for part in names if part.endswith(".") and name.startswith(part))
    return next((names[part] + name.removeprefix(part) for part in begins), name)


def in_words_of(names: Mapping[str, str], error: YuzuiError) -> tuple[str, str | None]:
    """Message and field of `error`. Only refusals speak of fields that somebody else named."""
    if not isinstance(error, UnsupportedFeature):
        return error.message, error.param
    message = _QUOTED.sub(lambda quoted: f"`{names.get(quoted[1], quoted[1])}`", error.message)
    return message, names.get(error.param or "", error.param)
