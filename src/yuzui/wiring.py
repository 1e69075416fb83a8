"""Configuration → running gateway. The only place where parts are connected, and where their lives begin and end."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import platformdirs

from yuzui import __version__
from yuzui import config as configuration
from yuzui.admission.gate import Gate
from yuzui.config import LOOPBACK, Config
from yuzui.core.booking import Learnt
from yuzui.core.errors import ConfigError, GatewayFault, YuzuiError
from yuzui.declassifying import carry_out
from yuzui.desk import Desk, Part
from yuzui.engine.installed import worker_settings
from yuzui.engine.supervisor import EngineSupervisor
from yuzui.io.archive import BookArchive
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.books import SqliteBooks
from yuzui.io.clock import SystemClock, SystemRandomness
from yuzui.io.code_tests import CodeTests, places_of
from yuzui.io.credentials import Credentials, TokenLine
from yuzui.io.document_reader import DocumentReader, check_installed
from yuzui.io.http_server import HttpServer
from yuzui.io.learned_routers import load_routers
from yuzui.io.logs import LogSink
from yuzui.io.names import NameSearch
from yuzui.io.ner_process import names_process
from yuzui.io.price_library import lookup
from yuzui.io.publisher import Publisher
from yuzui.io.secrets import load_secrets
from yuzui.io.telemetry import Metrics
from yuzui.io.upstream import Endpoint, HttpUpstream
from yuzui.io.vault_rows import VaultRows
from yuzui.masking import Masker
from yuzui.opening import obey
from yuzui.pipeline import Gateway
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.judge import Verdicts
from yuzui.privacy.ner.cache import SpanCache
from yuzui.privacy.scan import Scanner
from yuzui.promises import Promises
from yuzui.providers.catalogue import find_codecs
from yuzui.providers.scripted import play
from yuzui.routes import Routes
from yuzui.routing.health import Watch
from yuzui.routing.retry import RetryBudget
from yuzui.routing.router import Router
from yuzui.tails import RETENTION_DAYS, Tails
from yuzui.trial_orders import keep
from yuzui.trials import Trials
from yuzui.watch_gauges import watch_gauges
from yuzui.watching import Watching, make_watched
from yuzui.world import Snapshot, World

log = logging.getLogger("yuzui")

KEY_REFRESH_S = 0.5
FORGET_EVERY_S = 600.0
DAY_S = 86_400
NER_PATIENCE_S = 20.0  # how long the start waits for the models for names
WATCH_PATIENCE_S = 2.0  # how long audits that run may finish at the end
ENGINE_PATIENCE_S = 20.0  # how long a request waits for an embedded model that is still loading
REMEMBERED_MESSAGES = 200_000
REMEMBERED_TEXTS = 50_000


def make_snapshot(config: Config, data_dir: Path) -> Snapshot:
    """Everything that `config` decides, with prices filled in from the price library; raise `ConfigError`."""
    check_installed(config.documents)
    config = with_prices(config, data_dir)
    guaranteed = load_routers(config)
    for name, model in guaranteed.items():
        if model.shortfall:  # the reference answers: correct, and not what anybody wants to pay for
            log.warning("guarantee_not_certified", extra={"fields": {"model": name, "reason": model.shortfall}})
    return Snapshot(
        config=config,
        router=Router(config.targets, config.models, config.sensitivity.lattice, rates=config.money.rates),
        scanner=Scanner(config.sensitivity),
        codecs=find_codecs(),
        guaranteed=guaranteed,
        promised=guaranteed,
        watched=make_watched(config),
        trials={model.name: model.trials for model in config.models if model.trials},
    )


def with_prices(config: Config, data_dir: Path) -> Config:
    """`config` with the price library's prices for the targets that name none; unknown ones stay None and refuse."""
    wanted = {name: key for name, key in config.price_lookups.items() if key[0]}
    if not wanted:
        return config
    prices = lookup(sorted(set(wanted.values())), data_dir / "cache")
    targets = tuple(
        replace(target, price=prices.get(wanted[target.name])) if target.name in wanted else target
        for target in config.targets
    )
    return replace(config, targets=targets)


class Service:
    """One gateway process: starts its parts in order, reloads its configuration, stops them in reverse."""

    def __init__(self, config: Config, data_dir: Path, *, written_address: tuple[str, int] | None = None) -> None:
        """`written_address`: host and port as the file has them, where the command line said otherwise."""
        self._data_dir = data_dir
        self._written_address = written_address or (config.server.host, config.server.port)
        self._config_path = config.source
        self._tasks: list[asyncio.Task[None]] = []
        self._is_stopping = False
        self._reloading = asyncio.Lock()
        self._secrets = load_secrets(data_dir)
        with ExitStack() as opened:
            self.books = SqliteBooks.open(data_dir, exclusive=True, book_currency=config.money.currency)
            opened.callback(self.books.stop)
            _keep_currency(self.books, config, data_dir)
            self._audit = AuditFolder.open(
                data_dir / "audit", origin=config.audit.origin, private_key_file=data_dir / "secrets" / "audit.key"
            )
            opened.callback(self._audit.close)
            self._connect(config)
            self._opened = opened.pop_all()

    def _connect(self, config: Config) -> None:
        """Everything over the stores that are open by now."""
        clock, randomness = SystemClock(), SystemRandomness()
        self._publisher = Publisher(self.books, self._audit)
        snapshot = make_snapshot(config, self._data_dir)
        promises = Promises(self.books, now_ns=clock.now_ns, bits64=randomness.bits64, changed=self._restand)
        snapshot = promises.adopt(snapshot, promises.load(snapshot.promised))
        self.watching = Watching(promises, self.books)
        self.engine = _engine_of(config)
        self.documents = DocumentReader(secret=self._secrets.content_key)
        self.code_tests = CodeTests((self._data_dir.absolute(), *places_of(config)))
        self.ner = names_process(config.sensitivity.names)
        self._token_line = TokenLine()
        self._upstream = HttpUpstream(
            endpoint_of=self._endpoint, scripted=play, credentials=Credentials(self._token_line.send, clock)
        )
        self._watch = Watch(clock=clock.monotonic, jitter=randomness.fraction)
        self._metrics = Metrics(self._gauges())
        self._archive = BookArchive(
            self.books,
            self._secrets.archive_key,
            lambda: self.gateway.snapshot.config.stored_responses.retention_days,
        )
        self.gateway = Gateway(snapshot, self._make_world(config, clock, randomness), Routes())
        self.app = HttpServer(
            self.gateway,
            Desk(self.gateway, version=__version__, parts=self._parts, scrape=self._metrics.scrape),
            on_startup=self.start,
            on_shutdown=self.stop,
        )

    def _make_world(self, config: Config, clock: SystemClock, randomness: SystemRandomness) -> World:
        """What requests share, over the stores that are open by now."""
        memory = ConversationMemory(self._secrets.memory_key, capacity=REMEMBERED_MESSAGES)
        memory.load(_remembered(self.books, config, self._data_dir))
        vault = BookArchive(
            self.books, self._secrets.archive_key, lambda: self.gateway.snapshot.config.masking.retention_days
        )
        self.trials = Trials(
            self._secrets.content_key, states=self.books.trial_states(), orders=self.books.trial_orders_in_force(),
            now_ns=clock.now_ns, bits64=randomness.bits64,
        )  # fmt: skip
        self._vault = VaultRows(self.books, vault, self._secrets.masking_key, clock.now_ns)
        return World(
            clock=clock,
            randomness=randomness,
            books=self.books,
            upstream=self._upstream,
            telemetry=self._metrics,
            gate=Gate(
                self.books,
                pepper=self._secrets.pepper,
                lattice=config.sensitivity.lattice,
                now_ns=clock.now_ns,
                monotonic=clock.monotonic,
                is_loopback=config.server.host in LOOPBACK,
            ),
            memory=memory,
            verdicts=Verdicts(self._secrets.memory_key),
            watch=self._watch,
            retries=RetryBudget(),
            archive=self._archive,
            content_key=self._secrets.content_key,
            masker=Masker(memory, vault, self._secrets.masking_key, randomness.bits64),
            tails=Tails(BookArchive(self.books, self._secrets.archive_key, lambda: RETENTION_DAYS)),
            trials=self.trials,
            captures=BookArchive(
                self.books, self._secrets.archive_key, lambda: self.gateway.snapshot.config.capture.retention_days
            ),
            documents=self.documents,
            names=self._name_search(config),
            afterwards=self.watching,
            code_tests=self.code_tests,
        )

    def _name_search(self, config: Config) -> NameSearch | None:
        if self.ner is None:
            return None
        cache = SpanCache(os.urandom(32), max_bytes=config.sensitivity.names.cache_mb * 1024 * 1024)
        return NameSearch(self.ner, cache=cache)

    async def start(self) -> None:
        """Start what runs beside the requests. The embedded model loads meanwhile; nobody waits for it here.

        The models for names are waited for: without them each request would count as most sensitive.
        """
        if self.ner is not None:
            self.ner.start()
            if not await self.ner.wait_ready(NER_PATIENCE_S):
                log.error("names_not_ready", extra={"fields": {"reason": self.ner.last_error or "still loading"}})
        if self.gateway.snapshot.config.documents.enabled:
            self.documents.start()
        if self.engine is not None:
            self.engine.start()
        self.watching.start(self.gateway.world)
        self._tasks = [
            asyncio.create_task(self._refresh_keys(), name="refresh-keys"),
            asyncio.create_task(self._publish(), name="publish-audit"),
            asyncio.create_task(self._forget(), name="forget-answers"),
            asyncio.create_task(self._obey(), name="label-orders"),
            asyncio.create_task(self._keep_trials(), name="trials"),
        ]

    async def stop(self) -> None:
        """After the last request: publish the last leaves, close the books, stop the engine. Nothing is lost."""
        self._is_stopping = True
        await self.watching.stop(WATCH_PATIENCE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._keep_trials_once()
        await self._upstream.close()
        await self._token_line.close()
        if self.engine is not None:
            await self.engine.stop()
        await self.documents.stop()
        self.code_tests.close()
        if self.ner is not None:
            await self.ner.stop()
        try:
            await asyncio.to_thread(self._publisher.publish)
        except (OSError, YuzuiError) as error:
            log.error("audit_unpublished", extra={"fields": {"reason": type(error).__name__}})
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Close the files; all that a service needs that was never started. Idempotent."""
        self._opened.close()

    def begin_drain(self) -> None:
        self._is_stopping = True

    async def reload(self) -> None:
        """Swap in the configuration file as it is now; a bad one changes nothing and says why in the log."""
        async with self._reloading:  # one after the other: a slow one must not overwrite a later one
            await self._reload()

    async def _reload(self) -> None:
        try:
            new = configuration.load(self._config_path, os.environ)
            old = self.gateway.snapshot.config
            for part in ("embedded", "audit"):
                if getattr(new, part) != getattr(old, part):
                    raise ConfigError(f"[{part}] changed: that needs a restart")
            if new.money.currency != old.money.currency:
                raise ConfigError("money.currency changed: the books and every budget are kept in it; restart")
            written = (new.server.host, new.server.port)
            new = replace(new, server=replace(new.server, host=old.server.host, port=old.server.port))
            if written != self._written_address:
                self._written_address = written
                log.warning("restart_needed", extra={"fields": {"keys": "server.host, server.port"}})
            if new.sensitivity.lattice != old.sensitivity.lattice:
                raise ConfigError("sensitivity.levels changed: remembered labels would mean something else; restart")
            _refuse_other_names(old, new)
            snapshot = await asyncio.to_thread(make_snapshot, new, self._data_dir)
            found = await asyncio.to_thread(self.watching.promises.load, snapshot.promised)
            snapshot = self.watching.promises.adopt(snapshot, found)
        except YuzuiError as error:
            log.error("reload_refused", extra={"fields": {"reason": error.message}})
            return
        except Exception:  # the edge: a reload that broke changes nothing either, and nobody awaits this task
            log.exception("reload_refused")
            return
        self.code_tests.hide((self._data_dir.absolute(), *places_of(new)))
        self.gateway.snapshot = snapshot
        if new.documents.enabled:
            self.documents.start()
        log.info("reloaded", extra={"fields": {"snapshot": new.snapshot_id}})
        if (
            new.stored_responses.retention_days < old.stored_responses.retention_days
            or new.masking.retention_days < old.masking.retention_days
            or new.capture.retention_days < old.capture.retention_days
        ):
            self.spawn(self._forget(once=True))

    def _restand(self) -> None:
        """A promise was found broken, or is trusted again: the requests from now on are decided accordingly."""
        self.gateway.snapshot = self.watching.promises.apply(self.gateway.snapshot)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` beside the requests; it ends with the service at the latest."""
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(work))

    # ---- background --------------------------------------------------------------------------------------------------

    async def _refresh_keys(self) -> None:
        while True:
            await asyncio.sleep(KEY_REFRESH_S)
            try:
                self.books.refresh_keys()
            except YuzuiError as error:
                log.error("keys_not_refreshed", extra={"fields": {"code": error.code}})
            except Exception:  # the edge: if this loop died, a revoked key would work until the next start
                log.exception("keys_not_refreshed")

    async def _obey(self) -> None:
        """Orders of named persons come through the books, as changes of keys do; only here is the audit log written."""
        while True:
            await asyncio.sleep(KEY_REFRESH_S)
            try:
                for order in await asyncio.to_thread(self.books.open_orders):
                    rules, memory = self.gateway.snapshot.config.sensitivity, self.gateway.world.memory
                    refused = await carry_out(order, self.books, memory, self._archive, rules)
                    log.warning("label_order", extra={"fields": {"order": order.id, "refused": bool(refused)}})
                for wish in await asyncio.to_thread(self.books.open_vault_orders):
                    openers = self.gateway.snapshot.config.masking.openers
                    refused = await obey(wish, self.books, self._vault, openers)
                    log.warning("vault_order", extra={"fields": {"order": wish.id, "refused": bool(refused)}})
                for trust in await asyncio.to_thread(self.books.open_watch_orders):
                    refused = await self.watching.promises.resume(trust)
                    log.warning("watch_order", extra={"fields": {"order": trust.id, "refused": bool(refused)}})
            except YuzuiError as error:
                log.error("label_orders_wait", extra={"fields": {"code": error.code}})
            except Exception:  # the edge: if this loop died, orders would wait for the next start
                log.exception("label_orders_wait")

    async def _keep_trials(self) -> None:
        """What trials have learnt goes into the books, and what was decided about them comes back, within a second;
        an arm that was stopped here is written at once."""
        stopped = asyncio.Event()
        self.trials.on_stop = stopped.set
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(KEY_REFRESH_S):
                    await stopped.wait()
            stopped.clear()
            await self._keep_trials_once()

    async def _keep_trials_once(self) -> None:
        try:
            for order in await keep(self.trials, self.books, self.gateway.snapshot.config.trials.operators):
                log.warning("trial_order", extra={"fields": {"order": order.id, "action": order.action}})
        except YuzuiError as error:
            log.error("trials_wait", extra={"fields": {"code": error.code}})
        except Exception:  # the edge: if this loop died, a stopped arm would be forgotten at the next start
            log.exception("trials_wait")

    async def _forget(self, *, once: bool = False) -> None:
        """Kept answers go when their time is over: a thousand at a time, so that closings do not wait for it.

        A shorter time, in a file that was loaded since, holds for what is kept already. `once`: until none is left.
        """
        while True:
            removed = 0
            config = self.gateway.snapshot.config
            try:
                await asyncio.to_thread(self.books.shorten_answers, config.stored_responses.retention_days * DAY_S)
                await asyncio.to_thread(
                    self.books.shorten_answers, config.masking.retention_days * DAY_S, in_vault=True
                )
                await asyncio.to_thread(self.books.shorten_captured, config.capture.retention_days * DAY_S)
                removed = await asyncio.to_thread(self.books.forget_expired_answers)
            except YuzuiError as error:
                log.error("answers_not_forgotten", extra={"fields": {"code": error.code}})
            except Exception:  # the edge: if this loop died, answers would outlive what the operator allows
                log.exception("answers_not_forgotten")
            if once and removed == 0:
                return
            await asyncio.sleep(FORGET_EVERY_S if removed == 0 else KEY_REFRESH_S)

    async def _publish(self) -> None:
        while True:
            await asyncio.sleep(self.gateway.snapshot.config.audit.publish_interval_s)
            try:
                await asyncio.to_thread(self._publisher.publish)
            except Exception:  # the edge: if this loop died, the log would stand still and nobody would be refused
                log.exception("audit_unpublished")
            self.gateway.closed_because = (
                GatewayFault(
                    f"the audit log cannot be written ({self._publisher.problem}); free space or mend the folder, "
                    "it recovers by itself",
                    code="audit_unavailable",
                    retry_after_s=5.0,
                )
                if self._publisher.is_overdue(self.gateway.world.clock.monotonic())
                else None
            )

    async def _endpoint(self, model: str) -> Endpoint | None:
        if self.engine is None:
            return None
        found = self.engine.endpoint()
        if found is None:
            with suppress(YuzuiError):
                found = await self.engine.wait_ready(ENGINE_PATIENCE_S)
        return None if found is None else Endpoint(url=found.url, api_key=found.api_key)

    def _parts(self) -> tuple[Part, ...]:
        engine_state = self.engine.status.state if self.engine is not None else "ready"
        return (
            Part(name="shutdown", problem="draining" if self._is_stopping else ""),
            Part(name="books", problem="closings wait for the disk" if self.books.owed else ""),
            Part(name="audit", problem=self._publisher.problem),
            # A loading model is no reason to send traffic elsewhere; one that failed for good is.
            Part(name="names", problem="no models; see `yuzui doctor`" if self._names_are_down() else ""),
            Part(name="embedded_model", problem="failed; see `yuzui doctor`" if engine_state == "failed" else ""),
        )

    def _names_are_down(self) -> bool:
        return self.ner is not None and self.ner.state == "failed"

    def _gauges(self) -> Mapping[str, tuple[str, str, Callable[[], Mapping[str, float]]]]:
        return {
            "yuzui_requests_running": ("Requests on their way.", "", lambda: {"": float(self.gateway.running)}),
            "yuzui_books_pending": ("Jobs waiting for a commit.", "", lambda: {"": float(self.books.pending)}),
            "yuzui_books_owed": ("Closings waiting for the disk.", "", lambda: {"": float(self.books.owed)}),
            "yuzui_audit_size": ("Leaves in the published log.", "", lambda: {"": float(self._audit.size)}),
            "yuzui_names_ready": (
                "1 while the models for names answer, 0 while they do not, absent without them.",
                "",
                lambda: {} if self.ner is None else {"": float(self.ner.state == "ready")},
            ),
            "yuzui_names_restarts": (
                "Restarts of the process with the models for names.",
                "",
                lambda: {} if self.ner is None else {"": float(self.ner.restarts)},
            ),
            **watch_gauges(self.watching),
            "yuzui_target_in_flight": (
                "Requests inside or waiting, per target.",
                "target",
                lambda: {name: float(count) for name, count in self._watch.latencies.in_flight.items()},
            ),
            "yuzui_trial_stopped": (
                "1 while the arm of a trial gets nothing: rolled back, or stopped by hand.",
                "trial",
                lambda: {f"{one.model}/{one.name}": 1.0 for one in self.trials.stopped().values()},
            ),
            "yuzui_target_blocked": (
                "1 while a target's circuit breaker is open.",
                "target",
                lambda: dict.fromkeys(self._watch.breakers.blocked(), 1.0),
            ),
        }


def _refuse_other_names(old: Config, new: Config) -> None:
    before, after = old.sensitivity.names, new.sensitivity.names
    if (before.enabled, before.threads, before.cache_mb) != (after.enabled, after.threads, after.cache_mb):
        raise ConfigError("sensitivity.names: enabled, threads or cache_mb changed; that needs a restart")


def _remembered(books: SqliteBooks, config: Config, data_dir: Path) -> list[Learnt]:
    """Labels of earlier conversations. They are kept as ranks: if the levels changed since, each becomes the top."""
    lattice = config.sensitivity.lattice
    names = "\n".join(lattice.names)
    if _last_time(data_dir, "levels") != names:
        books.raise_remembered(lattice.top)
        _note(data_dir, "levels", names)
    return books.remembered(REMEMBERED_MESSAGES, REMEMBERED_TEXTS)


def _keep_currency(books: SqliteBooks, config: Config, data_dir: Path) -> None:
    """Every sum and every budget in the books is in one currency, for good. Raise `ConfigError` when it changed."""
    before, now = _last_time(data_dir, "currency"), config.money.currency
    if before and before != now and books.size():
        raise ConfigError(f"money.currency: the books of {data_dir} are kept in {before}; {now} needs a new --data-dir")
    _note(data_dir, "currency", now)


def _last_time(data_dir: Path, what: str) -> str:
    note = data_dir / what
    return note.read_text("utf-8") if note.is_file() else ""


def _note(data_dir: Path, what: str, value: str) -> None:
    (data_dir / what).write_text(value, "utf-8")


def _engine_of(config: Config) -> EngineSupervisor | None:
    """Raise `ModelFault` when the model is not on this machine: the message says how to fetch it."""
    embedded = config.embedded
    if not embedded.enabled:
        return None
    return EngineSupervisor(
        worker_settings(
            embedded.model,
            threads=embedded.threads,
            context_tokens=embedded.context_tokens,
            parallel=embedded.parallel,
        ),
        on_change=lambda status: log.info(
            "embedded_model", extra={"fields": {"state": status.state, "reason": status.last_error}}
        ),
    )


def asgi() -> HttpServer:
    """The gateway for another ASGI server: `granian --interface asgi --factory yuzui.wiring:asgi`, one worker.

    Reads `YUZUI_CONFIG` and `YUZUI_DATA_DIR`. Nobody tells us where that server listens, so a virtual key is needed
    from the first request on. Raise `ConfigError` for what cannot start.
    """
    os.umask(0o077)  # as in `serve`
    path = os.environ.get("YUZUI_CONFIG")
    config = configuration.load(Path(path) if path else None, os.environ)
    folder = os.environ.get("YUZUI_DATA_DIR") or platformdirs.user_data_dir("yuzui", appauthor=False)
    sink = LogSink()
    atexit.register(sink.close)
    config = replace(config, server=replace(config.server, host=""))
    return Service(config, Path(folder)).app
