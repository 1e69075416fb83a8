"""A name found once is searched again everywhere: the same words, a given name, a family name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from yuzui.privacy.ner.segments import HAN
from yuzui.privacy.ner.spans import NameKind, NameSpan
from yuzui.privacy.ner.surnames import AFTER, GIVEN_TOO, TITLES, surname_length

MOST_NAMES: Final = 500
"""Distinct names that are searched again; more in one text are a list of names, found where they stand."""
_SURE: Final = 0.6
"""A weaker finding does not spread."""
_EVIDENCE: Final = "rule: repeated"
_DOTS: Final = re.compile("[·•・]")
_LATIN_NAME: Final = re.compile(r"[^\W\d_][\w'’.-]*(?: [^\W\d_][\w'’.-]*)+")


def known_names(text: str, spans: Iterable[NameSpan]) -> dict[str, NameKind]:
    """What to search for again: each sure person or organisation, and for a person the parts that name them too."""
    names: dict[str, NameKind] = {}
    seen: set[tuple[str, NameKind]] = set()
    for span in spans:
        if span.score < _SURE or span.kind not in ("person", "organization") or len(names) >= MOST_NAMES:
            continue
        name = text[span.start : span.end].strip()
        if (name, span.kind) in seen:
            continue
        seen.add((name, span.kind))
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
    given = name[size:]
    if size and len(given) == 2 and given.isalpha() and given not in TITLES:
        names.setdefault(given, "person")  # 建国 of 张建国
    for part in _DOTS.split(re.split("[（(]", name, maxsplit=1)[0]):
        if 2 <= len(part) < len(name):
            names.setdefault(part, "person")  # 肯尼迪 of 约翰·肯尼迪


def longer(text: str, spans: Sequence[NameSpan]) -> list[NameSpan]:
    """The spans, and where a surname and one character go on the same way at each of their places, the longer name.

    李国能为, 李国能出任, 李国能的: what goes on the same way each time, and differently behind that, is the name.
    """
    short = {
        text[span.start : span.end]
        for span in spans
        if span.kind == "person" and span.end - span.start == 2 and surname_length(text, span.start) == 1
    }
    grown = [whole for name in sorted(short) if (whole := _always_followed(text, name)) is not None]
    return [
        *spans,
        *(
            NameSpan(match.start(), match.end(), "person", _SURE, _EVIDENCE)
            for whole in grown
            for match in re.finditer(re.escape(whole), text)
        ),
    ]


def _always_followed(text: str, name: str) -> str | None:
    """`name` and the character behind all of its places, when that may end a given name and what follows differs."""
    places = [match.end() for match in re.finditer(re.escape(name), text)]
    third = text[places[0] : places[0] + 1]
    if HAN.match(third) is None or (third in AFTER and third not in GIVEN_TOO):
        return None
    if any(text[at : at + 1] != third for at in places) or len({text[at + 1 : at + 2] for at in places}) < 2:
        return None
    return name + third


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
