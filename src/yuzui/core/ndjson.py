"""JSON objects, one per line: bytes in, lines out, however the bytes are cut.

Source: https://github.com/ndjson/ndjson-spec (2026-11): lines end with LF, a CR in front of it is allowed.
"""

from __future__ import annotations

from yuzui.core.errors import UpstreamInvalid

MAX_LINE_BYTES = 8 * 1024 * 1024  # a stream that never ends a line must not eat the memory


class NdjsonReader:
    """Feed bytes, get lines that hold an object; `close()` tells whether the bytes ended between lines."""

    __slots__ = ("_parts", "_size")

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Lines completed by `data`, without those that are no object: proxies send empty lines and comments to keep a
        connection open. Raise `UpstreamInvalid` when one line outgrows `MAX_LINE_BYTES`."""
        if b"\n" not in data:
            if data:
                self._parts.append(data)  # only collected, so that a long line in small pieces costs linear time
                self._size += len(data)
                self._check_size()
            return []
        lines = (b"".join((*self._parts, data)) if self._parts else data).split(b"\n")
        rest = lines.pop()
        self._parts = [rest] if rest else []
        self._size = len(rest)
        self._check_size()
        return [line for line in lines if line.lstrip()[:1] == b"{"]

    def close(self) -> bool:
        """Whether the stream ended between lines. An unfinished line is no line."""
        return not b"".join(self._parts).strip()

    def _check_size(self) -> None:
        if self._size > MAX_LINE_BYTES:
            raise UpstreamInvalid(f"the target sent a line larger than {MAX_LINE_BYTES} bytes")
