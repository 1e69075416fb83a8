"""The line to the target: every way of failing is a fault with its own name, and no byte goes to a wrong place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

import pytest

from fault_upstream import Call, FaultUpstream, Script
from yuzui.core.decision import AllowedSet, Decision
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamUnreachable
from yuzui.core.sensitivity import Sensitivity
from yuzui.core.target import Auth, Target, Timeouts
from yuzui.io.clock import SystemClock
from yuzui.io.credentials import Credentials
from yuzui.io.deadlines import Deadlines
from yuzui.io.token_requests import TokenRequest
from yuzui.io.upstream import Endpoint, HttpUpstream, _HttpReply
from yuzui.privacy.egress import Scanned, check_egress
from yuzui.providers._contract import WireRequest

ALLOWED = AllowedSet(frozenset({"t"}))
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def target(base_url: str, *, name: str = "t", engine: str = "", **limits: float) -> Target:
    return Target(
        name=name, provider="vllm", codec="openai", model="m", base_url=base_url, premises="own", clearance=3,
        jurisdiction="", timeouts=Timeouts(**limits), engine=engine,
    )  # fmt: skip


def wire(*, is_stream: bool = False) -> WireRequest:
    return WireRequest(path="/x", headers={"content-type": "application/json"}, body=b"{}", is_stream=is_stream)


def scanned(to: Target, *, is_stream: bool = False) -> Scanned[WireRequest]:
    """A request that the egress check lets out to `to`."""
    decision = Decision(
        model="m", policy="pinned", level=0, allowed=AllowedSet(frozenset({to.name})), plan=(to,), refused=(), why=""
    )
    sent = wire(is_stream=is_stream)
    return check_egress(decision, to, Sensitivity(level=0, causes=(), kinds={}), sent, sent.body)


async def no_script(target: Target, wire: WireRequest) -> AsyncGenerator[bytes, None]:
    raise AssertionError("no scripted target here")
    yield b""


async def no_endpoint(model: str) -> Endpoint | None:
    return None


def make() -> HttpUpstream:
    return HttpUpstream(endpoint_of=no_endpoint, scripted=no_script)


def raw(data: bytes, *, then_close: bool = False, then_reset: bool = False) -> Script:
    async def script(call: Call) -> None:
        await call.write(data)
        if then_reset:
            await asyncio.sleep(0.02)
            call.reset()
        elif then_close:
            call.writer.close()

    return script


async def whole(upstream: HttpUpstream, to: Target) -> tuple[int, bytes]:
    async with upstream.open(scanned(to), to, ALLOWED) as reply:
        return reply.status, await reply.read()


async def streamed(upstream: HttpUpstream, to: Target) -> list[bytes]:
    parts: list[bytes] = []
    async with upstream.open(scanned(to, is_stream=True), to, ALLOWED) as reply, aclosing(reply.chunks()) as chunks:
        async for chunk in chunks:
            parts.append(chunk)
    return parts


def test_the_answer_and_the_status_arrive() -> None:
    async def story() -> None:
        async with FaultUpstream(raw(OK)) as server:
            upstream = make()
            assert await whole(upstream, target(server.base_url)) == (200, b"hello")
            assert await whole(upstream, target(server.base_url)) == (200, b"hello")
            assert server.connections == 1  # kept alive
            assert server.calls[0].head.startswith(b"POST /v1/x HTTP/1.1")
            await upstream.close()

    asyncio.run(story())


def test_a_target_outside_the_allowed_set_is_refused_at_the_socket() -> None:
    async def story() -> None:
        async with FaultUpstream(raw(OK)) as server:
            with pytest.raises(PermissionError):
                other = target(server.base_url, name="other")
                make().open(scanned(other), other, ALLOWED)
            assert not server.calls

    asyncio.run(story())


def test_what_nobody_looked_at_for_this_target_is_refused_at_the_socket() -> None:
    one, other = target("http://127.0.0.1:1"), target("http://127.0.0.1:1", name="other")
    for unproven in (scanned(other), wire()):
        with pytest.raises(PermissionError, match="nobody looked"):
            make().open(unproven, one, ALLOWED)  # type: ignore[arg-type]  # the type says so already


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (raw(b"HTTP/1.1 307 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"), "upstream_redirect"),
        (raw(b"garbage\r\n\r\n", then_close=True), "upstream_protocol"),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!"), "upstream_protocol"),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n"), "upstream_protocol"),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: y\r\n" % i for i in range(10_000)) + b"\r\n"),
         "upstream_protocol"),
        (raw(b"", then_close=True), "upstream_stream_interrupted"),
        (raw(b"", then_reset=True), "upstream_stream_interrupted"),
        (raw(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", then_close=True), "upstream_stream_interrupted"),
        (raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", then_close=True),
         "upstream_stream_interrupted"),
    ],
)  # fmt: skip
def test_every_broken_answer_is_a_fault_with_a_name(script: Script, code: str) -> None:
    async def story() -> None:
        async with FaultUpstream(script) as server:
            upstream = make()
            with pytest.raises(UpstreamFault) as caught:
                await whole(upstream, target(server.base_url))
            assert caught.value.code == code
            assert str(server.port) not in caught.value.message  # addresses are nobody's business
            await upstream.close()

    asyncio.run(story())


def test_a_refused_connection_means_that_nothing_ran() -> None:
    async def story() -> None:
        with pytest.raises(UpstreamUnreachable) as caught:
            await whole(make(), target("http://127.0.0.1:1/v1"))
        assert not caught.value.may_have_run

    asyncio.run(story())


def test_a_stream_arrives_piece_by_piece_without_waiting_for_more() -> None:
    gate = asyncio.Event()

    async def script(call: Call) -> None:
        await call.start_stream()
        await call.chunk(b"one")
        await gate.wait()
        await call.chunk(b"two")
        await call.write(b"0\r\n\r\n")

    async def story() -> None:
        async with FaultUpstream(script) as server:
            parts: list[bytes] = []
            upstream = make()
            to = target(server.base_url)
            async with upstream.open(scanned(to, is_stream=True), to, ALLOWED) as reply:
                async with aclosing(reply.chunks()) as chunks:
                    async for chunk in chunks:
                        parts.append(chunk)
                        gate.set()  # the second piece is only sent once the first was seen
            assert parts == [b"one", b"two"]

    asyncio.run(story())


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_reset_in_mid_stream_is_an_interruption(after: int) -> None:
    async def script(call: Call) -> None:
        await call.start_stream()
        for _ in range(after):
            await call.chunk(b"piece")
        await asyncio.sleep(0.02)
        call.reset()

    async def story() -> None:
        async with FaultUpstream(script) as server:
            with pytest.raises(UpstreamFault) as caught:
                await streamed(make(), target(server.base_url))
            assert caught.value.code == "upstream_stream_interrupted"

    asyncio.run(story())


def test_leaving_early_closes_the_line_to_the_target_at_once() -> None:
    left: list[bool] = []

    async def script(call: Call) -> None:
        await call.start_stream()
        await call.chunk(b"piece")
        left.append(await call.client_left(2.0))

    async def story() -> None:
        async with FaultUpstream(script) as server:
            upstream = make()
            to = target(server.base_url)
            async with upstream.open(scanned(to, is_stream=True), to, ALLOWED) as reply:
                async with aclosing(reply.chunks()) as chunks:
                    await anext(chunks)
            async with asyncio.timeout(2):
                while not left:
                    await asyncio.sleep(0.01)
            assert left == [True]

    asyncio.run(story())


def test_a_cancellation_that_the_http_library_loses_still_ends_the_reading() -> None:
    class Forgetful:
        """Hands out what came in the same moment, and forgets that its reader was cancelled."""

        async def read_chunk(self) -> bytes:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return b"late"
            raise AssertionError

    class Response:
        status = 200
        body_reader = Forgetful()

    async def story() -> None:
        reply = _HttpReply(Response(), target("http://127.0.0.1"), Deadlines(Timeouts(), "t"))  # type: ignore[arg-type]  # what it uses of one
        got: list[bytes] = []

        async def read() -> None:
            async with aclosing(reply.chunks()) as chunks:
                async for chunk in chunks:
                    got.append(chunk)

        task = asyncio.create_task(read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        assert not got

    asyncio.run(story())


def test_a_silent_target_is_given_up_in_time() -> None:
    async def script(call: Call) -> None:
        await call.client_left(5.0)

    async def story() -> None:
        async with FaultUpstream(script) as server:
            with pytest.raises(UpstreamFault) as caught:
                await whole(make(), target(server.base_url, whole_answer_s=0.1))
            assert (caught.value.code, caught.value.status) == ("upstream_whole_answer_timeout", 504)

    asyncio.run(story())


def test_an_embedded_target_is_found_where_its_engine_listens_now() -> None:
    async def story() -> None:
        async with FaultUpstream(raw(OK)) as server:

            async def endpoint(model: str) -> Endpoint | None:
                return Endpoint(url=server.base_url, api_key="fresh") if model == "ready" else None

            upstream = HttpUpstream(endpoint_of=endpoint, scripted=no_script)
            assert (await whole(upstream, target("", engine="ready")))[0] == 200
            assert b"authorization: bearer fresh" in server.calls[0].head.lower()
            with pytest.raises(UpstreamUnreachable) as caught:
                await whole(upstream, target("", engine="loading"))
            assert caught.value.code == "engine_not_ready"

    asyncio.run(story())


def test_waiting_in_our_queue_is_not_the_targets_silence() -> None:
    async def script(call: Call) -> None:
        await asyncio.sleep(0.15)
        await call.write(OK)

    async def story() -> None:
        async with FaultUpstream(script) as server:
            upstream = make()
            crowded = replace(target(server.base_url, whole_answer_s=0.25), max_concurrency=1, max_queue=9)
            # The second waits 0.15 s in the queue and 0.15 s for the target, neither too long.
            assert list(await asyncio.gather(*[whole(upstream, crowded) for _ in range(2)])) == [(200, b"hello")] * 2
            answers = await asyncio.gather(*[whole(upstream, crowded) for _ in range(4)], return_exceptions=True)
            late = [answer for answer in answers if isinstance(answer, UpstreamFault)]
            assert [(fault.code, fault.status, fault.counts_for_breaker) for fault in late] == [
                ("target_queue_timeout", 429, False)
            ] * len(late)
            assert 1 <= len(late) <= 3
            await upstream.close()

    asyncio.run(story())


def test_a_simulated_target_that_is_busy_leaves_no_timer_behind() -> None:
    async def script(target: Target, wire: WireRequest) -> AsyncGenerator[bytes, None]:
        yield b"simulated"

    async def story() -> None:
        upstream = HttpUpstream(endpoint_of=no_endpoint, scripted=script)
        busy = replace(target("", whole_answer_s=0.05), codec="scripted", max_concurrency=1)
        async with upstream.open(scanned(busy), busy, ALLOWED):
            with pytest.raises(UpstreamBusy):
                async with upstream.open(scanned(busy), busy, ALLOWED):
                    raise AssertionError("there is one place only")
        await asyncio.sleep(0.1)  # the timer of the one that was refused would cancel this task now

    asyncio.run(story())


def test_a_queue_keeps_count_over_a_reload() -> None:
    async def story() -> None:
        upstream = HttpUpstream(endpoint_of=no_endpoint, scripted=no_script)
        before = replace(target(""), codec="scripted", max_concurrency=2)
        async with upstream.open(scanned(before), before, ALLOWED):
            with pytest.raises(UpstreamBusy):
                async with upstream.open(scanned(before), replace(before, max_concurrency=1), ALLOWED):
                    raise AssertionError("the one from before the reload still has the place")

    asyncio.run(story())


# ---- credentials -----------------------------------------------------------------------------------------------------


def test_what_goes_to_a_target_with_credentials_is_signed_or_carries_a_token() -> None:
    heads: list[str] = []

    async def answer(call: Call) -> None:
        heads.append(call.head.decode().lower())
        await call.write(OK)

    asked: list[str] = []

    async def send(request: TokenRequest) -> tuple[int, bytes]:
        asked.append(request.url)
        return 200, b'{"access_token": "short-lived", "expires_in": 3600, "token_type": "Bearer"}'

    async def story() -> None:
        async with FaultUpstream(answer) as server:
            upstream = HttpUpstream(
                endpoint_of=no_endpoint, scripted=no_script, credentials=Credentials(send, SystemClock())
            )
            entra = Auth(kind="entra_id", settings={"tenant_id": "t", "client_id": "c", "client_secret": "hush"})
            signed = Auth(kind="aws_sigv4", settings={"access_key": "AK", "secret_key": "hush", "region": "eu-west-1"})
            for auth in (entra, entra, signed):
                assert (await whole(upstream, replace(target(server.base_url), auth=auth)))[0] == 200
            await upstream.close()

    asyncio.run(story())
    assert len(asked) == 1  # the token serves until it nears its end
    assert (
        heads[0].count("authorization: bearer short-lived") == heads[1].count("authorization: bearer short-lived") == 1
    )
    assert "authorization: aws4-hmac-sha256 credential=ak/" in heads[2] and "x-amz-date: " in heads[2]
    assert not any("hush" in head for head in heads)


def test_without_an_exchange_such_a_target_is_out_of_reach_and_nothing_is_sent() -> None:
    async def story() -> None:
        upstream = make()
        with pytest.raises(UpstreamUnreachable, match=r"targets\.auth"):
            await whole(upstream, replace(target("http://127.0.0.1:9"), auth=Auth(kind="ibm_iam")))
        await upstream.close()

    asyncio.run(story())
