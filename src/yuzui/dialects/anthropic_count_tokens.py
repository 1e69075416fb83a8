"""Counting of tokens as Anthropic's clients ask for it: the same request as a message, answered with one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Answer, Count
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine
from yuzui.core.errors import InvalidRequest, YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import MESSAGES
from yuzui.dialects.anthropic_messages import HEARD, conversation_of
from yuzui.dialects.anthropic_messages_answer import error_object
from yuzui.dialects.anthropic_messages_meaning import reader_of
from yuzui.dialects.anthropic_messages_request import features, parse
from yuzui.dialects.anthropic_messages_stream import HubWriter


class AnthropicCountTokens(ClientDialect):
    """`POST /v1/messages/count_tokens`.

    Source: https://platform.claude.com/docs/en/api/messages-count-tokens (2026-11-26).
    """

    name: Dialect = "anthropic_count_tokens"
    names = MESSAGES
    operation: Operation = "count_tokens"
    hears = HEARD

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        chat = parse(body)
        if chat.stream:
            raise InvalidRequest("a count of tokens is never streamed; leave `stream` out", param="stream")
        return ChatRequest(
            dialect="anthropic_count_tokens",
            operation="count_tokens",
            line=line,
            model=chat.model,
            body=body,
            max_output_tokens=chat.max_tokens,
            features=features(chat),
            conversation_id=conversation_of(chat),
            read_meaning=reader_of(body, chat),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, Count)  # the codec of this operation reads nothing else
        if response.raw_dialect == "anthropic_count_tokens" and response.raw:
            return response.raw
        return msgspec.json.encode({"input_tokens": response.input_tokens})

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return HubWriter(request, facts)  # never asked for: a count is whole

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        return msgspec.json.encode(error_object(error, request_id))


DIALECT: Final = AnthropicCountTokens()
