"""All that a run found out, as values: per example and model how the call ended, and what each scorer gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from yuzui.evaluation.calls import Result, Settings
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Grade

Premises = Literal["own", "vendor", "mixed", ""]
ALL = ""
"""The slice of all examples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    settings: Settings
    examples: Sequence[Example]
    results: Mapping[tuple[int, str], Result]
    """(place of the example, model) → how it ended; what was not asked yet is not there."""
    grades: Mapping[tuple[int, str, str], Grade]
    """(place, model, scorer) → the grade."""
    listed: Mapping[str, Mapping[str, Any]]  # Any: JSON values
    """Model → what the gateway said of it under `yuzui`."""

    def premises(self, model: str) -> Premises:
        """Where it runs: `own` is open against `vendor`, closed; `mixed` for a virtual model with both."""
        found = self.listed.get(model, {}).get("premises", "")
        return found if found in ("own", "vendor", "mixed") else ""

    def score(self, place: int, model: str, scorer: str) -> float | None:
        grade = self.grades.get((place, model, scorer))
        return None if grade is None else grade.score

    def places(self, slice_name: str = ALL) -> list[int]:
        every = range(len(self.examples))
        return [place for place in every if slice_name == ALL or slice_name in self.examples[place].slices]

    def slices(self) -> list[str]:
        """Every slice, in the order of the file."""
        return list(dict.fromkeys([name for example in self.examples for name in example.slices]))

    def results_of(self, model: str, places: Sequence[int]) -> Iterator[Result]:
        for place in places:
            result = self.results.get((place, model))
            if result is not None:
                yield result

    def scores(self, model: str, scorer: str, places: Sequence[int]) -> list[float]:
        found = [self.score(place, model, scorer) for place in places]
        return [score for score in found if score is not None]

    def differences(self, left: str, right: str, scorer: str, places: Sequence[int]) -> list[float]:
        """`left` minus `right` on every example that has a score of both."""
        pairs = [(self.score(place, left, scorer), self.score(place, right, scorer)) for place in places]
        return [mine - theirs for mine, theirs in pairs if mine is not None and theirs is not None]
