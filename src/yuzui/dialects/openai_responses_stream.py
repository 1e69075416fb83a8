"""Writes an answer of another dialect as a Responses stream, so that a cut one can never look complete.

Every item is opened and closed: a thought and a message as soon as another kind begins, tool calls, whose pieces may
interleave, at the end. What closes the last items waits, with the event that ends the answer, until the pipeline has
settled the request and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET
from typing_extensions import override

from yuzui.core.chat import (
    AnswerFacts,
    ChatRequest,
    Citation,
    Delta,
    FinishReason,
    ReasoningPart,
    StreamChunk,
    ToolCallDelta,
)
from yuzui.core.custom_tools import InputReader
from yuzui.core.errors import YuzuiError
from yuzui.core.usage import Usage
from yuzui.dialects import openai_responses_events as events
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects.openai_responses_answer import (
    AnyCitation,
    Heading,
    MessageItem,
    MessagePart,
    OutputItem,
    OutputText,
    ReasoningItem,
    ReasoningText,
    RefusalPart,
    Response,
    Status,
    SummaryText,
    call_item,
    call_name,
    incomplete_reason,
    shows_summaries,
    thought_item,
    write_citation,
)
from yuzui.dialects.openai_responses_tools import Declared, declared_tools


class HubWriter(StreamWriter):
    __slots__ = (
        "_calls",
        "_declared",
        "_done",
        "_final",
        "_finish",
        "_heading",
        "_items",
        "_message",
        "_model",
        "_name",
        "_number",
        "_origin",
        "_out",
        "_sent_number",
        "_shows_summaries",
        "_tail",
        "_thought",
        "_usage",
    )

    def __init__(self, request: ChatRequest, facts: AnswerFacts) -> None:
        self._heading = Heading(request, facts)
        self._name = facts.request_id.removeprefix("req_")
        self._origin = facts.origin
        self._declared = declared_tools(request.body)
        self._shows_summaries = shows_summaries(request.body)
        self._model = ""
        self._number = 0  # of the next event
        self._sent_number = 0
        self._items = 0  # opened so far
        self._done: dict[int, OutputItem] = {}
        self._thought: _Thought | None = None
        self._message: _Message | None = None
        self._calls: dict[int, _Call] = {}
        self._finish: FinishReason | None = None
        self._usage: Usage | None = None
        self._out: list[bytes] = []
        self._tail = b""
        self._final: Response | None = None

    # ---- what comes in ----------------------------------------------------------------------------------------------

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None:
            self._usage = chunk.usage  # counts only grow: the last ones are the whole
        if not chunk.deltas:
            return b""
        if not self._number:
            self._start(chunk.model)
        for delta in chunk.deltas:
            if not delta.index:  # this API has one answer
                self._take(delta)
        if not self._out:
            return b""
        self._sent_number = self._number
        return self._flush()

    def _start(self, model: str) -> None:
        self._model = model
        begun = self._heading.response(model, "in_progress", ())
        self._out += [
            events.frame_lifecycle(events.Lifecycle(type="response.created", sequence_number=0, response=begun)),
            events.frame_lifecycle(events.Lifecycle(type="response.in_progress", sequence_number=1, response=begun)),
        ]
        self._number = 2

    def _take(self, delta: Delta) -> None:
        if delta.reasoning or delta.signature or delta.redacted or delta.reasoning_id:
            self._think(delta)
        if delta.text:
            self._say(delta.text)
        if delta.citations:
            self._cite(delta.citations)
        if delta.refusal:
            self._refuse(delta.refusal)
        for call in delta.tool_calls:
            self._call(call)
        if delta.finish_reason is not None:
            self._finish = delta.finish_reason

    def _emit(self, event: events.Event) -> None:
        self._out.append(events.frame(event))
        self._number += 1

    def _flush(self) -> bytes:
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def _open(self, item: OutputItem) -> int:
        at = self._items
        self._items += 1
        self._emit(events.ItemAdded(self._number, at, item))
        return at

    def _close(self, at: int, item: OutputItem) -> None:
        self._done[at] = item
        self._emit(events.ItemDone(self._number, at, item))

    # ---- thoughts ---------------------------------------------------------------------------------------------------

    def _think(self, delta: Delta) -> None:
        thought = self._thought
        if thought is not None and thought.is_another(delta):
            self._close_thought()
        thought = self._thought or self._open_thought(delta)
        if delta.reasoning:
            if not thought.pieces:
                thought.is_summary = delta.is_summary
                thought.is_shown_as_summary = delta.is_summary or self._shows_summaries
                self._emit(thought.part(self._number, is_done=False))
            thought.pieces.append(delta.reasoning)
            kind = events.SummaryDelta if thought.is_shown_as_summary else events.ThoughtDelta
            self._emit(kind(self._number, thought.name, thought.at, 0, delta.reasoning))
        if delta.signature or delta.redacted:  # which is its end
            thought.signature, thought.redacted = delta.signature, delta.redacted
            self._close_thought()

    def _open_thought(self, delta: Delta) -> _Thought:
        self._close_message("completed")
        name = f"rs_{self._name}_{self._items}"
        is_raw = bool(delta.reasoning) and not (delta.is_summary or self._shows_summaries)
        at = self._open(ReasoningItem(id=name, content=() if is_raw else UNSET))
        self._thought = _Thought(at, name, delta.reasoning_id)
        return self._thought

    def _close_thought(self) -> None:
        thought, self._thought = self._thought, None
        if thought is None:
            return
        text = "".join(thought.pieces)
        if text:
            kind = events.SummaryDone if thought.is_shown_as_summary else events.ThoughtDone
            self._emit(kind(self._number, thought.name, thought.at, 0, text))
            self._emit(thought.part(self._number, is_done=True))
        part = ReasoningPart(
            text=text,
            signature=thought.signature,
            redacted=thought.redacted,
            id=thought.vendor_id,
            is_summary=thought.is_summary,
        )
        self._close(thought.at, thought_item(thought.name, part, self._origin, as_summary=thought.is_shown_as_summary))

    # ---- messages ---------------------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        message = self._message
        if message is None or message.kind != "text":
            message = self._open_part("text", OutputText(text=""))
        message.pieces.append(text)
        message.length += len(text)
        self._emit(events.TextDelta(self._number, message.name, message.at, len(message.content), text))

    def _refuse(self, text: str) -> None:
        message = self._message
        if message is None or message.kind != "refusal":
            message = self._open_part("refusal", RefusalPart(""))
        message.pieces.append(text)
        self._emit(events.RefusalDelta(self._number, message.name, message.at, len(message.content), text))

    def _cite(self, citations: Sequence[Citation]) -> None:
        message = self._message
        if message is None or message.kind != "text":
            return  # a source of nothing
        if message.length != message.cited:
            message.uncited, message.cited = message.cited, message.length
        for citation in citations:
            start = message.uncited if citation.start is None else citation.start
            annotation = write_citation(citation, start, message.length if citation.end is None else citation.end)
            place = (message.name, message.at, len(message.content), len(message.annotations))
            message.annotations.append(annotation)
            self._emit(events.AnnotationAdded(self._number, *place, annotation))

    def _open_part(self, kind: str, part: MessagePart) -> _Message:
        self._close_thought()
        message = self._message
        if message is None:
            name = f"msg_{self._name}_{self._items}"
            at = self._open(MessageItem(id=name, status="in_progress"))
            message = self._message = _Message(at, name)
        self._close_part(message)
        message.kind = kind
        self._emit(events.PartAdded(self._number, message.name, message.at, len(message.content), part))
        return message

    def _close_part(self, message: _Message) -> None:
        if not message.kind:
            return
        place = (message.name, message.at, len(message.content))
        said = "".join(message.pieces)
        part: MessagePart
        if message.kind == "text":
            part = OutputText(text=said, annotations=message.annotations)
            self._emit(events.TextDone(self._number, *place, said))
        else:
            part = RefusalPart(said)
            self._emit(events.RefusalDone(self._number, *place, said))
        self._emit(events.PartDone(self._number, *place, part))
        message.content.append(part)
        message.begin()

    def _close_message(self, status: Status) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        self._close_part(message)
        self._close(message.at, MessageItem(id=message.name, status=status, content=message.content))

    # ---- calls ------------------------------------------------------------------------------------------------------

    def _call(self, piece: ToolCallDelta) -> None:
        call = self._calls.get(piece.position) or self._open_call(piece)
        said = piece.arguments
        if not said:
            return
        if call.reader is not None:
            said = call.reader.feed(said)
            if not said:
                return
        call.pieces.append(said)
        kind = events.InputDelta if call.is_custom else events.ArgumentsDelta
        self._emit(kind(self._number, call.name, call.at, said))

    def _open_call(self, piece: ToolCallDelta) -> _Call:
        self._close_thought()
        self._close_message("completed")
        tool = self._declared.get(piece.name) or Declared(piece.name)
        at = self._items
        is_custom = tool.is_custom or piece.is_custom
        call = _Call(
            at,
            call_name(self._name, at, is_custom=is_custom),
            piece.id or f"call_{self._name}_{at}",
            tool,
            is_custom,
            InputReader() if is_custom and not piece.is_custom else None,
        )
        self._calls[piece.position] = call
        self._open(call.item("in_progress", ""))
        return call

    def _close_call(self, call: _Call, status: Status) -> None:
        if call.reader is not None and (rest := call.reader.close()):
            call.pieces.append(rest)
            self._emit(events.InputDelta(self._number, call.name, call.at, rest))
        said = "".join(call.pieces)
        if call.is_custom:
            self._emit(events.InputDone(self._number, call.name, call.at, said))
        else:
            said = said or "{}"  # how some models call without arguments; here it must be JSON
            self._emit(events.ArgumentsDone(self._number, call.name, call.at, call.tool.name, said))
        self._close(call.at, call.item(status, said))

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _conclude(self) -> Response:
        """Close what is open, into the tail, and make the whole answer; once."""
        if self._final is not None:
            return self._final
        if not self._number:
            self._start("")
            self._sent_number = self._number
        reason = incomplete_reason(self._finish)
        last = self._items - 1
        status: Status = "completed" if reason is None else "incomplete"
        self._close_thought()
        is_message_last = self._message is not None and self._message.at == last
        self._close_message(status if is_message_last else "completed")
        for call in sorted(self._calls.values(), key=lambda call: call.at):
            self._close_call(call, status if call.at == last else "completed")
        self._tail = self._flush() if self._out else b""
        output = [self._done[at] for at in range(self._items)]
        self._final = self._heading.response(self._model, status, output, incomplete=reason, usage=self._usage)
        return self._final

    @override
    def kept(self) -> bytes:
        return events.encode(self._conclude())

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        response = self._conclude()
        return self._tail + events.frame_lifecycle(
            events.Lifecycle(
                type="response.completed" if response.status == "completed" else "response.incomplete",
                sequence_number=self._number,
                response=response,
                yuzui=dict(trailer),
            )
        )

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """openai-python raises `APIError` for an event whose JSON has a true `error`. Nothing held is sent."""
        response = self._heading.response(self._model, "failed", (), error=events.response_error(error))
        return events.frame_failure(error, request_id, self._sent_number, response)

    @override
    def heartbeat(self) -> bytes:
        return events.HEARTBEAT


# ---- what is open --------------------------------------------------------------------------------------------------


class _Thought:
    __slots__ = ("at", "is_shown_as_summary", "is_summary", "name", "pieces", "redacted", "signature", "vendor_id")

    def __init__(self, at: int, name: str, vendor_id: str) -> None:
        self.at = at
        self.name = name
        self.vendor_id = vendor_id
        self.pieces: list[str] = []
        self.is_summary = False
        self.is_shown_as_summary = False
        self.signature = ""
        self.redacted = ""

    def is_another(self, delta: Delta) -> bool:
        """Whether `delta` begins a thought of its own: another name, or a summary behind a raw one."""
        if delta.reasoning_id not in ("", self.vendor_id):
            return True
        return bool(delta.reasoning and self.pieces) and self.is_summary is not delta.is_summary

    def part(self, number: int, *, is_done: bool) -> events.Event:
        text = "".join(self.pieces) if is_done else ""
        place = (number, self.name, self.at, 0)
        if self.is_shown_as_summary:
            summary = SummaryText(text)
            return events.SummaryPartDone(*place, summary) if is_done else events.SummaryPartAdded(*place, summary)
        raw = ReasoningText(text)
        return events.PartDone(*place, raw) if is_done else events.PartAdded(*place, raw)


class _Message:
    __slots__ = ("annotations", "at", "cited", "content", "kind", "length", "name", "pieces", "uncited")

    def __init__(self, at: int, name: str) -> None:
        self.at = at
        self.name = name
        self.content: list[MessagePart] = []
        self.begin()

    def begin(self) -> None:
        """No part is open."""
        self.kind = ""
        self.pieces: list[str] = []
        self.annotations: list[AnyCitation] = []
        self.length = 0  # characters of the part so far
        self.cited = 0  # up to where sources were told
        self.uncited = 0  # from where the text that was cited last began


class _Call:
    __slots__ = ("at", "call_id", "is_custom", "name", "pieces", "reader", "tool")

    def __init__(
        self, at: int, name: str, call_id: str, tool: Declared, is_custom: bool, reader: InputReader | None
    ) -> None:
        self.at = at
        self.name = name
        self.call_id = call_id
        self.tool = tool
        self.is_custom = is_custom
        self.reader = reader
        self.pieces: list[str] = []

    def item(self, status: Status, said: str) -> OutputItem:
        return call_item(self.name, self.call_id, self.tool, said, is_custom=self.is_custom, status=status)
