"""Judges are asked in both orders; where they disagree with themselves it is a tie, and no verdict is no score."""

from __future__ import annotations

import pytest

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Ask, Told
from yuzui.evaluation.scorers.judges import PairwiseScorer, PointwiseScorer, RubricScorer

EXAMPLE = Example(prompt="Why?", references=["Because."], rubric=["It is short.", "It is kind."])
MINE, THEIRS = Answer(model="a", text="mine"), Answer(model="b", text="theirs")


def told(*texts: str) -> list[Told]:
    return [Told(ok=True, text=text) for text in texts]


def better(which: str) -> str:
    return f'I think. {{"better": "{which}"}}'


@pytest.mark.parametrize(
    ("first", "second", "score", "verdict"),
    [
        ("first", "second", 1.0, "answer"),
        ("second", "first", 0.0, "reference"),
        ("first", "first", 0.5, "tie"),  # whoever is shown first
        ("second", "second", 0.5, "tie"),
        ("tie", "tie", 0.5, "tie"),
        ("first", "tie", 0.5, "tie"),
    ],
)
def test_pairs(first: str, second: str, score: float, verdict: str) -> None:
    grade = PairwiseScorer(name="pairwise").grade(EXAMPLE, MINE, told(better(first), better(second)))
    assert (grade.score, grade.detail["verdict"]) == (score, verdict)


def test_the_second_question_is_the_first_turned_round() -> None:
    one, other = PairwiseScorer(name="pairwise").needs(EXAMPLE, MINE, THEIRS)
    assert isinstance(one, Ask) and isinstance(other, Ask)
    shown, turned = one.messages[1]["content"], other.messages[1]["content"]
    assert shown.index("mine") < shown.index("theirs") and turned.index("theirs") < turned.index("mine")


def test_the_same_text_is_a_tie_that_nobody_is_asked_about() -> None:
    scorer = PairwiseScorer(name="pairwise")
    assert scorer.needs(EXAMPLE, MINE, Answer(model="b", text="mine")) == ()
    assert scorer.grade(EXAMPLE, MINE, ()).score == 0.5
    assert scorer.needs(EXAMPLE, MINE, None) == () and scorer.problem(EXAMPLE) == ""


@pytest.mark.parametrize("said", [Told(ok=True, text="hm"), Told(ok=False, why="judge no_permitted_target")])
def test_no_verdict_is_no_score(said: Told) -> None:
    for order in ([said, *told(better("first"))], [*told(better("first")), said]):
        grade = PairwiseScorer(name="pairwise").grade(EXAMPLE, MINE, order)
        assert grade.score is None and grade.detail["why"] == (said.why or "no verdict")
    assert RubricScorer(name="rubric").grade(EXAMPLE, MINE, [said, said]).score is None


def test_statements_are_turned_round_as_well() -> None:
    scorer = RubricScorer(name="rubric")
    one, other = scorer.needs(EXAMPLE, MINE, None)
    assert isinstance(one, Ask) and isinstance(other, Ask)
    assert "1. It is short.\n2. It is kind." in one.messages[1]["content"]
    assert "1. It is kind.\n2. It is short." in other.messages[1]["content"]
    agreed = scorer.grade(EXAMPLE, MINE, told('{"1": true, "2": false}', '{"1": false, "2": true}'))
    assert agreed.score == 0.5 and agreed.detail["statements"] == [1, 0]
    torn = scorer.grade(EXAMPLE, MINE, told('{"1": true, "2": false}', '{"1": true, "2": false}'))
    assert torn.score == 0.5 and torn.detail["statements"] == [0.5, 0.5]
    assert scorer.problem(Example(prompt="q")) and scorer.problem(Example(prompt="q", rubric=["x"] * 41))
    assert scorer.problem(EXAMPLE) == ""


def test_one_answer_by_itself_is_shown_without_a_right_one_and_with_its_calls() -> None:
    scorer = PointwiseScorer(name="pointwise")
    tools = [{"type": "function", "function": {"name": "weather"}}]
    example = Example(
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        tools=tools, references=["Because."],
    )  # fmt: skip
    calling = Answer(model="a", text="mine", tool_calls=({"name": "weather", "arguments": '{"city": "Rome"}'},))
    (one,) = scorer.needs(example, calling, THEIRS)
    assert isinstance(one, Ask)
    shown = one.messages[1]["content"]
    for text in ("Be brief.", "Why?", '"name":"weather"', 'mine\nweather({"city":"Rome"})'):
        assert text in shown
    assert "Because." not in shown and "theirs" not in shown
    assert scorer.problem(example) == ""


@pytest.mark.parametrize(
    ("said", "score"),
    [('Well. {"right": 80}', 0.8), ('{"right": 0}', 0.0), ('{"right": 99.5}', 0.995), ("80", 0.8), ("It is.", None)],
)
def test_how_likely_a_judge_holds_it_to_be_right(said: str, score: float | None) -> None:
    grade = PointwiseScorer(name="pointwise").grade(EXAMPLE, MINE, told(said))
    assert grade.score == score and (score is not None or grade.detail["why"] == "no verdict")


def test_a_judge_that_may_not_see_it_says_nothing() -> None:
    refused = [Told(ok=False, why="judge no_permitted_target")]
    assert PointwiseScorer(name="pointwise").grade(EXAMPLE, MINE, refused).detail["why"] == "judge no_permitted_target"
