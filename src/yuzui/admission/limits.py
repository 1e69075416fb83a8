"""Knows how much a caller may send now: requests and tokens per minute, and requests at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from yuzui.core.caller import Limits
from yuzui.core.errors import RateExceeded

MOST_IDLE_STATES = 50_000
"""States kept before the idle ones are dropped. A state whose buckets are full says nothing: a new one is equal."""


class Bucket:
    """A token bucket: a minute's worth may come at once, then `per_minute / 60` each second. Seconds are monotonic."""

    __slots__ = ("_at", "_level", "capacity")

    def __init__(self, per_minute: int, now: float, level: float | None = None) -> None:
        self.capacity = float(per_minute)
        self._level = self.capacity if level is None else min(level, self.capacity)
        self._at = now

    def wait_s(self, amount: float, now: float) -> float:
        """0 when `amount` is there, else how long until it will be. What exceeds the capacity needs a full bucket."""
        self._fill(now)
        missing = min(amount, self.capacity) - self._level
        return missing * 60 / self.capacity if missing > 0 else 0.0

    def take(self, amount: float) -> None:
        """Take what `wait_s` found to be there."""
        self._level -= min(amount, self.capacity)

    def correct(self, taken: float, used: float) -> None:
        """`taken` was an estimate: give the rest back, or owe what went beyond it."""
        self._level = min(self._level + min(taken, self.capacity) - used, self.capacity)

    def level(self, now: float) -> float:
        self._fill(now)
        return self._level

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.capacity / 60)
            self._at = now


NO_LIMITS = Limits()


@dataclass(slots=True)
class _State:
    limits: Limits = NO_LIMITS
    requests: Bucket | None = None
    tokens: Bucket | None = None
    in_flight: int = 0

    def change(self, limits: Limits, now: float) -> None:
        """New limits apply from now on; what was used before stays used."""
        self.limits = limits
        self.requests = _changed(self.requests, limits.requests_per_minute, now)
        self.tokens = _changed(self.tokens, limits.tokens_per_minute, now)

    def is_idle(self, now: float) -> bool:
        return not self.in_flight and all(
            bucket is None or bucket.level(now) >= bucket.capacity for bucket in (self.requests, self.tokens)
        )


@dataclass(slots=True)
class Admission:
    """One request that was let in; give it back with `Limiter.release`, exactly once."""

    key_id: str
    tokens: int
    _state: _State | None = field(repr=False)


class Limiter:
    """The state of all callers with limits, in this process. Money is not here: SQL decides money."""

    def __init__(self, most_idle_states: int = MOST_IDLE_STATES) -> None:
        self._states: dict[str, _State] = {}
        self._most = most_idle_states
        self._sweep_at = most_idle_states

    def __len__(self) -> int:
        return len(self._states)

    def admit(self, key_id: str, limits: Limits, tokens: int, now: float) -> Admission:
        """Let a request in that may use `tokens`. Raise `RateExceeded` with the seconds to wait, and count nothing."""
        if not (limits.requests_per_minute or limits.tokens_per_minute or limits.concurrency):
            return Admission(key_id, tokens, None)
        state = self._states.get(key_id)
        if state is None:
            state = self._new_state(key_id, now)
        if state.limits is not limits and state.limits != limits:
            state.change(limits, now)
        if limits.concurrency and state.in_flight >= limits.concurrency:
            raise RateExceeded(
                f"this key may have {limits.concurrency} requests running at once; wait for one to end",
                code="concurrency_limit_exceeded",
                retry_after_s=1.0,
            )
        if state.requests is not None:
            _refuse_if_early(state.requests.wait_s(1, now), f"{limits.requests_per_minute} requests")
        if state.tokens is not None:
            _refuse_if_early(state.tokens.wait_s(tokens, now), f"{limits.tokens_per_minute} tokens")
        if state.requests is not None:
            state.requests.take(1)
        if state.tokens is not None:
            state.tokens.take(tokens)
        state.in_flight += 1
        return Admission(key_id, tokens, state)

    def grow(self, admission: Admission, tokens: int, now: float) -> None:
        """Count `tokens` more for a request that was let in. Raise `RateExceeded`, and count nothing."""
        state = admission._state
        if state is None:
            return
        total = admission.tokens + tokens
        if state.tokens is not None:
            # As if it had come whole: what exceeds the capacity needs no more than a full bucket.
            more = min(total, state.tokens.capacity) - min(admission.tokens, state.tokens.capacity)
            _refuse_if_early(state.tokens.wait_s(more, now), f"{state.limits.tokens_per_minute} tokens")
            state.tokens.take(more)
        admission.tokens = total

    def release(self, admission: Admission, used_tokens: int) -> None:
        """The request ended and used `used_tokens`. The second release of an admission changes nothing."""
        state, admission._state = admission._state, None
        if state is None:
            return
        state.in_flight -= 1
        if state.tokens is not None:
            state.tokens.correct(admission.tokens, used_tokens)

    def _new_state(self, key_id: str, now: float) -> _State:
        if len(self._states) >= self._sweep_at:
            self._drop_idle(now)
        state = self._states[key_id] = _State()
        return state

    def _drop_idle(self, now: float) -> None:
        self._states = {key_id: state for key_id, state in self._states.items() if not state.is_idle(now)}
        self._sweep_at = max(self._most, 2 * len(self._states))  # so that sweeping stays cheap per request


def _refuse_if_early(wait_s: float, what: str) -> None:
    if wait_s > 0:
        raise RateExceeded(f"this key may send {what} per minute; retry in {wait_s:.1f} s", retry_after_s=wait_s)


def _changed(bucket: Bucket | None, per_minute: int, now: float) -> Bucket | None:
    if not per_minute:
        return None
    return Bucket(per_minute, now, None if bucket is None else bucket.level(now))
