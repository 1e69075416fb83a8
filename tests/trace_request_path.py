"""Send one request through a gateway in this process and print the source files in the order of first entry.

Run by test_shape.py in a process of its own: a profile function slows everything down and must not leak.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import MutableMapping
from pathlib import Path
from types import FrameType
from typing import Any

from gateway_kit import without_names
from yuzui.config import read
from yuzui.wiring import Service

SRC = str(Path(sys.modules["yuzui"].__file__ or "").parent) + "/"
CONFIG = """
[[targets]]
name = "vendor/simulated"
provider = "scripted"
model = "scripted"
price = { currency = "USD", input = 1, output = 2 }
"""
BODY = b'{"model": "vendor/simulated", "messages": [{"role": "user", "content": "Good morning"}]}'


async def trace() -> list[str]:
    entered: dict[str, None] = {}

    def note(frame: FrameType, event: str, arg: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(SRC):
            entered.setdefault(frame.f_code.co_filename.removeprefix(SRC))

    messages: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/chat/completions", "raw_path": b"/v1/chat/completions",
        "query_string": b"", "headers": [(b"content-type", b"application/json")], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        service = Service(read(without_names(CONFIG), {}, source=Path("trace.toml")), Path(folder))
        await service.start()
        try:
            sys.setprofile(note)
            await service.app(scope, receive, send)
            sys.setprofile(None)
        finally:
            await service.stop()
    if messages[0]["status"] != 200:
        raise SystemExit(f"the request failed: {messages}")
    return list(entered)


if __name__ == "__main__":
    print("\n".join(asyncio.run(trace())))
