"""A whole gateway without a socket: real configuration, books, detectors, routing, codecs; the targets are in here.

What each target is sent is kept, and answered on its own wire. A request costs a millisecond or two, so that tens of
thousands can be asked.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from base64 import urlsafe_b64decode
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from typing_extensions import override

from canary_kit import normal
from fault_upstream import Call
from faults.dialect_kit import WHOLE, Asked, Said, events, streams, whole, wire_of
from gateway_kit import RunningGateway, without_names
from yuzui.config import read
from yuzui.core.chat import RequestLine
from yuzui.core.decision import AllowedSet
from yuzui.core.errors import UpstreamInterrupted, UpstreamUnreachable
from yuzui.core.target import Target
from yuzui.io.clock import SystemRandomness
from yuzui.ports import Interruption, RawRequest, Reply, Upstream, UpstreamReply
from yuzui.privacy.conversation import ConversationMemory
from yuzui.privacy.egress import Scanned
from yuzui.providers._contract import WireRequest
from yuzui.wiring import Service

VENDOR_SECRET = "vendor-" + "Zq" * 16  # no prefix that a pattern would know
_PIECE = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_MARK_WINDOW = 8


# ---- targets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """What went to a target: all of it, also what would stand in the head."""

    target: str
    said: bytes

    def shows(self, mark: str) -> bool:
        """Whether any piece of the mark, so long that it is no chance, can be read in it, also where it is encoded."""
        known = normal(mark)
        width = min(len(known), _MARK_WINDOW)
        windows = {known[at : at + width] for at in range(len(known) - width + 1)}
        return any(window in text for text in _readings(self.said.decode("utf-8", "replace"), 3) for window in windows)


def _readings(text: str, depth: int) -> Iterator[str]:
    """A text as it is, without its escapes, and what its pieces of base64 say."""
    for _ in range(3):
        text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text).replace("\\", "")
    yield normal(text)
    if not depth:
        return
    for piece in set(_PIECE.findall(text)):
        try:
            plain = urlsafe_b64decode(piece.replace("+", "-").replace("/", "_") + "=" * (-len(piece) % 4))
        except ValueError:
            continue
        yield from _readings(plain.decode("utf-8", "replace"), depth - 1)


class Targets(Upstream):
    """All targets at once. `weather`: target → fine (the default), error, busy, unreachable, breaks off."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.weather: dict[str, str] = {}
        self.said: dict[str, str] = {}
        """What a target answers, where it is not the usual."""
        self.told: dict[str, tuple[int, bytes]] = {}
        """Status and body that a target answers with, whatever it was asked."""

    @override
    def open(
        self, scanned: Scanned[WireRequest], target: Target, allowed: AllowedSet
    ) -> AbstractAsyncContextManager[UpstreamReply]:
        return self._open(scanned.wire, target)

    @asynccontextmanager
    async def _open(self, wire: WireRequest, target: Target) -> AsyncGenerator[UpstreamReply, None]:
        weather = self.weather.get(target.name, "fine")
        if weather == "slow":
            await asyncio.sleep(3600)
        if weather == "unreachable":
            raise UpstreamUnreachable("nobody listens there")
        head = f"POST {wire.path} HTTP/1.1\r\n" + "".join(
            [f"{name}: {value}\r\n" for name, value in wire.headers.items()]
        )
        self.sent.append(Sent(target.name, head.encode() + b"\r\n" + wire.body))
        yield self._answer(head.encode(), wire, target, weather)

    def _answer(self, head: bytes, wire: WireRequest, target: Target, weather: str) -> Answered:
        if target.name in self.told:
            status, body = self.told[target.name]
            return Answered(status, [body])
        if weather in ("error", "busy"):
            return Answered(500 if weather == "error" else 429, [b'{"error": {"message": "no"}}'])
        call = Call(head, wire.body, None, None)  # type: ignore[arg-type]  # only what it says is looked at
        name = wire_of(call)
        said = Said(text=self.said.get(target.name, "Good morning!"))
        if name == "speech":
            return Answered(200, [b"ID3abc"], "audio/mpeg")
        if streams(call) and name not in WHOLE:
            pieces = events(name, said)
            return Answered(200, pieces[:1] if weather == "breaks off" else pieces, breaks=weather == "breaks off")
        return Answered(200, [json.dumps(whole(name, said)).encode()])


@dataclass(slots=True)
class Answered(UpstreamReply):
    _status: int
    pieces: list[bytes]
    kind: str = "application/json"
    breaks: bool = False

    @property
    @override
    def status(self) -> int:
        return self._status

    @override
    def header(self, name: str) -> str | None:
        return {"content-type": self.kind, "retry-after": "0"}.get(name)

    @override
    async def read(self) -> bytes:
        return b"".join(self.pieces)

    @override
    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for piece in self.pieces:
            yield piece
        if self.breaks:
            raise UpstreamInterrupted("the line broke")


class Quick(SystemRandomness):
    """Chance that lets no second try wait."""

    @override
    def fraction(self) -> float:
        return super().fraction() / 1000


# ---- the client ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Heard(Reply):
    """What a client hears."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @override
    async def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers

    @override
    async def send(self, data: bytes, *, more: bool) -> None:
        self.body += data

    @override
    def keep_alive(self, heartbeat: bytes, every_s: float) -> None:
        pass

    @property
    @override
    def has_started(self) -> bool:
        return self.status != 0


@dataclass(slots=True)
class Room:
    """A gateway with its targets."""

    service: Service
    targets: Targets
    running: RunningGateway

    async def ask(self, asked: Asked, key: str = "") -> Heard:
        """One request, as the line would hand it over; the targets' earlier requests are forgotten."""
        self.targets.sent.clear()
        heard = Heard()
        path, _, query = asked.path.partition("?")
        gateway = self.service.gateway
        dialect = gateway.routes.find(path, is_plain=True)
        assert dialect is not None, path
        names = dict(line.lower().split(": ", 1) for line in asked.headers.split("\r\n") if line)
        raw = RawRequest(
            body=asked.body,
            authorization=(f"Bearer {key}",) if key else (),
            conversation_id=names.get("x-yuzui-conversation", ""),
            content_type=asked.content_type,
            line=RequestLine(path=path, query=query, headers={k: v for k, v in names.items() if k in dialect.hears}),
        )
        task = asyncio.current_task()
        assert task is not None
        await gateway.answer(raw, heard, dialect, Interruption(task))
        return heard

    def received(self, mark: str, *, by: str = "vendor/") -> list[str]:
        """The targets whose names begin so, and that were shown the mark by the last request."""
        return [sent.target for sent in self.targets.sent if sent.target.startswith(by) and sent.shows(mark)]

    def forget(self) -> None:
        """No conversation is known and no target has failed: what an earlier case taught must not decide the next."""
        world = self.service.gateway.world
        fresh = ConversationMemory(world.memory._secret, capacity=10_000)
        for name, value in vars(fresh).items():
            setattr(world.memory, name, value)
        world.watch.breakers._circuits.clear()
        world.watch.breakers._tripped.clear()


@asynccontextmanager
async def room(text: str, *, data_dir: Path | None = None) -> AsyncGenerator[Room, None]:
    """A gateway with the TOML `text` while the body runs."""
    with tempfile.TemporaryDirectory() as folder:
        place = data_dir or Path(folder)
        service = Service(read(without_names(text), {"VENDOR_KEY": VENDOR_SECRET}, source=Path("test.toml")), place)
        targets = Targets()
        service.gateway.world = replace(service.gateway.world, upstream=targets, randomness=Quick())
        await service.start()
        try:
            yield Room(service, targets, RunningGateway(base_url="", service=service, data_dir=place))
        finally:
            await service.stop()
