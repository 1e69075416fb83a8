"""Whether a value looks made by a generator, or like what people write where a secret will stand."""

from __future__ import annotations

_PLACEHOLDER_PARTS_WORDS = """
    xxx *** your example placeholder changeme change_me change-me redacted dummy sample ${ {{ }} < ... todo
    fixme insert replace my_ my- 0000000 1234567890 abcdef123456 deadbeef foobar notreal not_real fake mock
    _here -here lorem
"""
_PLACEHOLDER_PARTS = tuple(_PLACEHOLDER_PARTS_WORDS.split())
_LONG_PART = 6  # characters: no generator writes such a word by chance, but one key in three hundred holds `xXx`
_BREAKS = str.maketrans(dict.fromkeys("-_./+=:", " "))
_DIGITS = frozenset("0123456789")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def is_placeholder(value: str) -> bool:
    """`<your key>`, `${TOKEN}`, `xxxxxxxx`, `…EXAMPLE`, and values of fewer than four different characters.

    A short word in what looks random without it is chance, not a hint.
    """
    lower = value.lower()
    if len(set(lower)) < 4:
        return True
    found = [part for part in _PLACEHOLDER_PARTS if part in lower]
    if not found or any(len(part) >= _LONG_PART for part in found):
        return bool(found)
    return not looks_random(_without(value, found))


def _without(value: str, parts: list[str]) -> str:
    """`value` without `parts`, whatever their case, and without what goes on as they end: all of a row of `x`."""
    for part in parts:
        while (at := value.lower().find(part)) >= 0:
            end = at + len(part)
            while end < len(value) and value[end].lower() == part[-1]:
                end += 1
            value = value[:at] + value[end:]
    return value


def looks_random(value: str) -> bool:
    """Whether one unbroken piece of `value` mixes digits and letters: `sk-learn-pipeline-…` is prose."""
    for piece in value.translate(_BREAKS).split():
        if len(piece) < 10:
            continue
        distinct = set(piece)
        if len(distinct) < 6:
            continue
        has_digits = not _DIGITS.isdisjoint(distinct)
        has_letters = not _LETTERS.isdisjoint(distinct)
        if has_digits and has_letters:
            return True
        is_mixed = piece != piece.lower() and piece != piece.upper()
        if is_mixed and len(piece) >= 16 and not piece.istitle():
            return True
    return False


def is_generated(value: str) -> bool:
    """A stricter test for values without a known prefix: letters and digits change places often, few repeat.

    `9djsw25b28hnm9u2` is, `version2024final` and `getElementById2` are not.
    """
    if len(value) < 8 or is_placeholder(value):
        return False
    changes = digits = letters = 0
    before = ""
    for char in value:
        kind = "d" if char in _DIGITS else "l" if char in _LETTERS else "o"
        digits += kind == "d"
        letters += kind == "l"
        if before and kind != before and kind != "o" and before != "o":
            changes += 1
        before = kind
    if not digits or not letters or len(set(value)) < min(8, len(value) * 2 // 3):
        return False
    return changes >= max(3, len(value) // 8)


def is_unpronounceable(value: str) -> bool:
    """Whether lower-case letters alone are no word of any language: nearly no vowels, or five consonants in a row."""
    if not value.isascii() or not value.isalpha():
        return False
    lower = value.lower()
    vowels = sum(char in "aeiouy" for char in lower)
    run = longest = 0
    for char in lower:
        run = 0 if char in "aeiouy" else run + 1
        longest = max(longest, run)
    return vowels * 5 < len(lower) or longest >= 5
