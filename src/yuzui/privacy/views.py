"""Other readings of a leaf: JSON inside a string, text hidden in tag characters, text stored in reverse."""

from __future__ import annotations

from typing import Any

import msgspec

_json = msgspec.json.Decoder()


def read_embedded_json(text: str) -> Any:  # Any: JSON values of any shape
    """The value that `text` spells when it is JSON with escapes in it; None when it is not, or hides nothing.

    Raise `RecursionError` when it is nested too deep to read.
    """
    if "\\" not in text or text.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return _json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None  # a sentence with a bracket and a backslash is no JSON; its raw text is scanned anyway


def read_hidden(text: str) -> list[str]:
    """Readings of text with invisible characters: what tag characters spell, what a right-to-left override shows."""
    found: list[str] = []
    tags = "".join([chr(ord(char) - 0xE0000) for char in text if "\U000e0020" <= char <= "\U000e007e"])
    if tags:
        found.append(tags)
    if "\u202e" in text:
        found.append(text[::-1])
    return found
