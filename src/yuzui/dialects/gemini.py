"""Google's generateContent dialect: what the official Gemini clients send, and what they must get."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, ChatResponse, Dialect, Meaning, RequestLine
from yuzui.core.errors import YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import GEMINI
from yuzui.dialects.gemini_answer import encode, error_object, write_answer
from yuzui.dialects.gemini_meaning import meaning_of, read_meaning
from yuzui.dialects.gemini_request import (
    Generate,
    GenerationConfig,
    features,
    in_camel_case,
    is_sse,
    other_tools,
    parse,
    read_path,
)
from yuzui.dialects.gemini_stream import HubWriter, LaneWriter

_METHODS: Final = frozenset({"generateContent", "streamGenerateContent"})


class Gemini(ClientDialect):
    """`POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`, also under Vertex AI's paths."""

    name: Dialect = "gemini"
    names = GEMINI

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        model, method = read_path(line, _METHODS)
        plain = in_camel_case(body)
        wire = parse(plain)
        config = wire.generation_config or GenerationConfig()
        return ChatRequest(
            dialect="gemini",
            line=line,
            model=model,
            body=body,
            stream=method == "streamGenerateContent",
            wants_usage=True,
            n=config.candidate_count or 1,
            max_output_tokens=config.max_output_tokens,
            features=features(wire, other_tools(plain)),
            read_meaning=partial(_read_meaning, body, plain, wire),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, ChatResponse)  # the codec of a chat target reads nothing else
        if response.raw_dialect == "gemini" and response.raw:
            return response.raw
        return write_answer(response, facts.origin, facts.request_id)

    @override
    def answer_type(self, request: ChatRequest) -> str:
        is_events = request.stream and is_sse(request.line)
        return "text/event-stream; charset=utf-8" if is_events else "application/json; charset=utf-8"

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        if facts.is_lane:
            return LaneWriter(request_id=facts.request_id, is_sse=is_sse(request.line))
        return HubWriter(request_id=facts.request_id, is_sse=is_sse(request.line), origin=facts.origin)

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        return encode({"error": error_object(error, request_id)})


def _read_meaning(
    known: Mapping[str, Any],  # Any: checked JSON, here and below
    plain: Mapping[str, Any],
    wire: Generate,
    body: Mapping[str, Any],
) -> Meaning:
    """What was parsed once is not parsed again; a masked body is another one."""
    return meaning_of(plain, wire) if body is known else read_meaning(body)


DIALECT: Final = Gemini()
