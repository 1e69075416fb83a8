"""Values that a user spreads over neighbouring turns: `my card is 4111 1111`, an answer, `1111 1111`.

What a turn ends with that can be half of a number, a key or an address is put in front of what the user's next turn
begins or ends with, and looked at again. A finding across the seam is reported for every turn that holds a part of it,
with its exact characters there, so that none is masked alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from yuzui.core.sensitivity import Finding, Path, Place
from yuzui.privacy.leaves import READABLE_PARTS, spell_path

MOST_TURNS: Final = 200  # of one request; what stood further up was looked at when it was new
MOST_PIECES: Final = 4
EARLIER: Final = ".earlier"
"""The step to what an earlier request said: no field of a body is spelled like that."""

_WINDOW_CHARS: Final = 160  # at each end of a text; no key is longer than two of them
_CONTEXT_CHARS: Final = 32  # in front of a half, for the word that says what it is
_LEAST_DIGITS, _MOST_DIGITS = 7, 40
_LEAST_SECRET_CHARS: Final = 10
_GAP_CHARS: Final = 2
_NUMERALS: Final = "零〇一二三四五六七八九幺"
_TOKEN: Final = re.compile(rf"[\dA-Za-z@._+/=\-{_NUMERALS}]+")
_SIGN: Final = re.compile(rf"[\d@{_NUMERALS}]")
_STRONG: Final = re.compile(r"[\d@]")
_OUTER: Final = "._-"
_ENDS: Final = " \t\r\n.,;。，；"
_LISTS: Final = ("messages", "input", "contents")
_SILENT: Final[Mapping[str, str]] = MappingProxyType({"contents": "user"})
"""Gemini's turns need not say whose they are."""

Json = Any  # Any: checked JSON
Looked = tuple[Sequence[Finding], Sequence[str]]
"""Findings, and which detectors broke."""
Look = Callable[[Sequence[str]], tuple[Sequence[Sequence[Finding]], Sequence[str]]]
"""The same for several texts at once: findings in each."""


class Piece(NamedTuple):
    """The half of a value, with what stands in front of it."""

    text: str
    lead: int
    """So many characters of `text` are only context."""
    path: Path | None
    """None: an earlier request's."""
    offset: int
    """Of `text` among the characters at `path`."""
    is_edge: bool = False
    """Whether its turn ends with it; of what may go on with others: whether its turn begins with it."""


_Origins = list[tuple[int, int] | None]
"""For each character of a text: (number of the piece, offset in it)."""


class _Turn(NamedTuple):
    texts: tuple[tuple[str, Path], ...]
    """Where it is cut into several, in their order."""


def find_across_turns(body: Mapping[str, Json], look: Look) -> Looked:
    """Findings across the turns of `body`."""
    joints: list[_Joint] = []
    before: tuple[Piece, ...] = ()
    turns = list(_user_turns(body))[-MOST_TURNS:]
    for number, turn in enumerate(turns, 1):
        joints += _joints(before, turn)
        if number < len(turns):  # nothing goes on behind the last one
            before = _tail(before, turn)
    return _search(joints, look)


def find_across_requests(earlier: Sequence[Piece], body: Mapping[str, Json], look: Look) -> Looked:
    """Findings that began in what `tail_of` gave for an earlier request. They cannot be masked: half of each is out."""
    joints: list[_Joint] = []
    before = tuple([piece._replace(path=None) for piece in earlier])
    for turn in _user_turns(body):
        joints += _joints(before, turn)
        before = _tail(before, turn)
        if not before or before[0].path is not None:
            break
    found, failures = _search(joints, look)
    return [one for one in found if one.place is not None and one.place.path[-1] == EARLIER], failures


def tail_of(body: Mapping[str, Json], earlier: Sequence[Piece] = ()) -> tuple[Piece, ...]:
    """What the last turn of the user ends with, if that can be the beginning of something."""
    before = tuple(earlier)
    for turn in list(_user_turns(body))[-MOST_TURNS:]:
        before = _tail(before, turn)
    return before


def repeats(body: Mapping[str, Json], earlier: Sequence[Piece]) -> bool:
    """Whether `body` brings those earlier turns along, so that `find_across_turns` has seen them."""
    said = [text for turn in _user_turns(body) for text, _ in turn.texts]
    return any(piece.text in text for piece in earlier[:1] for text in said)


def may_go_on(body: Mapping[str, Json]) -> bool:
    """Whether the first turn of the user holds anything that can be the rest of something."""
    return any(_heads(turn, is_after_at=True) for turn in list(_user_turns(body))[:1])


class _Joint(NamedTuple):
    pieces: tuple[Piece, ...]
    text: str
    origins: _Origins

    @property
    def is_close(self) -> bool:
        """Whether digits end one turn and begin the next: of such a number no half is the whole."""
        *_, tail, head = self.pieces
        halves = (tail.text[tail.lead :], head.text)
        return tail.is_edge and head.is_edge and not any(char.isalpha() for half in halves for char in half)


def _joints(before: Sequence[Piece], turn: _Turn) -> list[_Joint]:
    """Everything that `turn` may be the rest of, as texts to look at."""
    if not before:
        return []
    return [
        _Joint((*before, head), text, origins)
        for head in _heads(turn, is_after_at="@" in before[-1].text)
        if _may_belong(before, head)
        for text, origins in _spellings((*before, head))
    ]


def _search(joints: Sequence[_Joint], look: Look) -> Looked:
    if not joints:
        return [], []
    looked, failures = look([joint.text for joint in joints])
    hits = [
        (joint, finding, placed)
        for joint, findings in zip(joints, looked, strict=True)
        for finding in findings
        if (placed := _placed(finding, joint.pieces, joint.origins))
    ]
    if not hits:
        return [], list(failures)
    alone, broken = look([text for joint, _, _ in hits for text in _halves(joint.pieces)])
    found: dict[Finding, None] = {}
    for number, (joint, finding, placed) in enumerate(hits):
        # What is whole in one of its halves is found there, and only touches what stands in the other.
        is_whole = any(one.kind == finding.kind for one in (*alone[2 * number], *alone[2 * number + 1]))
        if not is_whole or joint.is_close:
            found.update(dict.fromkeys(placed))
    return list(found), list(dict.fromkeys([*failures, *broken]))


def _halves(pieces: Sequence[Piece]) -> tuple[str, str]:
    return " ".join([piece.text for piece in pieces[:-1]]), pieces[-1].text


# ---- halves ---------------------------------------------------------------------------------------------------------


def _user_turns(body: Mapping[str, Json]) -> Iterator[_Turn]:
    for name in _LISTS:
        value, path = body.get(name), (("", "$"), "." + name)
        if isinstance(value, str):
            yield _Turn(((value, path),))
        for number, message in enumerate(value if isinstance(value, list) else ()):
            if not isinstance(message, dict) or message.get("role", _SILENT.get(name)) != "user":
                continue
            if texts := tuple(_texts(message, (path, number))):  # results of tools are no words of the user
                yield _Turn(texts)


def _texts(message: Mapping[str, Json], path: Path) -> Iterator[tuple[str, Path]]:
    for name in ("content", "parts"):
        value, here = message.get(name), (path, "." + name)
        if isinstance(value, str):
            yield value, here
        parts = value if isinstance(value, list) else ()
        if isinstance(value, dict) and isinstance(value.get("text"), str):  # proto JSON: one part without its list
            yield value["text"], (here, ".text")
        for number, part in enumerate(parts):
            if isinstance(part, str):
                yield part, (here, number)
                continue
            is_read = isinstance(part, dict) and part.get("type", "text") in READABLE_PARTS
            if is_read and isinstance(text := part.get("text"), str):
                yield text, ((here, number), ".text")


def _tail(before: Sequence[Piece], turn: _Turn) -> tuple[Piece, ...]:
    """What the next turn may go on with."""
    text, path = turn.texts[-1]
    begin = max(len(text) - _WINDOW_CHARS, 0)
    groups = _groups(text, begin, len(text))
    if not groups:
        return ()
    start, end = groups[-1]
    is_edge = not text[end:].strip(_ENDS)
    if before and is_edge and len(turn.texts) == 1 and not text[:start].strip():  # it says nothing else
        return (*before, Piece(text[start:end], 0, path, start, is_edge))[-MOST_PIECES:]
    lead = _context(text, start)
    return (Piece(text[lead:end], start - lead, path, lead, is_edge),)


def _heads(turn: _Turn, *, is_after_at: bool) -> list[Piece]:
    """What may be the rest of something: at the beginning and at the end of a turn."""
    first, first_path = turn.texts[0]
    last, last_path = turn.texts[-1]
    found = [
        (first, first_path, group)
        for group in _groups(first, 0, min(len(first), _WINDOW_CHARS), is_after_at=is_after_at)[:1]
    ]
    found += [(last, last_path, group) for group in _groups(last, max(len(last) - _WINDOW_CHARS, 0), len(last))[-1:]]
    return list(
        dict.fromkeys(
            [
                Piece(text[start:end], 0, path, start, text is first and not text[:start].strip())
                for text, path, (start, end) in found
            ]
        )
    )


def _groups(text: str, begin: int, end: int, *, is_after_at: bool = False) -> list[tuple[int, int]]:
    """(start, end) of words that can be halves, with those that stand right beside them.
    `is_after_at`: domains, too."""
    if _SIGN.search(text, begin, end) is None and not (is_after_at and "." in text[begin:end]):
        return []  # most texts
    groups: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(text, begin, end):
        if not _may_be_half(match[0]):
            continue
        start, last = match.span()
        if groups and 0 < start - groups[-1][1] <= _GAP_CHARS and text[groups[-1][1] : start].isspace():
            groups[-1] = groups[-1][0], last
        else:
            groups.append((start, last))
    return groups


def _may_be_half(word: str) -> bool:
    """Prose cannot."""
    if _STRONG.search(word) or "." in word.strip("."):
        return True
    if word.isascii():
        return len(word) >= 3 and word.isupper()
    return sum([char in _NUMERALS for char in word]) >= 3


def _context(text: str, start: int) -> int:
    """Where the words in front of `start` begin."""
    lead = max(start - _CONTEXT_CHARS, 0)
    if lead and (space := text.find(" ", lead, start)) >= 0:
        lead = space + 1
    return max(lead, text.rfind("\n", 0, start) + 1)


def _may_belong(before: Sequence[Piece], head: Piece) -> bool:
    said = "".join([piece.text[piece.lead :] for piece in before])
    if "@" in said or head.text.startswith("@"):
        return True
    if not all(_SIGN.search(text) for text in (said, head.text)):
        return False
    both = said + head.text
    if any(char.isascii() and char.isalpha() for char in both):
        return len(both) >= _LEAST_SECRET_CHARS
    digits = sum(char.isdigit() or char in _NUMERALS for char in both)
    return _LEAST_DIGITS <= digits <= _MOST_DIGITS


# ---- seams ----------------------------------------------------------------------------------------------------------


def _spellings(pieces: Sequence[Piece]) -> list[tuple[str, _Origins]]:
    """The pieces as one text: cut anywhere, cut between groups, and with the digits alone."""
    spellings: dict[str, _Origins] = {}
    whole = [range(len(piece.text)) for piece in pieces]
    trimmed = [_trimmed(piece) for piece in pieces]
    digits = [[at for at in range(len(piece.text)) if at < piece.lead or piece.text[at].isdigit()] for piece in pieces]
    ways: list[tuple[Sequence[Sequence[int]], str]] = [(whole, ""), (trimmed, " "), (digits, "")]
    if any("-" in piece.text[piece.lead :] for piece in pieces):
        ways.append((trimmed, "-"))
    for chosen, gap in ways:
        chars: list[str] = []
        origins: _Origins = []
        for number, (piece, places) in enumerate(zip(pieces, chosen, strict=True)):
            if gap and number:
                chars.append(gap)
                origins.append(None)
            chars += [piece.text[at] for at in places]
            origins += [(number, at) for at in places]
        spellings.setdefault("".join(chars), origins)
    return list(spellings.items())


def _trimmed(piece: Piece) -> range:
    half = piece.text[piece.lead :]
    end = len(piece.text) - (len(half) - len(half.rstrip(_OUTER)))
    start = 0 if piece.lead else len(half) - len(half.lstrip(_OUTER))
    return range(start, max(end, start))


def _placed(finding: Finding, pieces: Sequence[Piece], origins: _Origins) -> list[Finding]:
    """`finding` in each turn that holds a part of it; nothing unless it goes across the last seam."""
    covered: dict[int, list[int]] = {}
    for origin in origins[finding.start : finding.end]:
        if origin is not None:
            covered.setdefault(origin[0], []).append(origin[1])
    last = len(pieces) - 1
    if last not in covered or len(covered) < 2:
        return []
    began_earlier = any(pieces[number].path is None for number in covered)
    placed: list[Finding] = []
    for number, offsets in covered.items():
        piece = pieces[number]
        if piece.path is None:
            continue
        start, end = piece.offset + min(offsets), piece.offset + max(offsets) + 1
        place = Place((("", "$"), EARLIER), "whole") if began_earlier else Place(piece.path, "text", start, end)
        placed.append(replace(finding, path=spell_path(piece.path), start=start, end=end, place=place))
    return placed
