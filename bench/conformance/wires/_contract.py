"""What a wire offers, and the small things that several wires share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from conformance.facts import Asked, Image, Json, Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    content_type: str
    pieces: list[bytes]
    """One per event of a stream."""
    headers: tuple[tuple[str, str], ...] = ()
    breaks: bool = False
    """The connection dies behind the last piece."""


class Wire(Protocol):
    """One vendor's format. `thoughts`: `signed` ones must come back unchanged, `plain` ones may, `none` never leave."""

    thoughts: Literal["signed", "plain", "none"]
    cannot_tell: frozenset[str]
    """Facts of an answer that the format has no place for: `cached`, `cache_write`, `reasoning`, `refusal`, …"""
    cannot_ask: frozenset[str]
    """Facts of a request that it has no place for: knobs by name, `result images`, `result errors`, `call ids`, …"""

    def read(self, path: str, headers: dict[str, str], body: dict[str, Json]) -> Asked: ...

    def whole(self, truth: Truth, asked: Asked) -> Answer: ...

    def stream(self, truth: Truth, asked: Asked) -> Answer: ...

    def refuse(self, status: int, message: str) -> Answer: ...


def to_bytes(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(data: Json | str, event: str = "") -> bytes:
    """One server-sent event; a string goes as it is."""
    payload = data.encode() if isinstance(data, str) else to_bytes(data)
    return (f"event: {event}\n".encode() if event else b"") + b"data: " + payload + b"\n\n"


def json_answer(value: Json, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status=status, content_type="application/json", pieces=[to_bytes(value)], headers=headers)


def image_of(url: str) -> Image:
    """The image of a `data:` URL, or of an address."""
    found = re.fullmatch(r"data:([^;,]+);base64,(.*)", url, re.DOTALL)
    return Image(media_type=found[1], data=found[2]) if found else Image(media_type="", data=url)


def join(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)


def cuts(text: str) -> list[str]:
    """`text` (JSON of arguments) in pieces that fall inside escapes; long texts in fewer pieces."""
    if not text:
        return []
    size = 7 if len(text) < 200 else 900
    return [text[start : start + size] for start in range(0, len(text), size)]


def unknown_fields(body: dict[str, Json], known: frozenset[str]) -> list[str]:
    """What a vendor that refuses unknown fields would say; the matrix' own one is never held against anyone."""
    return [f"unknown field {name}" for name in sorted(body.keys() - known) if not name.startswith("x_future")]
