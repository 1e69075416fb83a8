"""Knows how a named person's order reaches whoever may write the audit log: a running gateway, or this process."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from yuzui.cli._options import open_books
from yuzui.cli._output import note
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


def entry_of(
    folder: Path, order_id: str, answer_in: Callable[[SqliteBooks], OrderAnswer], here: Callable[[SqliteBooks], None]
) -> int:
    """Index of the audit log's entry that tells of the order. Says why, and exits with 1, where it was refused.

    Raise `ConfigError` when a running gateway has not carried it out in time.
    """
    answer = await_order(folder, answer_in, here)
    if answer.refused:
        note(f"error: {answer.refused}")
        raise typer.Exit(1)
    if answer.index is None:
        raise not_yet(order_id)
    return answer.index


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
