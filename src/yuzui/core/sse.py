"""Server-sent events: bytes in, events out, however the bytes are cut.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation (2026-11).
"""

from __future__ import annotations

from yuzui.core.errors import UpstreamInvalid

MAX_EVENT_BYTES = 8 * 1024 * 1024  # a stream that never ends an event must not eat the memory


class SseReader:
    """Feed bytes, get `(event, data)` pairs; `close()` tells whether bytes of an unfinished event were left."""

    __slots__ = ("_buffer", "_seen_bytes")

    def __init__(self) -> None:
        self._buffer = b""
        self._seen_bytes = False

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Events completed by `data`. Raise `UpstreamInvalid` when one event outgrows `MAX_EVENT_BYTES`."""
        buffer = self._buffer + data if self._buffer else data
        if not self._seen_bytes:
            if len(buffer) < 3 and b"\xef\xbb\xbf".startswith(buffer):
                self._buffer = buffer
                return []
            self._seen_bytes = True
            if buffer.startswith(b"\xef\xbb\xbf"):  # one leading BOM is legal
                buffer = buffer[3:]
        if b"\r" in buffer:
            # CR, LF and CRLF all end a line; a CR at the very end may be half of a CRLF, so it waits.
            held = b""
            if buffer.endswith(b"\r"):
                buffer, held = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n") + held
        blocks = buffer.split(b"\n\n")
        self._buffer = blocks.pop()
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise UpstreamInvalid(f"the target sent an event larger than {MAX_EVENT_BYTES} bytes")
        events: list[tuple[str, bytes]] = []
        for block in blocks:
            # The overwhelmingly common block is a single data line.
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(("", block[6:]))
            else:
                event = _read_block(block)
                if event is not None:
                    events.append(event)
        return events

    def close(self) -> bool:
        """Whether the stream ended between events. An unfinished event is not an event."""
        return not self._buffer.strip()


def _read_block(block: bytes) -> tuple[str, bytes] | None:
    name = ""
    lines: list[bytes] = []
    for line in block.split(b"\n"):
        if line.startswith(b":") or not line:
            continue
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            lines.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return (name, b"\n".join(lines)) if lines else None


def write_event(data: bytes, event: str = "") -> bytes:
    """One event; `data` must not contain line breaks (JSON never does)."""
    if event:
        return b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"
