from __future__ import annotations

from pathlib import Path

import pytest

from graded_kit import fitted
from yuzui.core.errors import ConfigError
from yuzui.io.routing_file import read_routing, write_routing
from yuzui.routing.artefact import write_artefact


def test_what_is_written_is_read_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "router.json"
    write_routing(path, b"old")
    write_routing(path, write_artefact(fitted()))
    assert read_routing(path).fitted == fitted()
    assert [file.name for file in tmp_path.iterdir()] == ["router.json"]


def test_a_file_that_is_not_there_or_is_cut_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json cannot be read"):
        read_routing(tmp_path / "none.json")
    path = tmp_path / "router.json"
    write_routing(path, write_artefact(fitted())[:-100])
    with pytest.raises(ConfigError, match=r"router\.json cannot be read"):
        read_routing(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_routing(tmp_path / "none" / "router.json", b"x")
