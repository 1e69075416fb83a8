"""Knows how a named person's order reaches whoever may write the audit log: a running gateway, or this process."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from yuzui.cli._options import open_books
from yuzui.core.errors import ConfigError

if TYPE_CHECKING:
    from yuzui.io.books import SqliteBooks
    from yuzui.io.label_store import OrderAnswer

PATIENCE_S: Final = 10.0  # a gateway looks for orders twice a second; its disk may be busy
POLL_S: Final = 0.1


def await_order(
    folder: Path, answer_in: Callable[[SqliteBooks], OrderAnswer], here: Callable[[SqliteBooks], None]
) -> OrderAnswer:
    """What became of an order that lies in the books: of a running gateway's doing, or of `here` when none runs."""
    from yuzui.io.books import SqliteBooks
    from yuzui.io.label_store import OrderAnswer

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        books = open_books(folder)
        try:
            answer = answer_in(books)
        finally:
            books.stop()
        if answer != OrderAnswer():
            return answer
        try:
            books = SqliteBooks.open(folder, exclusive=True)
        except ConfigError:  # a gateway holds the folder: it looks for orders itself
            time.sleep(POLL_S)
            continue
        try:
            here(books)
        finally:
            books.stop()
    return OrderAnswer()


def not_yet(order_id: str) -> ConfigError:
    return ConfigError(
        f"the gateway has not carried out {order_id} within {PATIENCE_S:g} s; it will when its books can be written"
    )


def os_user() -> str:
    """Who the operating system says we are."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name in this system's list of users
        return "unknown"
