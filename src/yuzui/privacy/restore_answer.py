"""A whole answer or its stream, in the hub's words, with the originals back: so every client's dialect gets them.

What upstream sent is never handed on as it is, for it holds the stand-ins: an answer to a masked request is written by
the hub, also where both ends speak one dialect.
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.chat import (
    AudioPart,
    ChatResponse,
    Choice,
    Citation,
    Delta,
    DocumentPart,
    ImagePart,
    OpaquePart,
    Part,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCallDelta,
    ToolCallPart,
    ToolResultPart,
)
from yuzui.privacy.restore import CallRestorer, Originals, Tally, TextRestorer
from yuzui.privacy.sinks import Sinks


class Rewriter(Protocol):
    """One text that comes in pieces and goes on changed."""

    def feed(self, delta: str) -> str:
        """What is certain of the text so far and was not given out yet."""
        ...

    def flush(self) -> str:
        """The rest; nothing follows."""
        ...

    def whole(self, text: str) -> str:
        """A text that is already complete."""
        ...


class TextRewriter(Rewriter, Protocol):
    def translate(self, offset: int) -> int:
        """Where the character at `offset` of the text as the model wrote it stands now."""
        ...


class AnswerRewriter:
    """One answer; `rewrite` for a whole one, `feed` and `close` for a stream. `is_json`: the client asked for JSON."""

    def __init__(self, *, is_json: bool = False) -> None:
        self._is_json = is_json
        self._voices: dict[int, Voice] = {}

    def _text_rewriter(self, *, is_json: bool) -> TextRewriter:
        raise NotImplementedError

    def _call_rewriter(self, name: str, *, is_custom: bool) -> Rewriter:
        raise NotImplementedError

    # ---- whole -------------------------------------------------------------------------------------------------------

    def rewrite(self, response: ChatResponse) -> ChatResponse:
        choices = tuple([self._choice(choice) for choice in response.choices])
        return replace(response, choices=choices, raw=b"", raw_dialect=None)

    def _choice(self, choice: Choice) -> Choice:
        return replace(
            choice,
            parts=tuple([self._part(part) for part in choice.parts]),
            refusal=self._text(choice.refusal),
            stop_sequence=self._text(choice.stop_sequence),
        )

    def _part(self, part: Part) -> Part:
        match part:
            case TextPart():
                return self._text_part(part)
            case ReasoningPart():
                return replace(part, text=self._text(part.text))
            case ToolCallPart():
                call = self._call_rewriter(part.name, is_custom=part.is_custom)
                return replace(part, name=self._text(part.name), arguments=call.whole(part.arguments))
            case ToolResultPart() | ImagePart() | DocumentPart() | AudioPart() | OpaquePart():
                return part  # no model writes them

    def _text_part(self, part: TextPart) -> TextPart:
        restorer = self._text_rewriter(is_json=self._is_json)
        text = restorer.whole(part.text)
        citations = tuple([self._citation(citation, restorer) for citation in part.citations])
        return replace(part, text=text, citations=citations)

    def _citation(self, citation: Citation, restorer: TextRewriter) -> Citation:
        return replace(
            citation,
            title=self._text(citation.title),
            cited_text=self._text(citation.cited_text),
            start=None if citation.start is None else restorer.translate(citation.start),
            end=None if citation.end is None else restorer.translate(citation.end),
        )

    def _text(self, text: str) -> str:
        return self._text_rewriter(is_json=False).whole(text) if text else text

    # ---- streamed ----------------------------------------------------------------------------------------------------

    def feed(self, chunk: StreamChunk) -> tuple[StreamChunk, ...]:
        """`chunk` with what is certain of its texts; in front of it, what had waited and ends here."""
        if not chunk.deltas:
            return (replace(chunk, raw=b"", event="") if chunk.raw else chunk,)
        early: list[Delta] = []
        deltas: list[Delta] = []
        for delta in chunk.deltas:
            voice = self._voices.get(delta.index)
            if voice is None:
                voice = self._voices[delta.index] = Voice(delta.index)
            early += self._end_what_does_not_go_on(voice, delta)
            deltas.append(self._delta(voice, delta))
        now = replace(chunk, deltas=tuple(deltas), raw=b"", event="")
        return (now,) if not early else (*chunks_of(chunk, early), now)

    def close(self) -> tuple[StreamChunk, ...]:
        """What still waits when the stream is over."""
        early = [delta for voice in self._voices.values() for delta in self._end(voice)]
        return tuple(chunks_of(StreamChunk(), early))

    def _end_what_does_not_go_on(self, voice: Voice, delta: Delta) -> list[Delta]:
        """A choice says one thing at a time: where something else begins, what was said before is complete."""
        ended: list[Delta] = []
        for kind, restorer in [*voice.texts.items()]:
            goes_on = bool(getattr(delta, kind)) and not (kind == "reasoning" and delta.reasoning_id)
            if not goes_on and _says_something(delta):
                ended += self._end_text(voice, kind, restorer)
        positions = {call.position for call in delta.tool_calls}
        if _says_something(delta):
            for position in [known for known in voice.calls if known not in positions]:
                ended += self._end_call(voice, position)
        return ended

    def _end(self, voice: Voice) -> list[Delta]:
        ended = [delta for kind, restorer in [*voice.texts.items()] for delta in self._end_text(voice, kind, restorer)]
        return ended + [delta for position in [*voice.calls] for delta in self._end_call(voice, position)]

    def _end_text(self, voice: Voice, kind: str, restorer: TextRewriter) -> list[Delta]:
        rest = restorer.flush()
        del voice.texts[kind]
        if kind == "text":
            voice.last_text = restorer
        return [_said(voice, kind, rest)] if rest else []

    def _end_call(self, voice: Voice, position: int) -> list[Delta]:
        rest = voice.calls.pop(position).flush()
        custom = position in voice.customs
        call = ToolCallDelta(position=position, arguments=rest, is_custom=custom)
        return [Delta(index=voice.index, tool_calls=(call,))] if rest else []

    def _delta(self, voice: Voice, delta: Delta) -> Delta:
        texts = {kind: self._say(voice, kind, getattr(delta, kind)) for kind in _KINDS if getattr(delta, kind)}
        voice.is_summary = delta.is_summary if delta.reasoning else voice.is_summary
        calls = tuple([self._call_delta(voice, call) for call in delta.tool_calls])
        if delta.signature and "reasoning" in voice.texts:  # it ends the thought
            texts["reasoning"] = texts.get("reasoning", "") + voice.texts.pop("reasoning").flush()
        restorer = voice.texts.get("text") or voice.last_text
        citations = delta.citations
        if citations and restorer is not None:
            citations = tuple([self._citation(citation, restorer) for citation in citations])
        return replace(
            delta,
            **texts,
            tool_calls=calls,
            citations=citations,
            stop_sequence=self._text(delta.stop_sequence),
        )

    def _say(self, voice: Voice, kind: str, text: str) -> str:
        restorer = voice.texts.get(kind)
        if restorer is None:
            restorer = voice.texts[kind] = self._text_rewriter(is_json=self._is_json and kind == "text")
        return restorer.feed(text)

    def _call_delta(self, voice: Voice, call: ToolCallDelta) -> ToolCallDelta:
        restorer = voice.calls.get(call.position)
        if restorer is None:
            restorer = voice.calls[call.position] = self._call_rewriter(call.name, is_custom=call.is_custom)
            if call.is_custom:
                voice.customs.add(call.position)
        arguments = restorer.feed(call.arguments) if call.arguments else ""
        return replace(call, name=self._text(call.name), arguments=arguments)


class AnswerRestorer(AnswerRewriter):
    """The originals back in an answer."""

    def __init__(
        self, originals: Originals, sinks: Sinks, *, is_json: bool = False, tally: Tally | None = None
    ) -> None:
        super().__init__(is_json=is_json)
        self.tally = tally or Tally()
        self._originals = originals
        self._sinks = sinks

    @override
    def _text_rewriter(self, *, is_json: bool) -> TextRewriter:
        return TextRestorer(self._originals, self._sinks, self.tally, is_json=is_json)

    @override
    def _call_rewriter(self, name: str, *, is_custom: bool) -> Rewriter:
        return CallRestorer(self._originals, self._sinks, self.tally, name=name, is_custom=is_custom)


_KINDS = ("reasoning", "text", "refusal")


class Voice:
    """What one choice is saying."""

    __slots__ = ("calls", "customs", "index", "is_summary", "last_text", "texts")

    def __init__(self, index: int) -> None:
        self.index = index
        self.texts: dict[str, TextRewriter] = {}
        self.calls: dict[int, Rewriter] = {}
        self.customs: set[int] = set()
        self.is_summary = False
        self.last_text: TextRewriter | None = None


def _says_something(delta: Delta) -> bool:
    """Whether `delta` goes on with anything, so that what it does not go on with has ended."""
    return bool(
        delta.text
        or delta.reasoning
        or delta.refusal
        or delta.tool_calls
        or delta.redacted
        or delta.reasoning_id
        or delta.finish_reason is not None
    )


def _said(voice: Voice, kind: str, text: str) -> Delta:
    if kind == "text":
        return Delta(index=voice.index, text=text)
    if kind == "reasoning":
        return Delta(index=voice.index, reasoning=text, is_summary=voice.is_summary)
    return Delta(index=voice.index, refusal=text)


def chunks_of(chunk: StreamChunk, deltas: list[Delta]) -> list[StreamChunk]:
    """One for each, so that no choice stands in one twice."""
    return [StreamChunk(id=chunk.id, model=chunk.model, created_s=chunk.created_s, deltas=(delta,)) for delta in deltas]
