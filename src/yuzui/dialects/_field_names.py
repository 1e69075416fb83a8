"""Who refuses a request names its fields as chat completions do; each client hears the names of its own dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from yuzui.core.errors import UnsupportedFeature, YuzuiError

RESPONSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "functions": "tools",
        "logprobs": "top_logprobs",
        "max_completion_tokens": "max_output_tokens",
        "max_tokens": "max_output_tokens",
        "messages": "input",
        "reasoning_effort": "reasoning.effort",
        "response_format": "text.format",
        "verbosity": "text.verbosity",
        "web_search_options": "tools",
    }
)
MESSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "functions": "tools",
        "max_completion_tokens": "max_tokens",
        "reasoning_effort": "thinking",
        "response_format": "output_config.format",
        "stop": "stop_sequences",
        "web_search_options": "tools",
    }
)
GEMINI: Final[Mapping[str, str]] = MappingProxyType(
    {
        "audio": "generationConfig.responseModalities",
        "functions": "tools",
        "logprobs": "generationConfig.responseLogprobs",
        "max_completion_tokens": "generationConfig.maxOutputTokens",
        "max_tokens": "generationConfig.maxOutputTokens",
        "messages": "contents",
        "modalities": "generationConfig.responseModalities",
        "n": "generationConfig.candidateCount",
        "reasoning_effort": "generationConfig.thinkingConfig",
        "response_format": "generationConfig.responseSchema",
        "stop": "generationConfig.stopSequences",
        "tool_choice": "toolConfig.functionCallingConfig",
        "web_search_options": "tools",
    }
)

_QUOTED: Final = re.compile(r"`([a-z_]+)`")


def in_words_of(names: Mapping[str, str], error: YuzuiError) -> tuple[str, str | None]:
    """Message and field of `error`. Only refusals speak of fields that somebody else named."""
    if not isinstance(error, UnsupportedFeature):
        return error.message, error.param
    message = _QUOTED.sub(lambda quoted: f"`{names.get(quoted[1], quoted[1])}`", error.message)
    return message, names.get(error.param or "", error.param)
