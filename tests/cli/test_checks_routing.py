from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascade_kit import UMPIRE, of_cascade
from cascade_kit import config as cascade_config
from graded_kit import fitted_with_judge, fitted_with_tests
from guarantee_kit import certificate, config, write_router
from yuzui.cli._checks_routing import check_guarantees, check_trials
from yuzui.config import read
from yuzui.core.booking import TrialOrder
from yuzui.io.code_tests import CodeTests
from yuzui.routing.artefact import Certificate, Fitted, Signals

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


def cascaded(
    tmp_path: Path, *certificates: Certificate, fit: Fitted | None = None, more: str = "", **changes: object
) -> tuple[str, str]:
    path = tmp_path / "y.toml"
    text = cascade_config("r.json", write_router(tmp_path / "r.json", *certificates, fit=fit), **changes)
    path.write_text(text + more, "utf-8")
    return examined(path)


def test_a_judge_and_tests_that_are_run_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitted_with_judge()
    judged = of_cascade(fit, signals=Signals(log_probabilities=False, samples=0, judge="umpire"))
    verdict, found = cascaded(
        tmp_path, judged, fit=fit, more=UMPIRE.format(tiny="http://127.0.0.1:1/v1"), beside='judge = "house/umpire"'
    )
    assert verdict == "ok" and found.endswith("with house/umpire as judge")
    fit = fitted_with_tests()
    tested = of_cascade(fit, signals=Signals(log_probabilities=False, samples=0, runs_tests=True))
    monkeypatch.setattr(CodeTests, "problem", lambda self: "")
    verdict, found = cascaded(tmp_path, tested, fit=fit, beside="run_tests = true")
    assert verdict == "ok" and found.endswith("with tests of requests, which are run here")
    monkeypatch.setattr(CodeTests, "problem", lambda self: "no walls")
    verdict, found = cascaded(tmp_path, tested, fit=fit, beside="run_tests = true")
    assert verdict == "warn" and "no cascade: no walls" in found


def test_a_cascade_is_told_with_what_it_asks_and_what_becomes_of_streams(tmp_path: Path) -> None:
    full = of_cascade(signals=Signals(log_probabilities=True, samples=2))
    verdict, found = cascaded(tmp_path, full)
    assert verdict == "ok" and "cascade (streams are held): house/small certified at 0.02, 0.9" in found
    assert "with second opinions of house/tiny, 2 more answers, log-probabilities" in found
    verdict, found = cascaded(tmp_path, of_cascade(), streaming="up_front")
    assert verdict == "ok" and "(not for streams)" in found
    assert "streamed requests are answered by vendor/big: only cascade is certified, not up_front" in found
    verdict, found = cascaded(tmp_path, of_cascade(), certificate(), streaming="up_front")
    assert verdict == "ok" and "; up_front: house/small certified" in found


def test_a_cascade_that_is_not_applied_is_a_warning_even_where_a_choice_up_front_is(tmp_path: Path) -> None:
    verdict, found = cascaded(tmp_path, certificate())
    assert verdict == "warn" and "up_front: house/small certified" in found
    assert found.endswith(
        "no cascade: only up_front is certified, not cascade; only up_front is certified, not portable_cascade"
    )
    verdict, found = cascaded(tmp_path)
    assert verdict == "warn" and found.endswith("no cascade: nothing is certified; vendor/big answers everything")


def test_a_trial_that_was_stopped_is_told_with_the_way_back() -> None:
    text = "\n".join(
        f'[[targets]]\nname = "house/{name}"\nprovider = "vllm"\nmodel = "{name}"\n'
        'base_url = "http://127.0.0.1:1/v1"\nprice = "free"\n'
        for name in ("old", "new")
    )
    text += '[[models]]\nname = "m"\ncandidates = ["house/old"]\n'
    text += '[[models.trials]]\nname = "next"\narm = "house/new"\npercent = 5\n'
    settings = read(text, {}, source=Path("y.toml"))
    (well,) = check_trials(settings, ())
    assert (well.verdict, well.found) == ("ok", "5 % to house/new")
    order = TrialOrder(
        id="trl_1", at_ns=1, action="stop", model="m", name="next", arm="house/new", by="", os_user="", reason="slow"
    )
    (stopped,) = check_trials(settings, (order,))
    assert (stopped.verdict, stopped.found) == ("warn", "house/new gets nothing: rolled back: slow")
    assert "yuzui trial resume next" in stopped.fix
