from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from yuzui import __version__
from yuzui.cli import explain, main
from yuzui.core.errors import GatewayFault

from .conftest import Run

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
EXCUSED = {"--help", "-h"}


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:  # Any: click's classes have no public names
    inner = getattr(command, "commands", None)
    if inner is None:
        yield path, command
        return
    for name in inner:
        yield from _commands(inner[name], f"{path} {name}")


def test_the_reference_names_every_command_and_every_flag() -> None:
    text = REFERENCE.read_text("utf-8")
    sections = dict(re.findall(r"^#+ `(yuzui[^`]*)`\n(.*?)(?=^#+ |\Z)", text, re.MULTILINE | re.DOTALL))
    everywhere = sections.get("yuzui", "")
    missing = []
    for path, command in _commands(get_command(main.app), "yuzui"):
        section = sections.get(path)
        if section is None:
            missing.append(path)
            continue
        flags = {flag for param in command.params for flag in param.opts if flag.startswith("-")} - EXCUSED
        missing += [f"{path} {flag}" for flag in sorted(flags) if f"`{flag}" not in section + everywhere]
    assert not missing


def test_every_command_takes_config_data_dir_and_json() -> None:
    for path, command in _commands(get_command(main.app), "yuzui"):
        flags = {flag for param in command.params for flag in param.opts}
        assert {"--config", "--data-dir", "--json"} <= flags, path


def test_serving_does_not_pay_for_tables_and_clients() -> None:
    script = (
        "import sys, yuzui.cli.main as m; m._Commands()['serve'];"
        "heavy = {'rich', 'openai', 'xllamacpp', 'genai_prices', 'apsw'};"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_one_line(run: Run) -> None:
    assert run("--version").stdout == f"yuzui {__version__}\n"


def test_the_help_lists_all_commands(run: Run) -> None:
    shown = run("--help").stdout
    assert all(re.search(rf"^  {name} ", shown, re.MULTILINE) for name in main.COMMANDS)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["srve"], "Did you mean 'serve'"),
        (["keys", "create"], "--app"),
        (["costs", "--by", "moon"], "--by"),
        (["serve", "--port", "70000"], "--port"),
        (["explain"], "REQUEST_ID"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(run: Run, args: list[str], hint: str) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    assert hint in result.stderr


@pytest.mark.parametrize(
    ("failure", "code", "words"),
    [
        (GatewayFault("the books are \x1b[2Jgone"), 2, "error: the books are \\x1b[2Jgone\n"),
        (PermissionError(13, "Permission denied", "/srv/x"), 2, "error: /srv/x: Permission denied\n"),
        (RuntimeError("a bug"), 1, "error: internal error: RuntimeError: a bug (set YUZUI_DEBUG=1 to see where)\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_no_failure_greets_the_user_with_a_traceback(
    run: Run, monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: int, words: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(explain, "open_books", fail)
    result = run("explain", "req_1")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", words)


def test_a_missing_configuration_file_says_how_to_write_one(run: Run) -> None:
    result = run("costs", "--config", "nowhere.toml")
    assert result.exit_code == 2
    assert "yuzui init" in result.stderr


def test_python_dash_m_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "yuzui", "--version"], capture_output=True, text=True, timeout=30)
    assert done.stdout == f"yuzui {__version__}\n"
