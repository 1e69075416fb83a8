"""What to do after an attempt failed: the same target again, the next one of the plan, or give up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from yuzui.core.decision import Decision
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamRedirect, UpstreamRefused, UpstreamTLS
from yuzui.core.target import Target

MAX_TRIES_PER_TARGET = 3
BACKOFF_BASE_S = 0.25
BACKOFF_CAP_S = 4.0
LONGEST_WAIT_S = 10.0  # a client waits this long for the only target that may answer
LONGEST_WAIT_WITH_CHOICE_S = 2.0  # and not longer than this while another permitted target could answer

CONTEXT_LENGTH_EXCEEDED = "context_length_exceeded"
_TRANSIENT_STATUSES = frozenset((408, 409, 425, 429))
_CLIENT_STATUSES = frozenset((400, 413, 414, 422))
"""The request itself is wrong. Other 4xx reject our key, balance, URL or model name, and another target may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Ask the same target again after `delay_s`."""

    target: Target
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FallBack:
    """Ask the next target of the plan, now."""

    target: Target
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Report the fault. `why` is for the record."""

    why: str


Step = Retry | FallBack | GiveUp


class RetryBudget:
    """Same-target retries as a share of requests, over all targets: n requests make at most share * n + burst retries.

    Falling back is not counted: the next target sees the request for the first time, and breakers stop it when it
    fails as well.
    """

    __slots__ = ("_burst", "_share", "_tokens")

    def __init__(self, *, share: float = 0.2, burst: float = 10.0) -> None:
        self._share = share
        self._burst = burst
        self._tokens = burst

    def deposit(self) -> None:
        """Once per request, before its first attempt."""
        self._tokens = min(self._burst, self._tokens + self._share)

    @property
    def has_room(self) -> bool:
        return self._tokens >= 1.0

    def withdraw(self) -> bool:
        """Take one retry; False when the share is used up."""
        if not self.has_room:
            return False
        self._tokens -= 1.0
        return True


def next_step(
    fault: UpstreamFault,
    *,
    plan: Sequence[Target],
    tried: Sequence[str],
    budget: RetryBudget,
    first_byte_sent: bool,
    fraction: float,
    time_left_s: float,
) -> Step:
    """Decide; `Retry` has already been taken out of `budget`. Only targets of `plan` are ever named.

    `tried`: target names in the order of the attempts, the failed one last (so it is never empty). `fraction`: uniform
    in [0, 1). `time_left_s`: until the request's own limit; no wait is planned beyond it.
    """
    if first_byte_sent:
        return GiveUp(why="a byte has reached the client")
    if _is_the_clients(fault):
        return GiveUp(why="the target refused what the client wrote")
    target = next((each for each in plan if each.name == tried[-1]), None)
    if target is None:
        return GiveUp(why="the failed target is not in the plan")
    other = next((each for each in plan if each.name not in tried), None)
    delay_s = _delay_s(fault, tried, has_choice=other is not None, fraction=fraction)
    if delay_s is not None and delay_s < time_left_s and budget.withdraw():
        return Retry(target=target, delay_s=delay_s)
    if other is not None and time_left_s > 0:
        return FallBack(target=other)
    return GiveUp(why="no further target in the plan and no retry left")


class Course:
    """One request on its way through its plan: remembers what was tried, so that the pipeline need not."""

    __slots__ = ("_budget", "_clock", "_deadline_s", "_plan", "_randomness", "_tried")

    def __init__(self, budget: RetryBudget, decision: Decision, randomness: Randomness, clock: Clock) -> None:
        self._budget = budget
        self._plan = decision.plan
        self._randomness = randomness
        self._clock = clock
        # One request takes no longer than its most patient target may, however many are tried.
        self._deadline_s = clock.monotonic() + max(target.timeouts.total_s for target in decision.plan)
        self._tried: list[str] = []
        budget.deposit()

    def after(self, target: Target, fault: UpstreamFault, *, first_byte_sent: bool = False) -> Retry | FallBack | None:
        """What to try after `target` failed with `fault`; None means report the fault."""
        self._tried.append(target.name)
        step = next_step(
            fault,
            plan=self._plan,
            tried=self._tried,
            budget=self._budget,
            first_byte_sent=first_byte_sent,
            fraction=self._randomness.fraction(),
            time_left_s=self._deadline_s - self._clock.monotonic(),
        )
        return None if isinstance(step, GiveUp) else step

    def without(self, target: Target) -> Target | None:
        """The next untried target after `target` turned out unable to be asked at all (its codec cannot say it)."""
        self._tried.append(target.name)
        return next((each for each in self._plan if each.name not in self._tried), None)


def _is_the_clients(fault: UpstreamFault) -> bool:
    """Whether every target would refuse the same request. A prompt too long for one context may fit another."""
    if not isinstance(fault, UpstreamRefused) or fault.code == CONTEXT_LENGTH_EXCEEDED:
        return False
    return fault.upstream_status in _CLIENT_STATUSES


def _delay_s(fault: UpstreamFault, tried: Sequence[str], *, has_choice: bool, fraction: float) -> float | None:
    """How long to wait before the same target; None when it must not or should not be asked again."""
    tries = tried.count(tried[-1])
    if tries >= MAX_TRIES_PER_TARGET or not _may_ask_again(fault):
        return None
    if fault.retry_after_s is not None and fault.retry_after_s > 0:
        longest_s = LONGEST_WAIT_WITH_CHOICE_S if has_choice else LONGEST_WAIT_S
        return fault.retry_after_s if fault.retry_after_s <= longest_s else None
    if has_choice:
        return None  # a healthy target at once is better than a failing one soon
    return fraction * min(BACKOFF_CAP_S, BACKOFF_BASE_S * 2.0**tries)


def _may_ask_again(fault: UpstreamFault) -> bool:
    """Whether the same target may see the request twice: it is known to have failed there, and time can help."""
    if not fault.retryable or isinstance(fault, UpstreamTLS | UpstreamRedirect):
        return False  # waiting does not heal a certificate, nor a spent balance that comes as 429
    if isinstance(fault, UpstreamRefused):
        return fault.upstream_status in _TRANSIENT_STATUSES or fault.upstream_status >= 500
    if isinstance(fault, UpstreamBusy) or type(fault) is UpstreamFault:
        return True  # the target itself says that it failed; the subclasses below leave the outcome unknown
    return not fault.may_have_run


class Randomness(Protocol):
    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds."""
        ...
