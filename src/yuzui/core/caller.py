"""Who is asking, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BudgetPeriod = Literal["day", "week", "month", "total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Per minute and at once; 0 means no limit."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A hard cap per period, in nano-units of the book currency. Windows are names derived from time: no reset job."""

    cap_nano: int
    period: BudgetPeriod = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What a caller narrows beyond the configuration. Hashable: the allowed set is remembered per value."""

    floor: int = 0
    own_only: bool = False
    forbidden_jurisdictions: frozenset[str] = frozenset()
    allow_retention: bool = True
    allow_training: bool = False
    allow_masking: bool = True
    """False: what is above a target's clearance does not go there masked either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    key_id: str
    app: str
    team: str = ""
    first_key_id: str = ""
    """The key that this one descends from by rotation; "" when it is the first."""
    models: frozenset[str] | None = None
    """Names the key may write into `model`; None means all."""
    constraints: Constraints = Constraints()
    limits: Limits = Limits()
    budget: Budget | None = None

    @property
    def scope(self) -> str:
        """Whose conversations these are: a rotated key goes on with those of the key before it."""
        return self.first_key_id or self.key_id


LOOPBACK_CALLER = Caller(key_id="loopback", app="loopback")
"""Who asks when no key is configured and the server listens on loopback only."""
