"""Where a request may go and where it should go, with every verdict's reason."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from yuzui.core.guarantee import Advised
from yuzui.core.target import Target
from yuzui.core.trial import Tried

RefusalReason = Literal[
    "clearance",
    "jurisdiction",
    "premises",
    "retention",
    "training",
    "unknown_price",
    "unknown_price_factor",
    "lacks_feature",
    "context_too_small",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Why one candidate target was refused; `words` is for people."""

    target: str
    reason: RefusalReason
    words: str


@dataclass(frozen=True)
class AllowedSet:  # no slots: cached_property needs __dict__, and routing reuses one set for many requests
    """The targets that may see one request. Made once by routing; `shrink` is the only way to derive another."""

    names: frozenset[str]

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """The names in order, for records."""
        return tuple(sorted(self.names))

    def __contains__(self, target: str) -> bool:
        return target in self.names

    def shrink(self, keep: frozenset[str]) -> AllowedSet:
        return AllowedSet(self.names & keep)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`plan` is a subset of `allowed` in the order of trying; empty never leaves routing (it raises instead)."""

    model: str
    """What the client asked for: a target's or a virtual model's name."""
    policy: str
    level: int
    allowed: AllowedSet
    plan: tuple[Target, ...]
    refused: tuple[Verdict, ...]
    why: str
    """One line for the header and the record: `own_first: house/qwen (own, free); next deepseek/chat`."""
    may_fall_back: bool = True
    unpaid: tuple[Target, ...] = ()
    """Permitted targets that cost nothing, where the policy comes back to them if the budget does not hold the plan."""
    masked: frozenset[str] = frozenset()
    """Those of `allowed` that may see the request only masked."""
    fraction: float | None = None
    """The draw, where the order depends on it."""
    blocked: frozenset[str] = frozenset()
    """Those of `allowed` that were left alone after failures."""
    full: frozenset[str] = frozenset()
    """Those of `plan` whose queue had no room, where the order depends on it."""
    advised: Advised | None = None
    """What a learned router said, where the model demands a guarantee."""
    tried: Tried | None = None
    """What the trials of the model have of it; None where it has none, or none is about this request."""
