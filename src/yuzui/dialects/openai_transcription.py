"""The transcription dialect: a form with a recording in, its text out, whole or as events.

Sources: openai==3.54.0, types/audio/transcription_create_params.py, transcription.py, transcription_text_*_event.py;
2026-11-26. Only a target that speaks it can answer. A recording cannot be scanned: it counts as unreadable, its file
name and the prompt are labelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.chat import NO_LINE, ChatRequest, Dialect, Operation, RequestLine
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import LaneDialect, lane_only, read_fields
from yuzui.dialects._multipart import FILES, Form, read_form

FORM: Final = Form(
    files={"file": "input_audio"},
    blobs={"known_speaker_references[]": "input_audio", "known_speaker_references": "input_audio"},
    lists=frozenset(("keywords", "languages", "include", "timestamp_granularities", "known_speaker_names")),
)
_PLAIN: Final = frozenset(("text", "srt", "vtt"))


class OpenAITranscription(LaneDialect):
    """`POST /v1/audio/transcriptions`."""

    name: Dialect = "openai_transcription"
    operation: Operation = "transcription"

    @override
    def read_body(self, body: bytes, content_type: str) -> dict[str, Any]:  # Any: texts, lists of them, parts
        return read_form(body, content_type, FORM)

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: as above
        wire = read_fields(body, _Request, strict=False)
        check_files(body)
        return ChatRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model, "model"),
            body=body,
            stream=bool(wire.stream),
            read_meaning=lane_only("what a recording says"),
        )

    @override
    def answer_type(self, request: ChatRequest) -> str:
        if request.stream:
            return super().answer_type(request)
        return "text/plain; charset=utf-8" if request.body.get("response_format") in _PLAIN else "application/json"


def check_files(body: Mapping[str, Any]) -> None:  # Any: as above
    """Exactly one recording that is not empty."""
    parts = body.get(FILES) or ()
    if not any(part["name"] == "file" and part["data"] for part in parts):
        raise InvalidRequest("`file` is missing or empty; send the recording as a file of the form", param="file")


class _Request(Struct, kw_only=True):
    model: Annotated[str, Meta(min_length=1, max_length=256)]
    response_format: Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"] | None = None
    stream: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    language: Annotated[str, Meta(max_length=64)] | None = None
    prompt: str | None = None


DIALECT: Final = OpenAITranscription()
