"""Where answers of an evaluation are graded: code in them is run, and scorers are called; here, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade, Scorer, Told


class Runs(Protocol):
    def run(self, source: str) -> Told:
        """Blocks."""
        ...


class Grading(Protocol):
    async def execute(self, source: str) -> Told:
        """The end of a program, where it can do no harm."""
        ...

    async def grade(self, scorer: Scorer, example: Example, answer: Answer, told: Sequence[Told]) -> Grade: ...


class GradingHere:
    """`sandbox` None: no scorer runs code."""

    def __init__(self, sandbox: Runs | None) -> None:
        self._sandbox = sandbox

    async def execute(self, source: str) -> Told:
        assert self._sandbox is not None  # the command made one where a scorer runs code
        return await asyncio.to_thread(self._sandbox.run, source)

    async def grade(self, scorer: Scorer, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        return scorer.grade(example, answer, told)
