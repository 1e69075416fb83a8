"""Labelling in a terminal: accepted, corrected, chosen blind, continued, agreed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from yuzui.cli.main import app
from yuzui.evaluation.calls import Result, Settings, answer_call
from yuzui.evaluation.examples import Example
from yuzui.io.evaluation_store import EvaluationStore
from yuzui.io.label_file import read_labels

from .conftest import Run

EXAMPLES = [Example(id=str(number), prompt=f"q{number} \x1b[31m", references=["old"]) for number in range(3)]


def label(typed: str, *args: str) -> str:
    found = CliRunner().invoke(app, ["label", *args], input=typed, prog_name="yuzui")
    assert found.exit_code == 0, found.output
    return found.stdout


@pytest.fixture
def examples(run: Run, tmp_path: Path) -> str:
    import msgspec

    (tmp_path / "ex.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, EXAMPLES)))
    return "ex.jsonl"


def test_references_are_reviewed_and_what_one_did_is_not_shown_again(examples: str, tmp_path: Path) -> None:
    shown = label("a\nc\nnew\nx\nq\n", examples, "--by", "ann")
    assert "q0 \\x1b[31m" in shown and "\x1b" not in shown and "── 3 of 3" in shown
    labels = read_labels(tmp_path / "ex.jsonl.labels.jsonl")
    assert [(one.by, one.label, one.text) for one in labels] == [("ann", "accept", ""), ("ann", "correct", "new")]
    assert "── 1 of 1" in label("s\n", examples, "--by", "ann")
    assert "── 1 of 3" in label("", examples, "--by", "bo")  # the end of the input is an end
    label("r\n", examples, "--by", "ann")
    assert "nothing is left" in label("", examples, "--by", "ann")
    label("", examples, "--apply", "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [(row["id"], row["references"]) for row in rows] == [("0", ["old"]), ("1", ["new"])]


def test_agreement(examples: str, run: Run) -> None:
    label("a\na\nr\n", examples, "--by", "ann")
    label("a\nr\nr\n", examples, "--by", "bo")
    text = run("label", examples, "--agreement").stdout
    assert "review: ann 3, bo 3" in text and "Cohen's kappa" in text
    (found,) = json.loads(run("label", examples, "--agreement", "--json").stdout)
    # Observed 2/3; by chance 2/3*1/3 + 1/3*2/3 = 4/9: kappa 0.4. Alpha: 1 - 5 * (1/3) / 3.
    assert found["kappas"][0]["kappa"] == pytest.approx(0.4) and found["alpha"] == pytest.approx(4 / 9)


def test_two_answers_are_compared_blind(run: Run, tmp_path: Path) -> None:
    settings = Settings(models=("m1",), reference_model="m2", examples_sha256="x")
    with EvaluationStore(tmp_path / "data" / "evaluation" / "r.sqlite3", may_create=True) as store:
        store.begin(settings, EXAMPLES)
        for example in EXAMPLES:
            for model in ("m1", "m2"):
                store.keep(answer_call(example, model, {}), Result(outcome="answered", text=f"by {model[1]}"))
    shown = label("1\n2\nt\n", "r", "--by", "ann", "--data-dir", "data")
    assert "m1" not in shown and "m2" not in shown
    labels = read_labels(tmp_path / "data" / "evaluation" / "r.sqlite3.labels.jsonl")
    assert len(labels) == 3 and labels[0].label in ("m1", "m2") and labels[2].label == "tie"
    assert "── to review ──" in label("q\n", "r", "--models", "m2", "--by", "ann", "--data-dir", "data")
    assert "no answers of m3" in run("label", "r", "--models", "m3", "--data-dir", "data").stderr


def test_what_cannot_be_labelled_is_said(examples: str, run: Run) -> None:
    assert "goes with a run" in run("label", examples, "--models", "a", "--by", "x").stderr
    assert "no labels yet" in run("label", examples, "--agreement").stderr
    assert "there is no run" in run("label", "none", "--data-dir", "data", "--by", "x").stderr
