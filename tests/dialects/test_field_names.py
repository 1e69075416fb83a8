"""A refusal names the field as the client wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from yuzui.core.errors import InvalidRequest, UnsupportedFeature, YuzuiError
from yuzui.dialects._contract import ClientDialect
from yuzui.dialects._field_names import GEMINI, MESSAGES, RESPONSES, in_words_of, spelled
from yuzui.dialects.anthropic_count_tokens import DIALECT as COUNT_DIALECT
from yuzui.dialects.anthropic_messages import DIALECT as MESSAGES_DIALECT
from yuzui.dialects.gemini import DIALECT as GEMINI_DIALECT
from yuzui.dialects.gemini_embeddings import DIALECT as VECTORS_DIALECT
from yuzui.dialects.openai_chat import DIALECT as CHAT_DIALECT
from yuzui.dialects.openai_embeddings import DIALECT as EMBEDDINGS_DIALECT
from yuzui.dialects.openai_responses import DIALECT as RESPONSES_DIALECT

REFUSED = UnsupportedFeature(
    "send `response_format` of type json_schema, or leave `tools` out", param="response_format"
)


@pytest.mark.parametrize(
    ("names", "error", "message", "param"),
    [
        (RESPONSES, REFUSED, "send `text.format` of type json_schema, or leave `tools` out", "text.format"),
        (MESSAGES, REFUSED, "send `output_config.format` of type json_schema, or leave `tools` out", "output_config.format"),
        (GEMINI, UnsupportedFeature("no images", param="messages"), "no images", "contents"),
        (GEMINI, UnsupportedFeature("`n` is 2", param=None), "`generationConfig.candidateCount` is 2", None),
        (GEMINI, InvalidRequest("`n` is no field", param="n"), "`n` is no field", "n"),
        (MESSAGES, UnsupportedFeature("`thinking.type`", param="thinking.type"), "`thinking.type`", "thinking.type"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_in_the_words_of_the_dialect(
    names: Mapping[str, str], error: YuzuiError, message: str, param: str | None
) -> None:
    assert in_words_of(names, error) == (message, param)


@pytest.mark.parametrize(
    ("dialect", "hub", "client"),
    [
        (CHAT_DIALECT, "seed", "seed"),
        (CHAT_DIALECT, "cache_control", "messages.prompt_cache_breakpoint"),
        (CHAT_DIALECT, "tools.parameters.minimum", "tools.function.parameters.minimum"),
        (RESPONSES_DIALECT, "max_tokens", "max_output_tokens"),
        (RESPONSES_DIALECT, "reasoning_effort", "reasoning.effort"),
        (RESPONSES_DIALECT, "reasoning.mode", "reasoning.mode"),
        (RESPONSES_DIALECT, "reasoning", "reasoning"),  # an item as well as a field: both are called so
        (RESPONSES_DIALECT, "response_format.minimum", "text.format.schema.minimum"),
        (MESSAGES_DIALECT, "user", "metadata.user_id"),
        (MESSAGES_DIALECT, "max_tokens", "max_tokens"),
        (MESSAGES_DIALECT, "tools.parameters.minimum", "tools.input_schema.minimum"),
        (MESSAGES_DIALECT, "web_search_options.user_location", "tools.user_location"),
        (COUNT_DIALECT, "reasoning_effort", "output_config.effort"),
        (GEMINI_DIALECT, "max_tokens", "generationConfig.maxOutputTokens"),
        (GEMINI_DIALECT, "top_k", "generationConfig.topK"),
        (GEMINI_DIALECT, "thinking.budget_tokens", "generationConfig.thinkingConfig.thinkingBudget"),
        (GEMINI_DIALECT, "web_search_options.blocked_domains", "tools.googleSearch.excludeDomains"),
        (GEMINI_DIALECT, "labels", "labels"),
        (VECTORS_DIALECT, "input_type", "taskType"),
        (EMBEDDINGS_DIALECT, "input_type", "input_type"),
    ],
)
def test_what_was_dropped_is_told_in_the_clients_spelling(dialect: ClientDialect, hub: str, client: str) -> None:
    assert spelled(dialect.names, hub) == client


def test_each_dialect_tells_it_so() -> None:
    told = json.loads(RESPONSES_DIALECT.write_error(REFUSED, "req"))["error"]
    assert (told["param"], "`text.format`" in told["message"]) == ("text.format", True)
    told = json.loads(MESSAGES_DIALECT.write_error(REFUSED, "req"))["error"]
    assert (told["details"]["param"], "`output_config.format`" in told["message"]) == ("output_config.format", True)
    told = json.loads(GEMINI_DIALECT.write_error(REFUSED, "req"))["error"]
    assert told["details"][0]["metadata"]["param"] == "generationConfig.responseSchema"
    assert REFUSED.param == "response_format", "the record keeps the gateway's own word"
