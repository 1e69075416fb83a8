"""The dialect that asks for pictures: a prompt in, pictures out, whole or with drafts of them as events.

Source: openai==3.54.0, types/image_generate_params.py, images_response.py, image_gen_partial_image_event.py,
image_gen_completed_event.py; 2026-11-26. Only a target that speaks it can answer; the prompt is labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import EventWriter, LaneDialect, lane_only, read_fields


class OpenAIImages(LaneDialect):
    """`POST /v1/images/generations`."""

    name: Dialect = "openai_images"
    operation: Operation = "images"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        return self.read_pictures(body, line, strict=True)

    def read_pictures(
        self, body: Mapping[str, Any], line: RequestLine, *, strict: bool
    ) -> ChatRequest:  # Any: as above
        """`strict=False`: the numbers of a form are texts."""
        wire = read_fields(body, _Request, strict=strict)
        for name in ("user", "safety_identifier"):
            check_name(getattr(wire, name) or "", name)
        if wire.partial_images and not wire.stream:
            raise InvalidRequest(
                "`partial_images` needs `stream: true`; add it or remove the field", param="partial_images"
            )
        return ChatRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model or "auto", "model"),
            body=body,
            stream=bool(wire.stream),
            n=wire.n or 1,
            read_meaning=lane_only("pictures"),
        )

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return EventWriter(done=b"")  # the last picture is the end


class _Request(Struct, kw_only=True):
    prompt: Annotated[str, Meta(min_length=1)]
    model: Annotated[str, Meta(max_length=256)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=16)] | None = None
    size: Annotated[str, Meta(max_length=64)] | None = None
    quality: Annotated[str, Meta(max_length=64)] | None = None
    response_format: Annotated[str, Meta(max_length=64)] | None = None
    user: Annotated[str, Meta(max_length=1024)] | None = None
    safety_identifier: Annotated[str, Meta(max_length=1024)] | None = None


DIALECT: Final = OpenAIImages()
