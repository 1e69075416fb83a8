"""Writes AWS's binary event streams for tests: frames from headers and a payload, and streams from readable lines.

The encoder is written from the format's specification alone and shares nothing with the decoder that it tests.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from zlib import crc32


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; all header values are texts (type 7)."""
    head = b"".join(
        struct.pack("!B", len(name.encode()))
        + name.encode()
        + b"\x07"
        + struct.pack("!H", len(value.encode()))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", len(head) + len(payload) + 16, len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def event(kind: str, payload: bytes) -> bytes:
    return frame({":event-type": kind, ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(kind: str, payload: bytes) -> bytes:
    return frame({":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}, payload)


def error(code: str, message: str) -> bytes:
    return frame({":error-code": code, ":error-message": message, ":message-type": "error"}, b"")


def encode_lines(text: str) -> bytes:
    """Frames from lines, empty ones and those after `#` left out.

    `KIND {json}` is an event, `!KIND {json}` an exception, `!! CODE MESSAGE` an error without payload, and
    `~N` leaves out the last N bytes: a cut or, with `~^N`, a flipped byte N from the end.
    """
    frames = bytearray()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if word.startswith("~^"):
            frames[-int(word[2:])] ^= 0xFF
        elif word.startswith("~"):
            del frames[-int(word[1:]) :]
        elif word == "!!":
            code, _, message = rest.partition(" ")
            frames += error(code, message)
        elif word.startswith("!"):
            frames += exception(word[1:], _compact(rest))
        else:
            frames += event(word, _compact(rest))
    return bytes(frames)


def _compact(text: str) -> bytes:
    """The JSON as a vendor would write it; what is no JSON stays as it is, to be a broken event."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")).encode()
    except ValueError:
        return text.encode()
