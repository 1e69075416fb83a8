"""Answers of a target that speaks Responses itself: handed on as they are, but for the state, which is ours.

The vendor is asked to keep nothing. Where the client asked us to, response objects carry our id, the id of the answer
that was continued, and `store` as the client said it; everything else of them stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw
from typing_extensions import override

from yuzui.core.chat import AnswerFacts, ChatRequest, StreamChunk
from yuzui.core.errors import UpstreamInvalid, YuzuiError
from yuzui.core.sse import write_event
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects.openai_responses_answer import Heading, response_id
from yuzui.dialects.openai_responses_events import HEARTBEAT, encode, frame_failure, response_error

MOST_HELD_BYTES: Final = 64 * 1024 * 1024  # the last event repeats the whole answer

_BEGINNINGS: Final = frozenset(("response.created", "response.queued", "response.in_progress"))
_ENDINGS: Final = frozenset(
    ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")
)
_NUMBER: Final = re.compile(rb'"sequence_number"\s*:\s*(\d{1,18})')


_fields: Final = msgspec.json.Decoder(dict[str, Raw]).decode


def write_own(response: bytes, request: ChatRequest, facts: AnswerFacts) -> bytes:
    """The upstream's response object, as it is to reach the client."""
    if not _is_ours(request):
        return response
    return _own(response, request, response_id(facts.request_id))


def _is_ours(request: ChatRequest) -> bool:
    return request.keeps or bool(request.follows or request.joins)


def _own(response: bytes, request: ChatRequest, name: str) -> bytes:
    fields = _fields(response)
    fields["id"] = Raw(encode(name))
    fields["previous_response_id"] = Raw(encode(request.follows or None))
    fields["store"] = Raw(encode(request.keeps))
    if request.joins:
        fields["conversation"] = Raw(encode({"id": request.joins}))
    return encode(fields)


class LaneWriter(StreamWriter):
    """Events go on as they came; those that end the answer wait."""

    __slots__ = ("_heading", "_held", "_held_bytes", "_is_ours", "_last", "_request", "_response", "_vendors_id")

    def __init__(self, request: ChatRequest, facts: AnswerFacts) -> None:
        self._request = request
        self._heading = Heading(request, facts)
        self._is_ours = _is_ours(request)
        self._vendors_id = ""
        self._last = b""  # the last event that was sent
        self._held: list[tuple[str, bytes]] = []
        self._held_bytes = 0
        self._response = b""

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        raw, event = chunk.raw, chunk.event  # codecs name each event of this dialect
        if not raw:
            return b""  # a count that the codec read out of another event
        if event in _ENDINGS or self._held:
            self._hold(event, raw)
            return b""
        if event in _BEGINNINGS:
            self._vendors_id = self._vendors_id or chunk.id
            raw = self._patch(raw)
        self._last = raw
        return b"event: %b\ndata: %b\n\n" % (event.encode(), raw)

    def _patch(self, raw: bytes) -> bytes:
        if not self._is_ours:
            return raw
        fields = _fields(raw)
        if "response" not in fields:
            return raw
        fields["response"] = Raw(_own(bytes(fields["response"]), self._request, self._heading.id))
        return encode(fields)

    def _hold(self, event: str, raw: bytes) -> None:
        raw = self._patch(raw) if event in _ENDINGS else raw
        self._held.append((event, raw))
        self._held_bytes += len(raw)
        if self._held_bytes > MOST_HELD_BYTES:
            raise UpstreamInvalid(f"the target sent more than {MOST_HELD_BYTES} bytes after the end of its answer")

    @override
    def kept(self) -> bytes:
        for _, raw in reversed(self._held):
            response = _fields(raw).get("response")
            if response is not None:
                return bytes(response)
        return b""

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        if not self._held:
            return b""  # codecs do not let a stream without its end be finished
        event, raw = self._held[-1]
        fields = _fields(raw)
        fields["yuzui"] = Raw(encode(trailer))  # replaces the one of a gateway behind us
        self._held[-1] = (event, encode(fields))
        held, self._held = self._held, []
        return b"".join([write_event(data, name) for name, data in held])

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """openai-python raises `APIError` for an event whose JSON has a true `error`. Nothing held is sent."""
        self._held = []
        numbers = _NUMBER.findall(self._last)
        if self._vendors_id and not self._is_ours:
            self._heading.id = self._vendors_id  # the client knows the answer by it
        response = self._heading.response("", "failed", (), error=response_error(error))
        return frame_failure(error, request_id, int(numbers[-1]) + 1 if numbers else 0, response)

    @override
    def heartbeat(self) -> bytes:
        return HEARTBEAT
