from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from graded_kit import coding, examples, judged, run_here
from yuzui.io.code_tests import CodeTests

from .conftest import Run

PRICES = ("--price", "big=10/30", "--price", "small=0.1/0.2", "--price", "tiny=0/0")


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    path = tmp_path / "graded.jsonl"
    made = examples(150, 31, split="train") + examples(600, 32, split="calib")
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in made))
    return path


def fit(run: Run, graded: Path, *more: str) -> None:
    done = run(
        "route",
        "fit",
        graded,
        "--reference",
        "big",
        "--candidate",
        "small",
        "--check",
        "tiny",
        "--out",
        "r.json",
        *PRICES,
        *more,
    )
    assert done.exit_code == 0, done.stderr


def test_from_a_file_of_examples_to_a_certified_router(run: Run, graded: Path) -> None:
    fit(run, graded)
    status = run("route", "status", "r.json")
    assert "nothing is certified" in status.stdout
    certified = run("route", "certify", "r.json", graded, "--epsilon", "0.08", "--delta", "0.1")
    assert certified.exit_code == 0, certified.stderr
    assert "at most 8.00% worse than always the reference" in certified.stdout
    assert "600 examples of graded.jsonl" in certified.stdout
    cascade = run(
        "route", "certify", "r.json", graded, "--epsilon", "0.08", "--delta", "0.1", "--policy", "cascade", "--json"
    )
    assert json.loads(cascade.stdout)["candidates"] == ["small"]
    told = json.loads(run("route", "status", "r.json", "--json").stdout)
    assert [one["policy"] for one in told["certificates"]] == ["up_front", "cascade"]
    assert told["data"]["examples"] == 150
    assert told["candidates"][0]["checks"][0]["name"] == "tiny"


def test_what_cannot_be_certified_exits_with_1_and_says_what_it_would_take(run: Run, graded: Path) -> None:
    fit(run, graded, "--no-cascade")
    done = run("route", "certify", "r.json", graded, "--epsilon", "0.0005", "--delta", "0.01")
    assert done.exit_code == 1
    assert "NOT certified" in done.stdout
    assert "only the reference is safe" in done.stdout
    assert "about " in done.stdout
    assert "NOT certified" in run("route", "status", "r.json").stdout


def test_certifying_again_replaces_what_was_certified(run: Run, graded: Path) -> None:
    fit(run, graded, "--no-cascade")
    for epsilon in ("0.08", "0.1"):
        assert run("route", "certify", "r.json", graded, "--epsilon", epsilon, "--delta", "0.1").exit_code == 0
    told = json.loads(run("route", "status", "r.json", "--json").stdout)
    assert [one["epsilon"] for one in told["certificates"]] == [0.1]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--candidate", "nobody"), "no answer of nobody"),
        (("--candidate", "small", "--price", "small=cheap"), "MODEL=IN/OUT"),
        (("--candidate", "small", "--price", "small=-1/0"), "MODEL=IN/OUT"),
        (("--candidate", "small", "--price", "small=nan/0"), "MODEL=IN/OUT"),
        (("--candidate", "small", "--unlike", "0.9"), "--unlike"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(run: Run, graded: Path, args: tuple[str, ...], says: str) -> None:
    done = run("route", "fit", graded, "--reference", "big", "--out", "r.json", *args)
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert says in done.stderr
    assert not Path("r.json").exists()


def test_a_file_that_is_there_is_not_replaced_by_accident(run: Run, graded: Path) -> None:
    Path("r.json").write_text("mine")
    done = run("route", "fit", graded, "--reference", "big", "--candidate", "small", "--out", "r.json")
    assert done.exit_code == 2
    assert "--force" in done.stderr
    assert Path("r.json").read_text() == "mine"


def test_a_changed_artefact_an_unknown_policy_and_unknown_prices_are_refused(run: Run, graded: Path) -> None:
    done = run("route", "fit", graded, "--reference", "big", "--candidate", "small", "--no-cascade", "--out", "r.json")
    assert done.exit_code == 0, done.stderr
    calm = ("--epsilon", "0.08", "--delta", "0.1")
    assert "--price big=IN/OUT" in run("route", "certify", "r.json", graded, *calm).stderr
    assert "up_front, cascade" in run("route", "certify", "r.json", graded, *calm, "--policy", "best", *PRICES).stderr
    assert (
        "without a cascade" in run("route", "certify", "r.json", graded, *calm, "--policy", "cascade", *PRICES).stderr
    )
    path = Path("r.json")
    path.write_bytes(path.read_bytes().replace(b'"examples":150', b'"examples":999'))
    changed = run("route", "status", "r.json")
    assert changed.exit_code == 2
    assert "was changed after it was written" in changed.stderr


def test_a_cascade_with_a_judge_from_examples_to_the_table_to_paste(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    made = judged(examples(150, 31, split="train"), 1) + judged(examples(600, 32, split="calib"), 2)
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in made))
    fitting = ("route", "fit", path, "--reference", "big", "--candidate", "small", "--judge", "umpire", "--out")
    done = run(*fitting, "r.json", *PRICES, "--price", "umpire=1/1")
    assert done.exit_code == 0, done.stderr
    assert "cascade judged by umpire" in run("route", "status", "r.json").stdout
    told = run("route", "certify", "r.json", path, "--epsilon", "0.08", "--delta", "0.1", "--policy", "cascade")
    assert told.exit_code == 0, told.stderr
    assert "judged by umpire" in told.stdout and 'judge = "umpire"' in told.stdout
    facts = json.loads(run("route", "status", "r.json", "--json").stdout)
    assert facts["candidates"][0]["judge"]["model"]["name"] == "umpire"
    assert facts["certificates"][0]["signals"]["judge"] == "umpire"
    other = run(*fitting[:-3], "--judge", "nobody", "--out", "s.json", *PRICES)
    assert other.exit_code == 2 and "was judged by umpire" in other.stderr and "--scorer pointwise" in other.stderr


def test_a_cascade_that_runs_tests_is_fitted_and_certified_in_the_sandbox(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "code.jsonl"
    path.write_bytes(b"\n".join(msgspec.json.encode(one) for one in coding(260, 32)))
    fitting = ("route", "fit", path, "--reference", "big", "--candidate", "small", "--run-tests", "--out", "r.json")
    certifying = ("route", "certify", "r.json", path, "--epsilon", "0.15", "--delta", "0.1", "--policy", "cascade")
    if CodeTests().problem():
        monkeypatch.setattr(CodeTests, "problem", lambda self: "")
        monkeypatch.setattr(CodeTests, "run_all", lambda self, asked: run_here(asked))
    done = run(*fitting, *PRICES)
    assert done.exit_code == 0, done.stderr
    assert "cascade with tests that are run" in run("route", "status", "r.json").stdout
    told = run(*certifying)
    assert told.exit_code == 0, told.stdout
    assert "tests in the request are run" in told.stdout and "run_tests = true" in told.stdout
    monkeypatch.setattr(CodeTests, "problem", lambda self: "the sandbox for code needs Linux")
    for command in ((*fitting, "--force", *PRICES), certifying):
        refused = run(*command)
        assert refused.exit_code == 2 and "the sandbox for code needs Linux" in refused.stderr
    up_front = run(*certifying[:-1], "up_front")
    assert "up_front of small" in up_front.stdout, up_front.stderr  # nothing is run for that
