"""Moves closed requests from the books, where they are durable already, into the public audit log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from yuzui.core.errors import ConfigError
from yuzui.io.audit_folder import AuditFolder
from yuzui.io.books import SqliteBooks

BATCH = 1024
OVERDUE_S = 30.0
"""For so long the log may fall behind before new requests are refused: no evidence, no service."""


class Publisher:
    """`publish` runs in a worker thread; one at a time."""

    def __init__(
        self, books: SqliteBooks, folder: AuditFolder, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._books = books
        self._folder = folder
        self._lock = threading.Lock()
        self._monotonic = monotonic
        _refuse_older_books(books, folder)
        self._failing_since: float | None = None
        self.problem = ""

    def publish(self) -> int:
        """Bring the log up to the books; return how many leaves were new. Raise `OSError` or `YuzuiError`."""
        with self._lock:
            count = 0
            try:
                while leaves := self._books.unpublished(self._folder.size, BATCH):
                    self._folder.publish(leaves)
                    count += len(leaves)
            except Exception as error:
                if self._failing_since is None:
                    self._failing_since = self._monotonic()
                self.problem = f"not published: {type(error).__name__}"
                raise
            self._failing_since = None
            self.problem = ""
            return count

    def is_overdue(self, now: float) -> bool:
        return self._failing_since is not None and now - self._failing_since > OVERDUE_S


def _refuse_older_books(books: SqliteBooks, folder: AuditFolder) -> None:
    """The log never knows more than the books, unless somebody put back an old copy of them."""
    published = folder.size
    if published == 0:
        return
    known = books.unpublished(published - 1, 1)
    if not known or known[0] != folder.prove(published - 1).extra:
        raise ConfigError(
            f"the books are older than the audit log, which holds {published} requests: an old copy was put back? "
            "Restore the newest copy of both, or move audit/ away to begin a new log (and keep the old one as evidence)"
        )
