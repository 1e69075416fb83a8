"""Writes a streamGenerateContent stream, as events or as one JSON array, so that a cut one never looks whole.

Google's streams have no terminator: a chunk with a `finishReason` ends them. So whatever ends an answer waits, with all
that follows it, until the pipeline has settled the request. Function calls go out whole, as Google's do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET
from typing_extensions import override

from yuzui.core.chat import Citation, Delta, ReasoningPart, StreamChunk, ToolCallDelta
from yuzui.core.errors import YuzuiError
from yuzui.core.usage import Usage
from yuzui.dialects._contract import StreamWriter
from yuzui.dialects._held import HeldTail
from yuzui.dialects.gemini_answer import (
    FINISH_REASONS,
    WireAnswer,
    WireCandidate,
    WireContent,
    WirePart,
    encode,
    error_object,
    grounding,
    sealed,
    segment,
    write_call,
    write_usage,
)

HEARTBEAT: Final = b"\n"
"""An empty line: `google-genai` 3.6.1 takes a comment for the beginning of an answer and fails; in an array it is white
space between two values."""

_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Writer(StreamWriter):
    """What both lanes share: the frame around each chunk, the end and the failure."""

    __slots__ = ("_has_begun", "_id", "_is_sse")

    def __init__(self, *, request_id: str, is_sse: bool) -> None:
        self._id = request_id
        self._is_sse = is_sse
        self._has_begun = False

    def _frame(self, data: bytes) -> bytes:
        if self._is_sse:
            return b"data: %b\n\n" % data
        head = b",\n" if self._has_begun else b"["
        self._has_begun = True
        return head + data

    def _end(self) -> bytes:
        return b"" if self._is_sse else b"]\n"

    @override
    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """`google-genai` raises for a chunk whose JSON begins with `error`. Nothing held is sent; an array is closed
        behind it, because its readers see nothing of it otherwise."""
        return self._frame(encode({"error": error_object(error, request_id)})) + self._end()

    @override
    def heartbeat(self) -> bytes:
        return HEARTBEAT


class LaneWriter(_Writer):
    """The upstream speaks our dialect: its chunks go on as they are."""

    __slots__ = ("_tail",)

    def __init__(self, *, request_id: str, is_sse: bool) -> None:
        super().__init__(request_id=request_id, is_sse=is_sse)
        self._tail = HeldTail()

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if not self._tail.must_hold(chunk):
            return self._frame(chunk.raw)
        self._tail.hold(chunk.raw)
        return b""

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        held = [data for _, data in self._tail.take()]
        if not held:
            held = [encode(WireAnswer(candidates=[], model="", id=self._id))]
        last = _raw_fields.decode(held[-1])
        last["yuzui"] = msgspec.Raw(encode(trailer))  # replaces the one of a gateway behind us
        held[-1] = encode(last)
        return b"".join([self._frame(data) for data in held]) + self._end()


class HubWriter(_Writer):
    """The upstream speaks another dialect: its chunks are written anew."""

    __slots__ = ("_candidates", "_model", "_origin", "_response_id", "_usage")

    def __init__(self, *, request_id: str, is_sse: bool, origin: str) -> None:
        super().__init__(request_id=request_id, is_sse=is_sse)
        self._origin = origin
        self._candidates: dict[int, _Candidate] = {}
        self._usage: Usage | None = None
        self._model = ""
        self._response_id = request_id

    @override
    def write(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None:
            self._usage = chunk.usage  # counts only grow: the last ones are the whole
        if chunk.id:
            self._response_id = chunk.id
        if chunk.model:
            self._model = chunk.model
        said: list[WireCandidate] = []
        for delta in chunk.deltas:
            candidate = self._candidates.get(delta.index)
            if candidate is None:
                candidate = self._candidates[delta.index] = _Candidate(self._origin)
            parts = candidate.take(delta)
            if parts:
                said.append(WireCandidate(content=WireContent(parts=parts), index=delta.index))
        if not said:
            return b""
        return self._frame(encode(WireAnswer(candidates=said, model=self._model, id=self._response_id)))

    @override
    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        last = WireAnswer(
            candidates=[candidate.end(index) for index, candidate in sorted(self._candidates.items())],
            usage=UNSET if self._usage is None else write_usage(self._usage),
            model=self._model,
            id=self._response_id,
            yuzui=trailer,
        )
        return self._frame(encode(last)) + self._end()


class _Candidate:
    """One answer of the stream: what of it cannot be said yet."""

    __slots__ = (
        "_calls",
        "_cited",
        "_finish",
        "_has_words",
        "_id",
        "_is_summary",
        "_origin",
        "_refusal",
        "_seal",
        "_texts",
        "_thinks",
    )

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._calls: dict[int, _Call] = {}
        self._texts: list[str] = []
        self._cited: list[Citation] = []
        self._thinks = False  # a thought was begun, and its end, which carries the seal, was not said
        self._has_words = False
        self._seal = ""  # of a thought without words, for the next part
        self._id = ""
        self._is_summary = False
        self._refusal = False
        self._finish = ""

    def take(self, delta: Delta) -> list[WirePart]:
        """The parts that can be said now."""
        if delta.text and not (self._calls or self._thinks or self._seal):  # nearly every chunk of nearly every stream
            parts = [WirePart(text=delta.text)]
            self._texts.append(delta.text)
        else:
            parts = []
            if delta.reasoning or delta.reasoning_id or delta.signature or delta.redacted:
                self._think(delta, parts)
            if delta.text:
                self._end_thought(parts)
                self._say_calls(parts)
                self._say(WirePart(text=delta.text), parts)
                self._texts.append(delta.text)
        if delta.refusal:
            self._end_thought(parts)
            self._say(WirePart(text=delta.refusal), parts)
            self._refusal = True
        if delta.citations:
            self._cited += delta.citations
        for call in delta.tool_calls:
            self._end_thought(parts)
            self._add(call)
        if delta.finish_reason is not None:
            self._finish = FINISH_REASONS[delta.finish_reason]
        return parts

    def end(self, index: int) -> WireCandidate:
        """What was held back, and why the answer ended."""
        parts: list[WirePart] = []
        self._end_thought(parts)
        self._say_calls(parts, all_of_them=True)
        self._say_seal(parts)
        text = "".join(self._texts) if self._cited else ""
        return WireCandidate(
            content=WireContent(parts=parts or [WirePart(text="")]),  # clients take a chunk without a part for none
            finish_reason="SAFETY" if self._refusal else self._finish or "OTHER",
            index=index,
            grounding=grounding([(cited, segment(text, cited.start, cited.end)) for cited in self._cited]),
        )

    def _think(self, delta: Delta, parts: list[WirePart]) -> None:
        if delta.reasoning_id and delta.reasoning_id != self._id:
            self._end_thought(parts)
            self._id = delta.reasoning_id
            self._thinks = True
        if delta.reasoning:
            self._say_calls(parts)
            self._is_summary = delta.is_summary
            self._say_seal(parts)
            self._thinks = self._has_words = True
            parts.append(WirePart(text=delta.reasoning, thought=True))
        if delta.signature or delta.redacted:
            self._say_calls(parts)
            self._end_thought(parts, signature=delta.signature, redacted=delta.redacted)

    def _end_thought(self, parts: list[WirePart], *, signature: str = "", redacted: str = "") -> None:
        """Seal the thought that was being written; also one that nobody signed, so that its origin is known later."""
        if not (self._thinks or signature or redacted):
            return
        thought = ReasoningPart(
            text="", signature=signature, redacted=redacted, id=self._id, is_summary=self._is_summary
        )
        self._say_seal(parts)
        if self._has_words:
            parts.append(WirePart(text="", thought=True, signature=sealed(thought, self._origin)))
        else:
            self._seal = sealed(thought, self._origin)
        self._thinks, self._has_words, self._id, self._is_summary = False, False, "", False

    def _say_seal(self, parts: list[WirePart]) -> None:
        """The seal of a thought without words, when no part came to stand on."""
        if self._seal:
            parts.append(WirePart(text="", signature=self._seal))
            self._seal = ""

    def _say(self, part: WirePart, parts: list[WirePart]) -> None:
        """Without words a thought stands on the next part, as Google has it: clients leave out empty thoughts."""
        if self._seal:
            part.signature, self._seal = self._seal, ""
        parts.append(part)

    def _add(self, piece: ToolCallDelta) -> None:
        call = self._calls.get(piece.position)
        if call is None:
            call = self._calls[piece.position] = _Call()
        call.id = call.id or piece.id
        call.name = call.name or piece.name
        if piece.arguments:
            call.arguments.append(piece.arguments)

    def _say_calls(self, parts: list[WirePart], *, all_of_them: bool = False) -> None:
        """Calls that are complete because something else follows them; at the end, all."""
        for position, call in sorted(self._calls.items()):
            arguments = "".join(call.arguments)
            if all_of_them or _is_whole(arguments):
                self._say(WirePart(call=write_call(call.id, call.name, arguments)), parts)
                del self._calls[position]


class _Call:
    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


def _is_whole(arguments: str) -> bool:
    try:
        _raw_fields.decode(arguments)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True
