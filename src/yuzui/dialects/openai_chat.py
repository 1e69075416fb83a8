"""The chat-completions dialect: what the official OpenAI clients send, and what they must get."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, ChatResponse, Dialect, Meaning, RequestLine
from yuzui.core.errors import YuzuiError
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects.openai_chat_answer import custom_tools, write_answer
from yuzui.dialects.openai_chat_meaning import meaning_of, read_meaning
from yuzui.dialects.openai_chat_request import WireChat, features, parse
from yuzui.dialects.openai_chat_stream import HubWriter, LaneWriter, error_object


class OpenAIChat(ClientDialect):
    """`POST /v1/chat/completions`."""

    name: Dialect = "openai_chat"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        chat = parse(body)
        options = chat.stream_options
        return ChatRequest(
            dialect="openai_chat",
            line=line,
            model=chat.model,
            body=body,
            stream=bool(chat.stream),
            wants_usage=options is not None and bool(options.include_usage),
            n=chat.n or 1,
            max_output_tokens=chat.max_completion_tokens or chat.max_tokens,
            features=features(chat),
            conversation_id=chat.metadata.get("conversation_id", "") if chat.metadata else "",
            read_meaning=partial(_read_meaning, body, chat),
        )

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, ChatResponse)  # the codec of a chat target reads nothing else
        if response.raw_dialect == "openai_chat" and response.raw:
            return response.raw
        return write_answer(response, facts, custom_tools(request.body))

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        if facts.is_lane:
            return LaneWriter(request_id=facts.request_id, wants_usage=request.wants_usage)
        return HubWriter(
            request_id=facts.request_id,
            wants_usage=request.wants_usage,
            origin=facts.origin,
            at_s=facts.at_s,
            custom=custom_tools(request.body),
        )

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """`{"error": …}`: openai-python picks the exception by status and reads type, param and code from it."""
        return msgspec.json.encode({"error": error_object(error, request_id)})


def _read_meaning(known: Mapping[str, Any], chat: WireChat, body: Mapping[str, Any]) -> Meaning:  # Any: checked JSON
    """What was parsed once is not parsed again; a masked body is another one."""
    return meaning_of(chat, body) if body is known else read_meaning(body)


DIALECT: Final = OpenAIChat()
