"""Texts in one form, so that what means the same compares as the same; and their words, also in Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Final

_ARTICLES: Final = frozenset(("a", "an", "the"))
_WORD: Final = re.compile(r"[^\W_]+")
_UNSPACED: Final = (
    (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3134F), (0x0E00, 0x0E7F),
)  # fmt: skip
"""Kana, Han and Thai: written without spaces, so each character counts as a word."""
_SCRIPTS: Final = {
    "LATIN": "latin", "CJK": "han", "HIRAGANA": "japanese", "KATAKANA": "japanese", "HANGUL": "korean",
    "CYRILLIC": "cyrillic", "ARABIC": "arabic", "HEBREW": "hebrew", "DEVANAGARI": "devanagari", "GREEK": "greek",
    "THAI": "thai",
}  # fmt: skip  # by the first word of a character's Unicode name


def tidy(text: str) -> str:
    """NFC, one kind of line end, no trailing white space, at most one empty line in a row. Nothing visible is lost."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join([line.rstrip() for line in text.split("\n")])
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def folded(text: str) -> str:
    """Compatibility forms and case folded, white space single. For finding duplicates."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def normalised(text: str) -> str:
    """`folded`, without punctuation and without English articles, as SQuAD's scorer has it (arXiv:1606.05250)."""
    kept = [c if not unicodedata.category(c).startswith(("P", "S")) or c in "%" else " " for c in folded(text)]
    return " ".join([word for word in "".join(kept).split() if word not in _ARTICLES])


def words(text: str) -> list[str]:
    """Folded words without punctuation; a character each where a script has no spaces."""
    found: list[str] = []
    for word in _WORD.findall(folded(text)):
        start = 0
        for place, character in enumerate(word):
            if _is_unspaced(character):
                if start < place:
                    found.append(word[start:place])
                found.append(character)
                start = place + 1
        if start < len(word):
            found.append(word[start:])
    return found


def _is_unspaced(character: str) -> bool:
    return any(low <= ord(character) <= high for low, high in _UNSPACED)


def script_of(text: str) -> str:
    """The script of most letters: `latin`, `han`, `japanese`, `korean`, `cyrillic`, …; `none` without letters.

    A text with kana is Japanese even where Han prevails. It tells scripts apart, not languages of one script.
    """
    counts: Counter[str] = Counter()
    for character in text:
        if character.isascii():
            counts["latin"] += character.isalpha()
        elif character.isalpha():
            counts[_SCRIPTS.get(unicodedata.name(character, "?").split(" ")[0], "other")] += 1
    if not sum(counts.values()):
        return "none"
    if counts["japanese"] * 10 >= counts["japanese"] + counts["han"] and counts["japanese"]:
        return "japanese" if counts["japanese"] + counts["han"] >= counts["latin"] else "latin"
    return max(counts, key=lambda script: (counts[script], script))
