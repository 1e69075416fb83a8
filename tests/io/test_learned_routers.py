from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from guarantee_kit import certificate, config, write_router
from yuzui.config import Config, read
from yuzui.core.errors import ConfigError
from yuzui.io import learned_routers
from yuzui.io.learned_routers import load_routers


def settings(tmp_path: Path, sha256: str, router: str = "r.json") -> Config:
    return read(config(router, sha256), {"BIG": "x"}, source=tmp_path / "yuzui.toml")


def test_the_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    found = load_routers(settings(tmp_path, write_router(tmp_path / "r.json", certificate())))
    assert set(found) == {"support"}
    assert found["support"].targets == {"big": "vendor/big", "small": "house/small"}
    assert found["support"].certificate == certificate()


def test_a_file_that_was_changed_is_refused_and_told_by_its_hash(tmp_path: Path) -> None:
    pinned = write_router(tmp_path / "r.json", certificate())
    now = write_router(tmp_path / "r.json", certificate(threshold=0.9))  # well formed, and not what was pinned
    with pytest.raises(ConfigError, match=rf"models.support.router_sha256: .*r.json has another hash: {now}"):
        load_routers(settings(tmp_path, pinned))


def test_a_file_whose_own_hash_is_wrong_is_refused_although_it_was_pinned(tmp_path: Path) -> None:
    write_router(tmp_path / "r.json", certificate())
    raw = (tmp_path / "r.json").read_bytes().replace(b'"threshold":0.3', b'"threshold":0.9')
    (tmp_path / "r.json").write_bytes(raw)
    with pytest.raises(ConfigError, match="was changed after it was written"):
        load_routers(settings(tmp_path, hashlib.sha256(raw).hexdigest()))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json cannot be read"):
        load_routers(settings(tmp_path, "a" * 64, "none.json"))


def test_without_numpy_a_configuration_that_needs_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learned_routers, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"models.support.policy: .*pip install 'yuzui\[routing\]'"):
        load_routers(settings(tmp_path, write_router(tmp_path / "r.json", certificate())))
    plain = config("r.json", "a" * 64).partition("[[models]]")[0]
    assert load_routers(read(plain, {"BIG": "x"}, source=None)) == {}


def test_the_gateway_itself_needs_no_numpy(tmp_path: Path) -> None:
    program = "import sys; sys.modules['numpy'] = None; import yuzui.wiring; print('ok')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "ok\n", done.stderr
