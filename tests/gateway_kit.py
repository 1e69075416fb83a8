"""A whole gateway for tests: the real parts, the real server, in this event loop, on a free loopback port."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import openai
import uvicorn

from yuzui.admission.keys import key_hash, make_secret
from yuzui.audit.record import RequestRecord, read_record
from yuzui.config import read
from yuzui.core.booking import KeyRecord
from yuzui.io.line import GuardedLine
from yuzui.io.secrets import load_secrets
from yuzui.serving import Server
from yuzui.wiring import Service


@dataclass(slots=True, kw_only=True)
class RunningGateway:
    base_url: str
    service: Service
    data_dir: Path
    _clients: list[openai.AsyncOpenAI] = field(default_factory=list)

    async def close_clients(self) -> None:
        for client in self._clients:
            await client.close()

    def client(self, key: str = "none") -> openai.AsyncOpenAI:
        """The official client; no retries, so that a test sees each answer."""
        client = openai.AsyncOpenAI(base_url=f"{self.base_url}/v1", api_key=key, max_retries=0, timeout=20)
        self._clients.append(client)
        return client

    def add_key(self, **fields: object) -> str:
        """A new virtual key with `fields` of `KeyRecord`; returns the secret."""
        secret = make_secret(bytes(range(32)) if "seed" not in fields else bytes([int(str(fields.pop("seed")))] * 32))
        defaults: dict[str, object] = {
            "id": f"key_{fields.get('app', 'app')}", "key_hash": key_hash(load_secrets(self.data_dir).pepper, secret),
            "app": "app", "team": "", "floor": "", "models": None, "own_only": False, "forbidden_jurisdictions": (),
            "requests_per_minute": 0, "tokens_per_minute": 0, "concurrency": 0, "budget_nano": None,
            "budget_period": "month", "created_ns": 1,
        }  # fmt: skip
        self.service.books.add_key(KeyRecord(**{**defaults, **fields}))  # type: ignore[arg-type]  # a test's own fields
        self.service.books.refresh_keys()
        return secret

    async def record_of(self, request_id: str) -> RequestRecord:
        found = await asyncio.to_thread(self.service.books.record_of, request_id)
        assert found is not None, f"the books do not know {request_id}"
        return read_record(found[1])

    async def records(self) -> list[RequestRecord]:
        leaves = await asyncio.to_thread(self.service.books.unpublished, 0, 10_000)
        return [read_record(leaf) for leaf in leaves]


def without_names(config: str) -> str:
    """`config` without the process for names, unless it speaks of it: it takes a second to load."""
    return config if "[sensitivity.names]" in config else f"{config}\n[sensitivity.names]\nenabled = false\n"


@asynccontextmanager
async def gateway(
    config: str, environ: Mapping[str, str] | None = None, data_dir: Path | None = None
) -> AsyncGenerator[RunningGateway, None]:
    """Run a gateway with the TOML text `config` while the body runs; stop it as `yuzui serve` does."""
    with tempfile.TemporaryDirectory() as folder:
        place = data_dir or Path(folder)
        service = Service(read(without_names(config), environ or {}, source=Path("test.toml")), place)
        listener = socket.create_server(("127.0.0.1", 0))
        server = Server(
            uvicorn.Config(
                service.app,
                lifespan="off",
                http=GuardedLine,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        await service.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.is_up.wait()
        try:
            running = RunningGateway(
                base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", service=service, data_dir=place
            )
            yield running
        finally:
            await running.close_clients()
            server.should_exit = True
            await serving
            await service.stop()
            listener.close()
