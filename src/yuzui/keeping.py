"""What one request takes from the archive and puts into it: kept answers and conversations of the Responses API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from yuzui.admission.limits import Admission
from yuzui.core.caller import Caller
from yuzui.core.chat import AnswerFacts, ChatRequest
from yuzui.core.errors import NotFound, RequestTooLarge
from yuzui.dialects._contract import ClientDialect
from yuzui.exchange import Exchange
from yuzui.world import World

INLINE_BYTES = 256 * 1024  # to read a longer conversation takes milliseconds, in which others wait


class Shelf:
    """One per request; `let_go` once it has ended."""

    def __init__(self, world: World, exchange: Exchange, dialect: ClientDialect) -> None:
        self._world = world
        self._exchange = exchange
        self._dialect = dialect
        self._release: Callable[[object], None] | None = None

    async def fetch(
        self, caller: Caller, request: ChatRequest, admission: Admission, size_bytes: int, most_bytes: int
    ) -> tuple[ChatRequest, int, int]:
        """`request` with what it continues in front, its size then, and how sensitive that was (an index of a level).

        Raise `NotFound`, `RequestTooLarge`, `RateExceeded`, and `ClientFault` for a conversation that is in use.
        """
        archive = self._world.archive
        if request.joins:  # before it is read: two requests would each add to what the other does not know
            self._release = archive.hold(caller.scope, request.joins)
        found = await archive.find(caller.scope, request.follows)
        if found is None or (request.joins and found.id != request.joins):
            raise _nothing_kept(request)
        size_bytes += len(found.content)
        if size_bytes > most_bytes:
            raise RequestTooLarge("the conversation has grown too large to be continued; begin a new one")
        self._world.gate.grow(admission, len(found.content))
        if size_bytes <= INLINE_BYTES:
            request = self._dialect.follow(request, found.content)
        else:
            request = await asyncio.to_thread(self._dialect.follow, request, found.content)
        return request, size_bytes, self._exchange.lattice.level_or_top(found.level)

    def put(self, request: ChatRequest, answer: bytes, facts: AnswerFacts) -> None:
        """Hand to the closing what the client wants to come back to, if anything. Raise `UpstreamInvalid`."""
        exchange, dialect = self._exchange, self._dialect
        kept: list[tuple[str, bytes, tuple[str, ...]]] = []
        if request.keeps:
            content = dialect.to_keep(request, answer)
            kept.append((dialect.kept_id(facts), content, dialect.kept_names(content)))
        if request.joins:
            kept.append((request.joins, dialect.to_join(request, answer), ()))
        assert exchange.sensitivity is not None and exchange.caller is not None
        level = exchange.lattice.names[max(exchange.sensitivity.level, exchange.answer_level)]
        scope = exchange.caller.scope
        wrapped = [
            self._world.archive.wrap(
                scope=scope, id=id, level=level, content=content, at_ns=exchange.at_ns, names=names
            )
            for id, content, names in kept
        ]
        exchange.kept = tuple([one for one in wrapped if one is not None])

    def let_go(self) -> None:
        """Others may change the conversation now; what was put into it may still be on its way to the disk."""
        if self._release is None:
            return
        if self._exchange.closed is not None:
            self._exchange.closed.add_done_callback(self._release)
        else:
            self._release(None)


def _nothing_kept(request: ChatRequest) -> NotFound:
    if request.joins:
        return NotFound(
            "no conversation of that id is kept for this key; it may be over its time, or deleted: create one",
            code="conversation_not_found",
            param="conversation",
        )
    return NotFound(
        "no answer of that id is kept for this key; it may be over its time, or was sent with `store: false`: "
        "send the conversation itself",
        code="previous_response_not_found",
        param="previous_response_id",
    )
