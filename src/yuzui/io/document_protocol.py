"""What the gateway and the process that reads documents say to each other: a length, then MessagePack, both ways."""

from __future__ import annotations

from typing import Final

import msgspec

from yuzui.core.documents import DocumentKind

LENGTH_BYTES: Final = 4
MOST_ANSWER_BYTES: Final = 512 * 1024 * 1024


class ReadOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Read one document."""

    kind: DocumentKind
    data: bytes
    max_pages: int
    max_pixels: int
    max_chars: int


class ReaderReport(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing that the process says: what it can do."""

    has_ocr: bool = False
    error: str = ""
    """Why it can do nothing; empty when it can."""


def frame(message: msgspec.Struct) -> bytes:
    data = msgspec.msgpack.encode(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data
