"""Grades by a judge. What has an order is asked twice, the second time turned round: disagreeing makes a tie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yuzui.evaluation.examples import Example
from yuzui.evaluation.judge_words import (
    MOST_TOKENS,
    POINTWISE_TOKENS,
    Verdict,
    pair_question,
    pointwise_question,
    read_pair,
    read_pointwise,
    read_rubric,
    rubric_question,
)
from yuzui.evaluation.scorers._contract import Answer, Ask, Grade, Need, Told, unknown

MOST_STATEMENTS: Final = 40
_POINTS: Final = {"answer": 1.0, "tie": 0.5, "reference": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class PairwiseScorer:
    """1: better than the reference model's answer; 0.5: a tie; 0: worse."""

    name: str

    def problem(self, example: Example) -> str:
        return ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        if reference is None or reference.text == answer.text:
            return ()
        question, rights = example.last_question, [str(one) for one in example.references]
        orders = ((answer.text, reference.text), (reference.text, answer.text))
        return tuple(
            Ask(messages=pair_question(question, first, second, rights), max_tokens=MOST_TOKENS)
            for first, second in orders
        )

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        if not told:
            return Grade(score=0.5, detail={"verdict": "tie", "why": "the same text"})
        said = [read_pair(one.text) if one.ok else None for one in told]
        for one, heard in zip(told, said, strict=True):
            if heard is None:
                return unknown(one.why or "no verdict")
        verdicts = [_whose(said[0], is_swapped=False), _whose(said[1], is_swapped=True)]
        verdict = verdicts[0] if verdicts[0] == verdicts[1] else "tie"
        return Grade(score=_POINTS[verdict], detail={"verdict": verdict, "orders": verdicts})


def _whose(said: Verdict | None, *, is_swapped: bool) -> str:
    if said == "tie" or said is None:
        return "tie"
    return "answer" if (said == "first") != is_swapped else "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class RubricScorer:
    """The share of the example's statements that hold; the second time they are asked in the opposite order."""

    name: str

    def problem(self, example: Example) -> str:
        if not example.rubric:
            return "it has no `rubric`"
        return f"its rubric has more than {MOST_STATEMENTS} statements" if len(example.rubric) > MOST_STATEMENTS else ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        question, rights = example.last_question, [str(one) for one in example.references]
        return tuple(
            Ask(messages=rubric_question(question, answer.text, statements, rights), max_tokens=MOST_TOKENS)
            for statements in (example.rubric, example.rubric[::-1])
        )

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        count = len(example.rubric)
        said = [read_rubric(one.text, count) if one.ok else None for one in told]
        for one, found in zip(told, said, strict=True):
            if found is None:
                return unknown(one.why or "no verdict")
        there, back = said[0] or [], (said[1] or [])[::-1]
        points = [(left + right) / 2 for left, right in zip(there, back, strict=True)]
        return Grade(score=sum(points) / count, detail={"statements": points})


@dataclass(frozen=True, slots=True, kw_only=True)
class PointwiseScorer:
    """How likely the judge holds the answer to be right, without being shown a right one: what a served cascade can
    ask as well."""

    name: str

    def problem(self, example: Example) -> str:
        return ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        messages = pointwise_question(example.asked, example.tools, answer.said)
        return (Ask(messages=messages, max_tokens=POINTWISE_TOKENS),)

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        (one,) = told
        score = read_pointwise(one.text) if one.ok else None
        return unknown(one.why or "no verdict") if score is None else Grade(score=score)
