"""A run becomes graded examples, with the facts that a router may look at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation_kit import OWN, VENDOR, outcomes
from yuzui.evaluation.calls import Result, judge_call
from yuzui.evaluation.examples import Example
from yuzui.evaluation.graded import check_examples
from yuzui.evaluation.graded_rows import POINTWISE_SCORER, flat, graded_rows, judgement_of
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.evaluation.scorers._contract import Ask, Grade
from yuzui.evaluation.scorers.judges import PointwiseScorer
from yuzui.io.example_file import write_rows
from yuzui.io.graded_file import read_graded


def test_only_examples_with_a_score_of_every_model() -> None:
    rows, left_out = graded_rows(outcomes(), "exact", (OWN, VENDOR))
    assert len(rows) == 34 and len(left_out) == 6
    assert left_out[:2] == [f"e0: {VENDOR}: not permitted", f"e1: {OWN}: failed"]
    assert rows[0]["answers"] == {
        OWN: {
            "score": 1.0,
            "text": "right",
            "input_tokens": 10,
            "output_tokens": 5,
            "was_cut": False,
            "cost_usd": 1e-6,
        },
        VENDOR: {
            "score": 1.0,
            "text": "right",
            "input_tokens": 10,
            "output_tokens": 5,
            "was_cut": False,
            "cost_usd": 1e-4,
        },
    }


def test_costs_in_another_currency_are_left_out() -> None:
    run = outcomes()
    run = replace(run, results={key: replace(r, currency="CNY") for key, r in run.results.items()})
    rows, _ = graded_rows(run, "exact", (OWN,))
    assert "cost_usd" not in rows[0]["answers"][OWN]


def test_what_stands_around_the_last_question() -> None:
    example = Example(
        id="x",
        messages=[
            {"role": "system", "content": "12345"},
            {"role": "user", "content": "abc"},
            {"role": "assistant", "content": "de"},
            {"role": "tool", "content": "f"},
            {"role": "user", "content": [{"type": "text", "text": "last"}, {"type": "image_url", "image_url": {}}]},
        ],
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        split="calib", group="g",
    )  # fmt: skip
    run = outcomes(1)
    run = replace(run, examples=[example], grades={(0, OWN, "exact"): Grade(score=1.0)})
    (row,) = graded_rows(run, "exact", (OWN,))[0]
    del row["answers"]
    assert row == {
        "id": "x", "prompt": "last", "group": "g", "split": "calib", "system_characters": 5, "earlier_characters": 6,
        "turns": 2, "tools": 1, "schema_characters": 17, "has_images": True, "has_files": False, "has_tool_results": True,
    }  # fmt: skip


def test_splits_are_there_for_all_or_for_none() -> None:
    run = outcomes(4)
    for splits, wanted in ((["train"] * 4, True), (["train", "train", "dev", "train"], False)):
        examples = [
            Example(prompt=example.prompt, split=split) for example, split in zip(run.examples, splits, strict=True)
        ]
        grades = {(place, OWN, "exact"): Grade(score=1.0) for place in range(4)}
        rows, _ = graded_rows(replace(run, examples=examples, grades=grades), "exact", (OWN,))
        assert [("split" in row) for row in rows] == [wanted] * len(rows) and len(rows) == 3


def test_the_reference_of_a_pairwise_comparison_is_the_middle() -> None:
    run = outcomes(8)
    grades = {(place, OWN, "pairwise"): Grade(score=1.0) for place in range(8)}
    run = replace(run, grades=grades, settings=replace(run.settings, scorers=("pairwise",)))
    rows, _ = graded_rows(run, "pairwise", (OWN, VENDOR))
    assert [row["answers"][VENDOR]["score"] for row in rows] == [0.5] * len(rows) and rows


@pytest.mark.parametrize("name", ["graded.jsonl", "graded.parquet"])
def test_fitting_reads_what_is_exported(tmp_path: Path, name: str) -> None:
    run = outcomes()
    told = {key: replace(r, log_probabilities=(-0.5, -0.25)) if key[1] == OWN else r for key, r in run.results.items()}
    rows, _ = graded_rows(replace(run, results=told), "exact", (OWN, VENDOR))
    path = tmp_path / name
    write_rows(path, [flat(row) for row in rows] if path.suffix == ".parquet" else rows)
    read = read_graded(path)
    check_examples(read, [OWN, VENDOR])
    assert len(read) == 34 and read[0].answers[VENDOR].cost_usd == 1e-4 and read[0].id == "e2"
    assert read[0].answers[OWN].log_probabilities == (-0.5, -0.25) and not read[0].answers[VENDOR].log_probabilities


def test_what_an_answer_calls_is_a_part_of_its_text() -> None:
    run = outcomes()
    calls = ({"name": "f", "arguments": '{"b": 1, "a": 2}'},)
    run = replace(run, results={key: replace(r, text="", tool_calls=calls) for key, r in run.results.items()})
    rows, _ = graded_rows(run, "exact", (OWN, VENDOR))
    assert rows[0]["answers"][OWN]["text"] == 'f({"a":2,"b":1})'


def test_what_a_judge_said_of_an_answer_goes_along_with_what_it_cost() -> None:
    run = outcomes()
    settings = replace(run.settings, judge="umpire", scorers=("exact", POINTWISE_SCORER))
    grades = dict(run.grades) | {(place, OWN, POINTWISE_SCORER): Grade(score=0.25) for place in range(2, 40)}
    run = replace(run, settings=settings, grades=grades)
    (need,) = PointwiseScorer(name="pointwise").needs(run.examples[2], run.results[(2, OWN)].answer(OWN), None)
    assert isinstance(need, Ask)
    heard = Result(outcome="answered", input_tokens=70, output_tokens=7, cost_nano=5_000, currency="USD")
    kept = {judge_call(need, "umpire").key: heard}

    rows, _ = graded_rows(run, "exact", (OWN, VENDOR), lambda place, model: judgement_of(run, place, model, kept.get))
    first = next(row for row in rows if row["id"] == "e2")
    assert first["answers"][OWN]["judged"] == {
        "score": 0.25, "by": "umpire", "question": POINTWISE, "input_tokens": 70, "output_tokens": 7,
        "cost_usd": 5e-6,
    }  # fmt: skip
    assert "judged" not in first["answers"][VENDOR]
    other = next(row for row in rows if row["id"] == "e5")  # its words are lost, its score is not
    assert "cost_usd" not in other["answers"][OWN]["judged"]


def test_judgements_are_read_back_from_both_formats(tmp_path: Path) -> None:
    said = {"score": 0.25, "by": "umpire", "question": POINTWISE, "cost_usd": 5e-6}
    rows, _ = graded_rows(outcomes(), "exact", (OWN, VENDOR), lambda place, model: said if model == OWN else None)
    for file, written in ((tmp_path / "a.jsonl", rows), (tmp_path / "b.parquet", [flat(row) for row in rows])):
        write_rows(file, written)
        judged = read_graded(file)[0].answers[OWN].judged
        assert judged is not None and (judged.score, judged.by, judged.cost_usd) == (0.25, "umpire", 5e-6)
        assert read_graded(file)[0].answers[VENDOR].judged is None
