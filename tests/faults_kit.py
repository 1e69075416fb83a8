"""What the fault tests share: raw lines to the gateway, and targets that break on command."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from typing import Any
from weakref import WeakKeyDictionary

from fault_upstream import Call, FaultUpstream, Script, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord

Story = Callable[[RunningGateway, FaultUpstream, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own

VENDOR_SECRET = "vendor-" + "Zq" * 16  # no prefix that a pattern would know


def config(own: str, vendor: str, *, own_extra: str = "", vendor_extra: str = "", more: str = "") -> str:
    """An own and a vendor target, and `assistant` that prefers the own one."""
    return f"""
[[targets]]
name = "house/small"
provider = "vllm"
base_url = "{own}"
model = "small"
premises = "own"
clearance = "restricted"
price = "free"
{own_extra}

[[targets]]
name = "vendor/big"
provider = "openai"
base_url = "{vendor}"
model = "big"
api_key = {{ env = "VENDOR_KEY" }}
premises = "vendor"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
{vendor_extra}

[[models]]
name = "assistant"
candidates = ["house/small", "vendor/big"]
policy = "own_first"
{more}
"""


def run(own: Script, vendor: Script, story: Story, *, timeouts: str = "", more: str = "") -> None:
    """Run `story` with a gateway in front of an own target that plays `own` and a vendor that plays `vendor`."""

    async def main() -> None:
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(FaultUpstream(own))
            second = await stack.enter_async_context(FaultUpstream(vendor))
            extra = f"timeouts = {{ {timeouts} }}" if timeouts else ""
            text = config(first.base_url, second.base_url, own_extra=extra, vendor_extra=extra, more=more)
            running = await stack.enter_async_context(gateway(text, {"VENDOR_KEY": VENDOR_SECRET}))
            async with asyncio.timeout(50):
                await story(running, first, second)

    asyncio.run(main())


async def answers(call: Call) -> None:
    """A healthy target."""
    if b'"stream":true' in call.body:
        await call.start_stream()
        for word in ("Good ", "morning", "!"):
            await call.event(piece(word))
        await call.event(piece(finish="stop"))
        await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}))
        await call.end_stream()
    else:
        await call.json(completion("Good morning!"))


async def never(call: Call) -> None:
    raise AssertionError("this target must not be asked")


def raw(data: bytes, *, then: str = "keep") -> Script:
    """A target that answers with exactly these bytes; `then`: keep the line open, `close` it or `reset` it."""

    async def script(call: Call) -> None:
        await call.write(data)
        if then == "close":
            call.writer.close()
        elif then == "reset":
            await asyncio.sleep(0.02)
            call.reset()

    return script


def whole(body: bytes, head: bytes = b"") -> bytes:
    """A 200 with `body`, framed correctly."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s" % (
        head,
        len(body),
        body,
    )


def chat(model: str = "assistant", content: object = "Good morning, how are you?", **more: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": content}], **more}).encode()


def post(body: bytes, headers: str = "", *, path: str = "/v1/chat/completions", close: bool = True) -> bytes:
    """One request, as bytes."""
    connection = "connection: close\r\n" if close else ""
    host = "" if "host:" in headers.lower() else "host: localhost\r\n"
    kind = "" if "content-type:" in headers.lower() else "content-type: application/json\r\n"
    head = f"POST {path} HTTP/1.1\r\n{host}{kind}{connection}{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


async def dial(running: RunningGateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = running.base_url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port), limit=2**24)


async def say(running: RunningGateway, data: bytes, timeout_s: float = 15) -> bytes:
    """Send bytes on a line of their own and read until the gateway closes it."""
    reader, writer = await dial(running)
    try:
        async with asyncio.timeout(timeout_s):
            with suppress(ConnectionError):  # it may answer and close before it has read everything
                writer.write(data)
                await writer.drain()
            with suppress(ConnectionError):
                return await reader.read()
            return b""
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer with a content-length, from a line that stays open."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    return int(head[0].split(" ")[1]), headers, await reader.readexactly(int(headers["content-length"]))


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def error_of(answer: bytes) -> Mapping[str, Any]:  # Any: JSON values
    """The `error` object of a whole error answer."""
    found = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
    assert isinstance(found, dict)
    return found


def code_of(answer: bytes) -> str:
    return str(error_of(answer)["code"])


LEAKS = (b"Traceback", b"/src/", b"site-packages", b"/home/", b"/work/", b"0x7f", b"127.0.0.1", b"sqlite", b"apsw")


_RECEIPT = re.compile(rb"(?i)x-yuzui-receipt: [0-9]+:[A-Za-z0-9+/]{43}=\r\n")


def check_clean(answer: bytes) -> None:
    """Nothing of the inside in an answer: no traceback, path, address, secret."""
    assert VENDOR_SECRET.encode() not in answer
    told = _RECEIPT.sub(b"", answer)  # 43 random characters, which now and then spell one of these words
    for leak in LEAKS:
        assert leak not in told, (leak, answer[:2000])


def looks_complete(answer: bytes) -> bool:
    """Whether a client could take a streamed answer for a whole one."""
    return b"data: [DONE]" in answer or b'"finish_reason":"' in answer.replace(b'": "', b'":"')


def run_each(
    own: Script, vendor: Script, story: Callable[..., Coroutine[Any, Any, None]], cases: Iterable[Any]
) -> None:
    """`run` for many cases in one gateway: `story(running, own, vendor, *case)`, each with a clean slate."""

    async def all_cases(running: RunningGateway, first: FaultUpstream, second: FaultUpstream) -> None:
        for case in cases:
            first.calls.clear()
            second.calls.clear()
            forget_failures(running)
            try:
                await story(running, first, second, *(case if isinstance(case, tuple) else (case,)))
            except BaseException as error:
                error.add_note(f"case: {case!r}"[:500])
                raise

    run(own, vendor, all_cases)


def forget_failures(running: RunningGateway) -> None:
    """Breakers as at the start, so that each case meets a target that is not left alone."""
    breakers = running.service.gateway.world.watch.breakers
    breakers._circuits.clear()
    breakers._tripped.clear()


def key_of(running: RunningGateway, app: str, **fields: object) -> str:
    """The virtual key of `app` in this gateway; made when it is first asked for."""
    known = _KEYS.setdefault(running.service, {})
    if app not in known:
        known[app] = running.add_key(app=app, seed=len(known) + 1, **fields)
    return known[app]


_KEYS: WeakKeyDictionary[object, dict[str, str]] = WeakKeyDictionary()


async def until_recorded(running: RunningGateway, count: int = 1) -> list[RequestRecord]:
    """The records, once there are `count`: closings of aborted requests come a moment after the client left."""
    async with asyncio.timeout(8):
        while len(records := await running.records()) < count:
            await asyncio.sleep(0.01)
    return records
