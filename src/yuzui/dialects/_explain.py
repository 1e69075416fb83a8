"""What is wrong with a client's field, in its own path and in words that say what to send."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from yuzui.core.errors import InvalidRequest

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_QUOTED: Final = re.compile(r"`([^`]*)`")
_WORDS: Final[Mapping[str, str]] = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


def explain(message: str, allowed: Callable[[str], str] | None = None) -> InvalidRequest:
    """msgspec's words → ours: `messages[0].content`: expected a string or an array, got an integer.

    `allowed`: which words a field takes, by its path; for a value that is none of them. The value itself is the
    client's own text and is not repeated.
    """
    said, _, path = message.partition(" - at `$")
    param = path.rstrip("`").removeprefix(".")
    lacking = said.removeprefix("Object missing required field `")
    if lacking != said:
        return missing(f"{param}.{lacking.rstrip('`')}" if param else lacking.rstrip("`"))
    if allowed is not None and said.startswith("Invalid"):
        return InvalidRequest(f"`{param}` has an unknown value; use {allowed(param)}", param=param)
    said = _QUOTED.sub(_in_words, said)
    return InvalidRequest(f"`{param}`: {said[:1].lower()}{said[1:]}", param=param or None)


def missing(param: str) -> InvalidRequest:
    return InvalidRequest(f"`{param}` is missing; add it", param=param)


def check_name(value: str, param: str) -> str:
    """`value`, which may end up in a header, a log or a ledger; raise `InvalidRequest` for control characters."""
    if not (value.isascii() and value.isprintable()) and CONTROL.search(value):
        raise InvalidRequest(f"`{param}` holds a control character or line break; remove it", param=param)
    return value


def _in_words(types: re.Match[str]) -> str:
    names = types[1].split(" | ")
    return " or ".join(_WORDS.get(name, name) for name in names if name != "null" or len(names) == 1)
