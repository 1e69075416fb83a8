"""`POST /v1beta/models/{model}:countTokens`: how many tokens a request would be.

The request to be counted stands in `generateContentRequest`, or its fields stand in the body itself (the latter is how
Vertex AI has it). Sources (2026-11-26): https://ai.google.dev/api/tokens, `google-genai` 3.6.1, models.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from typing_extensions import override

from yuzui.core.answers import Answer, Count
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Meaning, Operation, RequestLine
from yuzui.core.errors import InvalidRequest, YuzuiError
from yuzui.dialects import gemini_meaning
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import GEMINI
from yuzui.dialects._spelling import fields_of
from yuzui.dialects.gemini_answer import encode, error_object
from yuzui.dialects.gemini_request import Generate, features, in_camel_case, other_tools, parse, read_path

_METHODS: Final = frozenset({"countTokens"})


class GeminiCountTokens(ClientDialect):
    name: Dialect = "gemini_count_tokens"
    names = GEMINI
    operation: Operation = "count_tokens"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        model, _ = read_path(line, _METHODS)
        counted = _counted(body)
        return ChatRequest(
            dialect="gemini_count_tokens",
            operation="count_tokens",
            line=line,
            model=model,
            body=body,
            features=features(parse(counted), other_tools(counted)),
            read_meaning=read_meaning,
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, Count)  # the codec of this operation reads nothing else
        if response.raw_dialect == "gemini_count_tokens" and response.raw:
            return response.raw
        return encode({"totalTokens": response.input_tokens})

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        raise NotImplementedError("a count is never streamed")

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        return encode({"error": error_object(error, request_id)})


def read_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    return gemini_meaning.read_meaning(_counted(body))


def _counted(body: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: checked JSON
    """The request whose tokens are to be counted, in camelCase."""
    plain = in_camel_case(body)
    fields_of(_CountTokens).check(plain)
    inner = plain.get("generateContentRequest")
    if inner is None:
        return plain
    if not isinstance(inner, Mapping) or plain.get("contents"):
        raise InvalidRequest(
            "send either `contents` or an object in `generateContentRequest`", param="generateContentRequest"
        )
    return inner


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _CountTokens(Generate, rename="camel"):
    generate_content_request: Generate | None = None


DIALECT: Final = GeminiCountTokens()
