"""Reads a stream of Responses events; on the same-dialect lane each event also goes on as it came.

What a server sends only when an item is done (a call in one piece, a thought's encrypted content, a text without
deltas) is told then; what came in deltas is not told twice. The end is `response.completed` or `response.incomplete`;
`response.failed` and `error` are faults, and bytes that stop without any of them are a cut stream.

Source: openai==3.57.0, types/responses/response_stream_event.py (read 2026-11-26).
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from typing_extensions import override

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.price_terms import PriceTerm, told_terms
from yuzui.core.sse import SseReader
from yuzui.core.usage import Usage
from yuzui.providers._openai_responses_reply import (
    WireAnnotation,
    WireFailure,
    WireItem,
    WirePiece,
    WireResponse,
    arguments_of,
    call_id_of,
    citation_of,
    fault_of,
    finish_of,
    is_call,
    pieces_of,
    read_usage,
    seconds,
    thought_of,
)
from yuzui.providers._reading import BAD, HoldingDecoder, reason_of

_T = TypeVar("_T")
_KNOWN: Final = frozenset(
    (
        "error",
        "response.completed",
        "response.content_part.done",
        "response.created",
        "response.custom_tool_call_input.delta",
        "response.failed",
        "response.function_call_arguments.delta",
        "response.incomplete",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.annotation.added",
        "response.output_text.delta",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta",
        "response.refusal.delta",
    )
)

_BEGINNINGS: Final = frozenset(("response.created", "response.in_progress", "response.queued"))


class StreamDecoder(HoldingDecoder):
    """One stream. A fault behind good events is raised on the next call: no cut of the bytes changes the chunks."""

    __slots__ = (
        "_calls",
        "_closed",
        "_created_s",
        "_held",
        "_id",
        "_keeps_raw",
        "_model",
        "_notes",
        "_price_terms",
        "_reader",
        "_said",
        "_thoughts",
    )

    def __init__(self, *, keeps_raw: bool) -> None:
        super().__init__()
        self._keeps_raw = keeps_raw
        self._reader = SseReader()
        self._id = ""
        self._model = ""
        self._created_s = 0
        self._price_terms: tuple[PriceTerm, ...] = ()
        self._calls: dict[int, _Call] = {}
        self._thoughts: dict[int, _Thought] = {}
        self._said: set[tuple[int, int]] = set()
        """Output and content index of each text and refusal that came in deltas."""
        self._notes: dict[tuple[int, int], int] = {}
        """How many annotations of a text were told."""
        self._closed: set[int] = set()
        self._held: list[StreamChunk] = []
        """What says nothing yet: handed out with what follows, so that a failure at once can be answered elsewhere."""

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for name, payload in self._reader.feed(data):
            self._read(name, payload, chunks)
            if self._is_complete:
                break

    def _read(self, name: str, payload: bytes, chunks: list[StreamChunk]) -> None:
        self.events += 1
        try:
            event = _event.decode(payload)
        except BAD as error:
            kind = _kind_of(name, payload)
            if kind is None or kind in _KNOWN:
                raise UpstreamInvalid(
                    f"event {self.events} of the target's stream is broken: {reason_of(error)}"
                ) from error
            event = _Event(type=kind)
        deltas, usage = self._take(event)
        if self._keeps_raw:
            raw = payload.replace(b"\n", b" ")  # one line for the client; JSON breaks lines between tokens only
            chunk = self._chunk(tuple(deltas), usage, raw, event.type or name)  # clients go by what stands in the event
            if event.type in _BEGINNINGS:
                self._held.append(chunk)
                return
            if self._held:
                chunks += self._held
                self._held = []
            chunks.append(chunk)
            return
        for delta in deltas:
            # Counts come with the last delta: whoever holds back the end holds back nothing that belongs before it.
            chunks.append(self._chunk((delta,), usage if delta is deltas[-1] else None))

    def _chunk(
        self, deltas: tuple[Delta, ...], usage: Usage | None = None, raw: bytes = b"", event: str = ""
    ) -> StreamChunk:
        return StreamChunk(
            id=self._id,
            model=self._model,
            created_s=self._created_s,
            deltas=deltas,
            usage=usage,
            raw=raw,
            event=event,
            has_content=event == "response.image_generation_call.partial_image",
            price_terms=self._price_terms,
        )

    def _take(self, event: _Event) -> tuple[list[Delta], Usage | None]:
        """What an event says, most frequent kinds first."""
        match event.type:
            case "response.output_text.delta":
                self._said.add((event.output_index, event.content_index))
                return [Delta(text=event.delta)], None
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta":
                return self._add_arguments(event), None
            case "response.reasoning_summary_text.delta":
                return [self._thought(event).add_summary(event.delta, event.summary_index)], None
            case "response.reasoning_text.delta":
                return [self._thought(event).add(event.delta)], None
            case "response.refusal.delta":
                self._said.add((event.output_index, event.content_index))
                return [Delta(refusal=event.delta)], None
            case "response.output_item.added":
                return self._open_item(event), None
            case "response.output_item.done":
                item = _need(event.item, event, "item")
                return self._close_item(item, event.output_index), None
            case "response.content_part.done":
                piece = _need(event.part, event, "part")
                return self._close_piece(piece, event.output_index, event.content_index), None
            case "response.output_text.annotation.added":
                return self._annotate(event), None
            case kind if kind in _BEGINNINGS:
                self._begin(event.response)
            case "response.completed" | "response.incomplete":
                return self._finish(event, _need(event.response, event, "response"))
            case "response.failed" | "error":
                raise self._failure(event)
        return [], None

    def _begin(self, response: WireResponse | None) -> None:
        if response is not None:
            self._id = response.id or self._id
            self._model = response.model or self._model
            self._created_s = seconds(response.created_at) or self._created_s

    def _open_item(self, event: _Event) -> list[Delta]:
        item = _need(event.item, event, "item")
        return [self._open_call(item, event.output_index)] if is_call(item) else []

    def _open_call(self, item: WireItem, index: int) -> Delta:
        is_custom = item.type == "custom_tool_call"
        call = self._calls[index] = _Call(len(self._calls), is_custom)
        call_id = call_id_of(item)
        return call.say(ToolCallDelta(position=call.position, id=call_id, name=item.name or "", is_custom=is_custom))

    def _add_arguments(self, event: _Event) -> list[Delta]:
        call = self._calls.get(event.output_index)
        if call is None or not event.delta:
            return []  # never announced: `output_item.done` tells all of it
        call.has_arguments = True
        piece = ToolCallDelta(position=call.position, arguments=event.delta, is_custom=call.is_custom)
        return [call.say(piece)]

    def _thought(self, event: _Event) -> _Thought:
        thought = self._thoughts.get(event.output_index)
        if thought is None:
            thought = self._thoughts[event.output_index] = _Thought(event.item_id)
        return thought

    def _close_item(self, item: WireItem, index: int) -> list[Delta]:
        """What of a finished item was not told yet."""
        if index in self._closed:
            return []
        self._closed.add(index)
        if item.type == "message":
            deltas: list[Delta] = []
            for position, piece in enumerate(pieces_of(item)):
                deltas += self._close_piece(piece, index, position)
            return deltas
        if item.type == "reasoning":
            return self._close_thought(item, index)
        if not is_call(item):
            return []
        deltas = [] if index in self._calls else [self._open_call(item, index)]
        call = self._calls[index]
        arguments = arguments_of(item)
        if arguments and not call.has_arguments:
            call.has_arguments = True
            deltas.append(
                call.say(ToolCallDelta(position=call.position, arguments=arguments, is_custom=call.is_custom))
            )
        return deltas

    def _close_thought(self, item: WireItem, index: int) -> list[Delta]:
        whole, told = thought_of(item), self._thoughts.get(index)
        if whole is None:
            return []
        delta = Delta(
            reasoning="" if told is not None else whole.text,
            redacted=whole.redacted,
            reasoning_id="" if told is not None and told.was_named else whole.id,
            is_summary=told.is_summary if told is not None else whole.is_summary,
        )
        return [delta] if delta.reasoning or delta.redacted else []

    def _close_piece(self, piece: WirePiece, index: int, position: int) -> list[Delta]:
        if piece.type == "reasoning_text":
            return []  # the item's end tells it, with its name
        key = (index, position)
        deltas: list[Delta] = []
        if key not in self._said and (piece.text or piece.refusal):
            self._said.add(key)
            deltas.append(Delta(text=piece.text or "", refusal=piece.refusal or ""))
        notes = (piece.annotations or [])[self._notes.get(key, 0) :]
        if notes:
            self._notes[key] = self._notes.get(key, 0) + len(notes)
            citations = [citation for note in notes if (citation := citation_of(note)) is not None]
            if citations:
                deltas.append(Delta(citations=tuple(citations)))
        return deltas

    def _annotate(self, event: _Event) -> list[Delta]:
        key = (event.output_index, event.content_index)
        self._notes[key] = self._notes.get(key, 0) + 1
        citation = citation_of(event.annotation) if event.annotation is not None else None
        return [] if citation is None else [Delta(citations=(citation,))]

    def _finish(self, event: _Event, response: WireResponse) -> tuple[list[Delta], Usage | None]:
        self._begin(response)
        if response.error is not None:
            raise fault_of(response.error, f"event {self.events}")
        deltas: list[Delta] = []
        for index, item in enumerate(response.output or ()):
            deltas += self._close_item(item, index)
        if event.type == "response.incomplete" and response.status != "incomplete":
            response = msgspec.structs.replace(response, status="incomplete")
        self._price_terms = told_terms(service_tier=response.service_tier)  # before the end it is what was asked for
        finish, native = finish_of(response, bool(self._calls))
        deltas.append(Delta(finish_reason=finish, native_finish=native))
        self.end()
        return deltas, read_usage(response)

    def _failure(self, event: _Event) -> UpstreamFault:
        nested = event.response.error if event.response is not None else event.error
        if nested is not None:
            return fault_of(nested, f"event {self.events}")
        if event.type == "error":
            return fault_of(WireFailure(code=event.code, message=event.message), f"event {self.events}")
        return fault_of(WireFailure(), f"event {self.events}")


class _Call:
    """A tool call whose arguments still arrive."""

    __slots__ = ("has_arguments", "is_custom", "position")

    def __init__(self, position: int, is_custom: bool) -> None:
        self.position = position
        self.is_custom = is_custom
        self.has_arguments = False

    def say(self, piece: ToolCallDelta) -> Delta:
        return Delta(tool_calls=(piece,))


class _Thought:
    """A thought that is being told; its name goes with its first piece."""

    __slots__ = ("_name", "_part", "is_summary", "was_named")

    def __init__(self, name: str) -> None:
        self._name = name
        self._part = 0
        self.is_summary = False
        self.was_named = False

    def add(self, text: str) -> Delta:
        return Delta(reasoning=text, reasoning_id=self._take_name())

    def add_summary(self, text: str, part: int) -> Delta:
        """Parts of a summary are paragraphs."""
        if part != self._part:
            self._part = part
            text = "\n\n" + text
        self.is_summary = True
        return Delta(reasoning=text, reasoning_id=self._take_name(), is_summary=True)

    def _take_name(self) -> str:
        name, self._name = self._name, ""
        self.was_named = self.was_named or bool(name)
        return name


class _Event(Struct, frozen=True):
    type: str = ""
    delta: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    item_id: str = ""
    item: WireItem | None = None
    part: WirePiece | None = None
    annotation: WireAnnotation | None = None
    response: WireResponse | None = None
    error: WireFailure | None = None
    code: str | int | None = None
    message: str | None = None


class _Kind(Struct, frozen=True):
    type: str = ""


_event = msgspec.json.Decoder(_Event)
_kind = msgspec.json.Decoder(_Kind)


def _kind_of(name: str, payload: bytes) -> str | None:
    """What kind of event a payload that does not fit is; None when it is no event at all."""
    try:
        return _kind.decode(payload).type or name or None
    except BAD:
        return name or None


def _need(value: _T | None, event: _Event, name: str) -> _T:
    if value is None:
        raise UpstreamInvalid(f"an event of the target's stream ({event.type}) lacks `{name}`")
    return value
