"""A stream of generateContent as core.chat.

Source: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent (2026-11-26).
"""

from __future__ import annotations

from typing_extensions import override

from yuzui.core.chat import Delta, StreamChunk, ToolCallDelta
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.sse import SseReader
from yuzui.providers._gemini_answer import (
    NOT_FINISHED,
    WireAnswer,
    WireCandidate,
    WireFeedback,
    WirePart,
    arguments_of,
    call_id,
    citations_of,
    finish_of,
    price_terms_of,
    read_usage,
    read_wire,
    refusal_of,
    searches_of,
)
from yuzui.providers._gemini_faults import find_error, stream_fault
from yuzui.providers._reading import BAD, HoldingDecoder, reason_of


class StreamDecoder(HoldingDecoder):
    """One stream. It has no terminator: it is complete when the bytes are over and each candidate has told its end.

    On the lane each event is one chunk, untouched; otherwise its parts become chunks of their own.
    """

    __slots__ = (
        "_ended",
        "_is_lane",
        "_open",
        "_reader",
        "_searches",
        "_states",
    )

    def __init__(self, *, is_lane: bool) -> None:
        super().__init__()
        self._is_lane = is_lane
        self._reader = SseReader()
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._states: dict[int, _State] = {}
        self._searches = 0

    @override
    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        for _, raw in self._reader.feed(data):
            self.events += 1
            self._read(raw, chunks)

    @override
    def read_end(self) -> None:
        if not self._open or self._open != self._ended or not self._reader.close():
            super().read_end()
        self.end()

    def _read(self, raw: bytes, chunks: list[StreamChunk]) -> None:
        try:
            found = read_wire(raw)
            if self._is_lane:
                raw.decode()  # what is skipped over unread goes to the client all the same
        except BAD as error:
            raise UpstreamInvalid(
                f"event {self.events} of the target's stream is broken: {reason_of(error)}"
            ) from error
        if not (found.candidates or found.usageMetadata or found.promptFeedback):
            error_found = find_error(raw)
            if error_found is not None:
                raise stream_fault(error_found)
            if not self._is_lane:
                return  # kinds of events to come
        deltas: list[Delta] = []
        has_media = False
        for number, candidate in enumerate(found.candidates or ()):
            has_media = self._read_candidate(candidate, found, number, deltas) or has_media
        if found.promptFeedback is not None and found.promptFeedback.blockReason:
            self._block(found.promptFeedback, deltas)
        usage = read_usage(found.usageMetadata, self._searches)
        terms = price_terms_of(found.usageMetadata)
        answer_id, model = found.responseId or "", found.modelVersion or ""
        if self._is_lane:
            if b"\n" in raw:  # an event of several data lines, in JSON between tokens only: one line for the client
                raw = raw.replace(b"\n", b" ")
            said = tuple(deltas)
            chunks.append(
                StreamChunk(
                    id=answer_id,
                    model=model,
                    deltas=said,
                    usage=usage,
                    raw=raw,
                    has_content=has_media,
                    price_terms=terms,
                )
            )
            return
        for delta in deltas[:-1]:  # each in a chunk of its own: two of one candidate in one would lose their order
            chunks.append(StreamChunk(id=answer_id, model=model, deltas=(delta,)))
        if deltas or usage is not None:
            last = tuple(deltas[-1:])
            chunks.append(StreamChunk(id=answer_id, model=model, deltas=last, usage=usage, price_terms=terms))

    def _read_candidate(self, candidate: WireCandidate, found: WireAnswer, number: int, deltas: list[Delta]) -> bool:
        """Add what `candidate` says to `deltas`; say whether it holds what no delta tells."""
        index = number if candidate.index is None else candidate.index
        state = self._states.get(index)
        if state is None:
            state = self._states[index] = _State()
            self._open.add(index)
        has_media = False
        content = candidate.content
        for part in (content.parts or ()) if content is not None else ():
            has_media = self._read_part(part, index, state, found.responseId or "", deltas) or has_media
        if candidate.groundingMetadata is not None or candidate.citationMetadata is not None:
            self._searches = max(self._searches, searches_of(candidate))
            cited = [] if self._is_lane else citations_of(candidate, "".join(state.texts))
            if cited:
                deltas.append(Delta(index=index, citations=tuple(cited)))
        if candidate.finishReason and candidate.finishReason != NOT_FINISHED:
            self._ended.add(index)
            finish = finish_of(candidate.finishReason, has_calls=state.calls > 0)
            refusal = ""
            if finish == "content_filter" and not state.has_text:
                refusal = refusal_of(candidate.finishReason, candidate.finishMessage)
            native = candidate.finishReason
            deltas.append(Delta(index=index, finish_reason=finish, native_finish=native, refusal=refusal))
        return has_media

    def _read_part(self, part: WirePart, index: int, state: _State, answer_id: str, deltas: list[Delta]) -> bool:
        """Add a streamed part to `deltas`; say whether it holds what no delta tells."""
        signature = part.thoughtSignature or ""
        if part.thought:
            if part.text or signature:
                deltas.append(Delta(index=index, reasoning=part.text or "", signature=signature, is_summary=True))
            return False
        if signature:
            deltas.append(Delta(index=index, signature=signature))
        if part.text:
            state.has_text = True
            if not self._is_lane:
                state.texts.append(part.text)
            deltas.append(Delta(index=index, text=part.text))
            return False
        call = part.functionCall
        if call is not None:
            position = state.calls
            state.calls += 1
            made = call.id or call_id(answer_id, index, position, call)
            piece = ToolCallDelta(position=position, id=made, name=call.name or "", arguments=arguments_of(call))
            deltas.append(Delta(index=index, tool_calls=(piece,)))
            return False
        return part.inlineData is not None or part.is_of_server_tools

    def _block(self, feedback: WireFeedback, deltas: list[Delta]) -> None:
        reason = feedback.blockReason or ""
        self._open.add(0)
        self._ended.add(0)
        refusal = refusal_of(reason, feedback.blockReasonMessage)
        deltas.append(Delta(finish_reason="content_filter", native_finish=reason, refusal=refusal))


class _State:
    """What a candidate has said so far."""

    __slots__ = ("calls", "has_text", "texts")

    def __init__(self) -> None:
        self.calls = 0
        self.has_text = False
        self.texts: list[str] = []
        """For the places of citations, which count from the beginning; on the lane nobody asks for them."""
