"""Kept answers and conversations: encrypted in the books, each for its own scope, as long as the operator allows."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from yuzui.core.booking import KeptAnswer
from yuzui.core.errors import ClientFault
from yuzui.ports import Archive, FoundAnswer

NONCE_BYTES = 12
DAY_NS = 86_400_000_000_000


class AnswerBooks(Protocol):
    """What the archive needs of the books; all of it blocks."""

    def kept_answer(self, scope: str, answer_id: str) -> tuple[str, bytes, str] | None: ...

    def forget_answer(self, scope: str, answer_id: str) -> bool: ...

    def keep_answer(self, kept: KeptAnswer) -> None: ...

    def relabel_answer(self, scope: str, answer_id: str, before: str, level: str, content: bytes) -> None: ...


class BookArchive(Archive):
    """`retention_days` is asked anew for each answer, so that a reload counts; 0 keeps nothing."""

    def __init__(self, books: AnswerBooks, key: bytes, retention_days: Callable[[], float]) -> None:
        self._books = books
        self._cipher = AESGCM(key)
        self._retention_days = retention_days
        self._held: set[tuple[str, str]] = set()

    @override
    def wrap(
        self, *, scope: str, id: str, level: str, content: bytes, at_ns: int, names: tuple[str, ...] = ()
    ) -> KeptAnswer | None:
        days = self._retention_days()
        if days <= 0:
            return None
        return KeptAnswer(
            scope=scope,
            id=id,
            level=level,
            expires_ns=at_ns + int(days * DAY_NS),
            content=self.sealed(scope, id, level, content),
            names=names,
        )

    @override
    async def find(self, scope: str, id: str) -> FoundAnswer | None:
        return await asyncio.to_thread(self.read, scope, id)

    def read(self, scope: str, id: str) -> FoundAnswer | None:
        """As `find`; blocks."""
        row = self._books.kept_answer(scope, id)
        if row is None:
            return None
        content = self.opened(scope, row)
        return None if content is None else FoundAnswer(id=row[2], level=row[0], content=content)

    def sealed(self, scope: str, id: str, level: str, content: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, _bound_to(scope, id, level))

    def opened(self, scope: str, row: tuple[str, bytes, str]) -> bytes | None:
        """What `sealed` was given. `row`: level, sealed content, id; None when this key does not open it."""
        level, sealed, own_id = row
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(scope, own_id, level))
        except InvalidTag:
            return None  # kept under another key, which is gone: as good as never kept

    def lower(self, scope: str, id: str, level: str) -> None:
        """What is kept under `id` counts as `level` from now on; nothing where nothing readable is. Blocks."""
        row = self._books.kept_answer(scope, id)
        if row is None or row[2] != id:
            return
        content = self.opened(scope, row)
        if content is not None:
            self._books.relabel_answer(scope, id, row[0], level, self.sealed(scope, id, level, content))

    @override
    async def remove(self, scope: str, id: str) -> bool:
        return await asyncio.to_thread(self._books.forget_answer, scope, id)

    @override
    async def keep(self, kept: KeptAnswer) -> None:
        await asyncio.to_thread(self._books.keep_answer, kept)

    @override
    def hold(self, scope: str, id: str) -> Callable[[object], None]:
        """In this process: the books have one writer, so nobody else changes them."""
        held = scope, id
        if held in self._held:
            raise ClientFault(
                "another request works on this conversation; wait for its end, then send this one again",
                code="conversation_locked",
                status=409,
            )
        self._held.add(held)
        return lambda _: self._held.discard(held)


def _bound_to(scope: str, answer_id: str, level: str) -> bytes:
    """A row that is copied to another scope or id does not open there, nor one whose level was changed."""
    return f"{len(scope)}:{scope}{len(answer_id)}:{answer_id}{level}".encode()
