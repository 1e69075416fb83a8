from __future__ import annotations

import json
from pathlib import Path

from guarantee_kit import certificate, config, write_router
from yuzui.cli._checks_routing import check_guarantees
from yuzui.config import read
from yuzui.routing.artefact import Certificate

from .conftest import Run


def write(tmp_path: Path, *certificates: Certificate) -> Path:
    path = tmp_path / "y.toml"
    path.write_text(config("r.json", write_router(tmp_path / "r.json", *certificates)), "utf-8")
    return path


def examined(path: Path) -> tuple[str, str]:
    (check,) = check_guarantees(read(path.read_text("utf-8"), {"BIG": "x"}, source=path))
    return check.verdict, check.found


def test_a_certificate_that_holds_is_well(tmp_path: Path) -> None:
    verdict, found = examined(write(tmp_path, certificate()))
    assert verdict == "ok" and "house/small certified at 0.02, 0.9" in found


def test_one_that_does_not_is_told_with_the_reason(tmp_path: Path) -> None:
    verdict, found = examined(write(tmp_path))
    assert verdict == "warn" and found.endswith("nothing is certified; vendor/big answers everything")


def test_a_file_that_cannot_be_used_fails(tmp_path: Path) -> None:
    path = write(tmp_path, certificate())
    (tmp_path / "r.json").write_bytes(b"{}")
    verdict, found = examined(path)
    assert verdict == "fail" and "has another hash" in found


def test_nothing_is_said_where_nothing_is_demanded() -> None:
    plain = config("r.json", "a" * 64).partition("[[models]]")[0]
    assert check_guarantees(read(plain, {"BIG": "x"}, source=None)) == []


def test_the_status_of_a_router_says_which_models_use_it(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, certificate(epsilon=0.1))
    told = run("route", "status", tmp_path / "r.json", "--config", path, "--data-dir", tmp_path / "data")
    assert told.exit_code == 0, told.stderr
    assert "model support" in told.stdout and "certified for 0.1 at 0.9" in " ".join(told.stdout.split())
    doctor = run("doctor", "--config", path, "--data-dir", tmp_path / "data")
    assert "guarantee of support" in doctor.stdout
    (tmp_path / "r.json").write_bytes((tmp_path / "r.json").read_bytes() + b"\n")
    told = run("route", "status", tmp_path / "r.json", "--config", path, "--data-dir", tmp_path / "data")
    assert "refused:" in told.stdout and "has another hash" in " ".join(told.stdout.split())


def test_a_fit_says_the_hash_that_the_configuration_wants(run: Run, tmp_path: Path) -> None:
    sha256 = write_router(tmp_path / "r.json", certificate())
    told = run("route", "status", tmp_path / "r.json", "--json")
    assert json.loads(told.stdout)["router_sha256"] == sha256
