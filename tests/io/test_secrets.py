"""The deployment's own keys: made once, private, never replaced silently."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from yuzui.core.errors import ConfigError
from yuzui.io.secrets import load_or_make, load_secrets


def test_the_keys_are_made_once_and_differ(tmp_path: Path) -> None:
    first = load_secrets(tmp_path)
    assert first == load_secrets(tmp_path)
    assert len({first.pepper, first.content_key, first.memory_key}) == 3
    assert {len(key) for key in (first.pepper, first.content_key, first.memory_key)} == {32}
    assert load_secrets(tmp_path / "other").pepper != first.pepper


def test_the_keys_do_not_show_in_tracebacks_and_logs(tmp_path: Path) -> None:
    assert repr(load_secrets(tmp_path)) == "Secrets()"


@pytest.mark.skipif(os.name != "posix", reason="file modes")
def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()}
    assert modes == {
        "pepper": 0o600,
        "content_key": 0o600,
        "memory_key": 0o600,
        "archive_key": 0o600,
        "masking_key": 0o600,
    }
    (tmp_path / "secrets" / "pepper").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secrets(tmp_path)


def test_two_processes_that_start_together_agree(tmp_path: Path) -> None:
    for n in range(20):
        path = tmp_path / f"key{n}"
        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(load_or_make, [path] * 8))) == 1
    assert not list(tmp_path.glob(".*")), "no drafts are left behind"


def test_a_cut_file_is_an_error_and_not_a_new_key(tmp_path: Path) -> None:
    load_secrets(tmp_path)
    (tmp_path / "secrets" / "pepper").write_bytes(b"short")
    with pytest.raises(ConfigError, match="5 bytes instead of 32"):
        load_secrets(tmp_path)
