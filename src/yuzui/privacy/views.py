"""Other readings of a leaf: JSON inside a string, what our own seals hold, text in tag characters or in reverse."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any, Final

import msgspec

from yuzui.core.call_ids import PREFIX as CALL_ID
from yuzui.core.call_ids import to_upstream
from yuzui.core.reasoning import PREFIX as SEAL
from yuzui.core.reasoning import unseal
from yuzui.core.sensitivity import Fact

_ENCODED_SEAL: Final = "eXoxL"  # how every seal begins in base64: Gemini's signatures are bytes
SEALED: Final = (SEAL, _ENCODED_SEAL, CALL_ID)
"""How texts begin that codecs of ours open before they send them on: anybody can write one."""

_TAGS: Final = Fact("hidden", "tags")
_REVERSED: Final = Fact("hidden", "reversed")

_json = msgspec.json.Decoder()
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


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


def read_sealed(text: str) -> tuple[str, ...]:
    """What a text that begins like one of `SEALED` holds, read as generously as any codec does."""
    if text.startswith(CALL_ID):
        name = to_upstream(text)
        return (name,) if name and name != text else ()
    if text.startswith(_ENCODED_SEAL):
        plain = text.replace("-", "+").replace("_", "/")
        try:
            text = b64decode(plain + "=" * (-len(plain) % 4)).decode("ascii")
        except ValueError:
            return ()
    thought = unseal(text)
    if thought is None:
        return ()
    held = (thought.text, thought.signature, thought.redacted, thought.id, thought.origin)
    return tuple([piece for piece in held if piece])


def read_escapes(text: str) -> str:
    """`text` with every `\\u0034` of it as the character that it names, wherever it stands."""
    plain = _ESCAPE.sub(_character, text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # halves of pairs are one character


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16))


def read_hidden(text: str) -> list[tuple[str, Fact]]:
    """Readings of text with invisible characters: what tag characters spell, what a right-to-left override shows."""
    found: list[tuple[str, Fact]] = []
    tags = "".join([chr(ord(char) - 0xE0000) for char in text if "\U000e0020" <= char <= "\U000e007e"])
    if tags:
        found.append((tags, _TAGS))
    if "\u202e" in text:
        found.append((text[::-1], _REVERSED))
    return found
