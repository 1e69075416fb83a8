"""Canonical text for matching: what a reader sees, in the fewest characters, with a way back to what was sent.

NFKC per character (full-width, mathematical, circled forms), accents and strike-through dropped, decimal digits of
every script as ASCII, letters of other scripts that look Latin as Latin, invisible and control characters removed.
Sources: https://www.unicode.org/reports/tr15/ (NFKC), https://www.unicode.org/reports/tr39/ (confusables), 2026-11.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

_CONTROLS = bytes((*range(9), 11, 12, *range(14, 32), 127))  # tab, line feed and carriage return stay
_PLAIN = bytes(set(range(128)) - set(_CONTROLS))  # what stands for itself
_MOST_REMEMBERED = 20_000  # distinct characters; no honest text comes near, and the memory stays bounded
_MOST_REPLACED = 24  # distinct foldable characters up to which `str.replace` beats a table

# Letters that look Latin; TR39's confusables.txt lists them, only those that stand for one letter are taken.
_LOOKALIKES = {
    # Cyrillic
    **dict(zip("АВЕЅІЈКМНОРСТУХҮԚԜҺ", "ABESIJKMHOPCTYXYQWH", strict=True)),
    **dict(zip("асԁеһіјоорԛѕԝхуѵӏүг", "acdehijoopqswxyvlyr", strict=True)),
    # Greek
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹϜ", "ABEZHIKMNOPTYXCF", strict=True)),
    **dict(zip("αγινορυκϲϳ", "ayivopukcj", strict=True)),
    # Armenian, Cherokee, IPA and small capitals
    **dict(zip("օսհցզՕՍ", "ouhgqOU", strict=True)),
    **dict(zip("ᎪᎢᎡᎷᎻᎬᏃᏚᏞᏟᏢᏴᏦ", "ATRMHEZSLCPBK", strict=True)),
    **dict(zip("ɑɡıɩʏᴀʙᴄᴅᴇɢʜᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡᴢ", "agiiyabcdeghjklmnoprstuvwz", strict=True)),
    # dashes, quotes, dots, brackets, at-signs
    **dict.fromkeys("‐‑‒–—―−﹘⁃˗", "-"),
    **dict.fromkeys("‘’‚‛′ʹʼ＇", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("【〔〖「『⟦", "["),
    **dict.fromkeys("】〕〗」』⟧", "]"),
    **dict.fromkeys("․。｡", "."),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("∶꞉", ":"),
}
_STRIPPED_RANGES = (
    (0x00AD, 0x00AD), (0x0300, 0x036F), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F),
    (0x20D0, 0x20FF), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip  # one range per cell reads better than one per line


@dataclass(frozen=True, slots=True)
class Pieces:
    """The way back from folded text: pieces by their start in it. Only places where something was folded make one."""

    starts: list[int]
    origins: list[int]
    """Where each piece began in the original."""
    is_kept: list[bool]
    """Whether it stands there character by character; else all of it came from one character."""

    def origin(self, at: int) -> int:
        number = bisect_right(self.starts, at) - 1
        return self.origins[number] + (at - self.starts[number] if self.is_kept[number] else 0)


@dataclass(frozen=True, slots=True)
class Canonical:
    """`pieces` is None when the text kept its offsets."""

    text: str
    pieces: Pieces | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original characters behind `text[start:end]`, with the invisible ones inside and right behind it."""
        if self.pieces is None:
            return start, end
        origin = self.pieces.origin
        return origin(start), max(origin(end), origin(end - 1) + 1)


class Canonicaliser:
    """Remembers what it learned about characters: one dictionary look-up each instead of a Unicode normalisation."""

    __slots__ = ("_clean", "_folded")

    def __init__(self) -> None:
        self._clean: set[str] = set()
        self._folded: dict[str, str] = {}

    def fold(self, text: str) -> Canonical:
        if text.isascii() and is_plain(text):
            return Canonical(text)
        dirty = self._dirty(text)
        if not dirty:
            return Canonical(text)
        folded = self._folded
        alike = [char for char in dirty if len(folded[char]) == 1]  # these keep all offsets
        if len(alike) > _MOST_REPLACED:
            text = text.translate({ord(char): folded[char] for char in alike})
        else:
            for char in alike:
                text = text.replace(char, folded[char])
        if len(alike) == len(dirty):
            return Canonical(text)
        return self._fold_with_pieces(text, dirty.difference(alike))

    def _dirty(self, text: str) -> set[str]:
        """The distinct characters of `text` that do not stand for themselves."""
        # Plain ASCII goes first, as bytes: a set of all characters would cost ten times as much.
        rest = text.encode("utf-8", "surrogatepass").translate(None, _PLAIN)
        present = set(rest.decode("utf-8", "surrogatepass"))
        unknown = present - self._clean
        if len(self._folded) + len(self._clean) > _MOST_REMEMBERED:
            self._clean.clear()
            self._folded.clear()
            unknown = present
        dirty = set()
        for char in unknown:
            folded = self._folded.get(char)
            if folded is None:
                folded = fold_character(char)
                if folded == char:
                    self._clean.add(char)
                    continue
                self._folded[char] = folded
            dirty.add(char)
        return dirty

    def _fold_with_pieces(self, text: str, dirty: set[str]) -> Canonical:
        folded = self._folded
        texts: list[str] = []
        pieces = Pieces([], [], [])
        at = size = 0
        for place in sorted([place for char in dirty for place in _places(text, char)]):
            if place > at:
                texts.append(text[at:place])
                pieces.starts.append(size)
                pieces.origins.append(at)
                pieces.is_kept.append(True)
                size += place - at
            piece = folded[text[place]]
            if piece:
                texts.append(piece)
                pieces.starts.append(size)
                pieces.origins.append(place)
                pieces.is_kept.append(False)
                size += len(piece)
            at = place + 1
        texts.append(text[at:])
        pieces.starts.append(size)
        pieces.origins.append(at)
        pieces.is_kept.append(True)
        return Canonical("".join(texts), pieces)


def _places(text: str, char: str) -> Iterator[int]:
    at = text.find(char)
    while at >= 0:
        yield at
        at = text.find(char, at + 1)


def is_plain(ascii_text: str) -> bool:
    """Whether ASCII text has no control characters that a reader would not see."""
    return count_controls(ascii_text.encode("ascii")) == 0


def count_controls(ascii_text: bytes) -> int:
    return len(ascii_text) - len(ascii_text.translate(None, _CONTROLS))


def fold_character(char: str) -> str:
    """What `char` stands for; empty when it is invisible. Folding twice changes nothing."""
    code = ord(char)
    if code < 128:
        return "" if code in _CONTROLS else char
    if _is_stripped(code, char):
        return ""
    if char in _LOOKALIKES:
        return _LOOKALIKES[char]
    folded = unicodedata.normalize("NFKC", char)
    base = unicodedata.normalize("NFKD", folded)
    if base[0] < "\u0250" or (folded != base and not "\u1100" <= base[0] <= "\u11ff"):
        folded = base  # accents go; Hangul syllables stay whole
    pieces = [_LOOKALIKES.get(piece, piece) for piece in folded if not _is_stripped(ord(piece), piece)]
    return "".join([_digit(piece) for piece in pieces])


def _digit(char: str) -> str:
    if char.isascii():
        return char
    value = unicodedata.digit(char, None)
    return char if value is None else str(value)


def _is_stripped(code: int, char: str) -> bool:
    if code < 0xA0:
        return code >= 0x7F
    return any(first <= code <= last for first, last in _STRIPPED_RANGES) or unicodedata.category(char) == "Cf"
