"""A guaranteed model that is watched, in a whole gateway over loopback: places that answer as told, and what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import RunningGateway, gateway
from guarantee_kit import EASY, certificate, config, write_router
from yuzui.audit.record import RequestRecord
from yuzui.routing.artefact import Certificate, Tested

WATCH = 'watch = { share = 1.0, budget = 100.0, grade = "exact", deadline_s = 5.0 }\n'
JUDGED = 'watch = { share = 1.0, budget = 100.0, grade = "pairwise", judge = "vendor/big", verdict = 1.0 }\n'
PUBLIC = '\n[sensitivity]\ndefault = "public"\n'
TESTED = tuple(
    Tested(threshold=one, passed=one <= 0.3, loss=0.0, open_share=share, saving=0.1, needed=None)
    for one, share in ((-2.0, 0.0), (0.29, 0.4), (0.3, 0.5), (0.4, 0.6))
)
"""Of `certificate()`, whose best threshold is 0.3: one stricter, one under which nothing is open, one too bold."""
Say = Callable[[Call], object]
"""What a place answers: a text, a whole completion, or None for a failure."""


def is_judging(call: Call) -> bool:
    return b"Two answers to one request" in call.body


@dataclass(slots=True, kw_only=True)
class Places:
    """What each place says, and what it was asked; to be changed while the gateway runs."""

    own: Say = lambda _: "Paris"
    vendor: Say = lambda _: "Paris"
    delay_s: dict[str, float] = field(default_factory=dict)
    asked: dict[str, list[Call]] = field(default_factory=lambda: {"own": [], "vendor": []})

    def serve(self, name: str) -> Callable[[Call], object]:
        async def script(call: Call) -> None:
            self.asked[name].append(call)
            await asyncio.sleep(self.delay_s.get(name, 0.0))
            said = (self.own if name == "own" else self.vendor)(call)
            if said is None:
                await call.json({"error": {"message": "down"}}, status="503 Service Unavailable")
            elif isinstance(said, str) and b'"stream":true' in call.body:
                await call.start_stream()
                await call.event(piece(said))
                await call.event(piece(finish="stop"))
                await call.end_stream()
            else:
                await call.json(completion(said) if isinstance(said, str) else said)

        return script


@dataclass(slots=True, kw_only=True)
class Scene:
    running: RunningGateway
    places: Places

    async def ask(self, text: str = EASY, **more: object) -> tuple[RequestRecord, dict[str, str]]:
        answer = await self.running.client().chat.completions.with_raw_response.create(
            model="support",
            messages=[{"role": "user", "content": text}],
            **more,  # type: ignore[call-overload]
        )
        return await self.running.record_of(answer.headers["x-yuzui-request-id"]), dict(answer.headers)

    async def settled(self) -> None:
        """Nothing is on its way, and what was learnt is in the books."""
        watching = self.running.service.watching
        async with asyncio.timeout(20):
            while watching.waiting or watching._running or watching.promises.owes or watching._changed_shadows:
                await asyncio.sleep(0.01)

    async def asides(self) -> list[RequestRecord]:
        return [record for record in await self.running.records() if record.part_of]

    async def until(self, stage: str, most: int = 400) -> int:
        """Ask until the promise stands so; how many requests that took."""
        for count in range(1, most + 1):
            await self.ask()
            await self.settled()
            (promise,) = self.running.service.watching.promises.known.values()
            if promise.state.stage == stage:
                return count
        raise AssertionError(f"not {stage} after {most} requests")


@asynccontextmanager
async def scene(
    folder: Path, more: str = WATCH, *, places: Places | None = None, certified: Certificate | None = None,
    tail: str = PUBLIC,
) -> AsyncGenerator[Scene, None]:  # fmt: skip
    """The same `folder` again is the same gateway after a restart."""
    at = places or Places()
    sha256 = write_router(folder / "r.json", certified or certificate(tested=TESTED))
    async with (
        FaultUpstream(at.serve("own")) as own,  # type: ignore[arg-type]  # a script
        FaultUpstream(at.serve("vendor")) as vendor,  # type: ignore[arg-type]  # a script
    ):
        text = config(folder / "r.json", sha256, own=own.base_url, vendor=vendor.base_url) + more + tail
        async with gateway(text, {"BIG": "k"}, data_dir=folder / "data") as running:
            yield Scene(running=running, places=at)


def verdict(better: str) -> str:
    return json.dumps({"better": better})


def run(story: Callable[[], object]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(120):
            await story()  # type: ignore[misc]  # a coroutine function of a test

    asyncio.run(bounded())
