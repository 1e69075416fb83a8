"""A gateway with one virtual model, its control and the arm of a trial, each a server on loopback that obeys a test."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord

CONFIG = """
[trials]
operators = ["Ann"]

[[targets]]
name = "house/old"
provider = "vllm"
model = "old"
base_url = "{old}"
premises = "own"
price = "free"

[[targets]]
name = "house/new"
provider = "vllm"
model = "new"
base_url = "{new}"
premises = "{premises}"
clearance = "{clearance}"
price = {{ currency = "USD", input = 1, output = 2 }}

[[models]]
name = "assistant"
candidates = ["house/old"]
{model}

[[models.trials]]
name = "next"
arm = "house/new"
{trial}
"""


@dataclass(slots=True)
class Scene:
    running: RunningGateway
    sick: set[str] = field(default_factory=set)
    """Places that answer 503 now."""
    asked: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, text: str, *, key: str = "none", conversation: str = "", stream: bool = False, user: str = ""
    ) -> tuple[RequestRecord, dict[str, str]]:
        """One request through the official client; its record and headers."""
        client = self.running.client(key)
        extra = {"x-yuzui-conversation": conversation} if conversation else {}
        more: dict[str, str] = {"user": user} if user else {}
        answer = await client.chat.completions.with_raw_response.create(  # type: ignore[call-overload]  # a test's words
            model="assistant", messages=[{"role": "user", "content": text}], max_tokens=20, stream=stream,
            extra_headers=extra, **more,
        )  # fmt: skip
        if stream:
            async for _ in answer.parse():
                pass
        return await self.running.record_of(answer.headers["x-yuzui-request-id"]), dict(answer.headers)


@asynccontextmanager
async def scene(
    trial: str, *, model: str = "", premises: str = "own", clearance: str = "restricted", data_dir: Path | None = None,
    sick: set[str] | None = None,
) -> AsyncGenerator[Scene, None]:  # fmt: skip
    ill: set[str] = set() if sick is None else sick
    asked: list[str] = []

    def place(name: str) -> FaultUpstream:
        async def serve(call: Call) -> None:
            asked.append(name)
            if name in ill:
                await call.json({"error": {"message": "down"}}, status="503 Service Unavailable")
            elif b'"stream":true' in call.body or b'"stream": true' in call.body:
                await call.start_stream()
                await call.event(piece("hel"))
                await call.event(piece("lo", finish="stop"))
                await call.event(piece(usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}))
                await call.end_stream()
            else:
                await call.json(completion("hello"))

        return FaultUpstream(serve)

    async with place("old") as old, place("new") as new:
        text = CONFIG.format(
            old=old.base_url, new=new.base_url, trial=trial, model=model, premises=premises, clearance=clearance
        )
        async with gateway(text, data_dir=data_dir) as running:
            yield Scene(running, ill, asked)
