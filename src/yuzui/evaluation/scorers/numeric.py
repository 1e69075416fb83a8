"""A number in an answer against the right one, with units and a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from yuzui.evaluation.examples import Example
from yuzui.evaluation.quantities import Quantity, is_same, quantities
from yuzui.evaluation.scorers._contract import Answer, Grade, Need, Told


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericScorer:
    name: str
    tolerance: float = 0.0
    """Relative: 0.01 is one percent of the right value."""
    absolute: float = 0.0
    """In the base unit of the right value's dimension (metre, kilogram, second, …), or without a unit as written."""
    take: Literal["last", "first", "any"] = "last"
    """Which number of the answer counts."""
    unit: Literal["optional", "required"] = "optional"

    def problem(self, example: Example) -> str:
        if not example.references:
            return "it has no reference"
        if any(isinstance(one, bool) or not isinstance(one, str | int | float) for one in example.references):
            return "a reference is no number"
        return "" if all(any(quantities(str(one))) for one in example.references) else "a reference holds no number"

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        found = list(quantities(answer.text))
        if not found:
            return Grade(score=0.0, detail={"why": "no number"})
        if self.take != "any":
            found = [found[-1 if self.take == "last" else 0]]
        rights = [next(quantities(str(one))) for one in example.references]
        is_right = any(self._fits(one, right) for one in found for right in rights)
        return Grade(score=float(is_right), detail={"found": found[-1].written, "unit": found[-1].unit})

    def _fits(self, answer: Quantity, reference: Quantity) -> bool:
        return is_same(
            answer,
            reference,
            relative=self.tolerance,
            absolute=self.absolute,
            needs_unit=self.unit == "required",
        )
