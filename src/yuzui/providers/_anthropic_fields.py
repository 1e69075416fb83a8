"""What becomes of each field of an OpenAI chat request on its way to the Anthropic Messages API.

The table is read by the codec and printed in docs/reference/translation.md; a test keeps the three equal.
Sources (read 2026-11-22): https://platform.claude.com/docs/en/api/messages and the request types of the client
libraries `anthropic` 2.12.0 and `openai` 3.54.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from yuzui.core.chat import Feature

Treatment = Literal["sent", "mapped", "dropped", "refused"]


@dataclass(frozen=True, slots=True)
class Fate:
    """`note` says into what a field is mapped, or what to send instead."""

    treatment: Treatment
    note: str = ""


FIELDS: Mapping[str, Fate] = MappingProxyType(
    {
        "audio": Fate("refused", "no sound, spoken or heard"),
        "frequency_penalty": Fate("dropped"),
        "function_call": Fate("mapped", "as `tool_choice`"),
        "functions": Fate("mapped", "as `tools`"),
        "logit_bias": Fate("dropped"),
        "logprobs": Fate("refused", "no token probabilities"),
        "max_completion_tokens": Fate("mapped", "`max_tokens`; 16384 when neither client, budget nor target says"),
        "max_tokens": Fate("sent", "as `max_completion_tokens`"),
        "messages": Fate("mapped", "see Messages below"),
        "metadata": Fate("dropped"),
        "modalities": Fate("refused", "other than `text`"),
        "model": Fate("mapped", "the target's model"),
        "moderation": Fate("refused", "no moderation results"),
        "n": Fate("refused", "other than 1"),
        "parallel_tool_calls": Fate("mapped", "`tool_choice.disable_parallel_tool_use`"),
        "prediction": Fate("dropped"),
        "presence_penalty": Fate("dropped"),
        "prompt_cache_key": Fate("dropped"),
        "prompt_cache_options": Fate("dropped"),
        "prompt_cache_retention": Fate("dropped"),
        "reasoning_effort": Fate("mapped", "`thinking` and `output_config.effort`, see Reasoning below"),
        "response_format": Fate(
            "mapped", "`json_schema` to `output_config.format`, else a tool that must be called, see JSON schemas below"
        ),
        "safety_identifier": Fate("mapped", "`metadata.user_id`, before `user`"),
        "seed": Fate("dropped"),
        "service_tier": Fate("mapped", "`auto`; `default` to `standard_only`; other values are dropped"),
        "stop": Fate("mapped", "`stop_sequences`; blank ones are dropped"),
        "store": Fate("dropped"),
        "stream": Fate("sent"),
        "stream_options": Fate("mapped", "usage always comes; the client gets it when it asked"),
        "temperature": Fate(
            "mapped", "above 1 it becomes 1, reported; dropped for models from 4.7 on and while thinking"
        ),
        "tool_choice": Fate(
            "mapped",
            "`auto`, `none`, `required` to `any`, a name to `tool`; the last two refused where no tool can be forced",
        ),
        "tools": Fate("mapped", "`input_schema`; `strict` for models from 4.5 on"),
        "top_logprobs": Fate("refused", "no token probabilities"),
        "top_p": Fate("sent", "dropped where `temperature` is, and beside it for models from 4.1 on"),
        "user": Fate("mapped", "`metadata.user_id`"),
        "verbosity": Fate("dropped"),
        "web_search_options": Fate("mapped", "the vendor's `web_search` tool; `search_context_size` is dropped"),
    }
)

FEATURE_FIELDS: Mapping[Feature, str] = MappingProxyType({"n": "n", "logprobs": "logprobs", "audio": "audio"})
"""Features that cannot be said, and the field that asks for each."""
