"""An answer as one text: what it says, and behind it what it calls; two calls of the same are spelled the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

_encode = msgspec.json.Encoder(order="sorted").encode
_BAD: Final = (msgspec.DecodeError, RecursionError, UnicodeEncodeError)


class Called(NamedTuple):
    """A tool call as the model wrote it."""

    name: str
    arguments: str


def said_text(text: str, calls: Sequence[Called]) -> str:
    """`text` itself where nothing is called; else one line more per call: `name({"a":1,"b":2})`."""
    if not calls:
        return text
    lines = [f"{call.name}({_canonical(call.arguments)})" for call in calls]
    return "\n".join([text, *lines] if text else lines)


def _canonical(arguments: str) -> str:
    try:
        return _encode(msgspec.json.decode(arguments or "{}")).decode()
    except _BAD:
        return arguments
