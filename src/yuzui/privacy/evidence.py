"""Why a finding is believed: facts of a fixed vocabulary, made once and shared, never a part of the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from yuzui.core.sensitivity import Fact

FIELD: Final = Fact("field")
ANTI_CUE: Final = Fact("anti_cue")
_SHAPE: Final = Fact("shape")
_CHECKSUM: Final = Fact("checksum")
_WRONG_CHECKSUM: Final = Fact("wrong_checksum")
_LABEL: Final = Fact("cue", "label")
_NEAR: Final = Fact("cue", "near")
_BEHIND: Final = Fact("cue", "behind")
_ENTROPY: Final = Fact("entropy")


@lru_cache(maxsize=256)  # a detector makes a handful of combinations
def because(
    *, shape: bool = True, checksum: bool | None = None, label: bool = False, near: bool = False,
    behind: bool = False, entropy: bool = False, listed: str = "",
) -> tuple[Fact, ...]:  # fmt: skip  # one line per kind of reason
    """What speaks for a value.

    `checksum`: whether it is right; None where there is none. `label`: a word right in front names it, `near`: a word
    near in front does, `behind`: one behind it. `listed`: the list of ours that it, or its beginning, is in.
    """
    found: list[Fact] = []
    if shape:
        found.append(_SHAPE)
    if checksum is not None:
        found.append(_CHECKSUM if checksum else _WRONG_CHECKSUM)
    if label:
        found.append(_LABEL)
    if near:
        found.append(_NEAR)
    if behind:
        found.append(_BEHIND)
    if entropy:
        found.append(_ENTROPY)
    if listed:
        found.append(Fact("list", listed))
    return tuple(found)


@lru_cache(maxsize=1024)
def joined(evidence: tuple[Fact, ...], further: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Both, as one tuple that is shared."""
    return (*evidence, *further)


@lru_cache(maxsize=256)
def named_by_field(evidence: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The cue is the name of the field that the value stands in."""
    return (*[fact for fact in evidence if fact.name != "cue"], FIELD)


def is_cued(evidence: tuple[Fact, ...]) -> bool:
    """Whether a word in front of the value was needed."""
    return _LABEL in evidence or _NEAR in evidence
