"""The moderations dialect: texts and pictures in, verdicts out. Only a target that speaks it can answer.

Source: openai==3.54.0, types/moderation_create_params.py, types/moderation_create_response.py; 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from typing_extensions import override

from yuzui.core.chat import NO_LINE, ChatRequest, Dialect, Feature, Operation, RequestLine
from yuzui.core.errors import InvalidRequest
from yuzui.dialects._explain import check_name
from yuzui.dialects._lane import LaneDialect, lane_only, read_fields

_NO_FEATURES: Final[frozenset[Feature]] = frozenset()
_PICTURES: Final[frozenset[Feature]] = frozenset(("images",))


class OpenAIModerations(LaneDialect):
    """`POST /v1/moderations`."""

    name: Dialect = "openai_moderations"
    operation: Operation = "moderations"

    @override
    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: checked JSON
        wire = read_fields(body, _Request)
        has_pictures = isinstance(wire.input, list) and any(isinstance(part, _Picture) for part in wire.input)
        if isinstance(wire.input, list) and len({isinstance(item, str) for item in wire.input}) > 1:
            raise InvalidRequest("`input` mixes strings and parts; send one kind", param="input")
        return ChatRequest(
            dialect=self.name,
            operation=self.operation,
            line=line,
            model=check_name(wire.model or "auto", "model"),
            body=body,
            features=_PICTURES if has_pictures else _NO_FEATURES,
            read_meaning=lane_only("a moderation"),
        )


class _Text(Struct, tag_field="type", tag="text"):
    text: str


class _Url(Struct):
    url: Annotated[str, Meta(pattern="^(https?://|data:image/)")]  # file:// is a way into the target's disk


class _Picture(Struct, tag_field="type", tag="image_url"):
    image_url: _Url


class _Request(Struct, kw_only=True):
    input: str | Annotated[list[str | _Text | _Picture], Meta(min_length=1)]
    model: Annotated[str, Meta(max_length=256)] | None = None


DIALECT: Final = OpenAIModerations()
