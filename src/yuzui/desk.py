"""The front desk: what is answered without a model. Models, health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from yuzui.core.errors import NotFound
from yuzui.core.strict_json import write
from yuzui.pipeline import Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that must be well for the gateway to be ready. `problem` is "" when it is."""

    name: str
    problem: str


class Desk:
    """GET answers, as bytes."""

    def __init__(
        self, gateway: Gateway, *, version: str, parts: Callable[[], tuple[Part, ...]], scrape: Callable[[], bytes]
    ) -> None:
        self._gateway = gateway
        self._version = version
        self._parts = parts
        self._scrape = scrape

    @property
    def most_body_bytes(self) -> int:
        return self._gateway.snapshot.config.server.max_body_bytes

    @property
    def is_open(self) -> bool:
        return self._gateway.world.gate.is_open

    def list_models(self, authorization: tuple[str, ...]) -> bytes:
        return write({"object": "list", "data": self._entries(authorization)})

    def show_model(self, authorization: tuple[str, ...], name: str) -> bytes:
        for entry in self._entries(authorization):
            if entry["id"] == name:
                return write(entry)
        raise NotFound(f"no model is named {name[:100]!r}; GET /v1/models lists them", param="model")

    def _entries(self, authorization: tuple[str, ...]) -> tuple[Mapping[str, object], ...]:
        caller = self._gateway.world.gate.identify(authorization)
        return self._gateway.snapshot.router.models(caller.models)

    def health(self) -> tuple[int, bytes]:
        """Alive: the event loop answers. Nothing about what stands behind it."""
        return 200, write({"status": "ok", "version": self._version})

    def readiness(self) -> tuple[int, bytes]:
        """Ready: requests can be answered and recorded."""
        parts = self._parts()
        problems = {part.name: part.problem for part in parts if part.problem}
        body = {"status": "unready" if problems else "ready", "problems": problems}
        return (503 if problems else 200), write(body)

    def metrics(self, authorization: tuple[str, ...], *, is_local: bool) -> bytes:
        """For scrapers on this machine, or with a key: target names and volumes are nobody else's business."""
        if not is_local:
            self._gateway.world.gate.identify(authorization)
        return self._scrape()
