"""What the gateway and the process that holds the models for names say to each other: frames over pipes.

A frame is four bytes of length (big-endian) and that many bytes of MessagePack. The worker speaks first (`Ready`),
then answers each `Ask` with one `Told` of the same number, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

import msgspec

from yuzui.privacy.ner.spans import NameKind, NameSpan

MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
LENGTH_BYTES: Final = 4
_KINDS: Final = frozenset(get_args(NameKind))


class Settings(msgspec.Struct, frozen=True):
    threads: int = 1


class Ready(msgspec.Struct, frozen=True):
    models: tuple[str, ...] = ()
    error: str = ""
    """Why there is nothing to ask; then the worker ends."""


class Ask(msgspec.Struct, frozen=True):
    number: int
    texts: tuple[str, ...]


class Told(msgspec.Struct, frozen=True):
    number: int
    found: tuple[tuple[tuple[int, int, str, float, str], ...], ...] = ()
    error: str = ""
    """Name of what was raised; nothing of the text."""


class Rubbish(Exception):
    """The other side said something that it cannot have meant. Nothing it says is believed any more."""


def pack(message: Settings | Ready | Ask | Told) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def length_of(head: bytes) -> int:
    """Raise `Rubbish` for a frame that no honest side sends."""
    size = int.from_bytes(head, "big")
    if len(head) != LENGTH_BYTES or not 0 < size <= MAX_FRAME_BYTES:
        raise Rubbish("a frame of impossible length")
    return size


def check(told: Told, texts: Sequence[str]) -> list[list[NameSpan]]:
    """The spans of each text. Raise `Rubbish` when one cannot be true."""
    if len(told.found) != len(texts):
        raise Rubbish("answers for another number of texts")
    checked: list[list[NameSpan]] = []
    for spans, text in zip(told.found, texts, strict=True):
        own = []
        for start, end, kind, score, evidence in spans:
            if kind not in _KINDS or not 0 <= start < end <= len(text) or not 0.0 <= score <= 1.0:
                raise Rubbish("a span that is none")
            own.append(NameSpan(start, end, kind, score, evidence))  # type: ignore[arg-type]  # kind was looked up
        checked.append(own)
    return checked
