"""The front desk: what is answered without a model. Models, health, readiness, metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from yuzui.conversations import ConversationDesk, methods_of
from yuzui.core.errors import NotFound
from yuzui.core.strict_json import write
from yuzui.dialects import anthropic_models, gemini_models
from yuzui.dialects import openai_responses_state as responses
from yuzui.dialects.openai_conversations import PREFIX
from yuzui.pipeline import Gateway
from yuzui.ports import ModelShape


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
        self._conversations = ConversationDesk(gateway)

    @property
    def most_body_bytes(self) -> int:
        return self._gateway.snapshot.config.server.max_body_bytes

    @property
    def is_open(self) -> bool:
        return self._gateway.world.gate.is_open

    def check_key(self, authorization: tuple[str, ...]) -> None:
        """Raise `Unauthenticated` for a stranger, `InvalidRequest` for two keys at once."""
        self._gateway.world.gate.identify(authorization)

    def list_models(self, authorization: tuple[str, ...], shape: ModelShape = "openai") -> bytes:
        entries = self._entries(authorization)
        match shape:
            case "openai":
                return write({"object": "list", "data": entries})
            case "anthropic":
                return anthropic_models.list_models(entries)
            case "gemini":
                return gemini_models.list_models(entries)
            case _:
                assert_never(shape)

    def show_model(self, authorization: tuple[str, ...], name: str, shape: ModelShape = "openai") -> bytes:
        for entry in self._entries(authorization):
            if entry["id"] == name:
                match shape:
                    case "openai":
                        return write(entry)
                    case "anthropic":
                        return anthropic_models.show_model(entry)
                    case "gemini":
                        return gemini_models.show_model(entry)
                    case _:
                        assert_never(shape)
        raise NotFound(
            f"no model that this key may reach is named {name[:100]!r}; GET /v1/models lists them", param="model"
        )

    async def show_answer(self, authorization: tuple[str, ...], name: str) -> bytes:
        """An answer that its client asked to keep."""
        return responses.show(await self._kept(authorization, name))

    async def list_inputs(self, authorization: tuple[str, ...], name: str, query: str) -> bytes:
        """What led to a kept answer, a page of it."""
        return responses.list_input_items(await self._kept(authorization, name), query)

    async def delete_answer(self, authorization: tuple[str, ...], name: str) -> bytes:
        world = self._gateway.world
        caller = world.gate.identify(authorization)
        if name.startswith(PREFIX) or not await world.archive.remove(caller.scope, name):
            raise _unknown_answer(name)
        return responses.deletion(name)

    def conversation_methods(self, path: str) -> str:
        return methods_of(path)

    async def conversation(
        self, method: str, path: str, query: str, authorization: tuple[str, ...], body: bytes
    ) -> bytes:
        """At a path of stored conversations."""
        return await self._conversations.answer(method, path, query, authorization, body)

    async def _kept(self, authorization: tuple[str, ...], name: str) -> bytes:
        world = self._gateway.world
        scope = world.gate.identify(authorization).scope
        found = None if name.startswith(PREFIX) else await world.archive.find(scope, name)
        if found is None or found.id != name:  # an item's name is good for references, not here
            raise _unknown_answer(name)
        return found.content

    def _entries(self, authorization: tuple[str, ...]) -> tuple[Mapping[str, object], ...]:
        caller = self._gateway.world.gate.identify(authorization)
        snapshot = self._gateway.snapshot
        return snapshot.router.models(caller.models, caller.constraints, level=snapshot.config.sensitivity.default)

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


def _unknown_answer(name: str) -> NotFound:
    return NotFound(
        f"no answer {name[:100]!r} is kept for this key: it may be over its time, deleted, or sent with `store: false`",
        code="response_not_found",
    )
