"""What a user writes becomes a scorer, or an error that says what could be written."""

from __future__ import annotations

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.scorers.catalogue import JUDGED, NAMES, RUN, kind_of, read_scorer
from yuzui.evaluation.scorers.functions import Function, FunctionScorer
from yuzui.evaluation.scorers.numeric import NumericScorer
from yuzui.evaluation.scorers.tool_calls import ToolCallScorer


def load(module: str, name: str) -> Function:
    return lambda example, answer: 1.0 if (module, name) == ("my.scores", "good") else 0.0


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_a_scorer_of_that_name(name: str) -> None:
    assert read_scorer(name, load).name == name
    assert set(NAMES) >= JUDGED | RUN


def test_options() -> None:
    assert read_scorer("numeric:tolerance=0.01,take=first", load) == NumericScorer(
        name="numeric:tolerance=0.01,take=first", tolerance=0.01, take="first"
    )
    assert read_scorer("tool_calls:order=any,partial=true", load) == ToolCallScorer(
        name="tool_calls:order=any,partial=true", order="any", partial=True
    )
    assert isinstance(read_scorer("my.scores:good", load), FunctionScorer)
    assert kind_of("numeric:tolerance=1") == "numeric"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("exakt", "there is exact"), ("exact:x=1", "takes no options"), ("numeric:tolerant=1", "takes tolerance=…"),
        ("numeric:tolerance", "takes tolerance=…"), ("numeric:take=middle", "last, first, any"),
        ("numeric:tolerance=x", "Expected `float`"), ("numeric:tolerance=-1", "must not be negative"),
        ("tool_calls:partial=maybe", "Expected `bool`"), ("code:x=1", "no options"), ("a b:c", "there is exact"),
        ("numeric:tolerance=nan", "must not be negative"),
    ],
)  # fmt: skip
def test_anything_else_is_said(written: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_scorer(written, load)
    assert said in caught.value.message
