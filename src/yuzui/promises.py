"""The promises of all guaranteed models: how each one stands, kept in the books, told in the log, resumed by a person.

Changed on the event loop only. What is learnt counts at once; the books follow within a moment, and after a crash the
last moment is missing at most. The leaf that tells of a change is written once, also by the process after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from yuzui.audit.record import RequestRecord, WatchRecord, write_record
from yuzui.core.booking import Closing, DecisionOutcome, Receipt
from yuzui.core.errors import GatewayFault
from yuzui.core.guarantee import Advised
from yuzui.core.ids import time_sorted_id
from yuzui.core.watching import PromiseKey, Stage, WatchOrder, WatchRules, WatchState, entered
from yuzui.exchange import rfc3339
from yuzui.learned_routing import GuaranteedModel
from yuzui.standing import as_it_stands, promises_of, rests_on, stricter
from yuzui.world import Snapshot

if TYPE_CHECKING:  # both need numpy
    from yuzui.evaluation.promise_watch import PromiseWatch, Terms
    from yuzui.routing.artefact import Certificate

log = logging.getLogger("yuzui")

MOST_REASON_CHARS: Final = 500
"""Longer reasons are told elsewhere; the log is for ever."""
_OUTCOMES: Final[Mapping[Stage, DecisionOutcome]] = {
    "holds": "promise_resumed", "tightened": "promise_tightened", "broken": "promise_broken",
}  # fmt: skip


class PromiseBooks(Protocol):
    """What watching needs of the books."""

    def watch_states(self, model: str = "") -> dict[PromiseKey, tuple[int, WatchState]]: ...

    def save_watch(self, key: PromiseKey, version: int, state: WatchState) -> bool: ...

    def record_of(self, request_id: str) -> tuple[int, bytes] | None: ...

    def end_watch_order(self, order_id: str, *, leaf: int = -1, refused: str = "") -> None: ...

    def close(self, closing: Closing) -> asyncio.Future[Receipt]: ...


@dataclass(slots=True, kw_only=True)
class Promise:
    """One certificate that is applied, and its watch."""

    key: PromiseKey
    certificate: Certificate
    version: int
    """Of what lies in the books; 0: nothing."""
    watch: PromiseWatch
    is_dirty: bool = False
    untold: tuple[str, bytes] | None = None
    """Id and record of the leaf that tells of the last change, until it lies in the log."""

    @property
    def state(self) -> WatchState:
        return self.watch.state


class Promises:
    """One per gateway; it outlives configurations."""

    def __init__(
        self, books: PromiseBooks, *, now_ns: Callable[[], int], bits64: Callable[[], int],
        changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`changed` is told when a model stands otherwise than before."""
        self._books, self._now_ns, self._bits64, self._changed = books, now_ns, bits64, changed
        self._known: dict[PromiseKey, Promise] = {}
        self._saving = asyncio.Lock()

    # ---- with a configuration ---------------------------------------------------------------------------------------

    def load(self, guaranteed: Mapping[str, GuaranteedModel]) -> dict[PromiseKey, tuple[int, WatchState]]:
        """What the books know of the promises of `guaranteed`, as certified. Blocks; callable from any thread."""
        return self._books.watch_states() if guaranteed else {}

    def adopt(self, snapshot: Snapshot, found: Mapping[PromiseKey, tuple[int, WatchState]]) -> Snapshot:
        """`snapshot` with its models as they stand. What this process knows already counts more than `found`."""
        rules = {model.name: model.watch for model in snapshot.config.models}
        known: dict[PromiseKey, Promise] = {}
        for name, model in snapshot.promised.items():
            for key, certificate in promises_of(name, model):
                before = self._known.get(key)
                if before is not None:  # the same one: the books may be writing it just now, and then count its version
                    before.watch = _watch(before, before.state, terms_of(certificate, rules.get(name)))
                    known[key] = before
                    continue
                version, state = found.get(key, (0, WatchState()))
                known[key] = made = _promise(key, certificate, rules.get(name), version, state, self._now_ns())
                if state.change_id and self._books.record_of(state.change_id) is None:
                    made.untold = state.change_id, _record(made, state.change_id, self._now_ns())
        for key, gone in self._known.items():
            if key not in known and (gone.is_dirty or gone.untold):
                known[key] = gone  # until the books have it
        self._known = known
        return self.apply(snapshot)

    def apply(self, snapshot: Snapshot) -> Snapshot:
        if not snapshot.promised:
            return snapshot
        states = {key: promise.state for key, promise in self._known.items()}
        guaranteed = {name: as_it_stands(name, model, states) for name, model in snapshot.promised.items()}
        return replace(snapshot, guaranteed=guaranteed)

    # ---- what is learnt ---------------------------------------------------------------------------------------------

    def under(self, model: str, advised: Advised) -> Promise | None:
        """The promise under which `advised` was given, as it stands now; None for none that still counts."""
        for key, promise in self._known.items():
            if key.model == model and advised.router_sha256 == key.router_sha256 \
                    and rests_on(advised, promise.certificate, promise.state):  # fmt: skip
                return promise
        return None

    def add(self, key: PromiseKey, advised: Advised, loss: float, *, is_audit: bool) -> None:
        """One drawn request, compared. What was drawn under a threshold that is no longer applied does not count."""
        promise = self._known.get(key)
        if promise is None or not rests_on(advised, promise.certificate, promise.state):
            return
        now_ns = self._now_ns()
        before = _figures(promise)
        stage = promise.watch.add(loss, now_ns, is_audit=is_audit)
        promise.is_dirty = True
        if stage is None:
            return
        # The alarm's own figures: a tightened promise has begun a new test by now.
        figures = _figures(promise) if stage == "broken" else msgspec.structs.replace(
            before, seen=before.seen + 1, audited=before.audited + is_audit, threshold=promise.state.threshold
        )  # fmt: skip
        promise.state.change_id = time_sorted_id("wat_", now_ns, self._bits64())
        promise.untold = promise.state.change_id, _record(promise, promise.state.change_id, now_ns, figures)
        log.warning(
            f"promise_{stage}",
            extra={"fields": {
                "model": key.model, "router": key.router_sha256[:16], "seen": figures.seen,
                "audited": figures.audited, "mean_loss": figures.mean_loss, "threshold": promise.state.threshold,
            }},
        )  # fmt: skip
        self._changed()

    def note_ungraded(self, key: PromiseKey, why: str) -> None:
        promise = self._known.get(key)
        if promise is not None:
            promise.watch.note_ungraded(why)
            promise.is_dirty = True

    def pay(self, key: PromiseKey, cost_nano: int) -> None:
        promise = self._known.get(key)
        if promise is not None and cost_nano:
            promise.watch.pay(cost_nano)
            promise.is_dirty = True

    def graded_share(self, key: PromiseKey) -> float:
        promise = self._known.get(key)
        return 1.0 if promise is None else promise.watch.graded_share

    @property
    def known(self) -> Mapping[PromiseKey, Promise]:
        """For metrics."""
        return self._known

    # ---- what is kept -----------------------------------------------------------------------------------------------

    @property
    def owes(self) -> bool:
        return any(promise.is_dirty or promise.untold for promise in self._known.values())

    async def save(self) -> None:
        """Durable on return. Raise `GatewayFault` when the books cannot be written: the next call does it then."""
        async with self._saving:
            for promise in list(self._known.values()):
                if promise.is_dirty:
                    promise.is_dirty = False
                    try:
                        await self._save(promise)
                    except BaseException:
                        promise.is_dirty = True
                        raise
                if promise.untold is not None:
                    told = promise.untold
                    await asyncio.shield(self._books.close(_closing(promise.key, *told, self._now_ns())))
                    if promise.untold is told:
                        promise.untold = None

    async def _save(self, promise: Promise) -> None:
        # A copy: while the thread writes, audits go on.
        state = msgspec.json.decode(msgspec.json.encode(promise.state), type=WatchState)
        if await asyncio.to_thread(self._books.save_watch, promise.key, promise.version, state):
            promise.version += 1
            return
        found = (await asyncio.to_thread(self._books.watch_states, promise.key.model)).get(promise.key)
        if found is None:
            raise GatewayFault("the books have lost a watch that they held", code="ledger_invalid")
        log.error("watch_state_conflict", extra={"fields": {"model": promise.key.model}})
        promise.version = found[0]
        promise.watch = _watch(promise, found[1])
        self._changed()

    # ---- what a person says -----------------------------------------------------------------------------------------

    async def resume(self, order: WatchOrder) -> str:
        """Trust the model again, with a new test, or refuse it in the books; return why, "" when it was done.

        Raise `GatewayFault` when the books cannot be written: then it is done by the next call.
        """
        promise = self._known.get(order.key)
        version, state = (promise.version, promise.state) if promise else await self._of_the_books(order.key)
        if state.change_id != order.id:  # else it was done, and only its end is missing
            why = refusal(order.by, order.reason, state.stage)
            if why:
                await asyncio.to_thread(self._books.end_watch_order, order.id, refused=why)
                return why
            fresh = entered(state, "holds", None, self._now_ns())
            fresh.change_id = order.id
            record = _resumed(order, state)
            if promise is None:
                if not await asyncio.to_thread(self._books.save_watch, order.key, version, fresh):
                    raise GatewayFault("the watch changed meanwhile; it is tried again", code="ledger_unavailable")
            else:
                promise.watch = _watch(promise, fresh)
                promise.is_dirty, promise.untold = True, (order.id, record)
                self._changed()
                await self.save()
        else:
            record = _resumed(order, state)
        receipt = await self._books.close(_closing(order.key, order.id, record, order.at_ns))
        await asyncio.to_thread(self._books.end_watch_order, order.id, leaf=receipt.index)
        return ""

    async def _of_the_books(self, key: PromiseKey) -> tuple[int, WatchState]:
        states = await asyncio.to_thread(self._books.watch_states, key.model)
        return states.get(key, (0, WatchState()))


def refusal(by: str, reason: str, stage: Stage) -> str:
    """Why a promise is not resumed; "" when it is."""
    if not by.strip() or len(by) > MOST_REASON_CHARS:
        return "say who resumes it"
    if not reason.strip() or len(reason) > MOST_REASON_CHARS:
        return f"a reason has 1 to {MOST_REASON_CHARS} characters"
    return "its promise is neither broken nor tightened" if stage == "holds" else ""


def terms_of(certificate: Certificate, rules: WatchRules | None) -> Terms:
    """`rules`: None where nobody watches any more; what was found is held to all the same."""
    from yuzui.evaluation.promise_watch import Terms

    if rules is None:
        rules = WatchRules(share=0.0, max_level=0, budget_nano=0, grade="")
    return Terms(
        promised=certificate.epsilon, alpha=rules.alpha, on_broken=rules.on_broken, stricter=stricter(certificate)
    )


def _promise(
    key: PromiseKey, certificate: Certificate, rules: WatchRules | None, version: int, state: WatchState, now_ns: int
) -> Promise:
    from yuzui.evaluation.promise_watch import PromiseWatch

    if not state.since_ns:
        state.since_ns = now_ns
    watch = PromiseWatch(terms_of(certificate, rules), state)
    return Promise(key=key, certificate=certificate, version=version, watch=watch)


def _watch(promise: Promise, state: WatchState, terms: Terms | None = None) -> PromiseWatch:
    """Its watch, gone on with from `state`; `terms`: None for those of before."""
    from yuzui.evaluation.promise_watch import PromiseWatch

    return PromiseWatch(terms or promise.watch.terms, state)


def _figures(promise: Promise) -> WatchRecord:
    from yuzui.evaluation.running_interval import interval

    state, found = promise.state, interval(promise.state.sums)
    return WatchRecord(
        router=promise.key.router_sha256, certificate=promise.key.certificate, epsilon=promise.certificate.epsilon,
        alpha=promise.watch.terms.alpha, threshold=state.threshold, seen=state.seen, audited=state.audited,
        mean_loss=None if found is None else round(found.mean, 6), log_wealth=round(promise.watch.log_wealth, 6),
    )  # fmt: skip  # one thing


def _record(promise: Promise, id: str, at_ns: int, figures: WatchRecord | None = None) -> bytes:
    return write_record(
        RequestRecord(
            id=id, at=rfc3339(at_ns), model=promise.key.model, outcome=_OUTCOMES[promise.state.stage],
            watch=figures or _figures(promise),
        )
    )  # fmt: skip


def _resumed(order: WatchOrder, before: WatchState) -> bytes:
    key = order.key
    watch = WatchRecord(
        router=key.router_sha256, certificate=key.certificate, by=order.by, os_user=order.os_user, reason=order.reason,
        seen=before.seen, audited=before.audited,
    )  # fmt: skip  # one thing
    return write_record(
        RequestRecord(id=order.id, at=rfc3339(order.at_ns), model=key.model, outcome="promise_resumed", watch=watch)
    )


def _closing(key: PromiseKey, id: str, record: bytes, at_ns: int) -> Closing:
    outcome = msgspec.json.decode(record, type=_Outcome).outcome
    return Closing(
        request_id=id, at_ns=at_ns, key_id="", app="", team="", model=key.model, target="", outcome=outcome,
        window="", reserved_nano=0, spent_nano=0, is_estimated=False, input_tokens=0, output_tokens=0, postings=(),
        record=record,
    )  # fmt: skip


class _Outcome(msgspec.Struct):
    outcome: DecisionOutcome
