"""Knows who is asking and whether they may ask now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from yuzui.admission.keys import UNIFORM_MESSAGE, KeyHasher, read_bearer
from yuzui.admission.limits import Admission, Limiter
from yuzui.core.booking import KeyRecord
from yuzui.core.caller import LOOPBACK_CALLER, Budget, Caller, Constraints, Limits
from yuzui.core.errors import Unauthenticated
from yuzui.core.sensitivity import Lattice
from yuzui.core.usage import Usage

MOST_CALLERS = 4096


class KeyBook(Protocol):
    """What the gate needs of the books."""

    def find_key(self, key_hash: bytes) -> KeyRecord | None: ...

    def has_keys(self) -> bool: ...


class Gate:
    """The door. One per process; limits outlive a configuration."""

    def __init__(
        self,
        books: KeyBook,
        *,
        pepper: bytes,
        lattice: Lattice,
        now_ns: Callable[[], int],
        monotonic: Callable[[], float],
        is_loopback: bool,
    ) -> None:
        """`is_loopback`: the server can be reached from this machine only, so that a first try needs no key."""
        self._books = books
        self._hasher = KeyHasher(pepper)
        self._lattice = lattice
        self._now_ns = now_ns
        self._monotonic = monotonic
        self._is_loopback = is_loopback
        self._limiter = Limiter()
        self._callers: OrderedDict[str, tuple[KeyRecord, Caller]] = OrderedDict()

    @property
    def is_open(self) -> bool:
        """Whether callers need no key now: loopback only, and no key was ever created."""
        return self._is_loopback and not self._books.has_keys()

    def identify(self, authorization: Sequence[str]) -> Caller:
        """Who sends these Authorization headers. Raise `Unauthenticated`, with the same words for every cause."""
        if self.is_open:
            return LOOPBACK_CALLER
        record = self._books.find_key(self._hasher.hash(read_bearer(authorization)))
        if record is None or self._has_ended(record):
            raise Unauthenticated(UNIFORM_MESSAGE)
        known = self._callers.get(record.id)
        if known is not None and known[0] is record:
            return known[1]
        caller = caller_of(record, self._lattice)
        self._callers[record.id] = (record, caller)
        if len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return caller

    def admit(self, caller: Caller, tokens_bound: int) -> Admission:
        """Let one request of `caller` in. Raise `RateExceeded` that says when to come back."""
        return self._limiter.admit(caller.key_id, caller.limits, tokens_bound, self._monotonic())

    def grow(self, admission: Admission, tokens: int) -> None:
        """A request that was let in turns out `tokens` larger. Raise `RateExceeded`, and count nothing of it."""
        self._limiter.grow(admission, tokens, self._monotonic())

    def release(self, admission: Admission, usage: Usage | None) -> None:
        """The request ended; None when it consumed nothing. Twice is as good as once."""
        self._limiter.release(admission, usage.input_tokens + usage.output_tokens if usage else 0)

    def _has_ended(self, record: KeyRecord) -> bool:
        if record.revoked_ns is None and record.expires_ns is None:
            return False
        now_ns = self._now_ns()
        return any(end is not None and end <= now_ns for end in (record.revoked_ns, record.expires_ns))


def caller_of(record: KeyRecord, lattice: Lattice) -> Caller:
    """What a key may do."""
    floor = lattice.level_or_top(record.floor) if record.floor else 0
    return Caller(
        key_id=record.id,
        app=record.app,
        team=record.team,
        first_key_id=record.rotated_from,
        models=None if record.models is None else frozenset(record.models),
        constraints=Constraints(
            floor=floor,
            own_only=record.own_only,
            forbidden_jurisdictions=frozenset(record.forbidden_jurisdictions),
            allow_masking=record.may_mask,
        ),
        limits=Limits(
            requests_per_minute=record.requests_per_minute,
            tokens_per_minute=record.tokens_per_minute,
            concurrency=record.concurrency,
        ),
        budget=None if record.budget_nano is None else Budget(cap_nano=record.budget_nano, period=record.budget_period),
    )
