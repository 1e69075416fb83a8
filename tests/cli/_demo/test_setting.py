from __future__ import annotations

import os
import signal
import sys
import urllib.request
from pathlib import Path

import pytest

from yuzui import config
from yuzui.cli._demo import setting
from yuzui.cli._demo.setting import OWN, choose_vendor, gateway, write_config, write_draft
from yuzui.core.errors import ConfigError

SCRIPTED = '[[targets]]\nname = "s"\nprovider = "scripted"\nmodel = "scripted"\nprice = "free"\n'


def test_without_a_vendor_key_the_vendor_is_simulated_and_its_price_made_up() -> None:
    vendor = choose_vendor({})
    assert vendor.is_simulated
    text = write_config(vendor)
    assert "made up" in text
    loaded = config.read(text, {}, source=Path("demo.toml"))
    own, other = loaded.targets
    assert (own.name, own.premises, own.clearance) == (OWN, "own", loaded.sensitivity.lattice.top)
    assert (other.name, other.is_simulated, other.jurisdiction) == ("vendor/simulated", True, "US")
    assert other.clearance == loaded.sensitivity.lattice.level("internal")


def test_with_a_vendor_key_that_vendor_is_really_asked() -> None:
    environ = {"OPENAI_API_KEY": "x"}
    vendor = choose_vendor(environ)
    assert not vendor.is_simulated and vendor.target.startswith("openai/")
    loaded = config.read(write_config(vendor), environ, source=Path("demo.toml"))
    assert loaded.targets[1].api_key == "x"
    assert "x" not in write_config(vendor).replace("max", "").split()


def test_the_gateway_runs_inside_the_block_and_not_after_it(tmp_path: Path) -> None:
    path = tmp_path / "y.toml"
    path.write_text(SCRIPTED, "utf-8")
    with gateway(path, tmp_path / "data", tmp_path / "log") as running:
        with urllib.request.urlopen(f"{running.address}/healthz", timeout=5) as answer:
            assert answer.status == 200
        pid = running.process.pid
    assert running.process.poll() == 0
    if sys.platform != "win32":
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_gateway_is_stopped_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "y.toml"
    path.write_text(SCRIPTED, "utf-8")
    with pytest.raises(KeyboardInterrupt), gateway(path, tmp_path / "data", tmp_path / "log") as running:
        raise KeyboardInterrupt
    assert running.process.poll() is not None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_a_gateway_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setting, "STOP_TIMEOUT_S", 0.3)
    path = tmp_path / "y.toml"
    path.write_text(SCRIPTED, "utf-8")
    with gateway(path, tmp_path / "data", tmp_path / "log") as running:
        running.process.send_signal(signal.SIGSTOP)
    assert running.process.returncode == -signal.SIGKILL


def test_a_gateway_that_cannot_start_says_why(tmp_path: Path) -> None:
    path = tmp_path / "y.toml"
    path.write_text("[embedded]\nenabled = true\n[server]\nprot = 1\n", "utf-8")
    with (
        pytest.raises(ConfigError, match=r"server\.prot"),
        gateway(path, tmp_path / "data", tmp_path / "log"),
    ):
        pass


def test_the_draft_is_a_configuration_that_decides_otherwise() -> None:
    for environ in ({}, {"OPENAI_API_KEY": "x"}):
        vendor = choose_vendor(environ)
        draft = config.read(write_draft(vendor), environ, source=Path("draft.toml"))
        (model,) = draft.models
        assert (model.candidates[0], model.policy) == (vendor.target, "pinned")
        assert draft.masking.masking.kinds == {"email", "phone", "cn_mobile"}
        assert "# A draft" in write_draft(vendor) and "demo's configuration" not in write_draft(vendor)
