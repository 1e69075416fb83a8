"""The Responses dialect: what the official OpenAI clients send to `/v1/responses`, and what they must get.

State is the gateway's: it keeps answers (`store`, which is true unless the client says otherwise) and conversations,
and continues them (`previous_response_id`, `conversation`); ids are ours, and vendors are asked to keep nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, ChatResponse, Dialect, RequestLine
from yuzui.core.errors import YuzuiError
from yuzui.dialects import openai_responses_state as state
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._field_names import RESPONSES, in_words_of
from yuzui.dialects.openai_chat_stream import error_object
from yuzui.dialects.openai_conversations import name_in
from yuzui.dialects.openai_responses_answer import response_id, write_answer
from yuzui.dialects.openai_responses_lane import LaneWriter, write_own
from yuzui.dialects.openai_responses_meaning import MeaningReader
from yuzui.dialects.openai_responses_request import parse
from yuzui.dialects.openai_responses_stream import HubWriter


class OpenAIResponses(ClientDialect):
    """`POST /v1/responses`."""

    name: Dialect = "openai_responses"
    names = RESPONSES

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        asked, features = parse(body)
        return ChatRequest(
            dialect="openai_responses",
            line=line,
            model=asked.model,
            body=body,
            stream=bool(asked.stream),
            wants_usage=True,  # it always stands in the last event
            max_output_tokens=asked.max_output_tokens,
            features=features,
            conversation_id=asked.metadata.get("conversation_id", "") if asked.metadata else "",
            follows=state.followed(body),
            keeps=asked.store is not False,
            joins=name_in(asked.conversation),
            read_meaning=MeaningReader(body, asked),
        )

    @override
    def follow(self, request: ChatRequest, earlier: bytes) -> ChatRequest:
        return state.follow(request, earlier)

    @override
    def kept_id(self, facts: AnswerFacts) -> str:
        return response_id(facts.request_id)

    @override
    def kept_names(self, kept: bytes) -> tuple[str, ...]:
        return state.item_names(kept)

    @override
    def to_keep(self, request: ChatRequest, answer: bytes) -> bytes:
        return state.to_keep(request, answer)

    @override
    def to_join(self, request: ChatRequest, answer: bytes) -> bytes:
        return state.to_join(request, answer)

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        assert isinstance(response, ChatResponse)  # the codec of a chat target reads nothing else
        if response.raw_dialect == "openai_responses" and response.raw:
            return write_own(response.raw, request, facts)
        return write_answer(response, request, facts)

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return LaneWriter(request, facts) if facts.is_lane else HubWriter(request, facts)

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """`{"error": …}`: openai-python picks the exception by status and reads type, param and code from it."""
        message, param = in_words_of(RESPONSES, error)
        return msgspec.json.encode({"error": {**error_object(error, request_id), "message": message, "param": param}})


DIALECT: Final = OpenAIResponses()
