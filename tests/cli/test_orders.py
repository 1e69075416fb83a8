"""An order is carried out by whoever may write the log: here, when no gateway runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from yuzui.cli import _orders
from yuzui.cli._orders import await_order, entry_of, not_yet, os_user
from yuzui.core.errors import ConfigError
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


def test_the_entry_or_why_there_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    SqliteBooks.open(tmp_path, exclusive=True).stop()
    assert entry_of(tmp_path, "vlt_7", lambda books: OrderAnswer(index=3), lambda books: None) == 3
    with pytest.raises(typer.Exit) as refused:
        entry_of(tmp_path, "vlt_7", lambda books: OrderAnswer(refused="not permitted"), lambda books: None)
    assert refused.value.exit_code == 1 and "error: not permitted" in capsys.readouterr().err


def test_what_is_not_carried_out_in_time_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_orders, "PATIENCE_S", 0.3)
    SqliteBooks.open(tmp_path, exclusive=True).stop()
    with pytest.raises(ConfigError, match="vlt_7"):
        entry_of(tmp_path, "vlt_7", lambda books: OrderAnswer(), lambda books: None)


def test_an_unknown_user_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert os_user() == "unknown"
