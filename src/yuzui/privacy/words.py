"""A text as the words that a reader sees, each as a keyed value: what fingerprints and variants are compared in.

Case, punctuation, mark-up and white space do not count. A word is a run of letters and digits; of scripts that put no
space between words, each character is one.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from typing_extensions import override

VALUE_BYTES: Final = 8
_MOST_KEPT: Final = 50_000  # distinct words; a vocabulary is no larger, and noise is forgotten
_LONGEST_KEPT: Final = 40  # characters; longer ones are blobs, which nobody says twice

_SOLID: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
"""Kana, ideographs, Hangul syllables."""
_WORD: Final = re.compile(rf"[{_SOLID}]|[^\W_{_SOLID}]+")
_IS_SOLID: Final = re.compile(rf"[{_SOLID}]")
_ASCII_WORDS: Final = bytes(
    [ord(chr(code).lower()) if chr(code).isalnum() and code < 128 else 32 for code in range(256)]
)


def split_words(text: str) -> list[str]:
    """The words of canonical text, in lower case."""
    return _WORD.findall(text.lower())


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where the words of `split_words` stand in canonical text. Slow: only for what was found."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a capital whose small letter is two characters: its word is found, its place is not
        return [(0, len(text))] * len(split_words(text))
    return [match.span() for match in _WORD.finditer(lowered)]


def is_solid(word: str) -> bool:
    """Whether `word` is a character of a script without spaces between words."""
    return _IS_SOLID.fullmatch(word) is not None


class WordValues:
    """Words as `VALUE_BYTES` bytes that say nothing to who lacks `secret` (1 to 64 bytes)."""

    __slots__ = ("_known",)

    def __init__(self, secret: bytes) -> None:
        self._known = _Known(secret)

    def read(self, text: str) -> list[bytes]:
        """Of the words of canonical text. ASCII takes a way that is three times as fast, to the same values."""
        return self.of(text.encode("ascii").translate(_ASCII_WORDS).split() if text.isascii() else split_words(text))

    def of(self, words: list[str] | list[bytes]) -> list[bytes]:
        if len(self._known) > _MOST_KEPT:
            self._known.clear()
        return list(map(self._known.__getitem__, words))


class _Known(dict[str | bytes, bytes]):
    """Computed once per word: a look-up costs a twentieth of a hash."""

    __slots__ = ("_keyed",)

    def __init__(self, secret: bytes) -> None:
        super().__init__()
        self._keyed = hashlib.blake2b(key=secret, digest_size=VALUE_BYTES, person=b"word")

    @override
    def __missing__(self, word: str | bytes) -> bytes:  # type: ignore[misc]  # dict asks for it, its stub does not name it
        keyed = self._keyed.copy()
        keyed.update(word.encode("utf-8", "surrogatepass") if isinstance(word, str) else word)
        value = keyed.digest()
        if len(word) <= _LONGEST_KEPT:
            self[word] = value
        return value
