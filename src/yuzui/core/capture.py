"""Which requests are kept as examples for evaluation: the operator's word, app by app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

AnswerUse = Literal["none", "evaluate", "train"]
"""What the contract with a target allows its answers to be used for; each allows the ones before it."""
USES: Final[tuple[AnswerUse, ...]] = ("none", "evaluate", "train")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRules:
    apps: frozenset[str] = frozenset()
    """Empty: nothing is kept."""
    share: float = 1.0
    """Of their requests, drawn at random."""
    max_level: int = 0
    """Requests and answers above it are never kept."""
    masked: bool = True
    """A request with findings is kept with stand-ins, or not at all; its answer is not kept."""
    retention_days: float = 30.0


def permits(use: AnswerUse, wanted: AnswerUse) -> bool:
    """Whether answers that may be used for `use` may be used for `wanted`."""
    return USES.index(use) >= USES.index(wanted)
