"""A whole answer or its stream, in the hub's words, without what nobody may be told."""

from __future__ import annotations

from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.chat import Delta, Part, ReasoningPart
from yuzui.privacy.answer_scan import Assessor
from yuzui.privacy.redact import Redactions, Scan, TextRedactor
from yuzui.privacy.restore_answer import AnswerRewriter, Rewriter, TextRewriter, Voice


class AnswerRedactor(AnswerRewriter):
    """`rewrite`, `feed` and `close` raise `NotSearched` and `Refused`; then nothing more may be said.

    A thought that was changed loses its vendor's signature, which would no longer fit: its vendor would refuse it.
    """

    def __init__(self, scan: Scan, assessor: Assessor, *, is_json: bool = False) -> None:
        super().__init__(is_json=is_json)
        self.redactions = Redactions()
        self._scan = scan
        self._assessor = assessor
        self._thoughts: dict[int, TextRedactor] = {}
        """By choice: what it thinks, or thought last."""

    @override
    def _text_rewriter(self, *, is_json: bool) -> TextRedactor:
        return TextRedactor(self._scan, self._assessor, self.redactions, is_json=is_json)

    @override
    def _call_rewriter(self, name: str, *, is_custom: bool) -> Rewriter:
        return TextRedactor(self._scan, self._assessor, self.redactions, is_json=not is_custom)

    @override
    def _part(self, part: Part) -> Part:
        changed = super()._part(part)
        if isinstance(part, ReasoningPart) and isinstance(changed, ReasoningPart) and changed.text != part.text:
            return replace(changed, signature="")
        return changed

    @override
    def _say(self, voice: Voice, kind: str, text: str) -> str:
        said = super()._say(voice, kind, text)
        rewriter = voice.texts[kind]
        if kind == "reasoning" and isinstance(rewriter, TextRedactor):
            self._thoughts[voice.index] = rewriter
        return said

    @override
    def _end_text(self, voice: Voice, kind: str, restorer: TextRewriter) -> list[Delta]:
        if kind == "reasoning":  # a signature that comes later is of something else
            self._thoughts.pop(voice.index, None)
        return super()._end_text(voice, kind, restorer)

    @override
    def _delta(self, voice: Voice, delta: Delta) -> Delta:
        said = super()._delta(voice, delta)
        if not delta.signature:
            return said
        thought = self._thoughts.pop(voice.index, None)
        return replace(said, signature="") if thought is not None and thought.has_redacted else said
