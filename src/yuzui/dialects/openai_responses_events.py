"""The events of a Responses stream that we write, and how one is framed.

Source: openai 3.54.0 (`openai/types/responses/response_stream_event.py`) and
https://developers.openai.com/api/reference/resources/responses/streaming-events, read 2026-11-26. That an `error` event
wraps its error, and that `response.failed` follows it, are recordings of the API; the clients raise on the wrapped one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from yuzui.core.errors import YuzuiError
from yuzui.dialects.openai_chat_stream import error_object
from yuzui.dialects.openai_responses_answer import (
    AnyCitation,
    MessagePart,
    OutputItem,
    ReasoningText,
    Response,
    ResponseError,
    SummaryText,
)

HEARTBEAT: Final = b": keep-alive\n\n"
encode: Final = msgspec.json.Encoder().encode


class Lifecycle(Struct, kw_only=True):
    """`response.created`, `response.in_progress`, and those that end a stream."""

    type: Literal[
        "response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed"
    ]
    sequence_number: int
    response: Response
    yuzui: dict[str, Any] | UnsetType = UNSET  # Any: the trailer's JSON values


class ItemAdded(Struct, tag_field="type", tag="response.output_item.added"):
    sequence_number: int
    output_index: int
    item: OutputItem


class ItemDone(Struct, tag_field="type", tag="response.output_item.done"):
    sequence_number: int
    output_index: int
    item: OutputItem


class PartAdded(Struct, tag_field="type", tag="response.content_part.added"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    part: MessagePart | ReasoningText


class PartDone(Struct, tag_field="type", tag="response.content_part.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    part: MessagePart | ReasoningText


class TextDelta(Struct, tag_field="type", tag="response.output_text.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str
    logprobs: tuple[()] = ()


class TextDone(Struct, tag_field="type", tag="response.output_text.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str
    logprobs: tuple[()] = ()


class AnnotationAdded(Struct, tag_field="type", tag="response.output_text.annotation.added"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    annotation_index: int
    annotation: AnyCitation


class RefusalDelta(Struct, tag_field="type", tag="response.refusal.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class RefusalDone(Struct, tag_field="type", tag="response.refusal.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    refusal: str


class ThoughtDelta(Struct, tag_field="type", tag="response.reasoning_text.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class ThoughtDone(Struct, tag_field="type", tag="response.reasoning_text.done"):
    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str


class SummaryPartAdded(Struct, tag_field="type", tag="response.reasoning_summary_part.added"):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryPartDone(Struct, tag_field="type", tag="response.reasoning_summary_part.done"):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    part: SummaryText


class SummaryDelta(Struct, tag_field="type", tag="response.reasoning_summary_text.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    delta: str


class SummaryDone(Struct, tag_field="type", tag="response.reasoning_summary_text.done"):
    sequence_number: int
    item_id: str
    output_index: int
    summary_index: int
    text: str


class ArgumentsDelta(Struct, tag_field="type", tag="response.function_call_arguments.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class ArgumentsDone(Struct, tag_field="type", tag="response.function_call_arguments.done"):
    sequence_number: int
    item_id: str
    output_index: int
    name: str
    arguments: str


class InputDelta(Struct, tag_field="type", tag="response.custom_tool_call_input.delta"):
    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class InputDone(Struct, tag_field="type", tag="response.custom_tool_call_input.done"):
    sequence_number: int
    item_id: str
    output_index: int
    input: str


class _Error(Struct, tag_field="type", tag="error"):
    """Flat as documented, and wrapped as sent: clients look for one or the other."""

    sequence_number: int
    code: str | None
    message: str
    param: str | None
    error: dict[str, str | None]


Event = (
    ItemAdded
    | ItemDone
    | PartAdded
    | PartDone
    | TextDelta
    | TextDone
    | AnnotationAdded
    | RefusalDelta
    | RefusalDone
    | ThoughtDelta
    | ThoughtDone
    | SummaryPartAdded
    | SummaryPartDone
    | SummaryDelta
    | SummaryDone
    | ArgumentsDelta
    | ArgumentsDone
    | InputDelta
    | InputDone
)
_HEADS: Final[Mapping[type, bytes]] = {
    kind: f"event: {kind.__struct_config__.tag}\ndata: ".encode() for kind in Event.__args__
}


def frame(event: Event) -> bytes:
    return _HEADS[type(event)] + encode(event) + b"\n\n"


def frame_lifecycle(event: Lifecycle) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event.type.encode(), encode(event))


def frame_failure(error: YuzuiError, request_id: str, number: int, response: Response) -> bytes:
    """The two events that end a failed stream; `number` is the first one's."""
    told = _Error(number, error.code, error.message, error.param, error_object(error, request_id))
    failed = Lifecycle(type="response.failed", sequence_number=number + 1, response=response)
    return b"event: error\ndata: %b\n\n" % encode(told) + frame_lifecycle(failed)


def response_error(error: YuzuiError) -> ResponseError:
    """`error` of a response knows few codes; the event before it has ours."""
    return ResponseError("rate_limit_exceeded" if error.status == 429 else "server_error", error.message)
