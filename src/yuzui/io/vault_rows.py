"""Knows how the vault is read and emptied as a whole: what no request needs, and a person with the right does."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Protocol

from yuzui.io.archive import BookArchive
from yuzui.io.vault_store import VaultRow
from yuzui.masking import is_mapping, vault_scope
from yuzui.privacy.vault import NONCE_BYTES, Entry, Vault, VaultLocked


class VaultBooks(Protocol):
    """What it needs of the books; all of it blocks."""

    def vault_rows(self, scope: str) -> list[VaultRow]: ...

    def rewrite_vault_row(
        self, scope: str, id: str, before: bytes, after: bytes | None, names: tuple[str, ...] = ()
    ) -> bool: ...


@dataclass(slots=True, kw_only=True)
class Contents:
    """What the vault holds for one scope of callers."""

    mappings: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    """By the id of their row."""
    requests: dict[str, str] = field(default_factory=dict)
    """Request id → id of the row with its stand-ins."""
    expired: int = 0
    """Rows over their time that were not removed yet: nothing of them is told."""
    locked: int = 0
    """Rows that these secrets do not open."""

    def named(self, tokens: Collection[str]) -> list[Entry]:
        """Every meaning of `tokens`; likenesses may have several."""
        found = {entry for entries in self.mappings.values() for entry in entries if entry.token in tokens}
        return sorted(found, key=lambda entry: (entry.token, entry.original))

    def of_requests(self, ids: Collection[str]) -> list[Entry]:
        rows = {self.requests[id] for id in ids if id in self.requests}
        found = {entry for row in rows for entry in self.mappings.get(row, ())}
        return sorted(found, key=lambda entry: (entry.token, entry.original))


class VaultRows:
    """`secret`: the one that stand-ins come from. `now_ns`: wall clock."""

    def __init__(self, books: VaultBooks, archive: BookArchive, secret: bytes, now_ns: Callable[[], int]) -> None:
        self._books = books
        self._archive = archive
        self._secret = secret
        self._now_ns = now_ns

    def read(self, scope: str) -> Contents:
        """Everything of `scope` that can be opened. Reads all its rows."""
        contents, vault = Contents(), Vault(self._secret, tenant=scope)
        now_ns = self._now_ns()
        for row in self._books.vault_rows(vault_scope(scope)):
            if row.expires_ns <= now_ns:
                contents.expired += 1
                continue
            content = self._archive.opened(vault_scope(scope), (row.level, row.content, row.id))
            entries = None if content is None or not is_mapping(row.id) else _entries(vault, content)
            if entries is not None:
                contents.mappings[row.id] = entries
            elif content is not None and not is_mapping(row.id):
                contents.requests[row.id] = content.decode()
            else:
                contents.locked += 1
        return contents

    def erase(self, scope: str, tokens: Collection[str]) -> int:
        """Nothing that can be opened holds `tokens` any more; how many rows changed. What another writer changes
        meanwhile is read again."""
        changed, vault, place = 0, Vault(self._secret, tenant=scope), vault_scope(scope)
        again = True
        while again:
            again = False
            for row in self._books.vault_rows(place):
                content = self._archive.opened(place, (row.level, row.content, row.id)) if is_mapping(row.id) else None
                entries = None if content is None else _entries(vault, content)
                if entries is None or all(entry.token not in tokens for entry in entries):
                    continue
                left = [entry for entry in entries if entry.token not in tokens]
                after = None
                if left:
                    sealed = vault.seal(left, os.urandom(NONCE_BYTES))
                    after = self._archive.sealed(place, row.id, row.level, sealed)
                if self._books.rewrite_vault_row(place, row.id, row.content, after, tuple(tokens)):
                    changed += 1
                else:
                    again = True
        return changed


def _entries(vault: Vault, content: bytes) -> tuple[Entry, ...] | None:
    try:
        return vault.open(content)
    except VaultLocked:
        return None
