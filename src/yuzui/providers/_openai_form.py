"""Writes a checked form anew, under a boundary of its own: not a byte of the client's framing goes to a target.

Source: RFC 7578; names are escaped as https://html.spec.whatwg.org/multipage/form-control-infrastructure.html
(multipart/form-data encoding algorithm) has it; 2026-11-26.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

FILES: Final = "input"
"""Where the files of a form stand in its body; `dialects/_multipart.py` puts them there."""

_ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def write_form(body: Mapping[str, Any]) -> tuple[str, bytes]:  # Any: texts, lists of them, parts
    """Content type and bytes. The boundary is a hash of the content, and is made sure not to stand in it."""
    parts = [part for name, value in body.items() for part in _parts_of(name, value)]
    boundary = _boundary(parts)
    pieces: list[bytes] = []
    for head, data in parts:
        pieces += (b"--", boundary, b"\r\n", head, b"\r\n\r\n", data, b"\r\n")
    pieces += (b"--", boundary, b"--\r\n")
    return f"multipart/form-data; boundary={boundary.decode('ascii')}", b"".join(pieces)


def _parts_of(name: str, value: Any) -> Iterator[tuple[bytes, bytes]]:  # Any: as above
    if name == FILES:
        for part in value:
            yield _file(part)
        return
    for text in value if isinstance(value, list) else (value,):
        yield _head(name), str(text).encode("utf-8")


def _file(part: Mapping[str, Any]) -> tuple[bytes, bytes]:  # Any: a part's names are texts, its data bytes
    data = part["data"]
    if isinstance(data, str):  # a text field that holds a file as a `data:` address
        return _head(part["name"]), data.encode("utf-8")
    head = _head(part["name"]) + f'; filename="{_escape(part["filename"])}"'.encode()
    if part["media_type"]:
        head += b"\r\nContent-Type: " + part["media_type"].encode("ascii")
    return head, data


def _head(name: str) -> bytes:
    return f'Content-Disposition: form-data; name="{_escape(name)}"'.encode()


def _escape(text: str) -> str:
    return text.translate(_ESCAPES)


def _boundary(parts: list[tuple[bytes, bytes]]) -> bytes:
    digest = blake2b(digest_size=16)
    for head, data in parts:
        digest.update(head)
        digest.update(data)
    while True:
        boundary = b"yuzui-" + digest.hexdigest().encode("ascii")
        if not any(boundary in head or boundary in data for head, data in parts):
            return boundary
        digest.update(b"again")  # who could bring this about could also break the hash
