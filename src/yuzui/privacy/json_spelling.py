"""JSON as it comes, read as a text: what its strings say between its signs, and how each character was spelled.

A value in the arguments of a tool call is found where its escapes are undone and the name of its field stands in front
of it; it is replaced in the JSON as it was spelled, which stays valid.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_RUN: Final = re.compile(r'[^"\\]+')
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[^u]", re.DOTALL
)
_HALF: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}(\\(u[0-9a-fA-F]{0,3})?)?|\\(u[0-9a-fA-F]{0,3})?")
"""An escape of which more may follow."""
_SIGNS: Final = frozenset('{}[],:" \t\r\n')
_json: Final = msgspec.json.Decoder(str)

STRING: Final = "s"
BARE: Final = "n"
"""A number, or a word without quotes."""
SIGN: Final = "x"


class JsonSpelling:
    """Feed it pieces of JSON. `text` says what was read, `pieces` how each of its characters was spelled, `places` what
    it stands in: a string, bare, or a sign. Nothing is checked: what is no JSON is read all the same."""

    __slots__ = ("_in_string", "_new", "_rest", "pieces", "places", "text")

    def __init__(self) -> None:
        self.text = ""
        self.pieces: list[str] = []
        self.places = ""
        self._in_string = False
        self._new: list[tuple[str, str]] = []
        self._rest = ""

    def feed(self, delta: str) -> None:
        text = self._rest + delta
        at = 0
        while at < len(text):
            if not self._in_string:
                at = self._read_outside(text, at)
            elif run := _RUN.match(text, at):
                self._take(run[0], list(run[0]), STRING)
                at = run.end()
            elif text[at] == '"':
                self._in_string = False
                self._take('"', ['"'], SIGN)
                at += 1
            else:
                half = _HALF.match(text, at)
                if half is not None and half.end() == len(text):
                    break
                at = self._read_escape(text, at)
        self._rest = text[at:]
        self._add()

    def close(self) -> None:
        """Nothing follows: half an escape stands for itself."""
        for escape in re.findall(r"\\u[0-9a-fA-F]{4}|.", self._rest, re.DOTALL):
            self._take("\N{REPLACEMENT CHARACTER}" if len(escape) > 1 else escape, [escape], STRING)
        self._rest = ""
        self._add()

    def drop(self, count: int) -> None:
        """Forget the first `count` characters."""
        self.text = self.text[count:]
        self.places = self.places[count:]
        del self.pieces[:count]

    def _read_outside(self, text: str, at: int) -> int:
        char = text[at]
        self._in_string = char == '"'
        self._take(char, [char], SIGN if char in _SIGNS else BARE)
        return at + 1

    def _read_escape(self, text: str, at: int) -> int:
        match = _ESCAPE.match(text, at)
        spelled = match[0] if match is not None else text[at]
        try:
            said = _json.decode(f'"{spelled}"')
        except (msgspec.DecodeError, UnicodeError):
            said = "\N{REPLACEMENT CHARACTER}"
        self._take(said, [spelled, *[""] * (len(said) - 1)], STRING)
        return at + len(spelled)

    def _take(self, text: str, pieces: list[str], place: str) -> None:
        self.pieces += pieces
        self._new.append((text, place * len(text)))

    def _add(self) -> None:
        self.text += "".join([text for text, _ in self._new])
        self.places += "".join([places for _, places in self._new])
        self._new.clear()


def readable(text: str) -> str:
    """What a whole JSON text says."""
    spelling = JsonSpelling()
    spelling.feed(text)
    spelling.close()
    return spelling.text
