"""What an operator says of watching a virtual model, and what its watch remembers: numbers and names, no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import msgspec

OnBroken = Literal["reference", "tighten"]
"""What follows when the promise is found broken: the reference answers, or first the next stricter certified threshold
is applied."""
Stage = Literal["holds", "tightened", "broken"]
"""Nothing speaks against the promise; a stricter threshold than the certificate's best is applied; only the reference
answers, until a person resumes it or another router is configured."""
WatchKind = Literal["audit", "shadow"]

WHY_UNGRADED: Final = (
    "budget", "queue_full", "shutdown", "blocked", "too_sensitive", "not_permitted", "judge_not_permitted",
    "no_verdict", "cut", "not_comparable", "failed",
)  # fmt: skip
"""Why a request that was drawn says nothing: stable names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRules:
    """How the promise of one model is watched."""

    share: float
    """Of the model's requests."""
    max_level: int
    """Index: nothing above it is ever asked again or shown to a judge."""
    budget_nano: int
    """Per day (UTC), book currency: for the reference and the judge together."""
    grade: str
    """A scorer as `yuzui evaluate` names it."""
    judge: str = ""
    """Target name; "" where the scorer compares by itself."""
    verdict: float = 0.5
    """The loss where the judge finds the reference better; the same below zero where it finds the candidate better."""
    alpha: float = 0.01
    on_broken: OnBroken = "reference"
    app: str = "watch"
    """Who the costs are booked on."""
    team: str = ""
    deadline_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRules:
    """Which target gets copies of one model's requests, unheard by the client."""

    target: str
    share: float
    max_level: int
    budget_nano: int
    app: str = "shadow"
    team: str = ""
    deadline_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseKey:
    """Whose state it is. Another router, or another certificate in it, is another promise."""

    model: str
    router_sha256: str
    certificate: str
    """First 32 hex digits of the SHA-256 of the certificate's JSON."""


class IntervalSums(msgspec.Struct, kw_only=True):
    """What an anytime-valid interval needs of the losses so far: see `evaluation.running_interval`."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0
    weights: float = 0.0
    weighted: float = 0.0
    spread: float = 0.0


class WatchState(msgspec.Struct, kw_only=True):
    """What the books keep of one promise's watch. Counts and sums are of the test that runs now, but for `all_…`."""

    stage: Stage = "holds"
    threshold: float | None = None
    """The one that is applied; None: the certificate's best."""
    since_ns: int = 0
    """When the stage began."""
    seen: int = 0
    """Requests that were bet on: `audited` and `referred`."""
    wealths: list[list[float]] = []
    """Logarithms, starts x bets."""
    audited: int = 0
    """Answers of the candidate that were compared."""
    referred: int = 0
    """Requests that the reference answered: a loss of zero, known for nothing."""
    ungraded: dict[str, int] = {}
    """Why → drawn requests that said nothing."""
    sums: IntervalSums = msgspec.field(default_factory=IntervalSums)
    cost_nano: int = 0
    all_audited: int = 0
    all_cost_nano: int = 0
    last_ns: int = 0
    """When it last learnt something."""
    change_id: str = ""
    """Of the log's leaf that tells of the last change of stage; "" for none."""


def entered(old: WatchState, stage: Stage, threshold: float | None, at_ns: int) -> WatchState:
    """The state of a new test at `threshold`: nothing of the old one counts, but what was spent."""
    return WatchState(
        stage=stage, threshold=threshold, since_ns=at_ns, all_audited=old.all_audited,
        all_cost_nano=old.all_cost_nano, last_ns=old.last_ns,
    )  # fmt: skip  # one thing


class ShadowState(msgspec.Struct, kw_only=True):
    """What was learnt about a target from copies of one model's requests."""

    asked: int = 0
    answered: int = 0
    failed: dict[str, int] = {}
    """Code → copies without an answer."""
    dropped: dict[str, int] = {}
    """Why → copies that were drawn and not sent."""
    duration_ms: int = 0
    """Of the copies that were answered, summed up: sent to complete."""
    usual_duration_ms: int = 0
    """Of the requests that these are copies of."""
    slowest_ms: int = 0
    cost_nano: int = 0
    usual_cost_nano: int = 0
    agreed: int = 0
    """Copies whose answer comes down to the same number, letter or word."""
    comparable: int = 0
    """Copies where both answers come down to something."""
    likeness: float = 0.0
    """Of the texts, 0 to 1, summed up."""
    first_ns: int = 0
    last_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOrder:
    """A named person's wish to trust a model again."""

    id: str
    at_ns: int
    key: PromiseKey
    by: str
    os_user: str
    """Who the operating system says it was."""
    reason: str
