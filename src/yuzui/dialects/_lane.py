"""What the dialects of single operations share: typed fields, a refusal through the hub, errors, held streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
from typing_extensions import override

from yuzui.core.answers import Answer, Blob
from yuzui.core.chat import AnswerFacts, ChatRequest, Meaning, StreamChunk
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInvalid, YuzuiError
from yuzui.core.sse import write_event
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.dialects._explain import explain
from yuzui.dialects._held import HeldTail, with_trailer
from yuzui.dialects._spelling import fields_of
from yuzui.dialects.openai_chat_stream import DONE, HEARTBEAT, error_object

_encoder = msgspec.json.Encoder()
Wire = TypeVar("Wire", bound=msgspec.Struct)


# ---- requests -------------------------------------------------------------------------------------------------------


def read_fields(body: Mapping[str, Any], wire: type[Wire], *, strict: bool = True) -> Wire:  # Any: checked JSON
    """`body`, typed; raise `InvalidRequest` with the field's path and what to change.

    `strict=False` takes the texts of a form for the numbers and truths that they spell.
    """
    fields_of(wire).check(body)
    try:
        return msgspec.convert(body, wire, strict=strict)
    except msgspec.ValidationError as error:
        raise explain(str(error)) from error


def others(body: Mapping[str, Any], understood: frozenset[str]) -> dict[str, Any]:  # Any: checked JSON
    """Fields that no hub type holds: they travel on the lane, and elsewhere are reported as dropped."""
    return {name: value for name, value in body.items() if value is not None and name not in understood}


def one_kind(items: Sequence[object], param: str) -> type:
    """The type of all `items`, of which there is at least one; raise `InvalidRequest` if they have several."""
    first = type(items[0])
    for index, item in enumerate(items):
        if type(item) is not first:
            raise InvalidRequest(
                f"`{param}` mixes texts and token numbers; send a list of one kind", param=f"{param}[{index}]"
            )
    return first


def lane_only(what: str) -> Callable[[Mapping[str, Any]], Meaning]:  # Any: checked JSON
    """For requests that no other dialect can say: their meaning is a refusal."""

    def refuse(body: Mapping[str, Any]) -> NoReturn:  # Any: checked JSON
        raise UnsupportedFeature(
            f"this target has no way to say {what}; name a model whose server speaks OpenAI's API for it", param="model"
        )

    return refuse


# ---- answers --------------------------------------------------------------------------------------------------------


class LaneDialect(ClientDialect):
    """A dialect whose answers go on as they came: an upstream that speaks it is the only one that can answer."""

    @override
    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        if not isinstance(response, Blob):
            raise UpstreamInvalid(f"the target's answer is none to {request.operation}")
        return response.raw

    @override
    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        return EventWriter()

    @override
    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """`{"error": …}`: openai-python picks the exception by status and reads type, param and code from it."""
        return write_error(error, request_id)


def write_error(error: YuzuiError, request_id: str) -> bytes:
    return _encoder.encode({"error": error_object(error, request_id)})


class EventWriter(StreamWriter):
    """Server-sent events that go on as they are; what ends the answer waits, with all behind it, until `finish`."""

    __slots__ = ("_done", "_wants_usage", "tail")

    def __init__(self, *, done: bytes = DONE, wants_usage: bool = True) -> None:
        """`done`: the terminator; `wants_usage`: False when only we asked for the chunk that holds nothing else."""
        self._done = done
        self._wants_usage = wants_usage
        self.tail = HeldTail()

    def spell(self, chunk: StreamChunk) -> bytes:
        """The event's JSON; empty: nothing to send."""
        return chunk.raw

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None and not chunk.deltas and not chunk.has_content and not self._wants_usage:
            return b""
        data = self.spell(chunk)
        if not data:
            return b""
        if not self.tail.must_hold(chunk):
            return write_event(data, chunk.event)
        self.tail.hold(data, chunk.event)
        return b""

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        held = self.tail.take()
        if held:
            event, data = held[-1]
            held[-1] = event, with_trailer(data, trailer)
        return b"".join([write_event(data, event) for event, data in held]) + self._done

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """openai-python raises `APIError` for an event whose JSON has a true `error`. Nothing held is sent."""
        self.tail.take()
        return write_event(write_error(error, request_id))

    @override
    def heartbeat(self) -> bytes:
        return HEARTBEAT


class BytesWriter(StreamWriter):
    """Sound as it comes. The last piece waits for `finish`: until then the answer is a byte or more short."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if not chunk.raw:
            return b""
        ready, self._held = self._held, chunk.raw
        return ready

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        """No place for the trailer: the request id and the receipt are in headers and log only."""
        return self._held

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """Sound has no words for an error: nothing is sent, and the line must break instead of ending."""
        self._held = b""
        return b""

    @override
    def heartbeat(self) -> bytes:
        return b""
