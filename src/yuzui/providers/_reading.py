"""What reading answers shares, whatever the wire: words for broken JSON, counts, arguments, faults in streams."""

from __future__ import annotations

from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.chat import StreamChunk
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.providers._contract import Decoder

BAD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `msgspec` raises for bytes that are not what they should be."""
MOST_COUNTED: Final = 10**12  # of tokens or seconds; beyond it a target talks nonsense


def reason_of(error: Exception) -> str:
    """msgspec's words name types and places, never values; the other classes would quote the answer."""
    return str(error) if type(error) in (msgspec.DecodeError, msgspec.ValidationError) else type(error).__name__


def part_count(value: int | None) -> int:
    """A part's count; nonsense is none, as it is not worth an answer."""
    return value if value is not None and 0 <= value <= MOST_COUNTED else 0


def object_text(value: msgspec.Raw, what: str) -> str:
    """A JSON object as the target wrote it, `{}` for none. It is checked here because `Raw` is only skipped over.

    `what` begins the words of the `UpstreamInvalid` for anything else: "a tool call whose input is".
    """
    data = bytes(value).strip()
    if not data or data == b"null":
        return "{}"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UpstreamInvalid(f"the target's answer holds {what} not UTF-8") from error
    if not text.startswith("{"):
        raise UpstreamInvalid(f"the target's answer holds {what} not an object")
    return text


class HoldingDecoder(Decoder):
    """A stream whose fault behind good chunks of the same bytes waits for the next call, so that no cut changes the
    chunks. Nothing behind its end belongs to the answer."""

    __slots__ = ("_fault", "_is_complete", "events")

    def __init__(self) -> None:
        self._fault: UpstreamFault | None = None
        self._is_complete = False
        self.events = 0
        """How many were read, for messages; the subclass counts."""

    def read_bytes(self, data: bytes, chunks: list[StreamChunk]) -> None:
        """Append what `data` completes, call `end` at the terminator and stop there. May raise an `UpstreamFault`."""
        raise NotImplementedError

    def read_end(self) -> None:
        """The bytes are over without a terminator: raise `UpstreamInterrupted`, or `end` where the answer is whole."""
        raise UpstreamInterrupted(f"the target's stream stopped after event {self.events}, before its end")

    def end(self) -> None:
        self._is_complete = True

    @property
    @override
    def is_complete(self) -> bool:
        return self._is_complete

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        if self._fault is not None:
            raise self._fault
        chunks: list[StreamChunk] = []
        if self._is_complete:
            return chunks
        try:
            self.read_bytes(data, chunks)
        except UpstreamFault as fault:
            self._fault = fault
            if not chunks:
                raise
        return chunks

    @override
    def close(self) -> None:
        if self._fault is not None:
            raise self._fault
        if not self._is_complete:
            self.read_end()
