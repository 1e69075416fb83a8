from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run, Used

OFFLINE = '[[targets]]\nname = "s"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n'


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "y.toml"
    path.write_text(OFFLINE, "utf-8")
    return path


def verdicts(run: Run, *args: str | Path) -> tuple[int, dict[str, str]]:
    result = run("doctor", *args, "--json")
    told = json.loads(result.stdout)
    assert told["ok"] is (result.exit_code == 0)
    return result.exit_code, {check["name"]: check["verdict"] for check in told["checks"]}


def test_a_healthy_folder_is_healthy(run: Run, used: Used, settings: Path) -> None:
    code, found = verdicts(run, "--config", settings, "--data-dir", used.folder)
    assert code == 0
    assert {"python", "sqlite", "dependencies", "books", "audit log", "clock", "disk", "configuration"} <= set(found)
    assert set(found.values()) == {"ok"}


def test_a_broken_configuration_fails_and_the_rest_is_still_examined(run: Run, used: Used, settings: Path) -> None:
    settings.write_text("[server]\nprot = 1", "utf-8")
    code, found = verdicts(run, "--config", settings, "--data-dir", used.folder)
    assert code == 1
    assert found["configuration"] == "fail" and found["books"] == "ok"


def test_a_damaged_checkpoint_fails(run: Run, used: Used, settings: Path) -> None:
    checkpoint = used.folder / "audit" / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"\n2\n", b"\n3\n"))
    code, found = verdicts(run, "--config", settings, "--data-dir", used.folder)
    assert (code, found["audit log"]) == (1, "fail")


def test_a_folder_that_is_not_there_yet_is_no_fault(run: Run, settings: Path, tmp_path: Path) -> None:
    code, found = verdicts(run, "--config", settings, "--data-dir", tmp_path / "new")
    assert code == 0 and found["data folder"] == "ok"
    assert not (tmp_path / "new" / "books.sqlite3").exists()


def test_people_read_what_to_do(run: Run, settings: Path, tmp_path: Path) -> None:
    settings.write_text(OFFLINE + '[server]\nhost = "0.0.0.0"\n', "utf-8")
    result = run("doctor", "--config", settings, "--data-dir", tmp_path / "new")
    assert result.exit_code == 1
    assert "→ make one: yuzui keys create" in result.stdout
    assert "\x1b" not in result.stdout
