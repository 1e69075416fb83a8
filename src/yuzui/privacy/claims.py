"""Whose label a remembered thing carries: a thing may come from several conversations, each with its own level."""

from __future__ import annotations

from typing import Final

MOST_CLAIMS: Final = 4  # conversations per thing; what more of them say is kept, but is nobody's to declassify
NOBODY: Final = b""


class Origin:
    """One conversation's label for what was learnt from it at one time; lowered in place when it is declassified."""

    __slots__ = ("conversation", "level")

    def __init__(self, conversation: bytes, level: int) -> None:
        self.conversation = conversation
        self.level = level


Claims = tuple[Origin, ...]


def level_of(claims: Claims) -> int:
    """The highest level that anybody claims; -1 for none."""
    return max([origin.level for origin in claims], default=-1)


def join(claims: Claims, new: Origin) -> Claims | None:
    """`claims` with `new`; None when it says nothing new. The level is never lower than before."""
    if not claims:
        return (new,)
    others = []
    for origin in claims:
        if origin.conversation != new.conversation:
            others.append(origin)
        elif origin.level >= new.level:
            return None
    if len(others) < MOST_CLAIMS:
        return (*others, new)
    merged = Origin(NOBODY, max(origin.level for origin in others))
    return (merged, new)
