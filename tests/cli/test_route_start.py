"""What the way from prompts to a router refuses before anything is asked; the way itself is walked in test_move_page."""

from __future__ import annotations

from pathlib import Path

import pytest

from newcomer_kit import write_prompts
from yuzui.cli._route_start import left_to_certify
from yuzui.evaluation.examples import Example

from .conftest import Run

START = (
    "route",
    "start",
    "prompts.jsonl",
    "--reference",
    "a",
    "--candidate",
    "b",
    "--scorer",
    "exact",
    "--data-dir",
    "data",
)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--epsilon", "0.05", "--out", "prompts.jsonl"), "is there already"),
        (("--epsilon", "1.5"), "--epsilon must lie between 0 and 1"),
        (("--epsilon", "0.05", "--delta", "0.7"), "--delta between 0 and 0.5"),
    ],
)
def test_what_cannot_be_is_said_first(run: Run, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
    write_prompts(tmp_path / "prompts.jsonl", 10)
    found = run(*START, *more)
    assert found.exit_code == 2 and said in found.stderr
    assert not (tmp_path / "data").exists()


def test_a_run_that_does_not_begin_ends_the_way(run: Run, tmp_path: Path) -> None:
    write_prompts(tmp_path / "prompts.jsonl", 10)
    found = run(*START, "--epsilon", "0.05", "--url", "http://127.0.0.1:9")
    assert found.exit_code == 2 and "no gateway answers" in found.stderr
    assert "$ yuzui evaluate run prompts.jsonl --models b --reference-model a --scorer exact" in found.stdout
    assert "certify an epsilon of" in found.stdout and "$ yuzui evaluate export" not in found.stdout


def test_as_json_only_the_promise_is_on_standard_output(run: Run, tmp_path: Path) -> None:
    write_prompts(tmp_path / "prompts.jsonl", 10)
    found = run(*START, "--epsilon", "0.05", "--url", "http://127.0.0.1:9", "--json")
    assert found.exit_code == 2 and found.stdout == ""
    assert "$ yuzui evaluate run prompts.jsonl" in found.stderr


def test_how_many_are_left_to_certify() -> None:
    drawn = [Example(prompt=f"question {number}") for number in range(200)]
    assert 80 <= left_to_certify(drawn) <= 120
    named = [Example(prompt=f"q{number}", split="calib" if number < 3 else "train") for number in range(9)]
    assert left_to_certify(named) == 3
    assert left_to_certify([*named, *drawn]) != 3  # not all have one: then the prompt decides, as in the export
