"""Tool calls: names and arguments, in order or in any, whole or by field."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.tool_calls import ToolCallScorer, calls_of


def made(*calls: tuple[str, str]) -> Answer:
    return Answer(model="m", text="", tool_calls=tuple([{"name": n, "arguments": a} for n, a in calls]))


def score(
    answer: Answer, reference: Any, order: Literal["same", "any"] = "same", partial: bool = False
) -> float | None:
    scorer = ToolCallScorer(name="tool_calls", order=order, partial=partial)
    example = Example(prompt="q", references=[reference])
    assert scorer.problem(example) == "" and scorer.needs(example, answer, None) == ()
    return scorer.grade(example, answer, ()).score


A: dict[str, Any] = {"name": "weather", "arguments": {"city": "Ulm", "days": 2}}
B: dict[str, Any] = {"name": "time", "arguments": {}}
MADE_A, MADE_B = ("weather", '{"days": 2.0, "city": "Ulm"}'), ("time", "{}")


@pytest.mark.parametrize(
    ("answer", "reference", "order", "partial", "wanted"),
    [
        (made(MADE_A), A, "same", False, 1.0),
        (made(MADE_A), [A], "same", False, 1.0),
        (made(MADE_A, MADE_B), [A, B], "same", False, 1.0),
        (made(MADE_B, MADE_A), [A, B], "same", False, 0.0),
        (made(MADE_B, MADE_A), [A, B], "any", False, 1.0),
        (made(MADE_A), [A, B], "any", True, 0.5),
        (made(MADE_A, MADE_A), A, "any", True, 0.5),
        (made(("weather", '{"city": "Ulm", "days": 3}')), A, "same", True, 0.5),
        (made(("weather", '{"city": "Ulm", "days": 3}')), A, "same", False, 0.0),
        (made(("weather", "not json")), A, "same", True, 0.0),
        (made(("other", '{"city": "Ulm", "days": 2}')), A, "same", True, 0.0),
        (made(), [], "same", False, 1.0),
        (made(MADE_B), [], "same", False, 0.0),
        (made(), A, "same", True, 0.0),
    ],
)
def test_scores(answer: Answer, reference: Any, order: Literal["same", "any"], partial: bool, wanted: float) -> None:
    assert score(answer, reference, order, partial) == pytest.approx(wanted)


def test_openai_shape_and_text_of_it_are_read() -> None:
    nested = {
        "id": "c1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Ulm", "days": 2}'},
    }
    assert calls_of(nested) == [A] == calls_of('[{"name": "weather", "arguments": {"city": "Ulm", "days": 2}}]')
    strange: list[Any] = ["x", 3, [1], {"arguments": {}}, {"function": 1}]
    for wrong in strange:
        with pytest.raises(ValueError, match="tool call"):
            calls_of(wrong)
    assert "tool call" in ToolCallScorer(name="t").problem(Example(prompt="q", references=["x"]))
    assert ToolCallScorer(name="t").problem(Example(prompt="q"))


@given(st.permutations(range(6)))
def test_in_any_order_every_order_is_right(order: list[int]) -> None:
    wanted = [{"name": "f", "arguments": {"n": number}} for number in range(6)]
    answer = made(*[("f", f'{{"n": {number}}}') for number in order])
    assert score(answer, wanted, "any") == 1
    assert score(answer, wanted, "same") == float(order == sorted(order))


def test_the_best_assignment_is_found_where_a_greedy_one_is_not() -> None:
    wanted = [{"name": "f", "arguments": {"a": 1, "b": 1}}, {"name": "f", "arguments": {"a": 1, "b": 2}}]
    answer = made(("f", '{"a": 1, "b": 2}'), ("f", '{"a": 1, "b": 1}'))
    assert score(answer, wanted, "any", partial=True) == 1


PERMITTED: dict[str, Any] = {"name": "weather", "permitted": {"city": ["Ulm", "Ulm, Germany"], "days": [2, ""]}}


@pytest.mark.parametrize(
    ("answer", "reference", "partial", "wanted"),
    [
        (made(("weather", '{"city": "ulm germany"}')), PERMITTED, False, 1.0),
        (made(("weather", '{"city": "ulm", "days": 3}')), PERMITTED, False, 0.0),
        (made(("weather", '{"city": "ulm", "days": 3}')), PERMITTED, True, 0.5),
        (made(("weather", '{"city": "ulm", "hours": 3}')), PERMITTED, True, 0.0),
        (made(("climate", '{"city": "ulm"}')), PERMITTED, True, 0.0),
        (made(MADE_B, ("weather", '{"city": "ulm"}')), [PERMITTED, B], False, 1.0),
        (made(("now", "{}")), {"name": "now", "permitted": {}}, False, 1.0),
    ],
)
def test_each_argument_has_permitted_values(answer: Answer, reference: Any, partial: bool, wanted: float) -> None:
    assert score(answer, reference, "any", partial) == pytest.approx(wanted)


@pytest.mark.parametrize(
    "reference", [{"name": "f", "permitted": {"a": 1}}, {"name": "f", "permitted": []}, {"permitted": {}}]
)
def test_permitted_values_are_lists(reference: Any) -> None:
    with pytest.raises(ValueError, match="permitted"):
        calls_of(reference)


@pytest.mark.parametrize(
    ("text", "reference", "wanted"),
    [
        ('{"name": "weather", "arguments": {"city": "Ulm", "days": 2}}', A, 1.0),
        ('Sure:\n```json\n[{"name": "weather", "arguments": {"city": "Ulm", "days": 2}}]\n```', A, 1.0),
        ('{"name": "weather", "arguments": {"city": "Bonn", "days": 2}}', A, 0.0),
        ("It is sunny.", A, 0.0),
        ("It is sunny.", [], 1.0),
        ("[]", [], 1.0),
        ('{"name": "weather", "arguments": {}}', [], 0.0),
        ("[1]", A, 0.0),
        ('{"function": 1}', A, 0.0),
    ],
)
def test_calls_written_as_text(text: str, reference: Any, wanted: float) -> None:
    scorer = ToolCallScorer(name="tool_calls:where=text", where="text")
    answer = Answer(model="m", text=text, tool_calls=({"name": "weather", "arguments": "{}"},))
    assert scorer.grade(Example(prompt="q", references=[reference]), answer, ()).score == wanted
