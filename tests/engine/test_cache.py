"""Only what was verified counts as there, and nothing outside the cache is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from yuzui.engine.cache import RECORD_FILE, ModelCache, ModelRecord, default_cache
from yuzui.engine.faults import ModelFault

RECORD = ModelRecord(
    name="m", file="m.gguf", size_bytes=3, sha256="0" * 64, source="s", trust="pinned", fetched_unix_s=1
)


def filled(root: Path) -> ModelCache:
    cache = ModelCache(root)
    with cache.locked("m") as folder:
        (folder / "m.gguf.part").write_bytes(b"abc")
        cache.adopt(folder / "m.gguf.part", RECORD)
    return cache


def test_an_adopted_model_is_found_with_its_record(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    found = cache.find("m")
    assert found is not None and found.record == RECORD and found.path.read_bytes() == b"abc"
    assert [model.record.name for model in cache.installed()] == ["m"]


@pytest.mark.parametrize("damage", ["shorter", "no record", "broken record", "no file"])
def test_what_is_not_whole_counts_as_not_there(tmp_path: Path, damage: str) -> None:
    cache = filled(tmp_path)
    record, file = tmp_path / "m" / RECORD_FILE, tmp_path / "m" / "m.gguf"
    match damage:
        case "shorter":
            file.write_bytes(b"ab")
        case "no record":
            record.unlink()
        case "broken record":
            record.write_text("{")
        case _:
            file.unlink()
    assert cache.find("m") is None
    assert cache.installed() == []


def test_a_record_cannot_point_out_of_its_folder(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / "x.gguf").write_bytes(b"abc")
    record = tmp_path / "m" / RECORD_FILE
    record.write_text(record.read_text().replace("m.gguf", "../x.gguf"))
    assert cache.find("m") is None


@pytest.mark.parametrize("name", ["..", "../m", "a/b", "", ".hidden", "A"])
def test_names_that_could_leave_the_cache_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFault):
        ModelCache(tmp_path).find(name)
    with pytest.raises(ModelFault):
        ModelCache(tmp_path).remove(name)


def test_removing_frees_everything_of_one_model(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / "m" / "wheel.part").write_bytes(b"12345")
    (tmp_path / "other").mkdir()
    assert cache.remove("m") >= 8
    assert [entry.name for entry in tmp_path.iterdir()] == ["other"]
    with pytest.raises(ModelFault, match="no model called"):
        cache.remove("m")


def test_the_variable_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("YUZUI_CACHE_DIR", str(tmp_path))
    assert default_cache().root == tmp_path / "models"
    monkeypatch.delenv("YUZUI_CACHE_DIR")
    assert default_cache().root.name == "models" and "yuzui" in str(default_cache().root).lower()


def test_the_space_is_measured_before_the_first_folder_exists(tmp_path: Path) -> None:
    ModelCache(tmp_path / "new").check_space(1)
    with pytest.raises(ModelFault, match="YUZUI_CACHE_DIR"):
        ModelCache(tmp_path / "new").check_space(10**18)
