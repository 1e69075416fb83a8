"""Examples without duplicates, without what is too short, too long or in another script, without leaks between splits.

Nothing goes silently: every removal has its reason, and every text that was changed is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example, Json, hash_of, name_of
from yuzui.evaluation.near_duplicates import Match
from yuzui.evaluation.normal_text import folded, script_of, tidy

Reason = Literal["empty", "too_short", "too_long", "script", "duplicate", "near_duplicate", "leak"]
Near = Callable[[Sequence[str], float], Iterable[Match]]

HELD_OUT: Final = ("test", "calib", "validation", "dev", "train")
"""Where one text stands in two splits it stays in the one that is named first here; then in the order of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    least_chars: int = 1
    most_chars: int = 200_000
    scripts: frozenset[str] = frozenset()
    """Empty: all."""
    near: float = 0.85
    """From which likeness on two examples count as one; 0: only the same text does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    example: str
    place: int
    """In the file, from 0."""
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    kept: list[Example]
    removed: list[Removal]
    tidied: int
    """So many kept examples had other white space or another Unicode form."""
    conflicts: list[str] = field(default_factory=list)
    """Duplicates whose references differ: one of them is wrong, and nobody here knows which."""


def clean(examples: Sequence[Example], rules: Rules, near: Near) -> Cleaned:
    """Apply `rules` in a fixed order: tidy, length, script, same text, near-duplicates; splits are told apart."""
    if not 0 <= rules.least_chars <= rules.most_chars:
        raise ConfigError("the least length must not be above the most")
    tidied = [_tidied(example) for example in examples]
    removed: list[Removal] = []
    conflicts: list[str] = []
    places = [place for place, example in enumerate(tidied) if not _dropped(example, place, rules, removed)]
    places.sort(key=lambda place: _rank(tidied[place].split))  # stable: the file's order within a split
    places = _without_same(tidied, places, removed, conflicts)
    if rules.near:
        places = _without_near(tidied, places, removed, near(_texts(tidied, places), rules.near))
    places.sort()
    removed.sort(key=lambda one: one.place)
    changed = sum(tidied[place] != examples[place] for place in places)
    return Cleaned(kept=[tidied[place] for place in places], removed=removed, tidied=changed, conflicts=conflicts)


def _rank(split: str) -> int:
    return HELD_OUT.index(split) if split in HELD_OUT else len(HELD_OUT)


def _texts(examples: Sequence[Example], places: Sequence[int]) -> list[str]:
    return [examples[place].text for place in places]


def _tidied(example: Example) -> Example:
    messages = [_tidied_message(message) for message in example.messages]
    return msgspec.structs.replace(example, prompt=tidy(example.prompt), messages=messages)


def _tidied_message(message: Json) -> Json:
    content = message.get("content")
    return {**message, "content": tidy(content)} if isinstance(content, str) else message


def _dropped(example: Example, place: int, rules: Rules, removed: list[Removal]) -> bool:
    """Whether what it says of itself is enough to leave it out."""
    text = example.text

    def drop(reason: Reason, detail: str) -> bool:
        removed.append(Removal(example=name_of(example, place), place=place, reason=reason, detail=detail))
        return True

    if not text.strip():
        return drop("empty", "there is no text in it")
    if len(text) < rules.least_chars:
        return drop("too_short", f"{len(text)} characters, the least is {rules.least_chars}")
    if len(text) > rules.most_chars:
        return drop("too_long", f"{len(text)} characters, the most is {rules.most_chars}")
    if rules.scripts and (script := script_of(text)) not in rules.scripts:
        return drop("script", f"{script}; wanted: {', '.join(sorted(rules.scripts))}")
    return False


def _without_same(
    examples: Sequence[Example], places: Sequence[int], removed: list[Removal], conflicts: list[str]
) -> list[int]:
    first: dict[str, int] = {}
    kept = []
    for place in places:
        example = examples[place]
        key = folded(example.text) + "\0" + hash_of(msgspec.structs.replace(example, prompt="-", messages=[]))
        earlier = first.setdefault(key, place)
        if earlier == place:
            kept.append(place)
            continue
        _remove(examples, place, earlier, "duplicate", "", removed)
        if example.references != examples[earlier].references:
            names = f"{name_of(examples[earlier], earlier)} and {name_of(example, place)}"
            conflicts.append(f"{names} ask the same and have other references")
    return kept


def _without_near(
    examples: Sequence[Example], places: Sequence[int], removed: list[Removal], matches: Iterable[Match]
) -> list[int]:
    gone = set()
    for match in matches:
        gone.add(match.place)
        place, earlier = places[match.place], places[match.earlier]
        _remove(examples, place, earlier, "near_duplicate", f" ({match.likeness:.2f} alike)", removed)
    return [place for number, place in enumerate(places) if number not in gone]


def _remove(
    examples: Sequence[Example], place: int, earlier: int, reason: Reason, more: str, removed: list[Removal]
) -> None:
    here, there = examples[place], examples[earlier]
    is_leak = here.split != there.split
    removed.append(
        Removal(
            example=name_of(here, place),
            place=place,
            reason="leak" if is_leak else reason,
            detail=f"{'the same as' if reason == 'duplicate' else 'like'} {name_of(there, earlier)}{more}"
            + (
                f", which is in split {there.split or 'none'}; this one is in {here.split or 'none'}" if is_leak else ""
            ),
        )
    )
