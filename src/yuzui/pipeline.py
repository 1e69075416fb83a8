"""One request, top to bottom. Read `Journey.run` and you know how Yuzui works; each step names its station.

Nothing here opens a socket, reads a file or a clock: the world comes in through `ports`. The order below is the order
of the table in the README, and a test holds the two together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

from yuzui.accounting import bounds, settle
from yuzui.accounting.window import window_of
from yuzui.admission.limits import Admission
from yuzui.answers import Listener
from yuzui.audit.record import AttemptRecord, write_record
from yuzui.capturing import captured, wanted
from yuzui.cascading import Cascade, Escalated, begin_cascade
from yuzui.core.answers import Answer, Count
from yuzui.core.booking import Intent, Outcome, Receipt
from yuzui.core.caller import Caller
from yuzui.core.chat import AnswerFacts, ChatRequest
from yuzui.core.decision import Decision
from yuzui.core.errors import (
    AnswerWithheld,
    BudgetExceeded,
    ClientFault,
    GatewayFault,
    MaskingIncomplete,
    UnsupportedFeature,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
    UpstreamTimeout,
    YuzuiError,
)
from yuzui.core.futures import heard
from yuzui.core.guarantee import Advice
from yuzui.core.headers import HeaderView
from yuzui.core.ids import time_sorted_id
from yuzui.core.sensitivity import Finding, Sensitivity
from yuzui.core.target import Target
from yuzui.core.uploads import upload_bytes
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.exchange import Delivered, Exchange, safe_message, show_receipt, speakable
from yuzui.judging import judged
from yuzui.keeping import Shelf
from yuzui.lanes import choose_codec, first_that_can, sent_terms
from yuzui.learned_routing import advise
from yuzui.masking_choice import choose
from yuzui.ports import ClientGone, Interruption, RawRequest, Reply
from yuzui.privacy.egress import Scanned, check_egress
from yuzui.privacy.label import label
from yuzui.providers._contract import Codec, WireRequest
from yuzui.reading import scan_with_documents
from yuzui.remembering import learn, recollect
from yuzui.routes import Routes
from yuzui.routing.retry import Course
from yuzui.sampling import RefusalSampler
from yuzui.scanning import scan_request
from yuzui.world import Snapshot, World

log = logging.getLogger("yuzui")

MOST_HELD_BYTES = 64 * 1024  # a stream that promises for so long without saying anything is passed on as it is


class Gateway:
    """Answers requests. All state that outlives one request is in `World` or in the current `Snapshot`."""

    def __init__(self, snapshot: Snapshot, world: World, routes: Routes) -> None:
        self.snapshot = snapshot
        self.world = world
        self.routes = routes
        self._running: set[Interruption] = set()
        self._sampler = RefusalSampler()
        self.closed_because: GatewayFault | None = None
        """Set while evidence cannot be written: then nothing is answered."""

    async def answer(self, raw: RawRequest, reply: Reply, dialect: ClientDialect, interruption: Interruption) -> None:
        """Answer one request; never raises for anything that is the client's, the target's or the network's doing."""
        journey = Journey(self.snapshot, self.world, self._sampler, reply, dialect)
        self._running.add(interruption)
        try:
            await self._carry(journey, raw)
        except ClientGone:
            interruption.reason = interruption.reason or "client_gone"  # disarmed: nothing is left to interrupt
            await journey.abandon()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not interruption.reason or task is None:
                with suppress(GatewayFault):
                    journey.hand_over("aborted", None)  # whoever cancels us does not wait: the books get it anyway
                raise
            task.uncancel()  # the cancellation has done its work: what follows must be able to wait
            if interruption.reason == "client_gone":
                await journey.abandon()
            else:
                await journey.refuse(
                    GatewayFault("the gateway restarts; send the request again", code="server_restarting")
                )
        finally:
            self._running.discard(interruption)
            journey.leave()

    async def _carry(self, journey: Journey, raw: RawRequest) -> None:
        """Run `journey`; whatever stops it is told in the client's dialect. An interruption may come at any await."""
        try:
            if self.closed_because is not None:
                raise self.closed_because
            await journey.run(raw)
        except YuzuiError as error:
            await journey.refuse(error)
        except ClientGone:
            raise
        except Exception:  # the edge: a bug must not reach the client as a traceback, nor be lost
            log.exception("request_failed", extra={"fields": {"request_id": journey.exchange.id}})
            await journey.refuse(
                YuzuiError(f"internal error; give the request id {journey.exchange.id} to the operator")
            )

    async def turn_away(self, error: YuzuiError, reply: Reply, dialect: ClientDialect) -> None:
        """Answer and record a request that the line refused before it could be read (too large, compressed, …)."""
        journey = Journey(self.snapshot, self.world, self._sampler, reply, dialect)
        try:
            await journey.refuse(error)
        finally:
            journey.leave()

    def interrupt_all(self) -> int:
        """End what still runs with `server_restarting`; say how many that were."""
        running = list(self._running)
        for interruption in running:
            interruption.fire("server_restarting")
        return len(running)

    @property
    def running(self) -> int:
        return len(self._running)


class Journey:
    """One request on its way. The methods stand in the order in which it meets them."""

    def __init__(
        self, snapshot: Snapshot, world: World, sampler: RefusalSampler, reply: Reply, dialect: ClientDialect
    ) -> None:
        self.snapshot = snapshot
        self.world = world
        self.reply = reply
        self.dialect = dialect
        self._sampler = sampler
        self._writer: StreamWriter | None = None
        self._findings: tuple[Finding, ...] = ()
        self._admission: Admission | None = None
        self._ended: tuple[Outcome, YuzuiError | None] = ("aborted", None)
        self._cascade: Cascade | None = None
        self._has_said = False
        """Something of an answer has reached the client."""
        now_ns = world.clock.now_ns()
        self.exchange = Exchange(
            id=time_sorted_id("req_", now_ns, world.randomness.bits64()),
            at_ns=now_ns,
            started=world.clock.monotonic(),
            lattice=snapshot.config.sensitivity.lattice,
            snapshot_id=snapshot.config.snapshot_id,
            content_key=world.content_key,
            dialect=dialect.name,
        )
        self._shelf = Shelf(world, self.exchange, dialect)
        self._listener = Listener(snapshot, world, self.exchange)

    async def run(self, raw: RawRequest) -> None:
        """The story."""
        exchange, world, snapshot = self.exchange, self.world, self.snapshot

        # Who is asking? Before anything is parsed: a stranger costs no more than this.
        caller = exchange.caller = world.gate.identify(raw.authorization)

        # May they send this now? Before anything is parsed as well: a flood beyond a limit stays cheap.
        self._admission = world.gate.admit(caller, len(raw.body))  # a token is at least a byte; corrected at the end

        # What do they want?
        exchange.request_hash = exchange.hash_content(raw.body)
        body: Mapping[str, Any] = self.dialect.read_body(raw.body, raw.content_type)  # Any: checked JSON, files
        request = exchange.request = self.dialect.read_request(body, raw.line)
        chosen = choose(snapshot.config, caller, request, raw.masking)
        exchange.conversation_id = raw.conversation_id or request.conversation_id or request.joins
        # Files are bounded for what they are, not as text.
        size_bytes, earlier_level = len(raw.body) - upload_bytes(body), None
        if request.follows:
            request, size_bytes, earlier_level = await self._shelf.fetch(
                caller, request, self._admission, size_bytes, snapshot.config.server.max_body_bytes
            )
            exchange.request, body = request, request.body

        # How sensitive is it?
        scan = await scan_with_documents(
            lambda body, size: scan_request(snapshot, world, body, raw.line.headers, size),
            body, size_bytes, snapshot.config.documents, world.documents,
        )  # fmt: skip  # one step
        scan = await world.tails.join(snapshot.scanner, exchange, body, scan)
        scan, remembered = await recollect(world.memory, exchange, body, scan, size_bytes)
        highest, rules = _highest(remembered, earlier_level), snapshot.config.sensitivity
        sensitivity = label(rules, floor=caller.constraints.floor, scan=scan, remembered=highest)
        sensitivity = exchange.sensitivity = await judged(snapshot, world, exchange, body, sensitivity)
        masked = exchange.note_masking(await world.masker.mask(
            request, scan, caller, sensitivity, earlier_level, exchange.conversation_id, snapshot.config,
            snapshot.scanner, chosen,
        ))  # fmt: skip  # one step
        if self._gathers_answer(caller, request, sensitivity):
            # The answer carries the label too: it is kept until it was searched, and memory has learnt it.
            exchange.delivered.texts = {}
            self._findings = scan.findings

        # How large can it get?
        exchange.input_bound = bounds.input_tokens(max(size_bytes, masked.size_bytes) if masked else size_bytes)

        # Where may it go, where should it go, and why?
        advice = await advise(snapshot.guaranteed, request, size_bytes)
        exchange.lot = world.trials.draw(snapshot.trials.get(request.model, ()), exchange)
        decision = exchange.decision = snapshot.router.decide(
            request.model,
            sensitivity=sensitivity,
            constraints=caller.constraints,
            allowed_models=caller.models,
            operation=request.operation,
            features=request.features,
            input_tokens=exchange.input_bound,
            output_tokens=bounds.expected_output_tokens(request),
            masked_level=masked.level if masked else None,
            health=world.watch.health(),
            fraction=world.randomness.fraction(),
            dialect=request.dialect, price_terms=request.price_terms,
            sent_terms=partial(sent_terms, snapshot.codecs, request), advice=advice, lot=exchange.lot,
        )  # fmt: skip  # one step

        # Reserve the money: durable before anything leaves.
        decision = await self._reserve(caller, request, decision, advice)

        # Send it, stream it back, settle it.
        await self._try_plan(request, decision)

    def _gathers_answer(self, caller: Caller, request: ChatRequest, sensitivity: Sensitivity) -> bool:
        """Whether somebody needs the words of the answer when it is complete."""
        exchange, config = self.exchange, self.snapshot.config
        exchange.carries_label = sensitivity.level > max(config.sensitivity.default, caller.constraints.floor)
        exchange.is_captured = wanted(config.capture, caller, request, sensitivity, self.world.randomness)
        if self.snapshot.watched and self.world.afterwards is not None:
            exchange.drawn = self.world.afterwards.draw(self.snapshot, request, sensitivity)
        return exchange.carries_label or exchange.is_captured or self._listener.is_on or bool(exchange.drawn)

    async def _reserve(
        self, caller: Caller, request: ChatRequest, decision: Decision, advice: Advice | None
    ) -> Decision:
        """What the money was reserved for: what the budget does not hold gives way to what costs less."""
        self._cascade = begin_cascade(self.snapshot, self.world, self.exchange, request, advice)
        try:
            await self._reserve_for(caller, request, decision)
        except BudgetExceeded:
            home = self.exchange.come_home(decision)
            if home is None:
                raise
            return await self._reserve(caller, request, home, advice)  # without an arm, a cascade, a burst
        return decision

    async def _reserve_for(self, caller: Caller, request: ChatRequest, decision: Decision) -> None:
        exchange = self.exchange
        budget = caller.budget
        exchange.window = window_of(budget.period, exchange.at_ns) if budget is not None else ""
        exchange.reserved_nano = bounds.most_expensive_nano(
            decision.plan,
            request,
            exchange.input_bound,
            self.snapshot.config.money.rates,
            partial(sent_terms, self.snapshot.codecs, request),
        )
        if self._cascade is not None:
            exchange.reserved_nano = min(exchange.reserved_nano + self._cascade.most_nano(), bounds.MOST_NANO)
        await self.world.books.reserve(
            Intent(
                request_id=exchange.id,
                at_ns=exchange.at_ns,
                key_id=caller.key_id,
                window=exchange.window,
                cap_nano=budget.cap_nano if budget is not None else 0,
                reserved_nano=exchange.reserved_nano,
                record=write_record(exchange.record("unknown", None, duration_ms=0)),
            )
        )
        exchange.has_intent = True

    async def _try_plan(self, request: ChatRequest, decision: Decision) -> None:
        """Try the plan in order. Before the first byte reached the client another try may follow; after it, never."""
        exchange, world = self.exchange, self.world
        course = Course(world.retries, decision, world.randomness, world.clock)
        target: Target | None = decision.plan[0]
        while target is not None:
            exchange.target = tried = target
            exchange.delivered = Delivered(texts=None if exchange.delivered.texts is None else {})
            began = world.clock.monotonic()
            delay_s = 0.0
            world.watch.started(target.name)
            try:
                await self._attempt(request, decision, target)
                world.watch.succeeded(target.name)
                return
            except UpstreamFault as fault:
                world.watch.failed(target.name, fault)
                self._note_failure(target, fault, began)
                if self._has_said:
                    await self._break_off(fault)
                    return
                step = course.after(target, fault)
                if step is None:
                    raise
                target, delay_s = step.target, step.delay_s
            except Escalated:
                target = course.without(target)
                assert target is not None  # the reference is in the plan of every cascade
            except AnswerWithheld as error:
                world.watch.succeeded(target.name)
                self._listener.note_attempt(target, error)
                raise  # it was paid for: nobody else is asked
            except (UnsupportedFeature, MaskingIncomplete) as error:
                # This codec cannot say it, or not without what must be masked; the next permitted target may.
                target = course.without(target)
                if target is None:
                    error.message += self._who_can(request, decision)
                    raise
            finally:
                world.watch.finished(tried.name)
            if delay_s:
                await asyncio.sleep(delay_s)

    def _who_can(self, request: ChatRequest, decision: Decision) -> str:
        """A way out of a refusal, if there is one that this caller may take."""
        caller, snapshot = self.exchange.caller, self.snapshot
        assert caller is not None
        others = snapshot.router.others(
            decision,
            constraints=caller.constraints,
            allowed_models=caller.models,
            features=request.features,
            operation=request.operation,
            sent_terms=partial(sent_terms, snapshot.codecs, request),
        )
        name = first_that_can(snapshot.codecs, others, request)
        return f". A permitted target that can: {name!r}" if name else ""

    async def _attempt(self, request: ChatRequest, decision: Decision, target: Target) -> None:
        exchange = self.exchange
        assert exchange.sensitivity is not None and exchange.caller is not None
        masked = exchange.masking if target.name in decision.masked else None
        codec = choose_codec(self.snapshot.codecs, target, request)
        if codec is None:
            await self._count_here(request)
            return
        cascade = self._cascade if self._cascade is not None and self._cascade.holds(target) else None
        codec = await self._listener.begin(cascade.codec(codec) if cascade else codec, request, masked)
        codec = masked.codec(codec) if masked else codec
        wire = codec.write_request(request, target, output_cap=bounds.output_cap(exchange.caller, request, target))
        proof = await masked.check(wire, target) if masked else None
        scanned = check_egress(decision, target, exchange.sensitivity, wire, wire.body, proof)
        exchange.masked = masked
        exchange.shown = masked or exchange.shown
        exchange.dropped = speakable(wire.dropped, self.dialect.names)
        exchange.delivered.units = wire.units
        exchange.delivered.sent_terms = sent_terms(self.snapshot.codecs, request, target)
        relay = self._relay_stream if request.stream else self._relay_whole
        if cascade is None:
            await relay(request, decision, target, codec, scanned, None)
            return
        async with cascade.asking(self._open_early if request.stream else None):
            await relay(request, decision, target, cascade.heard(codec), scanned, cascade)

    async def _relay_whole(
        self, request: ChatRequest, decision: Decision, target: Target, codec: Codec, scanned: Scanned[WireRequest],
        cascade: Cascade | None,
    ) -> None:  # fmt: skip
        exchange = self.exchange
        began = self.world.clock.monotonic()
        async with self.world.upstream.open(scanned, target, decision.allowed) as upstream:
            body = await upstream.read()
            if not 200 <= upstream.status < 300:
                raise codec.read_error(upstream.status, HeaderView(upstream.header), body, target)
            # In here, where words that quote our key are caught.
            response = await self._listener.read(codec, body, scanned.wire)
        self._note_first_token(target, began)
        exchange.delivered.count_response(response)
        exchange.answer_hash = exchange.hash_content(body)
        if cascade is not None:
            await cascade.decide()
        await self._answer_whole(response, request, self._facts(codec, target))

    async def _count_here(self, request: ChatRequest) -> None:
        """Tokens are counted here where the target cannot: an estimate, marked as one. Nothing is sent to anybody."""
        count = Count(input_tokens=settle.estimate_tokens(request.body), is_estimated=True)
        self.exchange.delivered.count_response(count)
        await self._answer_whole(count, request, AnswerFacts(request_id=self.exchange.id))

    async def _answer_whole(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> None:
        exchange = self.exchange
        await self._listener.finish()
        data = self.dialect.write_response(response, request, facts)
        if request.keeps or request.joins:
            self._shelf.put(request, data, facts)
        receipt = await self.close("answered", None)
        headers = exchange.headers()
        headers["x-yuzui-receipt"] = show_receipt(receipt)
        headers["content-type"] = self.dialect.answer_type(request)
        headers["content-length"] = str(len(data))
        if isinstance(response, Count) and response.is_estimated:
            headers["x-yuzui-estimated"] = "true"
        await self.reply.start(200, headers)
        await self.reply.send(data, more=False)

    async def _relay_stream(
        self, request: ChatRequest, decision: Decision, target: Target, codec: Codec, scanned: Scanned[WireRequest],
        cascade: Cascade | None,
    ) -> None:  # fmt: skip
        exchange, reply, delivered = self.exchange, self.reply, self.exchange.delivered
        decoder = codec.decoder(scanned.wire)
        facts = self._facts(codec, target)
        writer = self._writer = self.dialect.stream_writer(request, facts)
        began = self.world.clock.monotonic()
        digest = exchange.content_hasher()
        held = b""  # a role without content promises nothing: until content comes, another target may still answer
        async with self.world.upstream.open(scanned, target, decision.allowed) as upstream:
            if not 200 <= upstream.status < 300:
                raise codec.read_error(upstream.status, HeaderView(upstream.header), await upstream.read(), target)
            async with aclosing(upstream.chunks()) as chunks:
                async for data in chunks:
                    digest.update(data)
                    out = held
                    has_content = self._has_said
                    for chunk in decoder.feed(data):
                        if delivered.count(chunk):
                            has_content = True
                        out += writer.write(chunk)
                    if cascade is not None:
                        cascade.keep(out)
                    elif not has_content and len(out) < MOST_HELD_BYTES:
                        held = out
                    elif out:
                        held = b""
                        if not self._has_said:
                            self._has_said = True
                            self._note_first_token(target, began)
                            if not reply.has_started:
                                await self._start_stream(writer)
                        await reply.send(out, more=True)
                    if decoder.is_complete:
                        break
                    decoder.feed(b"")  # a fault that stood behind good chunks waits for this call
            decoder.close()
        exchange.answer_hash = digest.hexdigest()
        if cascade is not None:
            held = await cascade.decide()
            self._note_first_token(target, began)
        await self._listener.finish()
        if request.keeps or request.joins:
            self._shelf.put(request, writer.kept(), facts)
        receipt = await self.close("answered", None)
        if not reply.has_started:
            await self._start_stream(writer)
        await reply.send(held + writer.finish(exchange.trailer(receipt)), more=False)

    def _facts(self, codec: Codec, target: Target) -> AnswerFacts:
        return AnswerFacts(
            request_id=self.exchange.id,
            is_lane=codec.dialect == self.dialect.name,
            origin=target.provider,
            at_s=self.exchange.at_ns // 1_000_000_000,
        )

    def _note_first_token(self, target: Target, began: float) -> None:
        latency_s = self.world.clock.monotonic() - began
        self.exchange.first_token_ms = _ms(latency_s)
        self.world.watch.first_token(target.name, latency_s * 1000)

    async def _open_early(self) -> None:
        """Nothing may be said yet, but the line is kept alive; who answers is told at the end."""
        if self._writer is not None and not self.reply.has_started:
            self.exchange.is_opened_early = True
            await self._start_stream(self._writer)

    async def _start_stream(self, writer: StreamWriter) -> None:
        headers = self.exchange.headers(is_early=self.exchange.is_opened_early)
        assert self.exchange.request is not None
        headers["content-type"] = self.dialect.answer_type(self.exchange.request)
        headers["cache-control"] = "no-store"
        headers["x-accel-buffering"] = "no"  # else proxies in front of us collect the stream before they pass it on
        await self.reply.start(200, headers)
        if heartbeat := writer.heartbeat():
            self.reply.keep_alive(heartbeat, self.snapshot.config.server.heartbeat_s)

    # ---- when it does not end well -----------------------------------------------------------------------------------

    def _note_failure(self, target: Target, fault: UpstreamFault, began: float) -> None:
        exchange, world = self.exchange, self.world
        exchange.attempts.append(
            AttemptRecord(
                target=target.name,
                outcome=fault.code,
                detail=safe_message(fault),
                upstream_status=getattr(fault, "upstream_status", 0),
                duration_ms=_ms(world.clock.monotonic() - began),
                tokens_delivered=exchange.delivered.pieces,
            )
        )
        world.telemetry.attempt_failed(target.name, fault.code)
        log.warning(
            "target_failed", extra={"fields": {"request_id": exchange.id, "target": target.name, "code": fault.code}}
        )

    async def _break_off(self, fault: UpstreamFault) -> None:
        """The stream broke after bytes reached the client: say so inside it; nothing follows, nothing is retried."""
        if isinstance(fault, UpstreamInterrupted | UpstreamTimeout | UpstreamInvalid):
            fault = UpstreamInterrupted(
                f"the answer broke off after {self.exchange.delivered.pieces} pieces: {fault.message}"
            )
        await self.close("failed", fault)
        await self._fail_inside(fault)

    async def _fail_inside(self, error: YuzuiError) -> None:
        """Tell of `error` inside the stream; where the dialect cannot, the line breaks instead of ending."""
        told = self._writer.fail(error, self.exchange.id) if self._writer is not None else b""
        if told:
            with suppress(ClientGone):
                await self.reply.send(told, more=False)

    async def refuse(self, error: YuzuiError) -> None:
        """Record why there is no answer, and say so in the client's dialect."""
        exchange = self.exchange
        exchange.note_refusal(error)
        headers = exchange.headers()
        outcome: Outcome = "refused" if isinstance(error, ClientFault) and not exchange.has_intent else "failed"
        if exchange.closed is None and self._sampler.wants(error, self.world.clock.monotonic(), exchange):
            try:
                headers["x-yuzui-receipt"] = show_receipt(await self.close(outcome, error))
            except GatewayFault as unavailable:  # the books are down: no record, so no other answer than this
                log.error("books_unavailable", extra={"fields": {"request_id": exchange.id, "code": unavailable.code}})
                error = unavailable
        self._ended = outcome, error
        with suppress(ClientGone):
            if self.reply.has_started:
                await self._fail_inside(error)
                return
            body = self.dialect.write_error(error, exchange.id)
            headers["content-type"] = "application/json"
            headers["content-length"] = str(len(body))
            if error.retry_after_s is not None:
                headers["retry-after"] = str(max(1, -int(-error.retry_after_s // 1)))
            if error.status in (429, 503) and not error.retryable:
                headers["x-should-retry"] = "false"  # the official clients would hammer a spent budget
            if error.status == 401:
                headers["www-authenticate"] = "Bearer"
            await self.reply.start(error.status, headers)
            await self.reply.send(body, more=False)

    async def abandon(self) -> None:
        """Nobody listens any more: settle and record what was counted."""
        try:
            await self.close("aborted", None)
        except GatewayFault as unavailable:  # there is nobody to tell but the operator
            log.error("books_unavailable", extra={"fields": {"request_id": self.exchange.id, "code": unavailable.code}})

    async def close(self, outcome: Outcome, error: YuzuiError | None) -> Receipt:
        """Settle and record; durable on return. Handed over before the first wait for the books: a cancellation cannot
        lose it. Raise `GatewayFault` when the books cannot take it.
        """
        await self._listener.finish()
        closed = self.exchange.closed or self.hand_over(outcome, error)
        try:
            return await asyncio.shield(closed)
        except GatewayFault:
            raise
        except Exception as bug:  # whatever broke in the writer, the client and the record hear one thing
            raise GatewayFault("the books cannot be written; see the log", code="ledger_unavailable") from bug

    def hand_over(self, outcome: Outcome, error: YuzuiError | None) -> asyncio.Future[Receipt]:
        """Give the closing to the books without waiting; the first one counts. Raise `GatewayFault` if they refuse."""
        exchange, world = self.exchange, self.world
        if exchange.closed is not None:
            return exchange.closed
        self._listener.finish_now()
        settlement = settle.settle(exchange, outcome, self.snapshot.config.money)
        exchange.note_settlement(settlement, self.snapshot.config.money.currency)
        settlement = settle.together(settlement, exchange.others)
        world.trials.note(exchange, outcome, world.telemetry)
        learn(world.memory, exchange, self._findings)
        duration_ms = _ms(world.clock.monotonic() - exchange.started)
        if exchange.is_captured and outcome == "answered":
            exchange.captured = captured(exchange, self.snapshot.config.capture, world.captures)
        shown = world.masker.keep(exchange.shown, exchange.caller, exchange.id, exchange.at_ns)
        closing = exchange.closing(settlement, outcome, error, shown, duration_ms=duration_ms)
        self._ended = outcome, error
        closed = exchange.closed = world.books.close(closing)
        closed.add_done_callback(heard)  # who waits may be gone; the books remember what they owe
        return closed

    def leave(self) -> None:
        """Once per request, after its settlement, also when it was aborted: what it used counts against its limits."""
        if self._admission is not None:
            self.world.gate.release(self._admission, self.exchange.usage)
        self._shelf.let_go()
        self._count()
        if self.exchange.drawn and self._ended[0] == "answered" and self.world.afterwards is not None:
            self.world.afterwards.offer(self.snapshot, self.exchange)

    def _count(self) -> None:
        """Once per request, when its last byte is out: how it ended for the client."""
        outcome, error = self._ended
        exchange, usage = self.exchange, self.exchange.usage
        label_ = exchange.sensitivity
        if exchange.decision is not None and exchange.decision.advised is not None:
            advised = exchange.decision.advised
            answered_by = exchange.target.name if exchange.target else ""
            self.world.telemetry.advised(
                model=exchange.decision.model, target=answered_by, rule=advised.rule,
                guarantee=advised.kept(answered_by) if answered_by else "",
            )  # fmt: skip  # one thing
        self.world.telemetry.request_done(
            outcome=outcome,
            code=error.code if error else "",
            target=exchange.target.name if exchange.target else "",
            sensitivity=exchange.lattice.names[label_.level] if label_ else "",
            stream=exchange.request.stream if exchange.request else False,
            duration_ms=_ms(self.world.clock.monotonic() - exchange.started),
            first_token_ms=exchange.first_token_ms,
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
        )


def _highest(*levels: int | None) -> int | None:
    return max((level for level in levels if level is not None), default=None)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
