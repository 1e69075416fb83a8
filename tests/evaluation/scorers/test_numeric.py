"""Which number of an answer counts, and how near it must be."""

from __future__ import annotations

import pytest

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.numeric import NumericScorer


@pytest.mark.parametrize(
    ("options", "text", "reference", "wanted"),
    [
        ({}, "First 3, so 3 * 4 = 12.", 12, 1.0),
        ({}, "12, because 3 * 4", 12, 0.0),
        ({"take": "first"}, "12, because 3 * 4", 12, 1.0),
        ({"take": "any"}, "3 or 12 or 5", 12, 1.0),
        ({}, "none at all", 12, 0.0),
        ({"tolerance": 0.05}, "about 12.5", 12, 1.0),
        ({"absolute": 100.0}, "1.45 km", "1500 m", 1.0),
        ({}, "1.45 km", "1500 m", 0.0),
        ({"unit": "required"}, "1500", "1500 m", 0.0),
    ],
)
def test_scores(options: dict[str, object], text: str, reference: object, wanted: float) -> None:
    scorer = NumericScorer(name="numeric", **options)  # type: ignore[arg-type]  # a table of options
    example = Example(prompt="q", references=[reference])
    assert scorer.problem(example) == "" and scorer.needs(example, Answer(model="m", text=text), None) == ()
    assert scorer.grade(example, Answer(model="m", text=text), ()).score == wanted


@pytest.mark.parametrize("references", [[], [True], ["none"], [12, "x"]])
def test_what_is_no_number_is_said(references: list[object]) -> None:
    assert NumericScorer(name="numeric").problem(Example(prompt="q", references=references))
