"""A refusal names the field as the client wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from yuzui.core.errors import InvalidRequest, UnsupportedFeature, YuzuiError
from yuzui.dialects._field_names import GEMINI, MESSAGES, RESPONSES, in_words_of
from yuzui.dialects.anthropic_messages import DIALECT as MESSAGES_DIALECT
from yuzui.dialects.gemini import DIALECT as GEMINI_DIALECT
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


def test_each_dialect_tells_it_so() -> None:
    told = json.loads(RESPONSES_DIALECT.write_error(REFUSED, "req"))["error"]
    assert (told["param"], "`text.format`" in told["message"]) == ("text.format", True)
    told = json.loads(MESSAGES_DIALECT.write_error(REFUSED, "req"))["error"]
    assert (told["details"]["param"], "`output_config.format`" in told["message"]) == ("output_config.format", True)
    told = json.loads(GEMINI_DIALECT.write_error(REFUSED, "req"))["error"]
    assert told["details"][0]["metadata"]["param"] == "generationConfig.responseSchema"
    assert REFUSED.param == "response_format", "the record keeps the gateway's own word"
