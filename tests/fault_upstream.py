"""A target that misbehaves on command: raw sockets on loopback, so that it can break HTTP itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

Script = Callable[["Call"], Awaitable[None]]


@dataclass(slots=True)
class Call:
    """One request that reached the target, and the pen to answer it with."""

    head: bytes
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def json(self, value: object, status: str = "200 OK", headers: str = "") -> None:
        body = json.dumps(value).encode()
        await self.write(
            f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode()
            + body
        )

    async def start_stream(self) -> None:
        await self.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    async def chunk(self, data: bytes) -> None:
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def event(self, value: object) -> None:
        await self.chunk(b"data: " + json.dumps(value).encode() + b"\n\n")

    async def end_stream(self, *, done: bool = True) -> None:
        if done:
            await self.chunk(b"data: [DONE]\n\n")
        await self.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """RST instead of FIN."""
        self.writer.transport.abort()

    async def client_left(self, timeout_s: float) -> bool:
        """Wait until the other side closes the connection."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(timeout_s):
                return not await self.reader.read(1)
        return False


@dataclass(slots=True)
class FaultUpstream:
    """Start with `async with`; every request runs `script`. `calls` remembers what came in."""

    script: Script
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _lines: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> FaultUpstream:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=2**24)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        lines = dict(self._lines)
        for task, writer in lines.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*lines, return_exceptions=True)
        await asyncio.sleep(0)  # transports close on the next turn of the loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines[task] = writer
        with suppress(asyncio.CancelledError):
            await self._talk(reader, writer)
        del self._lines[task]
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = 0
                for line in head.split(b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                call = Call(head, await reader.readexactly(length), reader, writer)
                self.calls.append(call)
                await self.script(call)
                if writer.is_closing():
                    return


def completion(text: str, **more: object) -> dict[str, object]:
    """A well-formed whole answer."""
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **more,
    }  # fmt: skip


def piece(
    text: str | None = None, *, finish: str | None = None, usage: dict[str, int] | None = None
) -> dict[str, object]:
    """One chunk of a well-formed stream."""
    delta = {} if text is None else {"content": text}
    choices = (
        []
        if usage is not None and text is None and finish is None
        else [{"index": 0, "delta": delta, "finish_reason": finish}]
    )
    chunk: dict[str, object] = {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices,
    }  # fmt: skip
    if usage is not None:
        chunk["usage"] = usage
    return chunk
