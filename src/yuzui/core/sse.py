"""Server-sent events: bytes in, events out, however the bytes are cut.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation (2026-11).
"""

from __future__ import annotations

from yuzui.core.errors import UpstreamInvalid

MAX_EVENT_BYTES = 32 * 1024 * 1024  # a large picture in base64; what never ends must not eat the memory


class SseReader:
    """Feed bytes, get `(event, data)` pairs; `close()` tells whether bytes of an unfinished event were left."""

    __slots__ = ("_after_cr", "_parts", "_seen_bytes", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._seen_bytes = False
        self._after_cr = False

    def feed(self, data: bytes) -> list[tuple[str, bytes]]:
        """Events completed by `data`. Raise `UpstreamInvalid` when one event outgrows `MAX_EVENT_BYTES`."""
        if not self._seen_bytes:
            data = self._without_bom(data)
        if self._after_cr and data:
            data = data.removeprefix(b"\n")  # the second half of a CRLF
            self._after_cr = False
        if b"\r" in data:  # CR, LF and CRLF all end a line
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        parts = self._parts
        if b"\n\n" not in data and not (data.startswith(b"\n") and parts and parts[-1].endswith(b"\n")):
            # No event ends here. Pieces are only collected, so that a long event in small pieces costs linear time.
            if data:
                parts.append(data)
                self._size += len(data)
                self._check_size()
            return []
        blocks = (b"".join((*parts, data)) if parts else data).split(b"\n\n")
        rest = blocks.pop()
        if parts or rest:
            self._parts = [rest] if rest else []
            self._size = len(rest)
            self._check_size()
        events: list[tuple[str, bytes]] = []
        for block in blocks:
            # The overwhelmingly common block is a single data line.
            if block.startswith(b"data: ") and b"\n" not in block:
                events.append(("", block[6:]))
                continue
            if block.startswith(b"event: "):  # the next common one: a name and one data line, in this order
                name, mark, data = block[7:].partition(b"\ndata: ")
                if mark and b"\n" not in data and b"\n" not in name:
                    events.append((name.decode("utf-8", "replace"), data))
                    continue
            event = _read_block(block)
            if event is not None:
                events.append(event)
        return events

    def close(self) -> bool:
        """Whether the stream ended between events. An unfinished event is not an event."""
        return not b"".join(self._parts).strip()

    def _without_bom(self, data: bytes) -> bytes:
        """One leading byte order mark is legal; it may come in pieces."""
        head = b"".join(self._parts) + data
        self._parts = []
        if len(head) < 3 and b"\xef\xbb\xbf".startswith(head):
            self._parts = [head] if head else []
            return b""
        self._seen_bytes = True
        return head.removeprefix(b"\xef\xbb\xbf")

    def _check_size(self) -> None:
        if self._size > MAX_EVENT_BYTES:
            raise UpstreamInvalid(f"the target sent an event larger than {MAX_EVENT_BYTES} bytes")


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
