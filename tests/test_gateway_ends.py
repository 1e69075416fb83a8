"""How a request can end when two things go wrong at once: books, interruptions, floods. A real gateway, fake books."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway_kit import without_names
from yuzui.audit.record import RequestRecord, read_record
from yuzui.config import read
from yuzui.core.booking import Closing, Intent, KeyRecord, Receipt
from yuzui.core.errors import GatewayFault
from yuzui.dialects.openai_chat import DIALECT
from yuzui.ports import ClientGone, Interruption, RawRequest
from yuzui.wiring import Service

CONFIG = """
[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted"
price = { currency = "USD", input = 1, output = 2 }
"""
RECEIPT = Receipt(index=0, leaf_hash=bytes(32))


@dataclass
class FakeBooks:
    """The `Books` port: `closing` is asked what becomes of each closing, `intending` of each intent."""

    closing: Callable[[int], Exception | None] = lambda _: None
    """Number of the call → what `close` raises at once."""
    answer: Callable[[asyncio.Future[Receipt]], None] = lambda future: future.set_result(RECEIPT)
    closings: list[Closing] = field(default_factory=list)
    calls: int = 0
    intended: asyncio.Event = field(default_factory=asyncio.Event)
    may_reserve: asyncio.Event = field(default_factory=asyncio.Event)

    def find_key(self, key_hash: bytes) -> KeyRecord | None:
        return None

    def has_keys(self) -> bool:
        return False

    async def reserve(self, intent: Intent) -> None:
        self.intended.set()
        await self.may_reserve.wait()

    def close(self, closing: Closing) -> asyncio.Future[Receipt]:
        self.calls += 1
        problem = self.closing(self.calls)
        if problem is not None:
            raise problem
        self.closings.append(closing)
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self.answer(future)
        return future

    @property
    def records(self) -> list[RequestRecord]:
        return [read_record(closing.record) for closing in self.closings]


@dataclass
class FakeTelemetry:
    done: list[tuple[str, str]] = field(default_factory=list)

    def request_done(self, *, outcome: str, code: str, **_: object) -> None:
        self.done.append((outcome, code))

    def attempt_failed(self, target: str, code: str) -> None:
        raise AssertionError("no attempt fails here")

    def advised(self, *, model: str, target: str, rule: str, guarantee: str) -> None:
        raise AssertionError("no learned router is asked here")

    def tried(self, **_: object) -> None:
        raise AssertionError("nothing is tried out here")

    def answer_finding(self, target: str, kind: str, action: str, count: int) -> None:
        raise AssertionError("nothing is found in answers here")


@dataclass
class FakeReply:
    """A client that may stop reading (`may_write`) or be gone (`is_gone`)."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False
    is_gone: bool = False
    may_write: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_started(self) -> bool:
        return self.status != 0

    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        assert not self.status
        if self.is_gone:
            raise ClientGone
        self.status, self.headers = status, headers

    async def send(self, data: bytes, *, more: bool) -> None:
        await self.may_write.wait()
        if self.is_gone:
            raise ClientGone
        assert not self.is_complete
        self.body += data
        self.is_complete = not more

    def keep_alive(self, heartbeat: bytes, every_s: float) -> None:
        pass

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


@dataclass
class Scene:
    service: Service
    books: FakeBooks
    telemetry: FakeTelemetry
    reply: FakeReply
    interruption: Interruption | None = None

    def begin(self, *, stream: bool = False) -> asyncio.Task[None]:
        body = {"model": "vendor/simulated", "messages": [{"role": "user", "content": "Hi"}], "stream": stream}
        raw = RawRequest(body=json.dumps(body).encode(), authorization=(), conversation_id="")

        async def carry() -> None:
            task = asyncio.current_task()
            assert task is not None
            self.interruption = Interruption(task)
            await self.service.gateway.answer(raw, self.reply, DIALECT, self.interruption)

        return asyncio.create_task(carry())

    def interrupt(self, reason: str) -> None:
        assert self.interruption is not None
        self.interruption.fire(reason)  # type: ignore[arg-type]  # one of two words


def play(story: Callable[[Scene], Awaitable[None]], *, may_reserve: bool = True, may_write: bool = True) -> None:
    async def main() -> None:
        problems: list[Mapping[str, Any]] = []  # Any: asyncio's own
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        with tempfile.TemporaryDirectory() as folder:
            service = Service(read(without_names(CONFIG), {}, source=Path("t.toml")), Path(folder))
            books, telemetry, reply = FakeBooks(), FakeTelemetry(), FakeReply()
            if may_reserve:
                books.may_reserve.set()
            if may_write:
                reply.may_write.set()
            service.gateway.world = replace(service.gateway.world, books=books, telemetry=telemetry)
            try:
                await story(Scene(service, books, telemetry, reply))
                assert service.gateway.running == 0
            finally:
                await service.stop()
        assert not problems, problems

    asyncio.run(main())


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def unavailable(_: int) -> Exception | None:
    return GatewayFault("the disk is full", code="ledger_unavailable")


# ---- the books fail after the target answered ----------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_cannot_be_recorded_is_not_given(stream: bool) -> None:
    async def story(scene: Scene) -> None:
        scene.books.closing = unavailable
        await scene.begin(stream=stream)
        if not stream:
            assert (scene.reply.status, scene.reply.code) == (503, "ledger_unavailable")
        else:  # it has begun already: it ends with an error, and never looks complete
            assert b"ledger_unavailable" in scene.reply.body
            assert b"[DONE]" not in scene.reply.body and b'"finish_reason":"stop"' not in scene.reply.body
        assert scene.telemetry.done == [("failed", "ledger_unavailable")]

    play(story)


def test_a_closing_that_is_taken_at_the_second_try_is_one_closing_and_counted_once() -> None:
    async def story(scene: Scene) -> None:
        scene.books.closing = lambda call: unavailable(call) if call == 1 else None
        await scene.begin()
        assert scene.reply.status == 503
        (record,) = scene.books.records
        assert (record.outcome, record.error) == ("failed", "ledger_unavailable")
        assert [attempt.outcome for attempt in record.attempts] == ["ok"]  # the target did answer, and is paid
        assert scene.books.closings[0].spent_nano > 0
        assert scene.telemetry.done == [("failed", "ledger_unavailable")]

    play(story)


@pytest.mark.parametrize(
    "problem", [GatewayFault("full", code="ledger_unavailable"), ZeroDivisionError("secret words")]
)
def test_a_commit_that_fails_is_told_in_one_word_whatever_it_was(problem: Exception) -> None:
    async def story(scene: Scene) -> None:
        scene.books.answer = lambda future: future.set_exception(problem)
        await scene.begin()
        assert (scene.reply.status, scene.reply.code) == (503, "ledger_unavailable")
        assert b"secret" not in scene.reply.body
        assert scene.telemetry.done == [("failed", "ledger_unavailable")]

    play(story)


def test_books_that_fail_when_the_client_is_gone_trouble_nobody_else() -> None:
    async def story(scene: Scene) -> None:
        scene.reply.is_gone = True
        scene.books.closing = unavailable
        await scene.begin()
        assert scene.reply.status == 0

    play(story)


# ---- interruptions at any await ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["client_gone", "server_restarting"])
def test_an_interruption_while_money_is_reserved_is_closed(reason: str) -> None:
    async def story(scene: Scene) -> None:
        task = scene.begin()
        await scene.books.intended.wait()
        scene.interrupt(reason)
        await task
        (record,) = scene.books.records
        assert record.outcome == ("aborted" if reason == "client_gone" else "failed")
        assert scene.reply.status == (0 if reason == "client_gone" else 503)
        assert len(scene.telemetry.done) == 1

    play(story, may_reserve=False)


@pytest.mark.parametrize("reason", ["client_gone", "server_restarting"])
def test_an_interruption_while_the_closing_is_on_its_way_changes_nothing_in_the_books(reason: str) -> None:
    async def story(scene: Scene) -> None:
        waiting: list[asyncio.Future[Receipt]] = []
        scene.books.answer = waiting.append
        task = scene.begin()
        await until(lambda: bool(waiting))
        scene.interrupt(reason)
        await asyncio.sleep(0)
        waiting[0].set_result(RECEIPT)
        await task
        assert [closing.outcome for closing in scene.books.closings] == ["answered"]

    play(story)


def test_an_interruption_while_a_refusal_is_written_ends_quietly() -> None:
    async def story(scene: Scene) -> None:
        scene.service.gateway.closed_because = GatewayFault("no log", code="audit_unavailable")
        task = scene.begin()
        await until(lambda: bool(scene.reply.status))
        scene.interrupt("server_restarting")
        await task
        assert [record.error for record in scene.books.records] == ["audit_unavailable"]

    play(story, may_write=False)


def test_whoever_cancels_without_a_reason_is_obeyed_and_the_request_is_closed_all_the_same() -> None:
    async def story(scene: Scene) -> None:
        task = scene.begin()
        await scene.books.intended.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [record.outcome for record in scene.books.records] == ["aborted"]
        assert scene.telemetry.done == [("aborted", "")]

    play(story, may_reserve=False)
