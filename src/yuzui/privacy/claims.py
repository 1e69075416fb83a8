"""Whose label a remembered thing carries: a thing may come from several conversations, each with its own level."""

from __future__ import annotations

from typing import Final

MOST_CLAIMS: Final = 4  # conversations per thing; what more of them say is kept, but is nobody's to declassify
NOBODY: Final = b""


class Origin:
    """One conversation's label for what was learnt from it at one time; lowered in place when it is declassified."""

    __slots__ = ("conversation", "level", "masked")

    def __init__(self, conversation: bytes, level: int, masked: int | None = None) -> None:
        self.conversation = conversation
        self.level = level
        self.masked = level if masked is None else min(masked, level)
        """What it counts as in a request that is masked again: whoever said it may have seen no more than that."""

    def lower(self, level: int) -> None:
        self.level = min(self.level, level)
        self.masked = min(self.masked, level)


Claims = tuple[Origin, ...]


def level_of(claims: Claims) -> int:
    """The highest level that anybody claims; -1 for none."""
    return max([origin.level for origin in claims], default=-1)


def masked_of(claims: Claims) -> int:
    """The highest level under masking; -1 for none."""
    return max([origin.masked for origin in claims], default=-1)


def join(claims: Claims, new: Origin) -> Claims | None:
    """`claims` with `new`; None when it says nothing new. The level is never lower than before."""
    if not claims:
        return (new,)
    others = []
    for origin in claims:
        is_same = origin.conversation == new.conversation
        if is_same and origin.level >= new.level and origin.masked >= new.masked:
            return None
        if not is_same or origin.level > new.level or origin.masked > new.masked:
            others.append(origin)
    if len(others) < MOST_CLAIMS:
        return (*others, new)
    merged = Origin(NOBODY, level_of(tuple(others)), masked_of(tuple(others)))
    return (merged, new)
