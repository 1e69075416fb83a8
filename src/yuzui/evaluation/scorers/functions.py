"""A Python function of the user's own as a scorer: `module:function`, called with the example and the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from yuzui.core.errors import ConfigError
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade, Need, Told

Function = Callable[..., Any]  # Any: the user's own


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionScorer:
    """It gets `example` as a dict and the answer's text, and returns 0 to 1, a bool, or None."""

    name: str
    function: Function

    def problem(self, example: Example) -> str:
        return ""

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return ()

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        """Raise `ConfigError` when the function breaks, or returns something else: a bug there is no bad answer."""
        try:
            found = self.function(msgspec.to_builtins(example), answer.text)
        except Exception as error:  # the edge: what a user's function raises is unknown
            raise ConfigError(f"{self.name} raised {type(error).__name__}: {error}") from error
        if found is None:
            return Grade(score=None, detail={"why": "the function said so"})
        if not isinstance(found, int | float) or not 0 <= found <= 1:
            raise ConfigError(f"{self.name} returned {found!r}; return a number from 0 to 1, True, False or None")
        return Grade(score=float(found))
