"""The line itself, on real sockets: heads without end, silent lines, crowds, readers that stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
import uvicorn

from yuzui.io.http_server import Receive, Scope, Send
from yuzui.io.line import GuardedLine
from yuzui.serving import Server

HEAD = b"GET / HTTP/1.1\r\nhost: localhost\r\n"


class Impatient(GuardedLine):
    """The same with limits that a test can wait for."""

    HEAD_TIMEOUT_S = 0.2
    SILENT_TIMEOUT_S = 0.2
    CROWDED_TIMEOUT_S = 0.2
    LOOK_EVERY_S = 0.05


class Crowded(Impatient):
    SILENT_TIMEOUT_S = HEAD_TIMEOUT_S = 3600.0


Dial = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


def run(line: type[GuardedLine], story: Callable[[Dial], Awaitable[None]], *, most: int | None = None) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        size = 30_000_000 if scope["path"] == "/big" else 2
        if scope["path"] == "/slow":
            await asyncio.sleep(0.6)
        names = b",".join(name for name, _ in scope["headers"])
        headers = [(b"content-length", b"%d" % size), (b"x-names", names[:1000])]
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * size})

    async def main() -> None:
        server = Server(
            uvicorn.Config(
                app,
                port=0,
                lifespan="off",
                http=line,
                ws="none",
                log_config=None,
                limit_concurrency=most,
                timeout_graceful_shutdown=1,
            )
        )
        serving = asyncio.create_task(server.serve())
        await server.is_up.wait()
        port = server.servers[0].sockets[0].getsockname()[1]
        writers: list[asyncio.StreamWriter] = []

        async def dial() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            return reader, writer

        try:
            async with asyncio.timeout(10):
                await story(dial)
        finally:
            for writer in writers:
                writer.transport.abort()
            server.should_exit = True
            await serving

    asyncio.run(main())


async def _closed(reader: asyncio.StreamReader) -> bytes:
    with suppress(ConnectionError):
        return await reader.read()
    return b""


@pytest.mark.parametrize("step", [1000, 100_000])
def test_a_head_without_end_is_refused(step: int) -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(HEAD)
        with suppress(ConnectionError):
            for number in range(40_000_000 // step):
                writer.write(b"x-%d: %s\r\n" % (number, b"v" * step))
                await writer.drain()
            raise AssertionError("it read forty megabytes of headers")
        answer = await _closed(reader)
        assert not answer or (answer.startswith(b"HTTP/1.1 431 ") and b"head_too_large" in answer)

    run(GuardedLine, story)


def test_what_is_just_small_enough_is_read_and_the_next_request_counts_anew() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        for _ in range(3):
            writer.write(HEAD + b"x: " + b"v" * 60_000 + b"\r\n\r\n")
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200")
            await reader.readexactly(2)

    run(GuardedLine, story)


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
def test_a_line_that_says_nothing_more_is_closed(sent: bytes) -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(sent)
        assert await _closed(reader) == b""

    run(Impatient, story)


@pytest.mark.parametrize("sent", [HEAD, b"G"])
def test_a_head_that_is_too_slow_is_told_so(sent: bytes) -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(sent)
        answer = await _closed(reader)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"head_too_slow" in answer

    run(Impatient, story)


def test_a_head_that_comes_in_drops_is_given_no_more_time() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(HEAD + b"x: ")
        answered = asyncio.create_task(_closed(reader))
        async with asyncio.timeout(2):
            while not answered.done():
                writer.write(b"v")
                await asyncio.sleep(0.05)
        assert (await answered).startswith(b"HTTP/1.1 408 ")

    run(Impatient, story)


def test_a_slow_head_behind_a_request_leaves_no_words_in_its_answer() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n" + HEAD)
        assert b"408" not in await _closed(reader)

    run(Impatient, story)


def test_a_long_answer_is_no_silence() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

    run(Impatient, story)


def test_a_reader_that_stopped_loses_the_line() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(b"GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.6)  # the buffers are full and nobody reads: that takes its time
        assert len(await _closed(reader)) < 30_000_000

    run(Impatient, story)


def test_in_a_crowd_idle_lines_make_room() -> None:
    async def story(dial: Dial) -> None:
        idle = [await dial() for _ in range(12)]
        for _, writer in idle[::2]:
            writer.write(b"GET / HT")
        closings = [asyncio.create_task(_closed(reader)) for reader, _ in idle]
        while sum(closing.done() for closing in closings) < 3:
            await asyncio.wait([closing for closing in closings if not closing.done()], return_when="FIRST_COMPLETED")
        reader, writer = await dial()
        writer.write(HEAD + b"\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for closing in closings:
            closing.cancel()

    run(Crowded, story, most=12)


def test_fields_behind_a_body_are_not_headers() -> None:
    async def story(dial: Dial) -> None:
        reader, writer = await dial()
        writer.write(
            b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\nauthorization: x\r\n\r\n"
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        assert b"x-names: host,transfer-encoding\r\n" in answer

    run(GuardedLine, story)


def test_a_line_beyond_the_limit_is_told_at_once_and_takes_no_place() -> None:
    async def story(dial: Dial) -> None:
        lines = [await dial() for _ in range(4)]
        for _, writer in lines:
            writer.write(HEAD)  # so that each has been accepted before the next question
        more, _ = await dial()
        assert (await _closed(more)).startswith(b"HTTP/1.1 503 ")

    run(GuardedLine, story, most=4)
