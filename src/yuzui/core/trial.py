"""A trial: a share of a virtual model's requests goes to another target first, and is compared with the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from yuzui.core.caller import Caller

TrialKind = Literal["canary", "ab"]
Unit = Literal["conversation", "user", "opening", "request"]
"""By what a request was drawn: its conversation's name, its end user, how its conversation begins, or itself."""
ARM: Final = "arm"
CONTROL: Final = "control"
FILTERED: Final = "content_filter"
"""How an answer ends that its target held back: not an error of ours, and a failure of the target."""
NO_FAILURE: Final = frozenset(("ok", "answer_withheld", "escalated"))
"""Outcomes of an attempt whose target did its work, whatever was made of its answer here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """When an arm is stopped without asking anybody."""

    alpha: float = 0.01
    """The chance that an arm that is no worse is ever stopped by a comparison; 0: nothing is compared."""
    failures_ratio: float = 1.0
    """The arm's odds of failing may be so many times those of control."""
    first_token_ratio: float = 1.25
    """The typical first token of the arm may come so many times as late as one of control; 0: not compared."""
    failure_rate: float = 0.0
    """The arm may fail at this rate at most, whatever control does; 0: not compared."""
    first_token_ms: int = 0
    """All but one in twenty first tokens of the arm come by then; 0: not compared."""
    failures_in_a_row: int = 10
    """Stops the arm without any statistics; 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One arm of one virtual model."""

    model: str
    name: str
    arm: str
    """Target name."""
    kind: TrialKind = "canary"
    percent: float = 100.0
    """Of the requests that it is about."""
    keys: frozenset[str] = frozenset()
    """With `teams` and `apps`: whose requests it is about. All three empty: everybody's."""
    teams: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()
    rollback: Rollback = Rollback()

    @property
    def id(self) -> str:
        """What its state is kept under: another arm under the same name is another trial."""
        return f"{self.model}\n{self.name}\n{self.arm}"

    def concerns(self, caller: Caller) -> bool:
        if not (self.keys or self.teams or self.apps):
            return True
        return (
            caller.key_id in self.keys
            or caller.scope in self.keys  # a rotated key stays who it was
            or (bool(caller.team) and caller.team in self.teams)
            or caller.app in self.apps
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What was drawn for one request, before it is known where it may go."""

    arm: Trial | None
    """None: it is control of all in `control`."""
    control: tuple[Trial, ...] = ()
    unit: Unit
    unit_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a lot inside the allowed set."""

    roles: Mapping[str, str]
    """Trial name → `arm`, `control`, or why it is neither: the reason for which the arm was refused, `left_alone` after
    failures, `same` where the plan begins with the arm anyway, `budget`."""
    arm: str = ""
    """The trial whose arm the plan begins with; "" where it is as without a trial."""
    words: str = ""
    """For the decision's one line."""
