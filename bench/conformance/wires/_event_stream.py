"""The binary event stream of AWS: prelude, headers, payload, two checksums.

Source (2026-11-26): https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html; botocore==1.44.8,
eventstream.py.
"""

from __future__ import annotations

import struct
from binascii import crc32


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One message; all headers are strings (type 7)."""
    head = b""
    for name, value in headers.items():
        text = value.encode()
        head += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text
    prelude = struct.pack(">II", 12 + len(head) + len(payload) + 4, len(head))
    body = prelude + struct.pack(">I", crc32(prelude)) + head + payload
    return body + struct.pack(">I", crc32(body))


def event(kind: str, payload: bytes) -> bytes:
    return message({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    return message(
        {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload
    )
