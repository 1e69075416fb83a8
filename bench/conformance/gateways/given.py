"""Any other gateway: already running, already pointed at the fake upstream, described by a TOML file.

base_url = "http://127.0.0.1:8000"
name = "mine"                        # for the report
version = "1.2.3"
key = "a-key"                        # what its clients send
notes = ["how it is configured"]
[dialects]                           # prefix of the paths of each client dialect that it offers
openai_chat = "/v1"
[routes.anthropic]                   # one table per provider of providers.toml that it can reach
model = "claude-sonnet-4-5"          # what clients write
thinking_model = "claude-sonnet-4-5" # left out: the same
headers = {}
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from typing_extensions import override

from conformance.gateways._contract import KEY, Gateway, GatewayError, Route, Running


class Given(Gateway):
    def __init__(self, base_url: str, description: Path) -> None:
        self._told = tomllib.loads(description.read_text("utf-8"))
        self._told["base_url"] = base_url or self._told.get("base_url", "")
        if not self._told["base_url"]:
            raise GatewayError(f"{description} has no base_url, and none was given")
        self.name: str = self._told.get("name", "given")
        self.version: str = self._told.get("version", "unknown")
        self.notes: tuple[str, ...] = tuple(self._told.get("notes", ()))

    @override
    def install(self) -> None:
        pass

    @override
    def start(self, upstream: str, folder: Path) -> Running:
        routes = {}
        for name, table in self._told.get("routes", {}).items():
            routes[name] = Route(**{"thinking_model": table["model"], **table})
        return Running(
            base_url=self._told["base_url"].rstrip("/"),
            dialects=self._told["dialects"],
            routes=routes,
            key=self._told.get("key", KEY),
        )
