"""An order is carried out by whoever may write the log: here, when no gateway runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.cli import _orders
from yuzui.cli._orders import await_order, not_yet, os_user
from yuzui.io.books import SqliteBooks
from yuzui.io.label_store import OrderAnswer


def test_without_a_gateway_it_is_done_here_and_asked_again(tmp_path: Path) -> None:
    SqliteBooks.open(tmp_path, exclusive=True).stop()
    done: list[SqliteBooks] = []
    answer = await_order(tmp_path, lambda books: OrderAnswer(index=3) if done else OrderAnswer(), done.append)
    assert answer.index == 3 and len(done) == 1


def test_beside_a_gateway_it_only_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_orders, "PATIENCE_S", 0.3)
    gateway = SqliteBooks.open(tmp_path, exclusive=True)
    done: list[SqliteBooks] = []
    assert await_order(tmp_path, lambda books: OrderAnswer(), done.append) == OrderAnswer() and not done
    gateway.stop()
    assert "vlt_7" in not_yet("vlt_7").message


def test_an_unknown_user_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert os_user() == "unknown"
