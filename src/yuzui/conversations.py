"""The desk for stored conversations of the Responses API: made, read, changed and deleted without a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from yuzui.core.caller import Caller
from yuzui.core.errors import NotFound, RequestTooLarge, UnsupportedFeature
from yuzui.core.ids import time_sorted_id
from yuzui.core.strict_json import read_object
from yuzui.dialects import openai_conversations as dialect
from yuzui.pipeline import Gateway
from yuzui.privacy.label import label
from yuzui.scanning import scan_request

ROOT: Final = "/v1/conversations"


def methods_of(path: str) -> str:
    """What `path` takes, as in an `Allow` header; "" where there is nothing."""
    match _steps(path):
        case []:
            return "POST"
        case [_]:
            return "GET, POST, DELETE"
        case [_, "items"]:
            return "GET, POST"
        case [_, "items", _]:
            return "GET, DELETE"
        case _:
            return ""


class ConversationDesk:
    """Answers, as bytes. What is written counts against the caller's rate limits, and is scanned like a request."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def answer(self, method: str, path: str, query: str, authorization: tuple[str, ...], body: bytes) -> bytes:
        """`method` is one of `methods_of(path)`. Raise a `ClientFault`, or `GatewayFault` when nothing can be kept."""
        gate = self._gateway.world.gate
        caller = gate.identify(authorization)
        admission = gate.admit(caller, len(body))
        try:
            match _steps(path):
                case []:
                    return await self._create(caller, read_object(body), len(body))
                case [id]:
                    return await self._conversation(caller, method, id, body)
                case [id, "items"]:
                    return await self._items(caller, method, id, query, body)
                case [id, _, item]:
                    return await self._item(caller, method, id, item)
                case _:
                    raise AssertionError(path)
        finally:
            gate.release(admission, None)

    async def _create(self, caller: Caller, body: Mapping[str, Any], size_bytes: int) -> bytes:  # Any: checked JSON
        world = self._gateway.world
        now_ns = world.clock.now_ns()
        conversation = dialect.create(body, now_ns // 1_000_000_000)
        level = await self._level(caller, body, size_bytes)
        id = time_sorted_id(dialect.PREFIX, now_ns, world.randomness.bits64())
        await self._keep(caller, id, conversation, level)
        return dialect.show(conversation, id)

    async def _conversation(self, caller: Caller, method: str, id: str, body: bytes) -> bytes:
        if method == "DELETE":
            let_go = self._gateway.world.archive.hold(caller.scope, id)
            try:
                await self._find(caller, id)
                await self._gateway.world.archive.remove(caller.scope, id)
            finally:
                let_go(None)
            return dialect.deletion(id)
        if method == "POST":
            asked = read_object(body)
            changed = await self._change(caller, id, asked, lambda found: dialect.update(found, asked), len(body))
            return dialect.show(changed, id)
        return dialect.show((await self._find(caller, id))[0], id)

    async def _items(self, caller: Caller, method: str, id: str, query: str, body: bytes) -> bytes:
        if method != "POST":
            return dialect.list_items((await self._find(caller, id))[0], query)
        asked = read_object(body)
        page: list[bytes] = []
        await self._change(caller, id, asked, lambda found: page.append(dialect.add_items(found, asked)), len(body))
        return page[0]

    async def _item(self, caller: Caller, method: str, id: str, item: str) -> bytes:
        if method != "DELETE":
            return dialect.show_item((await self._find(caller, id))[0], item)
        return dialect.show(await self._change(caller, id, {}, lambda found: dialect.remove_item(found, item)), id)

    async def _find(self, caller: Caller, id: str) -> tuple[dialect.Conversation, int]:
        """What is kept under `id`, and its level."""
        found = None
        if id.startswith(dialect.PREFIX):
            found = await self._gateway.world.archive.find(caller.scope, id)
        if found is None or found.id != id:
            raise NotFound(
                f"no conversation {id[:100]!r} is kept for this key: it may be over its time, or deleted",
                code="conversation_not_found",
            )
        lattice = self._gateway.snapshot.config.sensitivity.lattice
        return dialect.read(found.content), lattice.level_or_top(found.level)

    async def _change(
        self,
        caller: Caller,
        id: str,
        said: Mapping[str, Any],  # Any: checked JSON
        change: Callable[[dialect.Conversation], None],
        size_bytes: int = 0,
    ) -> dialect.Conversation:
        """The conversation after `change`, durable; what is `said` raises its level, nothing lowers it."""
        let_go = self._gateway.world.archive.hold(caller.scope, id)
        try:
            conversation, level = await self._find(caller, id)
            change(conversation)
            await self._keep(caller, id, conversation, max(level, await self._level(caller, said, size_bytes)))
        finally:
            let_go(None)
        return conversation

    async def _level(self, caller: Caller, said: Mapping[str, Any], size_bytes: int) -> int:  # Any: checked JSON
        snapshot = self._gateway.snapshot
        scan = await scan_request(snapshot, self._gateway.world, said, {}, size_bytes)
        rules = snapshot.config.sensitivity
        return label(rules, floor=caller.constraints.floor, scan=scan, remembered=None).level

    async def _keep(self, caller: Caller, id: str, conversation: dialect.Conversation, level: int) -> None:
        world, config = self._gateway.world, self._gateway.snapshot.config
        content = dialect.write(conversation)
        if len(content) > config.server.max_body_bytes:
            raise RequestTooLarge("the conversation would grow too large to be continued; begin a new one")
        kept = world.archive.wrap(
            scope=caller.scope, id=id, level=config.sensitivity.lattice.names[level], content=content,
            at_ns=world.clock.now_ns(),
        )  # fmt: skip
        if kept is None:
            raise UnsupportedFeature(
                "the operator keeps nothing here (`stored_responses.retention_days` is 0); send the whole `input`"
            )
        await world.archive.keep(kept)


def _steps(path: str) -> list[str]:
    """What stands behind the root; a list that means nothing where a step is empty."""
    rest = path.removeprefix(ROOT)
    if not rest:
        return []
    steps = rest.split("/")[1:]
    return steps if all(steps) and rest.startswith("/") else ["", "", "", ""]
