"""Targets that break in every way we know of: never a complete-looking answer, one record, nothing of the inside."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from contextlib import AsyncExitStack
from itertools import product
from typing import Any

import openai
import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fault_upstream import Call, FaultUpstream, completion, piece
from faults_kit import (
    VENDOR_SECRET,
    answers,
    chat,
    check_clean,
    code_of,
    config,
    error_of,
    forget_failures,
    key_of,
    looks_complete,
    never,
    post,
    raw,
    run,
    run_each,
    say,
    status_of,
    until_recorded,
    whole,
)
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord

GOOD = json.dumps(completion("Good morning!")).encode()


async def only_record(running: RunningGateway) -> RequestRecord:
    """The one record that there must be."""
    records = await until_recorded(running)
    assert len(records) == 1
    return records[0]


async def record_of(running: RunningGateway, answer: bytes) -> RequestRecord:
    """The record of the request that got `answer`."""
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    request_id = next(line.partition(": ")[2] for line in head if line.startswith("x-yuzui-request-id"))
    return await running.record_of(request_id)


async def check_books(running: RunningGateway) -> None:
    assert not await asyncio.to_thread(running.service.books.verify_sums)


# ---- whole answers that are not ------------------------------------------------------------------------------------


def test_an_answer_cut_at_any_byte_is_never_an_answer() -> None:
    cuts = iter(range(0, len(GOOD), 7))
    sent: list[int] = []

    async def script(call: Call) -> None:
        cut = next(cuts)
        sent.append(cut)
        if cut % 2:  # a length that promises more, or one that fits the cut
            await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(GOOD), GOOD[:cut]))
            call.writer.close()
        else:
            await call.write(whole(GOOD[:cut]))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        count = len(range(0, len(GOOD), 7))
        for _ in range(count):
            answer = await say(running, post(chat("house/small")))
            assert status_of(answer) in (502, 503), answer
            assert code_of(answer) in ("upstream_invalid_response", "upstream_stream_interrupted")
            check_clean(answer)
            forget_failures(running)
        records = await running.records()
        assert len(records) == count == len(sent)
        assert {record.outcome for record in records} == {"failed"}

    run(script, never, story)


def test_what_is_no_http_answer_is_a_clear_fault() -> None:
    cases = list(
        product(
            [
                b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000000000000\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: ten\r\n\r\n",
                b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
                b"HTTP/1.1 204 No Content\r\n\r\n",
                b"HTTP/1.1 304 Not Modified\r\n\r\n",
                b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
                b"HTTP/1.1 20 OK\r\n\r\n",
                b"HTTP/0.9\r\n\r\n",
                b"HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
                b"SSH-2.0-OpenSSH_9.2\r\n",
                b"<html>hello</html>",
                b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                b"\x00" * 100,
            ],
            [False, True],
        )
    )
    playing: list[bytes] = []

    async def script(call: Call) -> None:
        await raw(playing[0], then="close")(call)

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, head: bytes, stream: bool
    ) -> None:
        playing[:] = [head]
        answer = await say(running, post(chat("house/small", stream=stream)))
        assert status_of(answer) in (502, 503), answer
        assert code_of(answer).startswith("upstream_")
        check_clean(answer)
        record = await record_of(running, answer)
        assert record.outcome == "failed" and record.attempts

    run_each(script, never, story, cases)


def test_a_length_that_is_wrong_never_mixes_the_bytes_of_two_requests() -> None:
    """The target writes more than it announced: the rest must not become the head of the next answer."""
    numbers = iter(range(1000))

    async def script(call: Call) -> None:
        body = json.dumps(completion(f"answer {next(numbers)}")).encode()
        foreign = whole(json.dumps(completion("FOREIGN")).encode())
        await call.write(whole(body) + foreign)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for number in range(10):
            answer = await say(running, post(chat("house/small")))
            assert b"FOREIGN" not in answer
            assert f"answer {number}".encode() in answer

    run(script, never, story)


def test_a_header_bomb_is_a_fault_and_costs_no_memory() -> None:
    cases = [
        b"".join(b"x-h%d: v\r\n" % number for number in range(10_000)),
        b"x-big: " + b"v" * 1_100_000 + b"\r\n",
    ]
    playing: list[bytes] = []

    async def script(call: Call) -> None:
        await raw(whole(GOOD, playing[0]))(call)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, head: bytes) -> None:
        playing[:] = [head]
        answer = await say(running, post(chat("house/small")))
        assert status_of(answer) == 502 and code_of(answer).startswith("upstream_")
        check_clean(answer)

    run_each(script, never, story, cases)


def test_no_header_of_a_target_reaches_the_client() -> None:
    head = (
        b"set-cookie: session=1\r\nserver: vendor-server\r\nopenai-organization: org-internal\r\n"
        b"x-request-id: theirs\r\naccess-control-allow-origin: *\r\nx-yuzui-target: forged\r\nvia: 1.1 proxy\r\n"
    )

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, post(chat("house/small")))
        assert status_of(answer) == 200
        head = answer.partition(b"\r\n\r\n")[0].lower()
        for word in (b"cookie", b"vendor-server", b"org-internal", b"theirs", b"access-control", b"forged", b"via:"):
            assert word not in head

    run(raw(whole(GOOD, head)), never, story)


def test_informational_answers_before_the_answer_are_skipped() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        assert status_of(await say(running, post(chat("house/small")))) == 200

    run(raw(early + whole(GOOD)), never, story)


@pytest.mark.parametrize("status", [b"301 M", b"302 F", b"303 S", b"307 T", b"308 P"])
@pytest.mark.parametrize("stream", [False, True])
def test_redirects_are_never_followed(status: bytes, stream: bool) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            trap = await stack.enter_async_context(FaultUpstream(never))
            head = b"HTTP/1.1 %s\r\nlocation: %s/chat/completions\r\ncontent-length: 0\r\n\r\n"
            target = await stack.enter_async_context(FaultUpstream(raw(head % (status, trap.base_url.encode()))))
            text = config(target.base_url, target.base_url)
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            answer = await say(running, post(chat("vendor/big", stream=stream)))
            assert (status_of(answer), code_of(answer)) == (502, "upstream_redirect")
            check_clean(answer)
            assert trap.connections == 0

    asyncio.run(main())


# ---- streams -------------------------------------------------------------------------------------------------------


STREAM = b"".join(
    b"data: " + json.dumps(event).encode() + b"\n\n"
    for event in (
        piece("Größe "), piece("鱼嘴"), piece("!"), piece(finish="stop"),
        piece(usage={"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}),
    )
) + b"data: [DONE]\n\n"  # fmt: skip


def texts_of(answer: bytes) -> str:
    found = ""
    for line in answer.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:]).get("choices", ()):
                found += choice["delta"].get("content") or ""
    return found


def test_a_stream_cut_at_any_byte_never_looks_complete_and_one_cut_into_bytes_is_whole() -> None:
    cuts = [*range(0, len(STREAM) - 14, 41), len(STREAM) - 15]
    at = iter(cuts)

    async def cut(call: Call) -> None:
        await call.start_stream()
        end = next(at)
        if end:
            await call.chunk(STREAM[:end])
        await call.write(b"0\r\n\r\n") if end % 2 else call.writer.close()

    async def dribble(call: Call) -> None:
        await call.start_stream()
        for number in range(len(STREAM)):
            await call.chunk(STREAM[number : number + 1])
        await call.write(b"0\r\n\r\n")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for _ in cuts:
            answer = await say(running, post(chat("house/small", stream=True)))
            assert not looks_complete(answer), answer
            assert b"upstream_" in answer
            check_clean(answer)
            forget_failures(running)
        answer = await say(running, post(chat("vendor/big", stream=True)))
        assert texts_of(answer) == "Größe 鱼嘴!" and b"data: [DONE]" in answer
        records = await running.records()
        assert len(records) == len(cuts) + 1
        assert [record.outcome for record in records] == ["failed"] * len(cuts) + ["answered"]
        assert records[-1].usage is not None and not records[-1].usage.is_estimated
        await check_books(running)

    run(cut, dribble, story)


def test_every_legal_spelling_of_a_stream_is_read() -> None:
    cases = [
        STREAM.replace(b"\n", b"\r\n"),
        STREAM.replace(b"\n", b"\r"),
        b"\xef\xbb\xbf" + STREAM,
        b": welcome\n\n" + STREAM.replace(b"data: ", b"id: 1\nretry: 10\ndata:"),
        STREAM.replace(b'"choices"', b'\ndata: "choices"'),
    ]
    playing: list[bytes] = []

    async def script(call: Call) -> None:
        await call.start_stream()
        await call.chunk(playing[0])
        await call.write(b"0\r\n\r\n")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, stream: bytes) -> None:
        playing[:] = [stream]
        answer = await say(running, post(chat("house/small", stream=True)))
        assert texts_of(answer) == "Größe 鱼嘴!" and b"data: [DONE]" in answer

    run_each(script, never, story, cases)


def test_a_broken_event_is_a_fault_before_content_a_fallback_and_after_it_an_error_event() -> None:
    cases = list(
        product(
            [
                b"data: {broken\n\n",
                b'data: {"choices": 5}\n\n',
                b"data: null\n\n",
                b"data: []\n\n",
                b"data: \xff\xfe\n\n",
                b'data: {"error": {"message": "boom", "type": "server_error"}}\n\n',
                b'event: error\ndata: {"message": "boom"}\n\n',
                b'data: {"error": "boom"}\n\n',
                b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}\n\n',
                b"data: [DONE]\n\n",
            ],
            [0, 2],
        )
    )
    playing: list[tuple[bytes, int]] = []

    async def script(call: Call) -> None:
        bad, after = playing[0]
        await call.start_stream()
        for _ in range(after):
            await call.event(piece("word "))
        await call.chunk(bad)
        await call.chunk(STREAM)
        await call.write(b"0\r\n\r\n")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, bad: bytes, after: int) -> None:
        playing[:] = [(bad, after)]
        answer = await say(running, post(chat(stream=True)))
        check_clean(answer)
        record = await record_of(running, answer)
        if after:
            assert not looks_complete(answer), answer
            assert b'"error":{' in answer and not vendor.calls
            assert record.outcome == "failed" and record.usage is not None and record.usage.output >= after
        else:
            assert texts_of(answer) == "Good morning!" and len(vendor.calls) == 1
            assert record.outcome == "answered" and len(record.attempts) == 2

    run_each(script, answers, story, cases)


def test_a_stream_of_nothing_is_passed_on_and_not_collected() -> None:
    """Role after role, never content: what is held back for a possible fallback must not grow without end."""
    block = (b"data: " + json.dumps(piece()).encode() + b"\n\n") * 500

    async def script(call: Call) -> None:
        await call.start_stream()
        for _ in range(300):
            await call.chunk(block)
        await call.client_left(5)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, post(chat("house/small", stream=True)), 30)
        assert status_of(answer) == 200 and not looks_complete(answer)
        assert b"upstream_stream_interrupted" in answer
        assert len(answer) > 200 * len(block)  # it went out as it came

    run(script, never, story, timeouts="between_tokens_s = 0.3")


@pytest.mark.parametrize("finish", [True, False])
def test_an_event_or_an_end_without_end_is_bounded_in_memory(finish: bool) -> None:
    sent = 0

    async def script(call: Call) -> None:
        nonlocal sent
        await call.start_stream()
        await call.event(piece("word "))
        await call.event(piece(finish="stop"))
        block = (b"data: " + json.dumps(piece()).encode() + b"\n\n") * 2000 if finish else b"data: " + b"x" * 300_000
        while sent < 400_000_000:
            await call.chunk(block)
            sent += len(block)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        began = time.process_time()
        answer = await say(running, post(chat("house/small", stream=True)), 30)
        assert not looks_complete(answer) and b"upstream_stream_interrupted" in answer
        assert sent < 50_000_000
        assert time.process_time() - began < 10

    run(script, never, story)


@pytest.mark.parametrize("stream", [False, True])
def test_a_slow_drip_ends_at_the_total_limit(stream: bool) -> None:
    async def script(call: Call) -> None:
        if stream:
            await call.start_stream()
        else:
            await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        async with asyncio.timeout(20):
            while not call.writer.is_closing():
                await (call.chunk(b":\n") if stream else call.write(b"{"))
                await asyncio.sleep(0.05)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        began = time.monotonic()
        answer = await say(running, post(chat("house/small", stream=stream)))
        assert time.monotonic() - began < 3
        assert (status_of(answer), code_of(answer)) == (504, "upstream_total_timeout")
        assert "total_s" in error_of(answer)["message"]

    run(script, never, story, timeouts="total_s = 0.5")


# ---- connections ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_target_that_is_not_there_falls_back_quickly(stream: bool) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            taken = stack.enter_context(
                socket.socket()
            )  # bound and never listening: nobody else gets the port meanwhile
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
            vendor = await stack.enter_async_context(FaultUpstream(answers))
            text = config(f"http://127.0.0.1:{port}/v1", vendor.base_url)
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            answer = await say(running, post(chat(stream=stream)))
            assert status_of(answer) == 200 and b"x-yuzui-target: vendor/big" in answer
            record = await only_record(running)
            assert [(a.target, a.outcome) for a in record.attempts] == [
                ("house/small", "upstream_unreachable"),
                ("vendor/big", "ok"),
            ]
            alone = await say(running, post(chat("house/small", stream=stream)))
            assert (status_of(alone), code_of(alone)) == (502, "upstream_unreachable")
            check_clean(alone)
            await check_books(running)

    asyncio.run(main())


def test_a_connection_that_dies_after_the_request_was_read_is_not_asked_twice() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, post(chat("vendor/big")))
        assert status_of(answer) == 502 and code_of(answer) == "upstream_stream_interrupted"
        assert len(vendor.calls) == 1
        record = await only_record(running)
        assert record.usage is not None and record.usage.is_estimated
        await check_books(running)

    run(never, raw(b"", then="reset"), story)


def test_a_kept_connection_that_the_target_closed_is_no_failure() -> None:
    async def script(call: Call) -> None:
        await answers(call)
        call.writer.close()  # without saying `connection: close`

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for _ in range(20):
            assert status_of(await say(running, post(chat("house/small")))) == 200

    run(script, never, story)


# ---- TLS -----------------------------------------------------------------------------------------------------------

CA = trustme.CA()


def _certificate(kind: str) -> ssl.SSLContext:
    import datetime

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if kind == "expired":
        past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)  # noqa: UP017 - one spelling for all
        CA.issue_cert("localhost", not_before=past, not_after=past.replace(month=2)).configure_cert(context)
    elif kind == "wrong_host":
        CA.issue_cert("elsewhere.example").configure_cert(context)
    else:
        CA.issue_cert("localhost").configure_cert(context)
    return context


@pytest.mark.parametrize("kind", ["expired", "wrong_host", "unknown_issuer", "plain"])
def test_tls_that_is_not_acceptable_is_refused_before_a_byte_of_the_request(kind: str) -> None:
    seen = bytearray()

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.extend(await reader.read(100_000))
            writer.write(b"HTTP/1.1 400 Bad\r\n\r\n")
            writer.close()

        context = None if kind == "plain" else _certificate(kind)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server, AsyncExitStack() as stack:
            text = config(f"https://localhost:{port}/v1", f"https://localhost:{port}/v1")
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            if kind != "unknown_issuer":
                running.service._upstream._extra_roots_pem = CA.cert_pem.bytes()
            answer = await say(running, post(chat("vendor/big", "canary-prompt")))
            assert (status_of(answer), code_of(answer)) == (502, "upstream_tls"), answer
            check_clean(answer)
            assert b"BEGIN CERT" not in answer
            record = await only_record(running)
            assert record.error == "upstream_tls"

    asyncio.run(main())
    assert b"canary-prompt" not in seen and VENDOR_SECRET.encode() not in seen


@pytest.mark.parametrize("stream", [False, True])
def test_tls_that_is_cut_without_a_goodbye_is_an_interrupted_answer(stream: bool) -> None:
    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            if stream:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
                writer.write(b"data: " + json.dumps(piece("word ")).encode() + b"\n\n")
            else:
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + GOOD[:50])
            await writer.drain()
            await asyncio.sleep(0.05)
            raw_socket: Any = writer.get_extra_info("socket")  # Any: a transport's own view of the socket
            raw_socket._sock.shutdown(socket.SHUT_RDWR)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=_certificate("good"))
        port = server.sockets[0].getsockname()[1]
        async with server, AsyncExitStack() as stack:
            text = config(f"https://localhost:{port}/v1", f"https://localhost:{port}/v1")
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            running.service._upstream._extra_roots_pem = CA.cert_pem.bytes()
            answer = await say(running, post(chat("vendor/big", stream=stream)))
            assert b'"code":"upstream_stream_interrupted"' in answer, answer
            assert not looks_complete(answer)

    asyncio.run(main())


# ---- schema drift --------------------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["\ud800", "stop", "error", -5, 10**30, 9 * 10**18, ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PATHS = [
    ("id",), ("object",), ("created",), ("model",), ("choices",), ("usage",), ("new_field",), ("error",),
    ("choices", 0), ("choices", 0, "index"), ("choices", 0, "message"), ("choices", 0, "finish_reason"),
    ("choices", 0, "message", "content"), ("choices", 0, "message", "role"), ("choices", 0, "message", "tool_calls"),
    ("choices", 0, "message", "refusal"), ("choices", 0, "message", "reasoning_content"),
    ("usage", "prompt_tokens"), ("usage", "completion_tokens"), ("usage", "prompt_tokens_details"),
]  # fmt: skip


def test_whatever_a_field_becomes_the_answer_is_whole_or_a_clear_fault() -> None:
    body = b""

    async def script(call: Call) -> None:
        await call.write(whole(body))

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        loop = asyncio.get_running_loop()

        @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(path=st.sampled_from(PATHS), value=JSON_VALUES)
        def check(path: tuple[str | int, ...], value: object) -> None:
            nonlocal body
            answer: Any = completion("Good morning!")  # Any: mutated below
            place = answer
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = value
            body = json.dumps(answer).encode()
            forget_failures(running)
            content = "Charge 4111 1111 1111 1111"  # own premises only, and the answer goes through the memory
            got = asyncio.run_coroutine_threadsafe(say(running, post(chat("house/small", content))), loop).result(20)
            assert status_of(got) in (200, 400, 429, 502, 503), got
            if status_of(got) != 200:
                assert code_of(got).startswith("upstream_"), got
            check_clean(got)

        await asyncio.to_thread(check)
        records = await running.records()
        assert not [record.error for record in records if record.error == "internal_error"]
        for record in records:
            assert record.usage is None or (record.usage.input >= 0 and record.usage.output >= 0)
        await check_books(running)

    run(script, never, story)


def test_nonsense_in_the_usage_never_credits_a_budget_nor_breaks_the_books() -> None:
    cases: list[tuple[object, bool]] = list(product([-5, 10**18, 10**30, 9.5, "12", None, [], "x"], [False, True]))
    playing: list[object] = []

    async def script(call: Call) -> None:
        tokens = playing[0]
        usage: Any = {"prompt_tokens": tokens, "completion_tokens": tokens, "total_tokens": tokens}  # Any: nonsense
        if b'"stream":true' in call.body:
            await call.start_stream()
            await call.event(piece("word"))
            await call.event(piece(finish="stop"))
            await call.event(piece(usage=usage))
            await call.end_stream()
        else:
            await call.json(completion("word", usage=usage))

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, tokens: object, stream: bool
    ) -> None:
        key = key_of(running, "a", budget_nano=10**15)
        playing[:] = [tokens]
        before = await asyncio.to_thread(running.service.books.budgets, "key_a")
        answer = await say(
            running, post(chat("vendor/big", stream=stream, max_tokens=10), f"authorization: Bearer {key}\r\n")
        )
        assert status_of(answer) == 200, answer
        row = (await asyncio.to_thread(running.service.books.budgets, "key_a"))[0]
        spent_nano = row.spent_nano - (before[0].spent_nano if before else 0)
        assert 0 < spent_nano < 10**9 and row.reserved_nano == 0
        await check_books(running)

    run_each(never, script, story, cases)


# ---- storms --------------------------------------------------------------------------------------------------------


def test_a_storm_of_errors_is_not_amplified_and_recovery_is_noticed() -> None:
    is_healthy = False

    async def script(call: Call) -> None:
        if is_healthy:
            await answers(call)
        else:
            await call.json({"error": {"message": "no", "type": "server_error"}}, "500 X")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        nonlocal is_healthy
        requests = 150
        limit = asyncio.Semaphore(30)

        async def ask() -> int:
            async with limit:
                return status_of(await say(running, post(chat("house/small"))))

        statuses = await asyncio.gather(*[ask() for _ in range(requests)])
        assert 200 not in statuses
        assert len(own.calls) <= 1.2 * requests + 10  # the retry budget: a fifth of the requests and a small burst
        is_healthy = True
        began = time.monotonic()
        async with asyncio.timeout(6):
            while await ask() != 200:
                await asyncio.sleep(0.1)
        assert time.monotonic() - began <= 5
        assert not running.service.gateway.running
        await check_books(running)

    run(script, never, story)


def test_with_a_second_target_an_outage_costs_the_first_a_few_probes_and_no_answer() -> None:
    async def fails(call: Call) -> None:
        await call.json({"error": {"message": "no"}}, "503 X")

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        limit = asyncio.Semaphore(10)

        async def ask() -> int:
            async with limit:
                return status_of(await say(running, post(chat())))

        statuses = await asyncio.gather(*[ask() for _ in range(150)])
        assert set(statuses) == {200}
        assert len(own.calls) <= 20 and len(vendor.calls) == 150

    run(fails, answers, story)


# ---- what the target says ------------------------------------------------------------------------------------------


def test_a_target_that_echoes_our_key_or_organisation_does_not_tell_the_client() -> None:
    cases = list(product(["400 X", "401 X", "403 X", "404 X", "429 X", "500 X", "503 X", "200 OK"], [False, True]))
    organisation = "org-" + "Ab12" * 5

    playing: list[tuple[str, bool]] = []

    async def script(call: Call) -> None:
        status, stream = playing[0]
        words = f"bad key {VENDOR_SECRET} of {organisation} \x1b[31m \ud800"
        error = {"error": {"message": words, "type": "server_error", "code": None}}
        if status == "200 OK" and stream:
            await call.start_stream()
            await call.event(error)
            await call.end_stream()
        else:
            await call.json(error, status, f"x-key: {VENDOR_SECRET}\r\n")

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, status: str, stream: bool
    ) -> None:
        playing[:] = [(status, stream)]
        answer = await say(running, post(chat("vendor/big", stream=stream)))
        assert status_of(answer) >= 400, answer
        check_clean(answer)
        assert organisation.encode() not in answer and b"\\u001b" not in answer
        record = await record_of(running, answer)
        assert VENDOR_SECRET not in str(record) and organisation not in str(record)

    run_each(never, script, story, cases)


def test_an_error_after_content_carries_no_key_either() -> None:
    async def script(call: Call) -> None:
        await call.start_stream()
        await call.event(piece("word "))
        await call.event({"error": {"message": f"bad {VENDOR_SECRET}", "type": "server_error"}})
        await call.end_stream()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, post(chat("vendor/big", stream=True)))
        assert not looks_complete(answer)
        check_clean(answer)

    run(never, script, story)


def test_the_official_client_raises_for_a_stream_that_broke() -> None:
    async def script(call: Call) -> None:
        await call.start_stream()
        await call.event(piece("word "))
        call.writer.close()

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        stream = await running.client().chat.completions.create(
            model="house/small", messages=[{"role": "user", "content": "x"}], stream=True
        )
        with pytest.raises(openai.APIError) as caught:
            async for _ in stream:
                pass
        assert caught.value.code == "upstream_stream_interrupted"

    run(script, never, story)
