"""The Anthropic Messages dialect: what the official Anthropic clients and Claude Code send, and what they must get."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, ChatResponse, Dialect, RequestLine
from yuzui.core.errors import YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import MESSAGES
from yuzui.dialects.anthropic_messages_answer import error_object, write_answer
from yuzui.dialects.anthropic_messages_meaning import reader_of
from yuzui.dialects.anthropic_messages_request import WireMessages, features, parse
from yuzui.dialects.anthropic_messages_stream import HubWriter, LaneWriter

HEARD: Final = frozenset(("anthropic-beta", "anthropic-version"))
_SESSION: Final = re.compile(r"_session_([0-9a-fA-F-]{36})$|\"session_id\"\s*:\s*\"([0-9a-zA-Z_-]{8,64})\"")


class AnthropicMessages(ClientDialect):
    """`POST /v1/messages`."""

    name: Dialect = "anthropic_messages"
    names = MESSAGES
    hears = HEARD

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        chat = parse(body)
        return ChatRequest(
            dialect="anthropic_messages",
            line=line,
            model=chat.model,
            body=body,
            stream=bool(chat.stream),
            wants_usage=True,
            max_output_tokens=chat.max_tokens,
            features=features(chat),
            conversation_id=conversation_of(chat),
            read_meaning=reader_of(body, chat),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, ChatResponse)  # the codec of a chat target reads nothing else
        if response.raw_dialect == "anthropic_messages" and response.raw:
            return response.raw
        return write_answer(response, request, facts)

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return LaneWriter() if facts.is_lane else HubWriter(request, facts)

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """The official clients pick the exception by status, and read `type` and `details.error_code` from it."""
        return msgspec.json.encode(error_object(error, request_id))


def conversation_of(chat: WireMessages) -> str:
    """Claude Code's session, which stands in `metadata.user_id` in one of two spellings; "" for other clients.

    Source: https://github.com/ding113/claude-code-hub/pull/939 (2026-11-26): JSON from version 2.1.78 on, before it
    `user_…_account_…_session_…`.
    """
    user_id = chat.metadata.user_id if chat.metadata is not None else None
    if not user_id or "session" not in user_id:
        return ""
    found = _SESSION.search(user_id)
    return (found[1] or found[2]) if found else ""


DIALECT: Final = AnthropicMessages()
