"""What a target quotes of our keys, and what clients say: it comes out nowhere, on any wire and in any dialect."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest

from eventstream_kit import exception
from fault_upstream import Call, FaultUpstream
from faults.dialect_fields import OTHERS, gemini, messages, responses
from faults.dialect_kit import (
    DIALECTS,
    Asked,
    Said,
    ask,
    chat_request,
    events,
    gemini_path,
    run,
    speaks,
    start,
    whole,
    wire_of,
)
from faults.test_leakage import files_of
from faults_kit import VENDOR_SECRET, check_clean, forget_failures, say, status_of
from gateway_kit import RunningGateway, gateway
from yuzui.io.logs import LogSink

Json = dict[str, Any]  # Any: JSON
MARK = "canaryQ7"  # in no word of ours
PIECE = 12
"""So much of a secret would be more than a coincidence."""

SECRETS = {
    "KEY": "lasting" + "Wv6" * 9, "SECRET": "exchanged" + "Zq8" * 9, "SESSION": "session" + "Xy7" * 9,
    "ACCESS": "ACCESSKEY" + "QQ22" * 4,
}  # fmt: skip
TOKEN = "fetched" + "Ab9" * 11
WIRES = {
    "openai": "/v1", "openai_responses": "/v1", "anthropic": "", "gemini": "/v1beta", "bedrock": "", "cohere": "",
    "watsonx": "", "dashscope_native": "/api/v1", "qianfan_native": "/v2", "ollama_native": "", "tgi_native": "",
}  # fmt: skip
"""Provider → where its base_url ends."""


def table(provider: str, auth: str, vendor: FaultUpstream, issuer: FaultUpstream) -> str:
    place = f"http://127.0.0.1:{issuer.port}"
    access = {
        "key": 'api_key = { env = "KEY" }',
        "entra": 'auth = { kind = "entra_id", tenant_id = "t", client_id = "c", client_secret = { env = "SECRET" }, '
        f'authority = "{place}" }}',
        "ibm": f'auth = {{ kind = "ibm_iam", api_key = {{ env = "SECRET" }}, url = "{place}" }}',
        "aws": 'auth = { kind = "aws_sigv4", access_key = { env = "ACCESS" }, secret_key = { env = "SECRET" }, '
        'session_token = { env = "SESSION" }, region = "eu-west-1" }',
    }[auth]
    return f"""
[[targets]]
name = "{provider}/{auth}"
provider = "{provider}"
base_url = "http://127.0.0.1:{vendor.port}{WIRES[provider]}"
model = "m"
premises = "vendor"
clearance = "internal"
price = "free"
parameters = {{ project_id = "p" }}
{access}
"""


# ---- our keys --------------------------------------------------------------------------------------------------------


def quoted(call: Call) -> str:
    """What the target was sent to know us by, in its words: whole, as a header, cut short, from its end."""
    found = []
    for line in call.head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        if name.lower() in ("authorization", "x-api-key", "api-key", "x-goog-api-key", "x-amz-security-token"):
            last = value.split(" ")[-1]
            found += [last, f"{name}: {value}", f"key={last}", f"{last[:20]}...", f"...{last[-20:]}", f'"{last}"']
    return " ; ".join(found)


async def quotes(call: Call, way: str, offset: int) -> None:
    said = "x" * offset + " " + quoted(call)
    error: Json = {"message": said, "type": "invalid_request_error", "code": said[:60], "status": "INVALID_ARGUMENT"}
    body = {"error": error, "message": said, "errors": [said], "error_msg": said, "code": said[:60]}
    if way == "in a 200":
        await call.json(body)
    elif way != "in a stream":
        await call.json(body, f"{way} X", "x-amzn-errortype: ValidationException\r\n")
    else:
        path = call.head.split(b" ")[1]
        wire = (
            wire_of(call)
            if path.endswith((b"/chat/completions", b"/responses", b"/messages", b"converse-stream"))
            else ""
        )
        wire = "gemini" if b":streamGenerateContent" in path else wire
        await start(call, wire)
        for event in events(wire, Said())[:2] if wire else ():
            await call.chunk(event)
        if wire == "bedrock":
            await call.chunk(exception("validationException", json.dumps({"message": said}).encode()))
        elif wire == "messages":
            await call.chunk(b"event: error\ndata: " + json.dumps({"type": "error", "error": error}).encode() + b"\n\n")
        elif wire == "responses":
            await call.chunk(b"event: error\ndata: " + json.dumps({"type": "error", **error}).encode() + b"\n\n")
        else:
            await call.chunk(b"data: " + json.dumps(body).encode() + b"\n\n")
        await call.write(b"0\r\n\r\n")


def pieces(secret: str) -> set[bytes]:
    return {secret[at : at + PIECE].encode() for at in range(len(secret) - PIECE + 1)}


def test_no_target_can_make_us_tell_the_keys_tokens_and_signatures_that_it_was_sent() -> None:
    """Every codec with every kind of credential, in each place where a target has words; also the ends of a key."""
    lines = io.StringIO()
    sink = LogSink(lines, logging.DEBUG)
    now, offset = "400", 0

    async def issue(call: Call) -> None:
        await call.json({"access_token": TOKEN, "token": TOKEN, "expires_in": 3600})

    async def script(call: Call) -> None:
        await quotes(call, now, offset)

    async def main() -> None:
        nonlocal now, offset
        told = []
        forbidden = {name: pieces(value) for name, value in {**SECRETS, "TOKEN": TOKEN}.items()}
        async with FaultUpstream(issue) as issuer, FaultUpstream(script) as vendor:
            kinds = [(provider, auth) for provider in WIRES for auth in ("key", "entra", "ibm", "aws")]
            text = "".join(table(provider, auth, vendor, issuer) for provider, auth in kinds)
            async with gateway(text, SECRETS) as running:
                for now in ("400", "in a 200", "in a stream", "500", "429", "404"):
                    offset = 200 if now == "404" else 0
                    forget_failures(running)
                    stream = now == "in a stream"
                    asked = [chat_request("chat", f"{provider}/{auth}", stream=stream) for provider, auth in kinds]
                    answers = await asyncio.gather(*[ask(running, one) for one in asked])
                    for kind, answer in zip(kinds, answers, strict=True):
                        assert status_of(answer) >= 400 or b'"error":{' in answer, (kind, now)
                        told += [
                            (kind, now, name)
                            for name, found in forbidden.items()
                            if any(piece in answer for piece in found)
                        ]
                assert all(quoted(call) for call in vendor.calls), "there was something to quote"
                assert len(issuer.calls) == 2, "one token for each credential, whoever uses it"
                written = json.dumps([str(record) for record in await running.records()]).encode()
        sink.close()
        written += lines.getvalue().encode()
        assert told == []
        for name, found in forbidden.items():
            assert not any(piece in written for piece in found), name

    try:
        asyncio.run(main())
    finally:
        sink.close()


# ---- who gives out tokens --------------------------------------------------------------------------------------------


async def bent(call: Call, how: str) -> None:
    match how:
        case "page":
            await call.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 8\r\n\r\n" + MARK.encode())
        case "redirect":
            await call.write(b"HTTP/1.1 302 X\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")
        case "flood":
            await call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500000000\r\n\r\n" + b" " * 2_000_000)
            await call.client_left(3)
        case "refusal":
            words = f"{MARK} {call.body.decode()}"
            await call.json({"error": "invalid_client", "error_description": words}, "401 X")
        case "failure":
            await call.json({"error": MARK}, "500 X")
        case "headers in a token":
            await call.json({"access_token": "tok\r\nx-evil: 1", "expires_in": 3600})
        case "no life":
            await call.json({"access_token": MARK, "expires_in": -5})
        case "silence":
            await call.client_left(20)
        case _:
            call.reset()


@pytest.mark.parametrize(
    "how", ["page", "redirect", "flood", "refusal", "failure", "headers in a token", "no life", "silence", "reset"]
)
def test_an_issuer_that_misbehaves_is_asked_once_and_stops_nobody_else(how: str) -> None:
    async def main() -> None:
        async with AsyncExitStack() as stack:
            issuer = await stack.enter_async_context(FaultUpstream(lambda call: bent(call, how)))
            vendor = await stack.enter_async_context(FaultUpstream(speaks()))
            quick = "timeouts = { first_token_s = 0.4, whole_answer_s = 0.4 }\n"
            text = table("openai", "entra", vendor, issuer) + quick + table("anthropic", "key", vendor, issuer)
            running = await stack.enter_async_context(gateway(text, SECRETS))
            crowd = [chat_request("messages", "openai/entra", stream=bool(n % 2)) for n in range(20)]
            answers = await asyncio.gather(*[ask(running, asked) for asked in crowd])
            assert {status_of(answer) for answer in answers} <= {502, 503, 504}
            for answer in answers:
                check_clean(answer)
                assert MARK.encode() not in answer and SECRETS["SECRET"].encode() not in answer
            assert len(issuer.calls) == 1 and not vendor.calls
            assert status_of(await ask(running, chat_request("messages", "anthropic/key"))) == 200
            assert b"x-evil" not in b"".join(call.head for call in vendor.calls)
            assert not running.service.gateway.running

    asyncio.run(main())


def test_a_hundred_requests_at_once_fetch_one_token() -> None:
    async def issue(call: Call) -> None:
        await asyncio.sleep(0.1)
        await call.json({"access_token": TOKEN, "expires_in": 3600})

    async def main() -> None:
        async with FaultUpstream(issue) as issuer, FaultUpstream(speaks()) as vendor:
            text = "".join(table(provider, "entra", vendor, issuer) for provider in ("openai", "anthropic", "gemini"))
            async with gateway(text, SECRETS) as running:
                targets = ("openai/entra", "anthropic/entra", "gemini/entra")
                asked = [chat_request("messages", targets[n % 3], stream=bool(n % 2)) for n in range(100)]
                assert {
                    status_of(answer) for answer in await asyncio.gather(*[ask(running, one) for one in asked])
                } == {200}
                assert len(issuer.calls) == 1 and len(vendor.calls) == 100
                assert all(f"Bearer {TOKEN}".encode() in call.head for call in vendor.calls)

    asyncio.run(main())


# ---- what clients say ------------------------------------------------------------------------------------------------


def everything() -> list[Asked]:
    """Requests that say the canary in every field of every dialect."""
    found = [put(MARK) for put in OTHERS.values()]
    for target in ("vendor/claude", "house/small"):
        for put in messages("anthropic").values():
            body = {"model": target, "max_tokens": 9, **put(MARK)}
            found.append(Asked(path="/v1/messages", body=json.dumps(body).encode()))
    for target in ("vendor/responses", "house/small"):
        for put in responses("openai_responses").values():
            found.append(Asked(path="/v1/responses", body=json.dumps({"model": target, **put(MARK)}).encode()))
    for target in ("vendor/gemini", "house/small"):
        for put in gemini("gemini").values():
            found.append(Asked(path=gemini_path(target, query=f"?q={MARK}"), body=json.dumps(put(MARK)).encode()))
    return found


def test_what_clients_say_comes_out_nowhere_but_at_the_target_and_the_client() -> None:
    """Logs, metrics, records and, byte for byte, every file of the data folder; answers are kept, and say it too."""
    lines = io.StringIO()
    sink = LogSink(lines, logging.DEBUG)
    count = [0]

    async def moody(call: Call) -> None:
        count[0] += 1
        wire = wire_of(call)
        if count[0] % 4 == 1:
            await call.json({"error": {"message": MARK, "type": MARK, "code": MARK}, "message": MARK}, "400 X")
        elif count[0] % 4 == 2 and wire not in ("speech",):
            await call.json(whole(wire, Said(text=MARK)) | {"model": MARK, "id": MARK})
        else:
            await speaks(Said(text=f"{MARK} said the model."))(call)

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        asked = everything()
        for one in asked:
            forget_failures(running)
            check_clean(await ask(running, one))
        for dialect in DIALECTS:
            for target in ("vendor/both", "house/small"):
                await ask(running, chat_request(dialect, target, text=MARK, stream=True))
        await asyncio.to_thread(running.service._publisher.publish)
        metrics = await say(running, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert status_of(metrics) == 200 and MARK.encode() not in metrics
        assert len(await asyncio.to_thread(running.service.books._execute, "SELECT 1 FROM kept_answer")) > 20
        for name, data in files_of(running.data_dir):
            for word in (MARK.encode(), VENDOR_SECRET.encode()):
                assert word not in data and word.hex().encode() not in data, name
        for call in (*own.calls, *vendor.calls):
            head = call.head.replace(b"anthropic-beta", b"")
            assert MARK.encode() not in head, head

    try:
        run(moody, story, own=moody)
    finally:
        sink.close()
    written = lines.getvalue()
    assert "target_failed" in written
    for word in (MARK, VENDOR_SECRET, "Traceback"):
        assert word not in written, word
