"""A cascade: the candidate answers first and is held back, others are asked at its side, and signals decide whether it
is released or the reference answers instead.

Whatever is missing for the decision (an answer that failed or says nothing, a signal that nobody told, a call that
does not fit its tool) is no reason to guess: the reference answers. Each call is sent, watched, paid for and recorded
like one that answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal, TypeVar

import msgspec
from typing_extensions import override

from yuzui.accounting import bounds, settle
from yuzui.accounting.bounds import MOST_NANO
from yuzui.audit.record import AttemptRecord
from yuzui.capturing import plain_body
from yuzui.copies import question
from yuzui.core.answers import Answer
from yuzui.core.booking import Outcome
from yuzui.core.caller import Caller
from yuzui.core.chat import ChatRequest, ChatResponse, StreamChunk
from yuzui.core.decision import Decision
from yuzui.core.errors import (
    MaskingIncomplete,
    UnsupportedFeature,
    UpstreamFault,
    UpstreamInvalid,
    UpstreamTimeout,
    YuzuiError,
)
from yuzui.core.guarantee import Advice, Advised, Asks, Judged, Said, TestsRun
from yuzui.core.headers import HeaderView
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.evaluation.judge_words import POINTWISE_TOKENS, pointwise_question, read_pointwise
from yuzui.exchange import Delivered, Exchange, cost_record, safe_message, usage_record
from yuzui.held_answer import HeldAnswer
from yuzui.judging import judged
from yuzui.lanes import choose_codec, sent_terms
from yuzui.privacy.egress import check_egress
from yuzui.providers._contract import Codec, Decoder, WireRequest, WrappedCodec, WrappedDecoder
from yuzui.providers._log_probabilities import OddsCodec, tells_odds
from yuzui.relabelling import relabelled, who_may_see
from yuzui.world import Snapshot, World

T = TypeVar("T")

log = logging.getLogger("yuzui")

MOST_HELD_BYTES: Final = 16 * 1024 * 1024
"""Of a stream, as it would be sent; a longer answer is the reference's to give."""
ANSWER_BYTES: Final = 8
"""Per token of an answer that a judge reads, as it is reserved; what is longer is the reference's to give."""
JUDGE_BYTES: Final = 8 * 1024
"""Of a question to a judge, besides the request and the answer."""
Role = Literal["candidate", "sample", "check", "judge"]


class Escalated(Exception):
    """The candidate failed, or its answer is not released: it is paid for and recorded, and the next one answers."""


class _Missing(Exception):
    """What a decision needs is not there; words without content."""


def begin_cascade(
    snapshot: Snapshot, world: World, exchange: Exchange, request: ChatRequest, advice: Advice | None
) -> Cascade | None:
    """The cascade of a request that was just decided; None where nobody advised one, or somebody else answers first."""
    decision = exchange.decision
    advised = decision.advised if decision is not None else None
    if decision is None or advice is None or advised is None or advised.asks is None:
        return None
    if decision.plan[0].name != advised.chosen:
        return None
    return Cascade(snapshot, world, exchange, request, advice, decision, advised, advised.asks)


class Cascade:
    """One request's. `asking` around the candidate's attempt, `codec` for it, `decide` once its answer is whole."""

    def __init__(
        self, snapshot: Snapshot, world: World, exchange: Exchange, request: ChatRequest, advice: Advice,
        decision: Decision, advised: Advised, asks: Asks,
    ) -> None:  # fmt: skip
        self._snapshot = snapshot
        self._world = world
        self._exchange = exchange
        self._request = request
        self._advice = advice
        self._decision = decision
        self._advised = advised
        self._asks = asks
        self._candidate = decision.plan[0]
        by_name = {target.name: target for target in snapshot.config.targets}
        self._checks = tuple(by_name[name] for name in asks.checks)
        self._judge = by_name[asks.judge] if asks.judge else None
        self._calls: list[asyncio.Task[str]] = []
        self._looks: list[asyncio.Task[Any]] = []  # Any: each is awaited by who knows what it gives
        self._answer = HeldAnswer()
        self._odds: OddsCodec | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._is_decided = False
        self._began = 0.0
        self._limit: asyncio.Timeout | None = None
        self._line: _Line | None = None

    def most_nano(self) -> int:
        """The most that all calls but the one that answers can cost, in nano-units of the book currency."""
        calls = (*[self._candidate] * (1 + self._asks.samples), *self._checks)
        terms = partial(sent_terms, self._snapshot.codecs, self._request)
        rates = self._snapshot.config.money.rates
        most = bounds.all_calls_nano(calls, self._request, self._exchange.input_bound, rates, terms)
        if self._judge is None:
            return most
        some = pointwise_question(({"role": "user", "content": ""},), (), "")  # only its limit counts here
        request = DIALECT.read_request(question(some, self._judge.name, POINTWISE_TOKENS))
        terms = partial(sent_terms, self._snapshot.codecs, request)
        return min(most + bounds.all_calls_nano((self._judge,), request, self._most_shown, rates, terms), MOST_NANO)

    @property
    def _most_shown(self) -> int:
        """Bound on the tokens of a question to the judge; one that would be longer is not asked."""
        answer = bounds.output_bound(self._request, self._candidate, self._exchange.input_bound)
        return self._exchange.input_bound + JUDGE_BYTES + ANSWER_BYTES * answer

    def holds(self, target: Target) -> bool:
        """Whether what `target` answers is to be judged."""
        return not self._is_decided and target is self._candidate

    # ---- the candidate's answer --------------------------------------------------------------------------------------

    @asynccontextmanager
    async def asking(self, open_line: Callable[[], Awaitable[None]] | None) -> AsyncGenerator[None, None]:
        """Ask the others while the candidate answers. `open_line` begins the client's stream once it has waited for a
        heartbeat's time. Raise `Escalated` where the candidate failed; what still runs at the end is stopped, and paid
        for."""
        request = _whole(self._request)
        asked: list[tuple[Target, Role]] = [(check, "check") for check in self._checks]
        asked += [(self._candidate, "sample")] * self._asks.samples
        exchange = self._exchange
        assert exchange.sensitivity is not None
        for target, role in asked:
            call = _Call(
                caller=exchange.caller, request=request, target=target, input_bound=exchange.input_bound,
                decision=self._decision, label=exchange.sensitivity,
            )  # fmt: skip  # one thing
            self._calls.append(asyncio.create_task(self._ask(call, role)))
        if open_line is not None:
            self._line = _Line(open_line, self._snapshot.config.server.heartbeat_s)
        self._began = self._world.clock.monotonic()
        try:
            async with asyncio.timeout(self._asks.timeout_s) as limit:
                self._limit = limit
                yield
        except TimeoutError as error:
            if self._is_decided or not limit.expired():
                raise
            fault = UpstreamTimeout(f"the candidate took longer than {self._asks.timeout_s:g} s (cascade.timeout_s)")
            self._give_up(fault)
            raise Escalated from error
        except UpstreamFault as fault:
            if self._is_decided:
                raise
            self._give_up(fault)
            raise Escalated from fault
        except (UnsupportedFeature, MaskingIncomplete) as error:  # it was not asked: its codec cannot say it
            self._escalate(f"{self._candidate.name}: {error.code}")
            raise
        finally:
            tasks = (*self._calls, *self._looks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._line is not None:
                await self._line.stop()

    def codec(self, codec: Codec) -> Codec:
        """`codec` for the candidate, asked for log-probabilities where they are needed."""
        if not self._asks.log_probabilities:
            return codec
        if not tells_odds(codec, self._candidate):
            codec = self._snapshot.codecs[self._candidate.codec]
        self._odds = OddsCodec(codec)
        return self._odds

    def heard(self, codec: Codec) -> Codec:
        """`codec`, whose answers are heard as they would be handed on."""
        return _HeardCodec(codec, self._answer)

    def keep(self, data: bytes) -> None:
        """What would have been sent by now. Raise `UpstreamInvalid` where it grows beyond all bounds."""
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > MOST_HELD_BYTES:
            raise UpstreamInvalid(f"the answer is longer than {MOST_HELD_BYTES} bytes, more than can be held")

    async def decide(self) -> bytes:
        """The answer is whole: return what was kept of it if it may be released, else raise `Escalated`."""
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(None)  # the others have limits of their own, and releasing has none
        try:
            judged = await self._judged()
        except _Missing as missing:
            self._reject(str(missing))
            raise Escalated from missing
        self._advised = replace(self._advised, gain=judged.gain, signals=judged.signals)
        if not judged.is_kept:
            self._reject("")
            raise Escalated
        if self._line is not None:
            await self._line.stop()  # from here on others write to it
        self._conclude(replace(self._advised, rule="accepted", asks=None), "accepted")
        return b"".join(self._held)

    async def _judged(self) -> Judged:
        """Raise `_Missing`."""
        try:
            return await asyncio.to_thread(self._advice.judge, await self._known())
        except _Missing:
            raise
        except Exception as error:  # a bug must not be lost, and must not decide
            log.exception("cascade_not_judged", extra={"fields": {"request_id": self._exchange.id}})
            raise _Missing("it could not be judged") from error

    async def _known(self) -> Said:
        """Everything that the decision rests on. Raise `_Missing`."""
        answer, asks = self._answer, self._asks
        try:
            meaning = self._request.meaning
        except YuzuiError as error:
            raise _Missing("what was asked cannot be read here") from error
        if problem := await asyncio.to_thread(answer.problem, meaning):
            raise _Missing(problem)
        if not answer.text.strip():
            raise _Missing("it says nothing")
        odds = tuple(self._odds.odds) if self._odds is not None else ()
        if asks.log_probabilities and not odds:
            raise _Missing("no log-probabilities came with it")
        verdict = self._look(self._verdict()) if self._judge is not None else None
        tests = self._look(self._tests()) if asks.runs_tests else None
        tasks = (*self._calls, *self._looks)
        if tasks:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in tasks:
            if task.done():
                task.result()  # raises what is missing, without waiting for the others
        texts, count = [call.result() for call in self._calls], len(self._checks)
        return Said(
            text=answer.text, was_cut=answer.was_cut, log_probabilities=odds, checks=tuple(texts[:count]),
            samples=tuple(texts[count:]), judged=verdict.result() if verdict is not None else None,
            tests=tests.result() if tests is not None else None,
        )  # fmt: skip  # one thing

    # ---- looking at the answer ---------------------------------------------------------------------------------------

    def _look(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:  # Any: asyncio's own
        task = asyncio.create_task(work)
        self._looks.append(task)
        return task

    async def _verdict(self) -> float:
        """How likely the judge holds the answer to be right. Raise `_Missing`.

        The answer may say more than was asked: the question is labelled anew, and goes where that may go.
        """
        snapshot, exchange, target = self._snapshot, self._exchange, self._judge
        assert target is not None and exchange.caller is not None and exchange.sensitivity is not None
        body = await asyncio.to_thread(self._question, target)  # a conversation may be long
        size = bounds.input_tokens(sum(len(str(one["content"]).encode("utf-8", "replace")) for one in body["messages"]))
        if size > self._most_shown:
            raise _Missing(f"it is longer than what is reserved for {target.name}")
        size_bytes = len(msgspec.json.encode(body))
        label = await relabelled(snapshot, self._world, exchange.caller, body, size_bytes, exchange.sensitivity)
        try:
            label = await judged(snapshot, self._world, exchange, {"answers": [self._answer.text]}, label)
            decision = who_may_see(snapshot, exchange.caller, target.name, size_bytes, label, POINTWISE_TOKENS)
        except YuzuiError as refused:
            raise _Missing(f"{target.name} may not see it") from refused
        if target.name in decision.masked or target.name not in self._decision.allowed.names:
            raise _Missing(f"{target.name} may not see it as it is")
        call = _Call(
            caller=exchange.caller, request=DIALECT.read_request(body), target=target, input_bound=size,
            decision=decision, label=label,
        )  # fmt: skip  # one thing
        said = read_pointwise(await self._ask(call, "judge"))
        if said is None:
            raise _Missing(f"{target.name} gave no verdict")
        return said

    def _question(self, target: Target) -> dict[str, Any]:  # Any: JSON values
        """About the answer, to `target`. Raise `_Missing`."""
        plain = plain_body(self._request)
        if plain is None:
            raise _Missing(f"what was asked cannot be put before {target.name}")
        messages = pointwise_question(plain["messages"], plain.get("tools") or (), self._answer.text)
        return question(messages, target.name, POINTWISE_TOKENS)

    async def _tests(self) -> TestsRun:
        """What became of the tests that the request brings. Raise `_Missing`."""
        runs = self._world.code_tests
        if runs is None:
            raise _Missing("there is nothing here to run tests")
        try:
            async with asyncio.timeout(self._asks.timeout_s):
                found = await runs.run(self._advice.question, self._answer.text)
        except TimeoutError as error:
            raise _Missing("its tests took too long to be run") from error
        if found is None:
            raise _Missing("its tests could not be run")
        return found

    # ---- what becomes of it ------------------------------------------------------------------------------------------

    def _reject(self, why: str) -> None:
        """Its answer was given, and is not used: it is paid for like any other."""
        self._world.watch.succeeded(self._candidate.name)
        self._book_candidate("answered", None)
        self._escalate(why)

    def _give_up(self, fault: UpstreamFault) -> None:
        """It failed. What it had said by then is paid for."""
        name = self._candidate.name
        self._world.watch.failed(name, fault)
        self._world.telemetry.attempt_failed(name, fault.code)
        log.warning(
            "target_failed", extra={"fields": {"request_id": self._exchange.id, "target": name, "code": fault.code}}
        )
        self._book_candidate("failed", fault)
        self._escalate(f"{name}: {fault.code}")

    def _book_candidate(self, outcome: Outcome, fault: UpstreamFault | None) -> None:
        """What it said is no longer what is delivered: whatever happens next, it is not booked twice."""
        exchange = self._exchange
        call = _Call(
            caller=exchange.caller, request=exchange.request, target=self._candidate,
            input_bound=exchange.input_bound, delivered=exchange.delivered,
        )  # fmt: skip  # one thing
        exchange.target = None
        exchange.delivered = Delivered(texts=None if exchange.delivered.texts is None else {})
        self._book(call, "candidate", outcome, fault, self._began, told="" if fault else "escalated")

    def _escalate(self, why: str) -> None:
        self._exchange.answer_hash, self._exchange.first_token_ms = "", 0
        self._conclude(replace(self._advised, rule="escalated", asks=None, detail=why), _words(why))

    def _conclude(self, advised: Advised, words: str) -> None:
        self._is_decided = True
        if advised.gain is not None:
            words += f", gain {advised.gain:+.3f} of {advised.threshold or 0.0:+.3f}"
        self._advised = advised
        self._exchange.note_advice(advised, words)

    # ---- the others --------------------------------------------------------------------------------------------------

    async def _ask(self, call: _Call, role: Role) -> str:
        """What its target says. Raise `_Missing`; booked and recorded however it ends."""
        world, exchange, target = self._world, self._exchange, call.target
        outcome: Outcome = "aborted"
        fault: YuzuiError | None = None
        began = world.clock.monotonic()
        world.watch.started(target.name)
        try:
            text = await self._send(call)
            outcome = "answered"
            world.watch.succeeded(target.name)
        except UpstreamFault as error:
            outcome, fault = "failed", error
            world.watch.failed(target.name, error)
            world.telemetry.attempt_failed(target.name, error.code)
            raise _Missing(f"{target.name}: {error.code}") from error
        except YuzuiError as error:  # its codec cannot say it: nothing was sent
            outcome, fault = "refused", error
            raise _Missing(f"{target.name}: {error.code}") from error
        except Exception as error:  # a bug must not be lost, and must not decide
            outcome = "failed"
            log.exception("cascade_call_failed", extra={"fields": {"request_id": exchange.id, "target": target.name}})
            raise _Missing(f"{target.name} could not be asked") from error
        finally:
            world.watch.finished(target.name)
            self._book(call, role, outcome, fault, began)
        if not text.strip():
            raise _Missing(f"{target.name} says nothing")
        return text

    async def _send(self, call: _Call) -> str:
        snapshot, request, target = self._snapshot, call.request, call.target
        assert request is not None and call.decision is not None and call.label is not None
        codec = choose_codec(snapshot.codecs, target, request)
        assert codec is not None  # a chat has one
        wire = codec.write_request(request, target, output_cap=bounds.output_cap(call.caller, request, target))
        scanned = check_egress(call.decision, target, call.label, wire, wire.body)
        call.delivered.units = wire.units
        call.delivered.sent_terms = sent_terms(snapshot.codecs, request, target)
        began = self._world.clock.monotonic()
        try:
            async with asyncio.timeout(self._asks.timeout_s):
                async with self._world.upstream.open(scanned, target, call.decision.allowed) as reply:
                    body = await reply.read()
                    if not 200 <= reply.status < 300:
                        raise codec.read_error(reply.status, HeaderView(reply.header), body, target)
                    response = codec.read_response(body, wire)
        except TimeoutError as error:
            raise UpstreamTimeout(f"it took longer than {self._asks.timeout_s:g} s (cascade.timeout_s)") from error
        self._world.watch.first_token(target.name, (self._world.clock.monotonic() - began) * 1000)
        call.delivered.count_response(response)
        answer = HeldAnswer()
        if isinstance(response, ChatResponse):
            answer.hear_whole(response)
        return answer.text

    def _book(
        self, call: _Call, role: Role, outcome: Outcome, fault: YuzuiError | None, began: float, *, told: str = ""
    ) -> None:
        money = self._snapshot.config.money
        settlement = settle.settle(call, outcome, money)
        self._exchange.others.append(settlement)
        usage = settlement.usage
        self._exchange.attempts.append(
            AttemptRecord(
                target=call.target.name, role=role,
                outcome=told or ("ok" if outcome == "answered" else fault.code if fault else outcome),
                detail=safe_message(fault) if fault else "", upstream_status=getattr(fault, "upstream_status", 0),
                duration_ms=int((self._world.clock.monotonic() - began) * 1000),
                tokens_delivered=call.delivered.pieces, usage=usage_record(usage) if usage else None,
                cost=cost_record(settlement, money.currency),
            )
        )  # fmt: skip  # one thing


@dataclass(slots=True, kw_only=True)
class _Call:
    """One paid call, as settling wants it."""

    caller: Caller | None
    request: ChatRequest | None
    target: Target
    input_bound: int
    delivered: Delivered = field(default_factory=Delivered)
    decision: Decision | None = None
    """That lets it be sent, as the label does; None: it is sent elsewhere."""
    label: Sensitivity | None = None


class _Line:
    """Keeps the client's line alive while nothing may be sent."""

    def __init__(self, open_line: Callable[[], Awaitable[None]], after_s: float) -> None:
        self._open, self._after_s = open_line, after_s
        self._is_opening = False
        self._task = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        await asyncio.sleep(self._after_s)
        self._is_opening = True
        await self._open()

    async def stop(self) -> None:
        """A head that is on its way out is sent to its end."""
        if not self._is_opening:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)  # a client that left is noticed elsewhere


class _HeardCodec(WrappedCodec):
    """The outermost: hears an answer as it would be handed on."""

    def __init__(self, codec: Codec, answer: HeldAnswer) -> None:
        super().__init__(codec, codec.dialect)
        self._answer = answer

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        response = self._codec.read_response(body, wire)
        if isinstance(response, ChatResponse):
            self._answer.hear_whole(response)
        return response

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return _HeardDecoder(self._codec.decoder(wire), self._answer)


class _HeardDecoder(WrappedDecoder):
    def __init__(self, decoder: Decoder, answer: HeldAnswer) -> None:
        super().__init__(decoder)
        self._answer = answer

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        chunks = self._decoder.feed(data)
        for chunk in chunks:
            self._answer.hear(chunk)
        return chunks


def _whole(request: ChatRequest) -> ChatRequest:
    """The same request for an answer that comes whole, and without what only its client wants to see."""
    left = {name: value for name, value in request.body.items() if name not in ("stream", "stream_options")}
    return msgspec.structs.replace(request, body=left, stream=False, wants_usage=False)


def _words(why: str) -> str:
    return f"escalated ({why})" if why else "escalated"
