from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from yuzui.cli._options import check_is_new, data_dir_of, open_books, own_command
from yuzui.core.errors import ConfigError

from .conftest import Run, Used


def test_without_an_option_the_platform_says_where_data_lies() -> None:
    assert data_dir_of(None) == Path(platformdirs.user_data_dir("yuzui", appauthor=False))
    assert data_dir_of(Path("here")) == Path("here")


def test_the_environment_names_the_folder_and_the_option_beats_it(
    run: Run, used: Used, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("YUZUI_DATA_DIR", str(used.folder))
    assert run("explain", "req_answered").exit_code == 0
    assert run("explain", "req_answered", "--data-dir", tmp_path / "other").exit_code == 2


def test_looking_never_makes_books(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--data-dir"):
        open_books(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_commands_work_beside_the_gateway_that_holds_the_folder(run: Run, used: Used) -> None:
    from yuzui.io.books import SqliteBooks

    gateway = SqliteBooks.open(used.folder, exclusive=True)
    try:
        assert run("keys", "create", "--app", "late", "--data-dir", used.folder).exit_code == 0
        assert run("explain", "req_answered", "--data-dir", used.folder).exit_code == 0
        assert run("costs", "--since", "2026-11-01", "--data-dir", used.folder).exit_code == 0
        gateway.refresh_keys()
        assert gateway.has_keys()
    finally:
        gateway.stop()


def test_the_command_is_named_so_that_it_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv" / "bin" / "yuzui"), "demo"])
    assert own_command() == str(Path(".venv") / "bin" / "yuzui")
    monkeypatch.setattr("sys.argv", ["/elsewhere/bin/yuzui"])
    assert own_command() == str(Path("/elsewhere/bin/yuzui").absolute())
    monkeypatch.setattr("sys.argv", ["/somewhere/pytest"])
    assert own_command().endswith(" -m yuzui")


def test_a_file_is_replaced_only_where_somebody_said_so(tmp_path: Path) -> None:
    out = tmp_path / "router.json"
    check_is_new(out, force=False)
    out.write_text("{}", "utf-8")
    check_is_new(out, force=True)
    with pytest.raises(ConfigError, match="is there already: name another file, or say --force"):
        check_is_new(out, force=False)
