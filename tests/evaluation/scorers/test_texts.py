"""Text scorers take the reference that fits best."""

from __future__ import annotations

import pytest

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.texts import COMPARISONS, TextScorer


def score(kind: str, text: str, *references: object) -> float | None:
    scorer = TextScorer(name=kind, compare=COMPARISONS[kind])
    example = Example(prompt="q", references=list(references))
    assert scorer.problem(example) == "" and scorer.needs(example, Answer(model="m", text=text), None) == ()
    return scorer.grade(example, Answer(model="m", text=text), ()).score


@pytest.mark.parametrize(
    ("kind", "text", "references", "wanted"),
    [
        ("exact", " Paris\n", ["Paris"], 1.0), ("exact", "paris", ["Paris"], 0.0), ("exact", "b", ["a", "b"], 1.0),
        ("exact", "42", [42], 1.0),
        ("normalised", "The PARIS!", ["paris"], 1.0), ("normalised", "Paris, France", ["paris"], 0.0),
        ("contains", "It is Paris, of course", ["paris"], 1.0), ("contains", "comparison", ["paris"], 0.0),
        ("contains", "anything", ["."], 0.0),
        ("token_f1", "a b c", ["b c d"], 0.8), ("rouge_l", "x", ["x"], 1.0), ("chrf", "abc", ["xyz", "abc"], 1.0),
    ],
)  # fmt: skip
def test_scores(kind: str, text: str, references: list[object], wanted: float) -> None:
    assert score(kind, text, *references) == pytest.approx(wanted)


@pytest.mark.parametrize("references", [[], [{"a": 1}], [True]])
def test_what_cannot_be_compared_is_said(references: list[object]) -> None:
    assert TextScorer(name="exact", compare=COMPARISONS["exact"]).problem(Example(prompt="q", references=references))
