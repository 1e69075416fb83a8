"""Code in an answer, run with the example's tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Execute, Grade, Need, Told, unknown

_FENCE: Final = re.compile(r"```([A-Za-z0-9_+-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_PYTHON: Final = frozenset(("", "python", "py", "python3"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScorer:
    """1 where the tests pass: `setup`, the answer's Python, `tests`, as one program that is run to its end."""

    name: str

    def problem(self, example: Example) -> str:
        return "" if example.tests else "it has no `tests`"

    def needs(self, example: Example, answer: Answer, reference: Answer | None) -> tuple[Need, ...]:
        return (Execute(source=program_of(answer.text, example.tests, example.setup)),)

    def grade(self, example: Example, answer: Answer, told: Sequence[Told]) -> Grade:
        (ran,) = told
        if ran.is_fault:
            return unknown(ran.why)
        return Grade(score=float(ran.ok), detail={} if ran.ok else {"why": ran.why, "output": ran.text[-400:]})


def program_of(text: str, tests: str, setup: str = "") -> str:
    """The answer's fenced Python, or all of it where nothing is fenced, between `setup` and the tests."""
    blocks = [code for language, code in _FENCE.findall(text) if language.lower() in _PYTHON]
    code = "\n\n".join(blocks) if blocks else text
    before = f"{setup}\n\n" if setup else ""
    return f"{before}{code}\n\n{tests}\n"
