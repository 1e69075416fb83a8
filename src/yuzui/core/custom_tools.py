"""Custom tools, which take free text, for targets whose tools take a JSON object: text in a field `input`, and back."""

from __future__ import annotations

import re

import msgspec
from msgspec.structs import replace

from yuzui.core.chat import ToolSpec

FIELD = "input"

_GRAMMAR = "\n\nThe input must match this {syntax} grammar:\n{definition}"


class _Call(msgspec.Struct):
    input: str


_decode = msgspec.json.Decoder(_Call).decode
_encode = msgspec.json.Encoder().encode


def as_function(tool: ToolSpec) -> ToolSpec:
    """A custom `tool` as a function; any other as it is. Its grammar becomes a hint in the description."""
    if not tool.is_custom:
        return tool
    said = tool.description
    grammar = tool.grammar or {}
    if isinstance(grammar.get("definition"), str):
        said += _GRAMMAR.format(syntax=grammar.get("syntax", "text"), definition=grammar["definition"])
    return replace(
        tool,
        description=said.strip(),
        parameters={
            "type": "object",
            "properties": {FIELD: {"type": "string", "description": "The tool's whole input, as plain text."}},
            "required": [FIELD],
            "additionalProperties": False,
        },
        is_custom=False,
        grammar=None,
    )


def loses_grammar(tool: ToolSpec) -> bool:
    """Whether `as_function` leaves of `tool` a grammar that nothing enforces any more."""
    return tool.is_custom and "definition" in (tool.grammar or {})


def wrap(text: str) -> str:
    """A custom call's text as a function's arguments."""
    return _encode({FIELD: text}).decode()


def unwrap(arguments: str) -> str:
    """The text of arguments that `wrap` (or a model) wrote; arguments of another shape are the text themselves."""
    try:
        return _decode(arguments).input
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return arguments


_START = re.compile(rf'\s*{{\s*"{FIELD}"\s*:\s*"')
_SIMPLE = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class InputReader:
    """Reads the text of `{"input": "…"}` while its JSON still arrives. Any cut of the arguments gives the same text.

    `feed` returns what is certain so far; `close` the rest. Arguments of another shape are handed out whole by `close`.
    """

    __slots__ = ("_escape", "_given", "_high", "_is_done", "_position", "_seen")

    def __init__(self) -> None:
        self._seen = ""
        self._position = -1  # of the next character of the string to read; -1: its beginning was not found yet
        self._escape = ""
        self._high = ""
        self._given = ""
        self._is_done = False

    def feed(self, piece: str) -> str:
        self._seen += piece
        if self._is_done or (self._position < 0 and not self._find_start()):
            return ""
        text = self._read()
        self._given += text
        return text

    def close(self) -> str:
        """What `feed` could not hand out yet."""
        whole = unwrap(self._seen)
        return whole[len(self._given) :] if whole.startswith(self._given) else ""

    def _find_start(self) -> bool:
        start = _START.match(self._seen)
        if start is None:
            return False
        self._position = start.end()
        return True

    def _read(self) -> str:
        out: list[str] = []
        seen, position = self._seen, self._position
        while position < len(seen):
            character = seen[position]
            if self._escape:
                self._escape += character
                done = self._unescape()
                if done is not None:
                    out.append(done)
            elif character == "\\":
                self._escape = "\\"
            elif character == '"':
                self._is_done = True
                position += 1
                break
            else:
                out.append(self._high + character if self._high else character)
                self._high = ""
            position += 1
        self._position = position
        return "".join(out)

    def _unescape(self) -> str | None:
        """The character of a finished escape, "" for the first half of a surrogate pair, None while it goes on."""
        escape = self._escape
        if escape[1] != "u":
            self._escape = ""
            high, self._high = self._high, ""
            return high + _SIMPLE.get(escape[1], escape[1])
        if len(escape) < 6:
            return None
        self._escape = ""
        try:
            code = int(escape[2:], 16)
        except ValueError:
            return ""
        if 0xD800 <= code < 0xDC00:
            self._high = chr(code)
            return ""
        if self._high and 0xDC00 <= code < 0xE000:
            pair = chr(0x10000 + ((ord(self._high) - 0xD800) << 10) + (code - 0xDC00))
            self._high = ""
            return pair
        high, self._high = self._high, ""
        return high + chr(code)
