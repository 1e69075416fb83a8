"""A gateway with hardly any file descriptors left: run as a process of its own by test_leakage.py."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from fault_upstream import Call, FaultUpstream, piece
from faults_kit import VENDOR_SECRET, answers, chat, config, dial, post, say, status_of
from gateway_kit import gateway


async def main() -> None:
    go_on = asyncio.Event()

    async def slow(call: Call) -> None:
        if b'"stream":true' not in call.body:
            await answers(call)
            return
        await call.start_stream()
        await call.event(piece("first "))
        await go_on.wait()
        await call.event(piece("last"))
        await call.event(piece(finish="stop"))
        await call.end_stream()

    async with AsyncExitStack() as stack:
        target = await stack.enter_async_context(FaultUpstream(slow))
        running = await stack.enter_async_context(
            gateway(config(target.base_url, target.base_url), {"VENDOR_KEY": VENDOR_SECRET})
        )
        reader, writer = await dial(running)
        writer.write(post(chat("house/small", stream=True)))
        await reader.readuntil(b"first ")
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
        taken: list[socket.socket] = []
        with suppress(OSError):
            while True:
                line = socket.socket()
                line.setblocking(False)
                with suppress(BlockingIOError):
                    line.connect(("127.0.0.1", int(running.base_url.rsplit(":", 1)[1])))
                taken.append(line)
                await asyncio.sleep(0)
        go_on.set()
        async with asyncio.timeout(15):
            assert b"[DONE]" in await reader.read()
        for line in taken:
            line.close()
        await asyncio.sleep(1.2)  # asyncio stops accepting for a second when there are no descriptors
        assert status_of(await say(running, post(chat("house/small")))) == 200
        assert not await asyncio.to_thread(running.service.books.verify_sums)
        records = await running.records()
        assert [record.outcome for record in records] == ["answered", "answered"], records
        writer.close()
    print("whole")


asyncio.run(main())
