"""What ends a streamed answer, with all that follows it: it waits until the request is settled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from yuzui.core.chat import StreamChunk
from yuzui.core.errors import UpstreamInvalid

MOST_HELD_BYTES: Final = 1024 * 1024  # what may follow the end of an answer: usage, sources, verdicts; not a flood

_encoder = msgspec.json.Encoder()
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class HeldTail:
    """A chunk ends the answer when one of its deltas has a `finish_reason`."""

    __slots__ = ("_finished", "_size_bytes", "events")

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []
        """Name and JSON of each; dialects whose events have no names leave them empty."""
        self._size_bytes = 0
        self._finished: set[int] = set()

    def must_hold(self, chunk: StreamChunk) -> bool:
        """Whether `chunk` ends a choice, or comes after the end of its own."""
        ending = [delta.index for delta in chunk.deltas if delta.finish_reason is not None]
        self._finished.update(ending)
        if ending:
            return True
        # With several answers at once, the others go on while one has ended.
        return bool(self.events) and not (chunk.deltas and all(d.index not in self._finished for d in chunk.deltas))

    def hold(self, data: bytes, event: str = "") -> None:
        """Raise `UpstreamInvalid` if too much follows the end."""
        if self.events:  # the first one may end the answer with all of it: a picture, or a call's long arguments
            self._size_bytes += len(data)
            if self._size_bytes > MOST_HELD_BYTES:
                raise UpstreamInvalid(f"the target sent more than {MOST_HELD_BYTES} bytes after the end of its answer")
        self.events.append((event, data))

    def take(self) -> list[tuple[str, bytes]]:
        """All that was held; nothing is held any more."""
        held, self.events = self.events, []
        return held


def with_trailer(data: bytes, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
    """`data`, a JSON object, with `trailer` under the key `yuzui`."""
    try:
        last = _raw_fields.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a field that nobody read is no UTF-8: it goes on as it is
        return data
    last["yuzui"] = msgspec.Raw(_encoder.encode(trailer))  # replaces the one of a gateway behind us
    return _encoder.encode(last)
