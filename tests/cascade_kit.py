"""A served cascade: small answers first, tiny gives a second opinion, big is the reference; servers that say anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
from msgspec.structs import replace

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import RunningGateway, gateway
from guarantee_kit import certificate, write_router
from yuzui.audit.record import RequestRecord
from yuzui.routing.artefact import Certificate, Fitted, Signals

RIGHT, WRONG, AGREES = "It is so. #### 123", "It is so. #### 150", "The answer is 123"
"""Answers of small that the second opinion confirms, and does not."""
FROM_BIG = "The reference says 150."
NANO = {"house/small": 2_000, "house/tiny": 750, "vendor/big": 250_000}
"""Nano-USD of a call with 10 tokens in and 5 out."""

CONFIG = """
[[targets]]
name = "house/small"
provider = "vllm"
model = "small"
base_url = "{small}"
clearance = "{small_clearance}"
also_speaks = []
price = {{ currency = "USD", input = 0.1, output = 0.2 }}

[[targets]]
name = "house/tiny"
provider = "vllm"
model = "tiny"
base_url = "{tiny}"
clearance = "{tiny_clearance}"
also_speaks = []
price = {{ currency = "USD", input = 0.05, output = 0.05 }}

[[targets]]
name = "vendor/big"
provider = "openai"
model = "big"
base_url = "{big}"
clearance = "restricted"
api_key = {{ env = "BIG" }}
also_speaks = []
price = {{ currency = "USD", input = 10, output = 30 }}

[[models]]
name = "support"
candidates = ["house/small", "vendor/big"]
policy = "guaranteed"
router = "{router}"
router_sha256 = "{sha256}"
guarantee = {{ loss = 0.02, confidence = 0.9 }}
reference = "vendor/big"
fallback = {fallback}

[models.cascade]
streaming = "{streaming}"
{beside}
timeout_s = {timeout_s}

[server]
heartbeat_s = {heartbeat_s}
"""

UMPIRE = """
[[targets]]
name = "house/umpire"
provider = "vllm"
model = "umpire"
base_url = "{tiny}"
clearance = "internal"
premises = "vendor"
also_speaks = []
price = {{ currency = "USD", input = 1, output = 1 }}
"""
"""Answers on the server of tiny."""


def of_cascade(fit: Fitted | None = None, **changes: object) -> Certificate:
    made = certificate(fit, policy="cascade", threshold=0.2, signals=Signals(log_probabilities=False, samples=0))
    return replace(made, **changes)


def config(router: Path | str, sha256: str, **changes: object) -> str:
    facts = {
        "small": "http://127.0.0.1:1/v1", "tiny": "http://127.0.0.1:1/v1", "big": "http://127.0.0.1:1/v1",
        "small_clearance": "restricted", "tiny_clearance": "restricted", "streaming": "hold", "timeout_s": "20.0",
        "heartbeat_s": "10.0", "fallback": "true", "beside": 'checks = ["house/tiny"]',
    }  # fmt: skip
    return CONFIG.format(router=router, sha256=sha256, **{**facts, **changes})


def call_of(name: str, arguments: str) -> dict[str, Any]:  # Any: JSON
    """A message that calls one tool."""
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


@dataclass(slots=True)
class Scene:
    running: RunningGateway
    says: dict[str, Any] = field(default_factory=dict)
    """Server → text, message, "down", "cut", or an event that it waits for (and then says what is right). Lists: one after another."""
    asked: list[str] = field(default_factory=list)
    bodies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Server → what it was asked."""

    async def post(self, path: str, body: dict[str, Any], key: str = "none") -> httpx.Response:
        async with httpx.AsyncClient(timeout=20) as client:
            return await client.post(
                self.running.base_url + path, json=body, headers={"authorization": f"Bearer {key}"}
            )

    async def ask(
        self, text: str, *, stream: bool = False, key: str = "none", **more: Any
    ) -> tuple[RequestRecord, httpx.Response]:
        """A chat completion."""
        body = {"model": "support", "messages": [{"role": "user", "content": text}], "max_tokens": 20, **more}
        answer = await self.post("/v1/chat/completions", {**body, "stream": True} if stream else body, key)
        return await self.running.record_of(answer.headers["x-yuzui-request-id"]), answer

    async def spent(self) -> dict[str, int]:
        """Target → nano-USD that the books owe it, over all requests."""
        rows = await asyncio.to_thread(
            self.running.service.books._execute,
            "SELECT substr(account, 8), -sum(amount_nano) FROM posting WHERE account LIKE 'target:%' GROUP BY 1",
            (),
        )
        return {str(name): int(str(amount)) for name, amount in rows}


@asynccontextmanager
async def scene(
    folder: Path, *certificates: Certificate, fit: Fitted | None = None, more: str = "", **changes: object
) -> AsyncGenerator[Scene, None]:
    """`more`: of the configuration, behind it, with the servers' addresses by name in it."""
    says: dict[str, Any] = {"small": RIGHT, "tiny": AGREES, "big": FROM_BIG}
    asked: list[str] = []
    bodies: dict[str, list[dict[str, Any]]] = {}

    def server(name: str) -> FaultUpstream:
        async def serve(call: Call) -> None:
            body = json.loads(call.body)
            asked.append(name)
            bodies.setdefault(name, []).append(body)
            what = says[name]
            if isinstance(what, list):
                what = what.pop(0) if len(what) > 1 else what[0]
            if isinstance(what, asyncio.Event):
                await what.wait()
                what = AGREES if name == "tiny" else RIGHT
            if what == "cut":  # in the middle of it
                await (
                    call.start_stream()
                    if body.get("stream")
                    else call.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
                )
                if body.get("stream"):
                    await call.event(piece("zq7 zq7 "))
                call.reset()
            elif what == "down":
                await call.json({"error": {"message": "down"}}, status="503 Service Unavailable")
            else:
                await _say(call, what, is_stream=bool(body.get("stream")), odds=body.get("logprobs") is True)

        return FaultUpstream(serve)

    sha256 = write_router(folder / "r.json", *certificates, fit=fit)
    async with server("small") as small, server("tiny") as tiny, server("big") as big:
        places = {"small": small.base_url, "tiny": tiny.base_url, "big": big.base_url}
        text = config(folder / "r.json", sha256, **places, **changes) + more.format(**places)
        async with gateway(text, {"BIG": "k"}) as running:
            yield Scene(running, says, asked, bodies)


async def _say(call: Call, what: Any, *, is_stream: bool, odds: bool) -> None:
    message = what if isinstance(what, dict) else {"role": "assistant", "content": what}
    finish = "tool_calls" if "tool_calls" in message else "stop"
    told = {"content": [{"token": "x", "logprob": -0.25}, {"token": "y", "logprob": -0.5}]} if odds else None
    if not is_stream:
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": told}
        await call.json(completion("", choices=[choice]))
        return
    await call.start_stream()
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    pieces: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message.get("content"):
        half = len(message["content"]) // 2
        pieces += [{"content": message["content"][:half]}, {"content": message["content"][half:]}]
    for number, tool in enumerate(message.get("tool_calls", ())):
        function = tool["function"]
        pieces.append({"tool_calls": [{"index": number, "id": tool["id"], "type": "function",
                                       "function": {"name": function["name"], "arguments": ""}}]})  # fmt: skip
        half = len(function["arguments"]) // 2
        pieces += [
            {"tool_calls": [{"index": number, "function": {"arguments": part}}]}
            for part in (function["arguments"][:half], function["arguments"][half:])
        ]
    for number, delta in enumerate(pieces):
        logprobs = told if number == len(pieces) - 1 else None
        await call.event(
            {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None, "logprobs": logprobs}]}
        )
    await call.event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    await call.event({**head, "choices": [], "usage": completion("")["usage"]})
    await call.end_stream()
