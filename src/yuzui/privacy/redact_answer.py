"""A whole answer or its stream, in the hub's words, without what nobody may be told."""

from __future__ import annotations

from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.chat import Choice, Delta, Part, ReasoningPart, StreamChunk, ToolCallPart
from yuzui.privacy.answer_scan import Assessor
from yuzui.privacy.redact import Redactions, Scan, TextRedactor
from yuzui.privacy.restore_answer import AnswerRewriter, Rewriter, Voice, chunks_of


class AnswerRedactor(AnswerRewriter):
    """`rewrite`, `feed` and `close` raise `NotSearched` and `Refused`; then nothing more may be said.

    A thought or a call that was changed loses what its vendor signed or encrypted: that would no longer fit, and its
    vendor would refuse it.
    """

    def __init__(self, scan: Scan, assessor: Assessor, *, is_json: bool = False) -> None:
        super().__init__(is_json=is_json)
        self.redactions = Redactions()
        self._scan = scan
        self._assessor = assessor
        self._thoughts: dict[int, TextRedactor] = {}
        """By choice: what it thinks, or thought last."""
        self._signed: dict[int, StreamChunk] = {}
        """By choice: a signature without anything that it signs as yet."""

    @override
    def _text_rewriter(self, *, is_json: bool) -> TextRedactor:
        return TextRedactor(self._scan, self._assessor, self.redactions, is_json=is_json)

    @override
    def _call_rewriter(self, name: str, *, is_custom: bool) -> Rewriter:
        return TextRedactor(self._scan, self._assessor, self.redactions, is_json=not is_custom)

    @override
    def _choice(self, choice: Choice) -> Choice:
        changed = super()._choice(choice)
        parts = [
            part
            for part, following, was in zip(
                changed.parts, (*changed.parts[1:], None), (*choice.parts[1:], None), strict=True
            )
            if not (_signs_what_follows(part) and isinstance(following, ToolCallPart) and following != was)
        ]
        return replace(changed, parts=tuple(parts))

    @override
    def _part(self, part: Part) -> Part:
        changed = super()._part(part)
        if isinstance(part, ReasoningPart) and isinstance(changed, ReasoningPart) and changed.text != part.text:
            return replace(changed, signature="", redacted="")
        return changed

    @override
    def feed(self, chunk: StreamChunk) -> tuple[StreamChunk, ...]:
        """As it is declared; a signature waits for what it may sign."""
        ready = self._release(chunk)
        if _is_signature(chunk):
            self._signed[chunk.deltas[0].index] = chunk
            return ready
        return (*ready, *super().feed(chunk))

    @override
    def close(self) -> tuple[StreamChunk, ...]:
        waiting = [told for chunk in self._signed.values() for told in super(AnswerRedactor, self).feed(chunk)]
        self._signed.clear()
        return (*waiting, *super().close())

    def _release(self, chunk: StreamChunk) -> tuple[StreamChunk, ...]:
        """Signatures that `chunk` goes on from, but for those of calls that are changed: vendors that sign a call send
        all of it at once."""
        ready: list[StreamChunk] = []
        for delta in chunk.deltas:
            signed = self._signed.pop(delta.index, None)
            if signed is None or self._changes_calls(delta):
                continue
            voice = self._voices.get(delta.index)
            if voice is not None and "reasoning" not in voice.texts:
                ready += chunks_of(signed, self._end_what_does_not_go_on(voice, delta))  # said before it was signed
            ready += super().feed(signed)
        return tuple(ready)

    def _changes_calls(self, delta: Delta) -> bool:
        for call in delta.tool_calls:
            trial = TextRedactor(self._scan, self._assessor, Redactions(), is_json=not call.is_custom)
            trial.whole(call.arguments)
            if trial.has_redacted:
                return True
        return False

    @override
    def _say(self, voice: Voice, kind: str, text: str) -> str:
        said = super()._say(voice, kind, text)
        rewriter = voice.texts[kind]
        if kind == "reasoning" and isinstance(rewriter, TextRedactor):
            self._thoughts[voice.index] = rewriter
        return said

    @override
    def _delta(self, voice: Voice, delta: Delta) -> Delta:
        if delta.reasoning_id or delta.text or delta.refusal or delta.tool_calls:
            self._thoughts.pop(voice.index, None)  # what comes later is of something else
        said = super()._delta(voice, delta)
        thought = self._thoughts.get(voice.index)
        if thought is None or not thought.has_redacted or not (delta.signature or delta.redacted):
            return said
        del self._thoughts[voice.index]
        return replace(said, signature="", redacted="")


def _is_signature(chunk: StreamChunk) -> bool:
    """Whether it holds nothing else."""
    if len(chunk.deltas) != 1 or chunk.usage is not None:
        return False
    (delta,) = chunk.deltas
    return bool(delta.signature) and delta == Delta(index=delta.index, signature=delta.signature)


def _signs_what_follows(part: Part) -> bool:
    return isinstance(part, ReasoningPart) and not part.text and not part.redacted
