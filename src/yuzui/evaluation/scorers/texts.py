"""Scores that compare texts with right answers: the same, the same once normalised, or alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yuzui.evaluation.examples import Example
from yuzui.evaluation.normal_text import normalised
from yuzui.evaluation.scorers._contract import Answer, Grade, Need, Told
from yuzui.evaluation.similarity import chrf, rouge_l, token_f1


def exact(answer: str, reference: str) -> float:
    """The same characters, but for white space at both ends."""
    return float(answer.strip() == reference.strip())


def normal(answer: str, reference: str) -> float:
    """The same words: case, punctuation, articles and white space do not count."""
    return float(normalised(answer) == normalised(reference))


def contains(answer: str, reference: str) -> float:
    """The right answer stands in it as whole words, both normalised."""
    wanted = normalised(reference)
    return float(bool(wanted) and f" {wanted} " in f" {normalised(answer)} ")


COMPARISONS: Final[Mapping[str, Callable[[str, str], float]]] = {
    "exact": exact,
    "normalised": normal,
    "contains": contains,
    "token_f1": token_f1,
    "rouge_l": rouge_l,
    "chrf": chrf,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScorer:
    name: str
    compare: Callable[[str, str], float]

    def problem(self, example: Example) -> str:
        if not example.references:
            return "it has no reference"
        strange = [one for one in example.references if not isinstance(one, str | int | float) or isinstance(one, bool)]
        return "a reference is neither a text nor a number" if strange else ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        return Grade(score=max([self.compare(answer.text, str(one)) for one in example.references]))
