from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yuzui import serving

from .conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:  # Any: what serve was called with
    """A gateway that is ready at once and ends with exit code 3."""
    seen: dict[str, Any] = {}

    def serve(
        config_path: Path | None, *, host: str | None, port: int | None, data_dir: Path, on_ready: Callable[[str], None]
    ) -> int:
        seen.update(config=config_path, host=host, port=port, data_dir=data_dir)
        on_ready("http://127.0.0.1:8080")
        return 3

    monkeypatch.setattr(serving, "serve", serve)
    return seen


def test_it_prints_one_line_with_its_address_when_it_is_ready(run: Run, served: dict[str, Any]) -> None:
    result = run("serve", "--data-dir", "d")
    assert result.stdout == "yuzui is ready on http://127.0.0.1:8080\n"
    assert result.exit_code == 3
    assert served == {"config": None, "host": None, "port": None, "data_dir": Path("d")}


def test_options_reach_the_gateway_and_json_is_json(run: Run, served: dict[str, Any]) -> None:
    result = run("serve", "--config", "c.toml", "--host", "::1", "--port", "0", "--data-dir", "d", "--json")
    assert json.loads(result.stdout) == {"address": "http://127.0.0.1:8080"}
    assert (served["config"], served["host"], served["port"]) == (Path("c.toml"), "::1", 0)


def test_an_open_door_without_keys_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "y.toml"
    path.write_text('[[targets]]\nname = "s"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n', "utf-8")
    result = run("serve", "--config", path, "--host", "0.0.0.0", "--port", "0", "--data-dir", tmp_path / "data")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "yuzui keys create" in result.stderr and "Traceback" not in result.stderr
