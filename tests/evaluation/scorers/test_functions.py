"""A user's own function is called with the example and the answer; a bug in it is no bad answer."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.functions import FunctionScorer

EXAMPLE, ANSWER = Example(prompt="q", references=["x"]), Answer(model="m", text="xyz")


def scorer(function: Any) -> FunctionScorer:
    return FunctionScorer(name="mine:f", function=function)


@pytest.mark.parametrize(("returned", "score"), [(0.25, 0.25), (True, 1.0), (0, 0.0), (None, None)])
def test_what_it_returns_is_the_score(returned: Any, score: float | None) -> None:
    seen = []

    def function(example: dict[str, Any], answer: str) -> Any:
        seen.append((example, answer))
        return returned

    one = scorer(function)
    assert one.problem(EXAMPLE) == "" and one.needs(EXAMPLE, ANSWER, None) == ()
    assert one.grade(EXAMPLE, ANSWER, ()).score == score
    assert seen == [({"prompt": "q", "references": ["x"]}, "xyz")]


@pytest.mark.parametrize("returned", [1.5, -1, "1", [1], float("nan")])
def test_anything_else_is_said(returned: Any) -> None:
    with pytest.raises(ConfigError, match="mine:f returned"):
        scorer(lambda example, answer: returned).grade(EXAMPLE, ANSWER, ())


def test_a_bug_stops_the_run() -> None:
    with pytest.raises(ConfigError, match="mine:f raised ZeroDivisionError"):
        scorer(lambda example, answer: 1 / 0).grade(EXAMPLE, ANSWER, ())
