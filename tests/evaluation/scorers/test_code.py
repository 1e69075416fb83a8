"""The program that is run is the answer's Python with the tests behind it."""

from __future__ import annotations

import pytest

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Execute, Told
from yuzui.evaluation.scorers.code import CodeScorer, program_of

TESTS = "assert f() == 1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f(): return 1", "def f(): return 1"),
        ("Sure:\n```python\ndef f(): return 1\n```\nDone.", "def f(): return 1\n"),
        ("```py\na = 1\n```\n```bash\nrm x\n```\n```\nb = 2\n```", "a = 1\n\n\nb = 2\n"),
        ("```python\ndef f(): return 1", "def f(): return 1"),
    ],
)
def test_programs(text: str, code: str) -> None:
    assert program_of(text, TESTS) == f"{code}\n\n{TESTS}\n"


def test_what_the_answer_may_refer_to_stands_before_it() -> None:
    example = Example(prompt="q", setup="import math", tests=TESTS)
    answer = Answer(model="m", text="def f(): return math.ceil(0.5)")
    (need,) = CodeScorer(name="code").needs(example, answer, None)
    assert need == Execute(source=f"import math\n\n{answer.text}\n\n{TESTS}\n")


def test_grades() -> None:
    scorer, example = CodeScorer(name="code"), Example(prompt="q", tests=TESTS)
    answer = Answer(model="m", text="def f(): return 1")
    assert scorer.needs(example, answer, None) == (Execute(source=program_of(answer.text, TESTS)),)
    assert scorer.grade(example, answer, [Told(ok=True)]).score == 1
    bad = scorer.grade(example, answer, [Told(ok=False, why="timeout", text="x" * 900)])
    assert bad.score == 0 and bad.detail == {"why": "timeout", "output": "x" * 400}
    assert scorer.grade(example, answer, [Told(ok=False, why="no_sandbox", is_fault=True)]).score is None
    assert scorer.problem(Example(prompt="q")) and not scorer.problem(example)
