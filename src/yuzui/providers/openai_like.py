"""Answers of servers that nearly speak chat completions: put into OpenAI's words first, then read like all others.

A codec of such a vendor says what differs: a function from an event's name and JSON to the JSON that OpenAI would have
sent, and a table of its words for the end of an answer. Everything else (pieces of tool calls, thoughts, counts) is
`openai_reply`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from typing_extensions import override

from yuzui.core.chat import ChatResponse, Choice, Delta, FinishReason, StreamChunk
from yuzui.core.errors import UpstreamInterrupted
from yuzui.providers._reading import BAD
from yuzui.providers.openai_reply import FINISH_REASONS, OpenAIDecoder

Translate = Callable[[str, bytes], bytes | None]
"""An event's name and data → the data in OpenAI's words, None to skip it; may raise an `UpstreamFault`."""
Ends = Mapping[str, FinishReason | None]
"""A vendor's own word for the end of an answer → the hub's; None: the answer was cut short, which is a fault."""
Json = dict[str, Any]  # Any: JSON values
UNKNOWN_END: Final[FinishReason] = "length"  # words to come: the answer may be incomplete, so never "stop"

_decode = msgspec.json.Decoder(dict[str, Any]).decode  # Any: JSON values
_encode = msgspec.json.Encoder().encode


def change(data: bytes, edit: Callable[[Json], None]) -> bytes:
    """`data` after `edit`, for the rare event that differs; as it came when it is no object (its reader complains)."""
    try:
        found = _decode(data)
    except BAD:
        return data
    edit(found)
    return _encode(found)


def mend(response: ChatResponse, ends: Ends) -> ChatResponse:
    """`response` with the vendor's own ends understood; raise `UpstreamInterrupted` when one says that it was cut."""
    if not any(_is_own(choice.native_finish) for choice in response.choices):
        return response
    return replace(response, choices=tuple([_mend_choice(choice, ends) for choice in response.choices]))


def _is_own(word: str) -> bool:
    return word != "" and word not in FINISH_REASONS


def _mend_choice(choice: Choice, ends: Ends) -> Choice:
    word = choice.native_finish
    return replace(choice, finish_reason=_end(word, ends)) if _is_own(word) else choice


def _end(word: str, ends: Ends) -> FinishReason:
    finish = ends.get(word, UNKNOWN_END)
    if finish is None:
        raise UpstreamInterrupted(f"the target cut its answer short ({word})")
    return finish


class LikeDecoder(OpenAIDecoder):
    """One stream. With `sends_done=False` the server has no `[DONE]`: the counts behind the last end are the last."""

    __slots__ = ("_ends", "_sends_done", "_translate")

    def __init__(self, translate: Translate, *, is_lane: bool, ends: Ends, sends_done: bool = True) -> None:
        super().__init__(is_lane=is_lane)
        self._translate = translate
        self._ends = ends
        self._sends_done = sends_done

    @override
    def read_end(self) -> None:
        if self._sends_done or not self._has_ended():
            super().read_end()
        self.end()

    @override
    def read_event(self, event: str, raw: bytes) -> StreamChunk | None:
        """The chunk of one event, None to skip it; a codec may add what only its vendor says."""
        said = self._translate(event, raw)
        if said is None:
            return None
        chunk = self._chunk("", said)
        for delta in chunk.deltas:
            if _is_own(delta.native_finish):
                chunk = msgspec.structs.replace(chunk, deltas=tuple([self._mend(delta) for delta in chunk.deltas]))
                break
        if chunk.usage is not None and not self._sends_done and self._has_ended():
            self.end()
        return chunk

    def _mend(self, delta: Delta) -> Delta:
        word = delta.native_finish
        return msgspec.structs.replace(delta, finish_reason=_end(word, self._ends)) if _is_own(word) else delta
