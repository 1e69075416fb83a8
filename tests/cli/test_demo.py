from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from yuzui.cli import demo
from yuzui.engine.cache import default_cache
from yuzui.providers.catalogue import load_rows

from .conftest import Run


@pytest.mark.engine
@pytest.mark.skipif(default_cache().find("smollm2-135m") is None, reason="run `yuzui models pull smollm2-135m` first")
def test_the_whole_demo_behaves_and_its_log_verifies(tmp_path: Path) -> None:
    vendor_keys = {row.key_env for row in load_rows().values()}
    environ = {name: value for name, value in os.environ.items() if name not in vendor_keys}
    command = [sys.executable, "-m", "yuzui", "demo", "--json", "--data-dir", str(tmp_path / "d")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180)
    told = json.loads(done.stdout)
    assert [row for row in told["rows"] if row["problems"]] == []
    assert done.returncode == 0 and told["ok"] is True
    assert told["vendor"] == {"target": "vendor/simulated", "simulated": True}
    assert told["audit"]["ok"] is True and told["audit"]["size"] == told["audit"]["recorded"]
    sensitive = [row for row in told["rows"] if row.get("sensitivity") in ("confidential", "restricted")]
    assert len(sensitive) >= 8
    assert all(row["target"] in ("own/smollm2-135m", "") for row in sensitive)


def test_a_missing_part_is_named_before_anything_is_fetched(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = run("demo")
    assert result.exit_code == 2
    assert "yuzui[demo]" in result.stderr


@pytest.mark.parametrize("keep", [True, False])
def test_the_throw_away_folder_goes_unless_it_is_kept(
    keep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with demo._folder(None, keep=keep) as folder:
        (folder / "books").write_text("x")
    assert folder.exists() is keep


def test_the_users_own_folder_always_stays(tmp_path: Path) -> None:
    with demo._folder(tmp_path / "mine", keep=False) as folder:
        pass
    assert folder == tmp_path / "mine" and folder.is_dir()
