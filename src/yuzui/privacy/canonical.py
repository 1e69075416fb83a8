"""Canonical text for matching: what a reader sees, in the fewest characters, with a way back to what was sent.

NFKC per character (full-width, mathematical, circled forms), accents and strike-through dropped, decimal digits of
every script as ASCII, letters of other scripts that look Latin as Latin, invisible and control characters removed.
Sources: https://www.unicode.org/reports/tr15/ (NFKC), https://www.unicode.org/reports/tr39/ (confusables), 2026-11.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

_CONTROLS = bytes((*range(9), 11, 12, *range(14, 32), 127))  # tab, line feed and carriage return stay
_MOST_REMEMBERED = 20_000  # distinct characters; no honest text comes near, and the memory stays bounded
_MOST_REPLACED = 12  # distinct foldable characters up to which `str.replace` beats a table

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
class Canonical:
    """`origins` is None when the text kept its offsets; else `origins[i]` is where `text[i]` came from, and its last
    entry (one beyond the text) is the length of the original."""

    text: str
    origins: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original characters behind `text[start:end]`, with the invisible ones inside and right behind it."""
        if self.origins is None:
            return start, end
        return self.origins[start], max(self.origins[end], self.origins[end - 1] + 1)


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
        if all(len(folded[char]) == 1 for char in dirty):
            if len(dirty) > _MOST_REPLACED:
                return Canonical(text.translate({ord(char): folded[char] for char in dirty}))
            for char in dirty:
                text = text.replace(char, folded[char])
            return Canonical(text)
        return self._fold_with_origins(text)

    def _dirty(self, text: str) -> set[str]:
        """The distinct characters of `text` that do not stand for themselves."""
        unknown = set(text) - self._clean
        if len(self._folded) + len(self._clean) > _MOST_REMEMBERED:
            self._clean.clear()
            self._folded.clear()
            unknown = set(text)
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

    def _fold_with_origins(self, text: str) -> Canonical:
        folded = self._folded
        pieces: list[str] = []
        origins: list[int] = []
        for at, char in enumerate(text):
            piece = folded.get(char, char)
            pieces.append(piece)
            if len(piece) == 1:
                origins.append(at)
            else:
                origins.extend([at] * len(piece))
        origins.append(len(text))
        return Canonical("".join(pieces), origins)


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
