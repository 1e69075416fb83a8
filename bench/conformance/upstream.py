"""One process on loopback that is every vendor: it reads what a gateway asks and answers with the cell's truth.

A request names its cell by the mark in its text (`[[tools.0042]]`), so a gateway needs no knowledge of the matrix.
What a vendor would refuse is refused here, in the vendor's words. `http://127.0.0.1:PORT/PROVIDER` is the address that
stands for the vendor's host.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field

import h11

from conformance.facts import Asked, Json, Truth
from conformance.provider import WIRES, Provider
from conformance.wires._contract import Answer, json_answer

MARK = re.compile(rb"\[\[([a-z_]+\.\d+)\]\]")
GRACE_S = 0.05
"""How long a line stays open behind its last byte before it breaks: a gateway may hand on what it has."""


@dataclass(slots=True, kw_only=True)
class Seen:
    provider: str
    wire: str
    path: str
    asked: Asked
    headers: dict[str, str]


@dataclass(slots=True)
class Cell:
    """What the upstream knows of a cell that is being played."""

    truth: Truth
    seen: list[Seen] = field(default_factory=list)


class Upstream:
    def __init__(self, providers: dict[str, Provider]) -> None:
        self.providers = providers
        self.cells: dict[str, Cell] = {}
        self.strays: list[str] = []
        """Requests that belong to no cell: gateways that look around."""
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def start(self, port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self) -> None:
        """Nobody is left waiting: lines that are kept alive are closed, and heard to be."""
        if self._server is not None:
            self._server.close()
        for writer in self._lines:
            writer.close()
        await asyncio.gather(*(task for task in self._lines.values() if task), return_exceptions=True)

    # ---- one connection ----

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = h11.Connection(h11.SERVER)
        self._lines[writer] = asyncio.current_task()
        try:
            while True:
                request, body = await _read(line, reader)
                if request is None:
                    break
                answer = self._answer(request, body)
                await _send(line, writer, answer)
                if answer.breaks or line.our_state is h11.MUST_CLOSE:
                    break
                line.start_next_cycle()
        except (ConnectionError, h11.ProtocolError):
            pass  # the gateway hung up: what it does about that is for the client to see
        finally:
            self._lines.pop(writer, None)
            writer.close()

    def _answer(self, request: h11.Request, body: bytes) -> Answer:
        target = request.target.decode()
        found = re.match(r"/([a-z_]+)(/.*)", target)
        if not found or found[1] not in self.providers:
            if "/identity/token" in target:
                token = {"access_token": "token-for-the-matrix", "token_type": "Bearer", "expires_in": 3600}
                return json_answer(token | {"expiration": 2_000_000_000})
            self.strays.append(target)
            return json_answer({"error": {"message": "no such upstream"}}, 404)
        provider, path = self.providers[found[1]], found[2]
        name = provider.wire_at(path)
        mark = MARK.findall(body)
        if not name or not mark or mark[-1].decode() not in self.cells:
            self.strays.append(f"{provider.name} {path}")
            return json_answer({"error": {"message": f"{provider.name} has no {path}", "code": 404}}, 404)
        wire, cell = WIRES[name], self.cells[mark[-1].decode()]
        headers = {k.decode().lower(): v.decode("latin-1") for k, v in request.headers}
        asked = _asked(name, path, headers, body)
        cell.seen.append(Seen(provider=provider.name, wire=name, path=path, asked=asked, headers=headers))
        if asked.complaints:
            return wire.refuse(400, "; ".join(asked.complaints))
        if cell.truth.breaks == "refused":
            return wire.refuse(429, "too many requests, wait a little")
        return (wire.stream if asked.is_stream else wire.whole)(cell.truth, asked)


def _asked(wire: str, path: str, headers: dict[str, str], body: bytes) -> Asked:
    try:
        value: Json = json.loads(body)
        if not isinstance(value, dict):
            return Asked(complaints=["the body is no object"])
        return WIRES[wire].read(path, headers, value)
    except ValueError:
        return Asked(complaints=["the body is not JSON"])
    except (AttributeError, KeyError, TypeError) as error:  # a shape that no vendor reads
        return Asked(complaints=[f"a malformed request: {type(error).__name__}: {error}"])


async def _read(line: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request | None, bytes]:
    request, body = None, b""
    while True:
        event = line.next_event()
        if event is h11.NEED_DATA:
            line.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return request, body
        else:
            return None, b""


async def _send(line: h11.Connection, writer: asyncio.StreamWriter, answer: Answer) -> None:
    is_stream = answer.content_type != "application/json" or len(answer.pieces) > 1
    headers = [("content-type", answer.content_type), *answer.headers]
    if not is_stream:
        headers.append(("content-length", str(sum(map(len, answer.pieces)))))
    start = line.send(h11.Response(status_code=answer.status, headers=headers))
    writer.write(start or b"")
    for piece in answer.pieces:
        # Cut anywhere, also inside a character: any cut must give the same answer.
        half = len(piece) * 2 // 3
        for part in (piece[:half], piece[half:]) if is_stream else (piece,):
            if part:
                writer.write(line.send(h11.Data(data=part)) or b"")
                await writer.drain()
                await asyncio.sleep(0)
    if answer.breaks:
        await asyncio.sleep(GRACE_S)
        return
    writer.write(line.send(h11.EndOfMessage()) or b"")
    await writer.drain()
