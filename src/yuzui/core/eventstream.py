"""AWS's binary event stream: bytes in, messages out, however the bytes are cut; both checksums are checked.

A message is: its length and its headers' length (4 bytes each, big endian), the CRC-32 of those 8 bytes, headers,
payload, and the CRC-32 of all before. Source: https://smithy.io/2.0/aws/amazon-eventstream.html and botocore==1.44.8,
eventstream.py (limits; read 2026-11-26).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from zlib import crc32

from yuzui.core.errors import UpstreamInvalid

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
MAX_HEADERS_BYTES: Final = 128 * 1024
MAX_PAYLOAD_BYTES: Final = 24 * 1024 * 1024
_MOST_REMEMBERED: Final = 32

_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
_OVERHEAD: Final = _PRELUDE.size + _CRC.size
_FIXED_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of a header's value by its type: true, false, byte, short, integer, long, timestamp, UUID."""
_BYTES, _STRING = 6, 7


class EventMessage(NamedTuple):
    headers: Mapping[str, str]
    """Those whose value is a text: `:message-type`, `:event-type`, `:exception-type`, …"""
    payload: bytes


class EventStreamReader:
    """Feed bytes, get messages. A broken message behind good ones is raised by the next `feed` or `close`."""

    __slots__ = ("_buffer", "_fault", "_known", "_needed")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = _PRELUDE.size
        self._known: dict[bytes, Mapping[str, str]] = {}
        self._fault: UpstreamInvalid | None = None

    def feed(self, data: bytes) -> list[EventMessage]:
        """Messages completed by `data`. Raise `UpstreamInvalid` for one that is broken or too large."""
        if self._fault is not None:
            raise self._fault
        buffer = self._buffer
        buffer += data
        if len(buffer) < self._needed:
            return []
        messages: list[EventMessage] = []
        start = 0
        try:
            while len(buffer) - start >= _PRELUDE.size:
                size, headers_size = self._read_prelude(start)
                self._needed = size
                if len(buffer) - start < size:
                    break
                messages.append(self._read_message(bytes(buffer[start : start + size]), headers_size))
                start += size
                self._needed = _PRELUDE.size
        except UpstreamInvalid as fault:
            self._fault = fault
            if not messages:
                raise
        del buffer[:start]
        return messages

    def close(self) -> bool:
        """Whether the stream ended between messages. Raise the fault that still waits."""
        if self._fault is not None:
            raise self._fault
        return not self._buffer

    def _read_prelude(self, start: int) -> tuple[int, int]:
        size, headers_size, crc = _PRELUDE.unpack_from(self._buffer, start)
        if crc32(self._buffer[start : start + 8]) != crc:
            raise UpstreamInvalid("the target's answer is no event stream, or a damaged one (checksum of a prelude)")
        if headers_size > MAX_HEADERS_BYTES or size > headers_size + MAX_PAYLOAD_BYTES + _OVERHEAD:
            raise UpstreamInvalid(f"the target sent an event larger than {MAX_PAYLOAD_BYTES} bytes")
        if size < headers_size + _OVERHEAD:
            raise UpstreamInvalid("the target's event stream is damaged (a message shorter than its headers)")
        return size, headers_size

    def _read_message(self, message: bytes, headers_size: int) -> EventMessage:
        body, crc = message[: -_CRC.size], _CRC.unpack_from(message, len(message) - _CRC.size)[0]
        if crc32(body) != crc:
            raise UpstreamInvalid("the target's event stream is damaged (checksum of a message)")
        headers_end = _PRELUDE.size + headers_size
        block = body[_PRELUDE.size : headers_end]
        headers = self._known.get(block)
        if headers is None:
            headers = MappingProxyType(_read_headers(block))
            if len(self._known) < _MOST_REMEMBERED:
                self._known[block] = headers  # the messages of a stream have few different heads
        return EventMessage(headers, body[headers_end:])


def _read_headers(block: bytes) -> dict[str, str]:
    """Each is: length of its name, name, type of its value, value."""
    headers: dict[str, str] = {}
    position = 0
    try:
        while position < len(block):
            name_end = position + 1 + block[position]
            name = block[position + 1 : name_end].decode()
            kind = block[name_end]
            position = name_end + 1
            if kind in (_BYTES, _STRING):
                size = int.from_bytes(block[position : position + 2], "big")
                position += 2
            else:
                size = _FIXED_SIZES[kind]
            value = block[position : position + size]
            position += size
            if position > len(block):
                raise IndexError
            if name in headers:
                raise KeyError
            if kind == _STRING:
                headers[name] = value.decode()
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise UpstreamInvalid("the target's event stream is damaged (headers of a message)") from error
    return headers
