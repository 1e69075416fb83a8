"""Clients that break the rules: their bytes, paths, identities, floods and silences."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress

import pytest

from fault_upstream import Call, FaultUpstream, piece
from faults_kit import (
    answers,
    chat,
    check_clean,
    code_of,
    dial,
    key_of,
    never,
    post,
    read_answer,
    run,
    run_each,
    say,
    status_of,
    until_recorded,
)
from gateway_kit import RunningGateway

BODY = chat("house/small")


# ---- framing -------------------------------------------------------------------------------------------------------


def test_what_is_no_request_is_refused_and_the_line_closed() -> None:
    cases = [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: -5\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
        b"ffffffffffffffffff\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx y: 1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nx: a\x00b\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        b"POST /v1/chat/\xff HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, data: bytes) -> None:
        answer = await say(running, data)
        assert status_of(answer) in (400, 404, 405, 505), answer
        check_clean(answer)
        assert not own.calls and not running.service.gateway.running
        assert status_of(await say(running, post(BODY))) == 200

    run_each(answers, never, story, cases)


@pytest.mark.parametrize(
    "head",
    [
        b"x-big: " + b"v" * 3_000_000,
        b"".join(b"x-h%d: v\r\n" % number for number in range(200_000)),
        b"x" * 3_000_000 + b": v\r\n",
    ],
)
def test_a_header_bomb_is_cut_short(head: bytes) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n" + head + b"\r\n\r\n")
        assert status_of(answer) in (0, 431), answer  # 0: reset while it was still sending
        assert not own.calls and not await running.records()

    run(answers, never, story)


def test_an_url_without_end_is_cut_short() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        answer = await say(running, b"GET /" + b"a" * 3_000_000 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert status_of(answer) in (0, 431)

    run(answers, never, story)


def test_a_body_in_a_hundred_thousand_pieces_costs_linear_time() -> None:
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in chat("house/small", "x" * 200_000))
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        began = time.process_time()
        answer = await say(
            running,
            head + b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n",
        )
        assert status_of(answer) == 200
        assert time.process_time() - began < 5
        assert json.loads(own.calls[0].body)["messages"][0]["content"] == "x" * 200_000

    run(answers, never, story)


def test_a_body_that_stalls_is_told_and_the_line_can_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.io.http_server.BODY_TIMEOUT_S", 0.2)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        reader, writer = await dial(running)
        request = post(BODY, close=False)
        writer.write(request[:-10])
        told = await reader.readuntil(b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 408 ")
        length = next(line for line in told.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        assert b"body_too_slow" in await reader.readexactly(int(length.partition(b":")[2]))
        writer.write(request[-10:] + request)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert [record.error for record in await running.records()] == ["body_too_slow", ""]
        assert len(own.calls) == 1
        writer.close()

    run(answers, never, story)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_not_kept(chunked: bool) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        most = running.service.gateway.snapshot.config.server.max_body_bytes
        head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        if chunked:
            data = (head + "transfer-encoding: chunked\r\n\r\n").encode()
            block = b"10000\r\n" + b" " * 65536 + b"\r\n"
            data += block * (most // 65536 + 2) + b"0\r\n\r\n"
        else:
            data = (head + f"content-length: {most + 1}\r\n\r\n").encode()
        answer = await say(running, data)
        assert (status_of(answer), code_of(answer)) == (413, "request_too_large")
        assert not own.calls
        assert [record.error for record in await running.records()] == ["request_too_large"]

    run(answers, never, story)


def test_a_client_that_waits_for_continue_gets_it_and_one_with_a_bad_key_does_not_send_its_body() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        reader, writer = await dial(running)
        request = post(BODY, "expect: 100-continue\r\n")
        head, _, body = request.partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(body)
        assert status_of(await reader.read()) == 200
        writer.close()
        head = (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n"
        )
        assert status_of(await say(running, head % 999_999_999)) == 413
        running.add_key()
        assert status_of(await say(running, head % 5)) == 401

    run(answers, never, story)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_an_upgrade_is_not_taken_up(upgrade: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        headers = f"upgrade: {upgrade}\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        request = post(BODY, headers, close=False).replace(b"host:", b"connection: upgrade\r\nhost:", 1)
        reader, writer = await dial(running)
        writer.write(request)
        async with asyncio.timeout(10):
            status, _, _ = await read_answer(reader)
        assert status in (200, 400, 426)
        writer.close()

    run(answers, never, story)


# ---- identities ----------------------------------------------------------------------------------------------------


def test_pipelined_requests_on_one_line_keep_their_identities_and_their_order() -> None:
    async def slow_echo(call: Call) -> None:
        word = json.loads(call.body)["messages"][0]["content"]
        if word == "first":
            await asyncio.sleep(0.1)
        await call.json({
            "id": "1", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": word}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        })  # fmt: skip

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        one = key_of(running, "one")
        two = key_of(running, "two")
        reader, writer = await dial(running)
        writer.write(
            post(chat("house/small", "first"), f"authorization: Bearer {one}\r\n", close=False)
            + post(chat("house/small", "second"), f"authorization: Bearer {two}\r\n", close=False)
            + post(chat("house/small", "third"), close=False)
            + post(chat("house/small", "fourth"), f"authorization: Bearer {one}\r\n", close=False)
        )
        found = [await read_answer(reader) for _ in range(4)]
        assert [status for status, _, _ in found] == [200, 200, 401, 200]
        for (_, _, body), word in zip(found, (b"first", b"second", b"invalid_request", b"fourth"), strict=True):
            assert word in body or word == b"invalid_request"
        records = {record.id: record.app for record in await running.records()}
        assert [records[headers["x-yuzui-request-id"]] for _, headers, _ in found] == ["one", "two", "", "one"]
        writer.close()

    run(slow_echo, never, story)


def test_exactly_one_identity_is_read() -> None:
    cases = [
        ("authorization: Bearer {key}\r\nauthorization: Bearer {key}\r\n", 400),
        ("authorization: Bearer {other}\r\nauthorization: Bearer {key}\r\n", 400),
        ("authorization: Bearer {key}, Bearer {other}\r\n", 401),
        ("authorization: Basic {key}\r\n", 401),
        ("authorization: Bearer  {key}\r\n", 401),
        ("authorization: bearer {key}\r\n", 200),
        ("authorization: Bearer {key}\r\nx-api-key: {other}\r\n", 400),  # two callers in one request
        ("authorization: Bearer {other}\r\nx-goog-api-key: {key}\r\n", 400),
        ("x-api-key: {key}\r\nx-api-key: {other}\r\n", 400),
        ("authorization: Bearer {key}\r\nx-api-key: {key}\r\n", 200),
        ("x-api-key: {key}\r\n", 200),
        ("x-goog-api-key: {key}\r\n", 200),
        ("x-api-key: yz-wrong\r\n", 401),
        ("cookie: authorization=Bearer {key}\r\n", 401),
        ("authorization: Bearer " + "A" * 60_000 + "\r\n", 401),
        ("", 401),
    ]

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, headers: str, status: int
    ) -> None:
        key = key_of(running, "one")
        other = key_of(running, "two")
        answer = await say(running, post(BODY, headers.format(key=key, other=other)))
        assert status_of(answer) == status, answer
        assert key.encode() not in answer and other.encode() not in answer
        assert len(own.calls) == (status == 200)

    run_each(answers, never, story, cases)


def test_a_trailer_is_no_header() -> None:
    """Fields after a chunked body are not fields of the request: a proxy in front would not have seen them."""

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one")
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        body = b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (
            len(BODY),
            BODY,
        )
        answer = await say(running, head + body + f"authorization: Bearer {key}\r\n\r\n".encode())
        assert status_of(answer) == 401

    run(answers, never, story)


def test_a_key_in_the_url_is_refused_and_not_repeated() -> None:
    cases = ["api_key=K", "key=K", "x=1&access_token=K", "API-KEY=K"]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, query: str) -> None:
        key = key_of(running, "one")
        answer = await say(running, post(BODY, path="/v1/chat/completions?" + query.replace("=K", f"={key}")))
        assert (status_of(answer), code_of(answer)) == (400, "key_in_url")
        assert key.encode() not in answer and not own.calls

    run_each(never, never, story, cases)


# ---- paths and methods ---------------------------------------------------------------------------------------------


def test_every_other_spelling_of_a_path_is_no_path() -> None:
    cases = [
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions/",
        "/V1/chat/completions",
        "/v1/chat%2Fcompletions",
        "/v1/%63hat/completions",
        "/v1/../v1/chat/completions",
        "/v1/chat/completions;a=1",
        "/v1/chat/completions%00",
        "/v1/chat/completions.",
        "/v1/chat/./completions",
        "/%2e%2e/metrics",
        "/v1/chat/completions%3Fx",
        "/admin",
        "/v1/files",
        "/v1/fine_tuning/jobs",
        "/v1/realtime",
        "/v1/batches",
    ]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, path: str) -> None:
        for key in (None, key_of(running, "one")):
            headers = f"authorization: Bearer {key}\r\n" if key else ""
            answer = await say(running, post(BODY, headers, path=path))
            assert status_of(answer) == 404, answer
            check_clean(answer)
        assert not own.calls

    run_each(never, never, story, cases)


def test_models_are_shown_to_key_holders_only() -> None:
    cases = ["/v1/models", "/v1/models/assistant", "/v1/models/house%2Fsmall", "/v1/models/x%00"]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, path: str) -> None:
        key_of(running, "one")
        for spelled in (path, path + "?x=1", "/" + path, path.replace("/v1", "/%761")):
            answer = await say(
                running, f"GET {spelled} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
            )
            assert status_of(answer) in (401, 404), answer
            assert b"house" not in answer.partition(b"\r\n\r\n")[2] or status_of(answer) == 404
            check_clean(answer)

    run_each(never, never, story, cases)


def test_other_methods_are_refused_by_name_and_never_with_cors() -> None:
    cases = ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "GET"]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, method: str) -> None:
        head = f"{method} /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
        headers = "origin: https://evil.example\r\naccess-control-request-method: POST\r\n\r\n"
        answer = await say(running, (head + headers).encode())
        assert status_of(answer) == 405
        assert b"access-control" not in answer.lower() and b"allow: POST" in answer
        if method == "HEAD":
            assert not answer.partition(b"\r\n\r\n")[2]

    run_each(never, never, story, cases)


def test_a_page_in_a_browser_cannot_use_the_keyless_loopback() -> None:
    cases = [
        ("host: evil.example\r\n", 421),
        ("host: evil.example:8080\r\norigin: http://evil.example:8080\r\n", 421),
        ("host: 127.0.0.1.evil.example\r\n", 421),
        ("host: localhost:8080\r\norigin: https://evil.example\r\n", 403),
        ("host: localhost\r\norigin: null\r\n", 403),
        ("host: localhost\r\norigin: http://localhost.evil.example\r\n", 403),
        ("host: localhost\r\norigin: http://localhost:3000\r\n", 200),
        ("host: localhost\r\norigin: http://localhost:3000\r\ncontent-type: text/plain\r\n", 415),
        ("host: 127.0.0.1:1\r\n", 200),
        ("host: [::1]:1\r\n", 200),
    ]

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, headers: str, status: int
    ) -> None:
        answer = await say(running, post(BODY, headers))
        assert status_of(answer) == status, answer
        assert b"access-control-allow-origin" not in answer.lower()
        assert len(own.calls) == (status == 200)
        if status in (421, 403):
            for path in ("/v1/models", "/metrics", "/v1/models/assistant"):
                asked = await say(running, f"GET {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n".encode())
                assert status_of(asked) in (401, 403, 421), (path, asked)

    run_each(answers, never, story, cases)


# ---- what is written into names ------------------------------------------------------------------------------------


def test_control_characters_in_names_are_refused() -> None:
    cases = [
        (evil, field)
        for evil in ["x\r\nX-Admin: 1", "x\nforged log line", "x\x1b[31mred", "x\x00y", "x\u2028y", "x\x9b1m"]
        for field in ["model", "user", "service_tier", "safety_identifier", "name", "conversation_id"]
    ]

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, evil: str, field: str) -> None:
        body = json.loads(BODY)
        if field == "name":
            body["messages"][0]["name"] = evil
        elif field == "conversation_id":
            body["metadata"] = {"conversation_id": evil}
        else:
            body[field] = evil
        answer = await say(running, post(json.dumps(body).encode()))
        assert 400 <= status_of(answer) < 500, answer
        head = answer.partition(b"\r\n\r\n")[0]
        assert b"x-admin" not in head.lower() and b"\x1b" not in answer and not own.calls
        assert evil.encode("utf-8") not in answer

    run_each(never, never, story, cases)


def test_a_request_cannot_choose_its_destination() -> None:
    cases = [
        {"base_url": "http://169.254.169.254/"},
        {"api_base": "http://evil.example"},
        {"api_key": "other"},
        {"extra_headers": {"x-a": "b"}},
        {"extra_body": {"model": "other"}},
        {"provider": "evil"},
    ]

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, fields: dict[str, object]
    ) -> None:
        headers = (
            "x-base-url: http://evil.example\r\nx-portkey-custom-host: http://evil.example\r\nx-forwarded-host: e\r\n"
        )
        answer = await say(running, post(chat("house/small", **fields), headers))
        assert status_of(answer) in (200, 400)
        if status_of(answer) == 200:
            assert b"evil" not in own.calls[0].head and json.loads(own.calls[0].body)["model"] == "small"

    run_each(answers, never, story, cases)


def test_absurd_numbers_are_refused_before_money_is_reserved() -> None:
    cases = [
        {"max_tokens": 0},
        {"max_tokens": -1},
        {"max_tokens": 10**12},
        {"max_tokens": 1.5},
        {"max_tokens": "100"},
        {"n": 0},
        {"n": 1000},
        {"n": -1},
        {"best_of": 5},
        {"top_logprobs": 10**9},
        {"temperature": 10**400},
        {"messages": []},
        {"stop": ["x"] * 1000},
        {"stream": "yes"},
    ]

    async def story(
        running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream, fields: dict[str, object]
    ) -> None:
        key = key_of(running, "one", budget_nano=10**9)
        answer = await say(running, post(chat("vendor/big", **fields), f"authorization: Bearer {key}\r\n"))
        assert status_of(answer) in (400, 429), answer
        check_clean(answer)
        assert not vendor.calls
        assert all(row.reserved_nano == 0 for row in await asyncio.to_thread(running.service.books.budgets, "key_one"))

    run_each(never, never, story, cases)


# ---- hang-ups ------------------------------------------------------------------------------------------------------


def test_many_clients_that_hang_up_at_once_are_all_settled_and_the_gateway_stays_quick() -> None:
    async def endless(call: Call) -> None:
        await call.start_stream()
        for _ in range(20):
            await call.event(piece("word " * 20))
        await call.client_left(20)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        lines = []
        for _ in range(40):
            reader, writer = await dial(running)
            writer.write(post(chat("vendor/big", stream=True)))
            lines.append((reader, writer))
        for reader, _ in lines:
            await reader.readuntil(b"word")
        for _, writer in lines:
            writer.transport.abort()
        began = time.monotonic()
        async with asyncio.timeout(8):
            while len(await running.records()) < 40:
                asked = time.monotonic()
                await say(running, b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                assert time.monotonic() - asked < 0.5
        assert time.monotonic() - began < 6
        records = await running.records()
        assert {record.outcome for record in records} == {"aborted"}
        assert all(record.usage is not None and record.usage.output >= 20 for record in records)
        assert not await asyncio.to_thread(running.service.books.verify_sums)

    run(never, endless, story)


def test_an_aborted_stream_counts_against_the_tokens_per_minute() -> None:
    async def endless(call: Call) -> None:
        await call.start_stream()
        for _ in range(500):
            await call.event(piece("word "))
        await call.client_left(20)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key = key_of(running, "one", tokens_per_minute=600)
        headers = f"authorization: Bearer {key}\r\n"
        reader, writer = await dial(running)
        writer.write(post(chat("vendor/big", stream=True), headers))
        for _ in range(500):
            await reader.readuntil(b"word")
        writer.transport.abort()
        await until_recorded(running)
        answer = await say(running, post(chat("vendor/big"), headers))
        assert (status_of(answer), code_of(answer)) == (429, "rate_limit_exceeded")

    run(never, endless, story)


# ---- floods --------------------------------------------------------------------------------------------------------


async def _flood(running: RunningGateway, data: bytes, count: int, lines: int) -> list[int]:
    """`count` requests over `lines` kept connections; their statuses."""
    statuses: list[int] = []

    async def line() -> None:
        reader, writer = await dial(running)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            for _ in range(count // lines):
                writer.write(data)
                statuses.append((await read_answer(reader))[0])
        writer.close()

    await asyncio.gather(*[line() for _ in range(lines)])
    return statuses


def test_a_tenant_far_beyond_its_limit_does_not_disturb_another_and_costs_no_writes() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        noisy = running.add_key(app="noisy", seed=1, requests_per_minute=10)
        quiet = running.add_key(app="quiet", seed=2)
        data = post(BODY, f"authorization: Bearer {noisy}\r\n", close=False)
        flood = asyncio.create_task(_flood(running, data, 1000, 10))
        times = []
        for _ in range(20):
            began = time.monotonic()
            assert status_of(await say(running, post(BODY, f"authorization: Bearer {quiet}\r\n"))) == 200
            times.append(time.monotonic() - began)
        statuses = await flood
        assert statuses.count(200) <= 11 and statuses.count(429) >= 985
        assert sorted(times)[-2] < 1.0
        records = await running.records()
        assert sum(record.app == "noisy" for record in records) < 200
        assert len(own.calls) <= 31

    run(answers, never, story)


@pytest.mark.parametrize(
    "headers",
    [
        "authorization: Bearer yz-{guess}\r\n",
        "authorization: Bearer a\r\nauthorization: Bearer b\r\n",
        "content-encoding: gzip\r\n",
        "",
    ],
)
def test_a_flood_of_strangers_costs_few_writes(headers: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        key_of(running, "one")
        data = post(BODY, headers.format(guess="B" * 43), close=False)
        statuses = await _flood(running, data, 600, 10)
        assert len(statuses) == 600 and all(400 <= status < 500 for status in statuses)
        assert len(await running.records()) < 150

    run(never, never, story)


def test_a_thousand_idle_lines_do_not_keep_anybody_out() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        lines = [await dial(running) for _ in range(1000)]
        for _, writer in lines[::2]:
            writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nhost: loc")  # half a head
        began = time.monotonic()
        assert status_of(await say(running, post(BODY))) == 200
        assert time.monotonic() - began < 1
        for _, writer in lines:
            writer.transport.abort()

    run(answers, never, story)


def test_two_spellings_of_a_field_are_refused_or_one_of_them_is_sent() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        secret = "4111 1111 1111 1111"
        bodies = [
            b'{"model":"vendor/big","messages":[{"role":"user","content":"x"}],"messages":[{"role":"user","content":"S"}]}',
            b'{"model":"vendor/big","messages":[{"role":"user","content":"x"}],"Messages":[{"role":"user","content":"S"}]}',
            b'{"model":"vendor/big","messages":[{"role":"user","content":"x","content":"S"}]}',
            b'{"model":"vendor/big","messages":[{"role":"user","content":"x","Content":"S"}]}',
            b'{"model":"vendor/big","messages":[{"role":"user","content":"x"}],"m\\u0065ssages":[{"role":"user","content":"S"}]}',
        ]
        for body in bodies:
            answer = await say(running, post(body.replace(b"S", secret.encode())))
            assert status_of(answer) in (400, 403), (body, answer)
        assert not vendor.calls

    run(never, never, story)


def test_the_answer_of_a_target_that_is_slow_to_be_read_is_not_collected() -> None:
    """A client that reads nothing holds the target back instead of filling the gateway's memory."""
    sent = 0

    async def endless(call: Call) -> None:
        nonlocal sent
        await call.start_stream()
        block = b"data: " + json.dumps(piece("word " * 2000)).encode() + b"\n\n"
        while sent < 200_000_000:
            await call.chunk(block)
            sent += len(block)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        _reader, writer = await dial(running)
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of the loop can
        writer.write(post(chat("house/small", stream=True)))
        records = await until_recorded(running)
        assert sent < 40_000_000
        assert records[0].outcome in ("failed", "aborted")
        writer.transport.abort()

    run(endless, never, story, timeouts="total_s = 1")
