"""`yuzui models` on a cache of its own, without a network."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest


def tiny_gguf() -> bytes:
    """The least that passes for a model: one field, one tensor."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    field = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, 1) + field + text("w") + struct.pack("<IQIQ", 1, 32, 0, 0)
    return head + bytes(-len(head) % 32) + bytes(256)


def models(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from yuzui.cli.main import main; main()", "models", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={"PATH": "", "YUZUI_CACHE_DIR": str(cache)},
    )  # fmt: skip


def test_the_list_shows_licence_size_and_memory_and_recommends_a_model_for_chinese(tmp_path: Path) -> None:
    listed = json.loads(models(tmp_path, "list", "--json").stdout)
    assert listed[0]["name"] == "smollm2-135m"
    assert not any(entry["installed"] for entry in listed)
    assert all(entry["licence"] and entry["size_bytes"] and entry["memory_mib"] for entry in listed)
    shown = models(tmp_path, "list")
    assert shown.returncode == 0 and "qwen3-1.7b" in shown.stdout and "中文" in shown.stdout


def test_a_file_carried_by_hand_is_taken_found_and_removed(tmp_path: Path) -> None:
    carried = tmp_path / "mine.gguf"
    carried.write_bytes(tiny_gguf())
    name = "huggingface:owner/repo/mine.gguf"
    pulled = models(tmp_path, "pull", name, "--from", str(carried), "--json")
    assert pulled.returncode == 0, pulled.stderr
    facts = json.loads(pulled.stdout)
    assert (facts["name"], facts["trust"], facts["was_there"]) == ("mine", "first_use", False)
    assert Path(models(tmp_path, "path", "mine").stdout.strip()).read_bytes() == tiny_gguf()
    assert "NOT verified" in models(tmp_path, "pull", name, "--from", str(carried), "--force").stdout
    assert "mine" in models(tmp_path, "list").stdout
    assert models(tmp_path, "remove", "mine").returncode == 0
    gone = models(tmp_path, "path", "mine")
    assert gone.returncode == 1 and "yuzui models pull" in gone.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("pull", "nope"), "no model called"),
        (("remove", "nope"), "no model called"),
        (("remove", "../x"), "not a model's name"),
        (("pull", "smollm2-135m", "--from", "none.gguf"), "there is no file"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(tmp_path: Path, arguments: tuple[str, ...], reason: str) -> None:
    done = models(tmp_path, *arguments)
    assert done.returncode != 0
    assert reason in done.stderr and "Traceback" not in done.stderr and done.stderr.count("\n") == 1


def test_a_file_of_other_bytes_is_not_taken_for_a_pinned_model(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(tiny_gguf())
    done = models(tmp_path, "pull", "smollm2-135m", "--from", str(tmp_path / "x.gguf"))
    assert done.returncode != 0 and "sha256" in done.stderr
