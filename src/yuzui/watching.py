"""What is done with requests once their clients have their answers: some are audited, some copied to a shadow.

A bounded line in front of a few workers. Who does not fit is dropped and counted; a client never waits. What is learnt
goes to the promises and the shadows' sums, and from there into the books.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final, Protocol

import msgspec
from typing_extensions import override

from yuzui.accounting.window import window_of
from yuzui.auditing import Audit, Ungraded, audit
from yuzui.config import Config
from yuzui.copies import may_be_copied, was_masked
from yuzui.core.chat import ChatRequest
from yuzui.core.errors import ConfigError, UpstreamFault, YuzuiError
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.watching import PromiseKey, ShadowRules, ShadowState, WatchKind
from yuzui.exchange import Exchange
from yuzui.promises import Promises
from yuzui.shadowing import note, shadow
from yuzui.world import Afterwards, Snapshot, Watched, World

log = logging.getLogger("yuzui")

MOST_WAITING: Final = 128
"""Requests, each with its words."""
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024
"""Of those words: what memory watching may take, within the factor that objects take more than text."""
WORKERS: Final = 4
SAVE_EVERY_S: Final = 0.25
_NOTHING: Final[frozenset[WatchKind]] = frozenset()


class ShadowBooks(Protocol):
    def shadow_states(self, model: str = "") -> dict[tuple[str, str], tuple[int, ShadowState]]: ...

    def save_shadow(self, model: str, target: str, state: ShadowState) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    snapshot: Snapshot
    exchange: Exchange
    kind: WatchKind
    key: PromiseKey | None = None
    """Of an audit."""

    @property
    def size_bytes(self) -> int:
        """About what it keeps in memory."""
        return self.exchange.input_bound + self.exchange.delivered.characters


def make_watched(config: Config) -> Mapping[str, Watched]:
    """The models that are watched or shadowed. Raise `ConfigError` for a comparison that cannot be made here."""
    found: dict[str, Watched] = {}
    for model in config.models:
        if model.watch is None and model.shadow is None:
            continue
        if find_spec("numpy") is None:
            raise ConfigError(f"models.{model.name}: to watch or to shadow needs numpy: pip install 'yuzui[routing]'")
        scorer = None
        if model.watch is not None:
            from yuzui.evaluation.scorers.catalogue import read_scorer  # a gateway that watches nothing does without

            try:
                scorer = read_scorer(model.watch.grade, _no_functions)
            except ConfigError as error:
                told = error.message.partition(": ")[2] or error.message
                raise ConfigError(f"models.{model.name}.watch.grade: {told}") from error
        found[model.name] = Watched(watch=model.watch, scorer=scorer, shadow=model.shadow)
    return found


class Watching(Afterwards):
    """One per gateway; it outlives configurations. `start` and `stop` it inside one event loop."""

    def __init__(self, promises: Promises, books: ShadowBooks) -> None:
        self.promises = promises
        self._books = books
        self._shadows: dict[tuple[str, str], ShadowState] = {}
        self._changed_shadows: set[tuple[str, str]] = set()
        self._world: World | None = None
        self._line: asyncio.Queue[_Job] = asyncio.Queue(MOST_WAITING)
        self._waiting_bytes = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._spent: dict[str, str] = {}
        """Who pays → the day on which nothing is left."""
        self.dropped: Counter[tuple[str, str]] = Counter()
        """(model, why) since the start: for metrics."""
        self._is_open = False

    # ---- before and after a request: these are called while a client waits, and by the way ---------------------------

    @override
    def draw(self, snapshot: Snapshot, request: ChatRequest, label: Sensitivity) -> frozenset[WatchKind]:
        watched = snapshot.watched.get(request.model)
        world = self._world
        if watched is None or world is None or not self._is_open:
            return _NOTHING
        drawn: set[WatchKind] = set()
        for kind, rules in (("audit", watched.watch), ("shadow", watched.shadow)):
            if rules is not None and may_be_copied(request, label, rules.max_level) \
                    and world.randomness.fraction() < rules.share \
                    and not self._is_spent(_payer(kind, request.model), world):  # fmt: skip
                drawn.add("audit" if kind == "audit" else "shadow")
        return frozenset(drawn) if drawn else _NOTHING

    @override
    def offer(self, snapshot: Snapshot, exchange: Exchange) -> None:
        try:
            if "audit" in exchange.drawn:
                self._offer_audit(snapshot, exchange)
            if "shadow" in exchange.drawn and not was_masked(exchange):
                self._put(_Job(snapshot=snapshot, exchange=exchange, kind="shadow"))
        except Exception:  # the edge: the client has its answer, and whatever is odd here must not take it back
            log.exception("not_watched", extra={"fields": {"request_id": exchange.id}})

    def _offer_audit(self, snapshot: Snapshot, exchange: Exchange) -> None:
        decision, world = exchange.decision, self._world
        advised = decision.advised if decision is not None else None
        if decision is None or advised is None or exchange.target is None or world is None or was_masked(exchange):
            return
        if advised.reference not in decision.allowed or advised.reference in decision.masked:
            return  # the promise is not about it
        if decision.tried is not None and decision.tried.arm:
            return  # a trial said who comes first, not what was certified: neither a loss nor a zero of the promise's
        promise = self.promises.under(decision.model, advised)
        kept = advised.kept(exchange.target.name)
        if promise is None or kept == "none":
            return
        if kept == "certified":
            self._put(_Job(snapshot=snapshot, exchange=exchange, kind="audit", key=promise.key))
        elif world.randomness.fraction() < self.promises.graded_share(promise.key):
            self.promises.add(promise.key, advised, 0.0, is_audit=False)

    def _put(self, job: _Job) -> None:
        try:
            if not self._is_open or self._waiting_bytes + job.size_bytes > MOST_WAITING_BYTES:
                raise asyncio.QueueFull
            self._line.put_nowait(job)
            self._waiting_bytes += job.size_bytes
        except asyncio.QueueFull:
            self._drop(job, "queue_full" if self._is_open else "shutdown")

    def _drop(self, job: _Job, why: str) -> None:
        model = _model_of(job)
        self.dropped[model, why] += 1
        if job.key is not None:
            self.promises.note_ungraded(job.key, why)
        elif (rules := job.snapshot.watched[model].shadow) is not None:
            state = self._shadow(model, rules)
            state.dropped[why] = state.dropped.get(why, 0) + 1

    def _is_spent(self, payer: str, world: World) -> bool:
        return payer in self._spent and self._spent[payer] == window_of("day", world.clock.now_ns())

    # ---- beside the requests ----------------------------------------------------------------------------------------

    def start(self, world: World) -> None:
        self._world = world
        self._shadows.update({key: state for key, (_, state) in self._books.shadow_states().items()})
        self._is_open = True
        self._tasks = [asyncio.create_task(self._work(), name=f"watching-{number}") for number in range(WORKERS)]
        self._tasks.append(asyncio.create_task(self._keep(), name="watching-saves"))

    async def stop(self, patience_s: float) -> None:
        """Nothing new; what runs may finish for so long, what waits is dropped, what was learnt is saved."""
        self._is_open = False
        while not self._line.empty():
            self._drop(self._line.get_nowait(), "shutdown")
        if self._running:
            await asyncio.wait(set(self._running), timeout=patience_s)
        left = [*self._tasks, *self._running]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._save()

    async def _work(self) -> None:
        while True:
            job = await self._line.get()
            self._waiting_bytes -= job.size_bytes
            task = asyncio.create_task(self._do(job))
            self._running.add(task)
            try:
                await asyncio.wait({task})
            finally:
                if task.done():
                    self._running.discard(task)

    async def _do(self, job: _Job) -> None:
        model = _model_of(job)
        try:
            if job.kind == "audit":
                await self._audit(job)
            else:
                await self._shadow_copy(job)
        except Ungraded as why:
            if why.why == "budget" and self._world is not None:
                self._spent[_payer(job.kind, model)] = window_of("day", self._world.clock.now_ns())
                log.warning("watch_budget_spent", extra={"fields": {"model": model, "kind": job.kind}})
            self._drop(job, why.why)
        except asyncio.CancelledError:
            self._drop(job, "shutdown")
            raise
        except YuzuiError as error:  # the books cannot be written: clients hear of that too
            log.error("not_watched", extra={"fields": {"request_id": job.exchange.id, "code": error.code}})
            self._drop(job, "failed")
        except Exception:  # the edge: if a worker died, watching would stand still and nobody would know
            log.exception("not_watched", extra={"fields": {"request_id": job.exchange.id}})
            self._drop(job, "failed")

    async def _audit(self, job: _Job) -> None:
        watched, world, decision = job.snapshot.watched[_model_of(job)], self._world, job.exchange.decision
        assert watched.watch is not None and watched.scorer is not None and world is not None and job.key is not None
        assert decision is not None and decision.advised is not None
        advised, key = decision.advised, job.key
        reference = next(one for one in job.snapshot.config.targets if one.name == advised.reference)
        loss = await audit(
            job.snapshot, world,
            Audit(exchange=job.exchange, rules=watched.watch, scorer=watched.scorer, reference=reference,
                  pay=lambda nano: self.promises.pay(key, nano)),
        )  # fmt: skip  # one thing
        self.promises.add(key, advised, loss, is_audit=True)

    async def _shadow_copy(self, job: _Job) -> None:
        model, world = _model_of(job), self._world
        rules = job.snapshot.watched[model].shadow
        assert rules is not None and world is not None
        try:
            copied = await shadow(job.snapshot, world, job.exchange, rules)
        except UpstreamFault as fault:
            state = self._shadow(model, rules)
            state.asked += 1
            state.failed[fault.code] = state.failed.get(fault.code, 0) + 1
            state.last_ns = world.clock.now_ns()
            return
        state = self._shadow(model, rules)
        state.asked += 1
        note(state, copied, world.clock.now_ns())

    def _shadow(self, model: str, rules: ShadowRules) -> ShadowState:
        """To be changed: it is saved afterwards."""
        key = model, rules.target
        state = self._shadows.setdefault(key, ShadowState())
        if not state.first_ns and self._world is not None:
            state.first_ns = self._world.clock.now_ns()
        self._changed_shadows.add(key)
        return state

    @property
    def shadows(self) -> Mapping[tuple[str, str], ShadowState]:
        """For metrics: (model, target) → what was learnt."""
        return self._shadows

    @property
    def waiting(self) -> int:
        return self._line.qsize()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            await self._save()

    async def _save(self) -> None:
        try:
            if self.promises.owes:
                await self.promises.save()
            while self._changed_shadows:
                key = self._changed_shadows.pop()
                copy = msgspec.json.decode(msgspec.json.encode(self._shadows[key]), type=ShadowState)
                try:
                    await asyncio.to_thread(self._books.save_shadow, *key, copy)
                except BaseException:
                    self._changed_shadows.add(key)
                    raise
        except YuzuiError as error:
            log.error("watch_not_saved", extra={"fields": {"code": error.code}})
        except Exception:  # the edge: if this loop died, what is learnt would be lost at the next start
            log.exception("watch_not_saved")


def _model_of(job: _Job) -> str:
    assert job.exchange.request is not None
    return job.exchange.request.model


def _payer(kind: str, model: str) -> str:
    return f"{kind}:{model}"


def _no_functions(module: str, function: str) -> Any:  # Any: the catalogue's own
    raise ConfigError(f"{module}:{function} is no comparison of two answers")
