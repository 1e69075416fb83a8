"""A name found once is searched again everywhere: the same words, a given name, a family name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.ner.surnames import TITLES, surname_length

MOST_NAMES: Final = 500
"""Distinct names that are searched again; more in one text are a list of names, found where they stand."""
_SURE: Final = 0.6
"""A weaker finding does not spread."""
_EVIDENCE: Final = "rule: repeated"
_LATIN_NAME: Final = re.compile(r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*)+")


def known_names(text: str, spans: Iterable[NameSpan]) -> dict[str, NameKind]:
    """What to search for again: each sure person or organisation, and for a person the parts that name them too."""
    names: dict[str, NameKind] = {}
    for span in spans:
        if span.score < _SURE or span.kind not in ("person", "organization") or len(names) >= MOST_NAMES:
            continue
        name = text[span.start : span.end].strip()
        if HAN.match(name):
            _add_han(name, span.kind, names)
        elif len(name) >= 4:
            names.setdefault(name, span.kind)
            if span.kind == "person" and _LATIN_NAME.fullmatch(name):
                for part in name.split():
                    if len(part) >= 4 and part[0].isupper() and part.isalpha():
                        names.setdefault(part, "person")
    return names


def _add_han(name: str, kind: NameKind, names: dict[str, NameKind]) -> None:
    if kind == "organization":
        if len(name) >= 4:
            names.setdefault(name, kind)
        return
    is_titled = name.endswith(TITLES)
    if is_titled:
        title = next(title for title in TITLES if name.endswith(title))
        if len(name) - len(title) >= 2:
            name, is_titled = name[: -len(title)], False
    if len(name) < 2:
        return
    if len(name) >= 3 or not is_titled:
        names.setdefault(name, kind)
    size = surname_length(name, 0)
    if size and len(name) - size == 2 and name[size:].isalpha():
        names.setdefault(name[size:], "person")  # 建国 of 张建国


def search_again(text: str, names: Mapping[str, NameKind], taken: Sequence[int]) -> list[NameSpan]:
    """Places in `text` where one of `names` stands and nothing in `taken` (a byte per character) is set."""
    if not names:
        return []
    found: list[NameSpan] = []
    present = [name for name in names if name in text]
    for name in sorted(present, key=len, reverse=True):
        at = text.find(name)
        while at >= 0:
            end = at + len(name)
            if not all(taken[at:end]) and _stands_alone(text, at, end):
                found.append(NameSpan(at, end, names[name], 0.6, _EVIDENCE))
            at = text.find(name, end)
    return found


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Latin names are whole words; Chinese has no such borders."""
    if not text[start].isascii():
        return True
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isalnum() and before.isascii()) and not (after.isalnum() and after.isascii())
