"""Graded examples made by rule: who is good at what is known, so what a router should learn is known."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence
from functools import lru_cache

from msgspec.structs import replace

from yuzui.core.guarantee import TestsRun
from yuzui.evaluation.fit import Plan, fit
from yuzui.evaluation.graded import Graded, GradedAnswer, Judgement
from yuzui.evaluation.judge_words import POINTWISE
from yuzui.routing.artefact import Artefact, Fitted, Priced, read_artefact, write_artefact

REFERENCE = Priced(name="big", input_usd=10, output_usd=30)
CANDIDATE = Priced(name="small", input_usd=0.1, output_usd=0.2)
CHECK = Priced(name="tiny", input_usd=0.05, output_usd=0.05)
JUDGE = Priced(name="umpire", input_usd=1, output_usd=1)
PLAN = Plan(
    reference=REFERENCE, candidates=(CANDIDATE,), checks=(CHECK,), bits=12, dimensions=16, made_at="2026-11-26",
    made_with={"yuzui": "0"}, data_name="made by rule",
)  # fmt: skip  # one thing

EASY = ("the capital of", "the colour of", "the name of", "the author of", "the currency of")
HARD = ("the integral of", "the residue of", "the eigenvalues of", "the determinant of", "the limit of")
FITTED = (1, 31)
"""Seeds of examples that are fitted on: their prompts have even numbers, all others odd ones, so no prompt is in both."""
THINGS = (
    "France",
    "a fox",
    "the sea",
    "this book",
    "Japan",
    "a matrix",
    "the function",
    "the series",
    "a tree",
    "rain",
)


def examples(count: int, seed: int, *, split: str = "") -> list[Graded]:
    """Half easy, half hard. The small model is right on 95 % of the easy ones and 30 % of the hard ones, the big one on
    95 % of all. A wrong answer of the small model differs from the check's, which is always the right one; so does one
    in ten of the right ones."""
    drawn = random.Random(seed)
    made = []
    for place in range(count):
        is_hard = drawn.random() < 0.5
        asked = drawn.choice(HARD if is_hard else EASY)
        number = 2 * drawn.randrange(500) + (seed not in FITTED)
        prompt = f"What is {asked} {drawn.choice(THINGS)} and {drawn.choice(THINGS)} number {number}?"
        is_right = drawn.random() < (0.30 if is_hard else 0.95)
        truth = drawn.randrange(100, 200)
        said = truth if is_right else truth + drawn.randrange(1, 50)
        checked = truth if drawn.random() < 0.9 else truth + 77
        made.append(
            Graded(
                id=f"{seed}-{place}", prompt=prompt, group="hard" if is_hard else "easy", split=split,
                answers={
                    "big": GradedAnswer(score=float(drawn.random() < 0.95), output_tokens=50, input_tokens=20),
                    "small": GradedAnswer(score=float(is_right), text=f"It is so. #### {said}"),
                    "tiny": GradedAnswer(score=0.0, text=f"The answer is {checked}"),
                },
            )
        )  # fmt: skip  # one thing
    return made


@lru_cache(maxsize=1)
def fitted() -> Fitted:
    return fit(examples(400, 1), PLAN)


def artefact() -> Artefact:
    return read_artefact(write_artefact(fitted()))


def judged(some: Sequence[Graded], seed: int, *, judge: str = "umpire") -> list[Graded]:
    """`some`, with a judge's word on the answers of small: it is right about nine in ten of them."""
    drawn = random.Random(seed)
    made = []
    for one in some:
        answer = one.answers["small"]
        is_right = (answer.score > 0.5) == (drawn.random() < 0.9)
        word = Judgement(
            score=0.9 if is_right else 0.1, by=judge, question=POINTWISE, input_tokens=100, output_tokens=10
        )
        made.append(replace(one, answers={**one.answers, "small": replace(answer, judged=word)}))
    return made


def coding(count: int, seed: int) -> list[Graded]:
    """Half of the prompts bring a test of the function that they ask for; small is right on three of five, and its
    mistakes are such that the test finds them."""
    drawn = random.Random(seed)
    made = []
    for place in range(count):
        is_right, has_test = drawn.random() < 0.6, drawn.random() < 0.5
        more = 2 * drawn.randrange(5000) + (seed not in FITTED)
        prompt = f"Write a Python function add(x) that returns x plus {more}."
        prompt += f"\n>>> add(1)\n{1 + more}\n" if has_test else " Say only code."
        code = f"```python\ndef add(x):\n    return {more} {'+' if is_right else '-'} x\n```"
        made.append(
            Graded(
                id=f"{seed}-{place}", prompt=prompt, group="tested" if has_test else "bare",
                answers={
                    "big": GradedAnswer(score=1.0, output_tokens=50, input_tokens=20),
                    "small": GradedAnswer(score=float(is_right), text=code),
                },
            )
        )  # fmt: skip  # one thing
    return made


def run_here(asked: Sequence[tuple[str, str]]) -> list[TestsRun]:
    """What the sandbox would say of `coding`, whose code is ours, without one."""
    from yuzui.routing.own_tests import program_of

    found = []
    for question, answer in asked:
        program = program_of(question, answer)
        if program is None:
            found.append(TestsRun())
            continue
        try:
            exec(program.source, {})
            found.append(TestsRun(count=program.tests, passed=True))
        except AssertionError:
            found.append(TestsRun(count=program.tests, passed=False))
    return found


@lru_cache(maxsize=1)
def fitted_with_judge() -> Fitted:
    return fit(judged(examples(400, 1), 2), dataclasses.replace(PLAN, checks=(), judge=JUDGE))


@lru_cache(maxsize=1)
def fitted_with_tests() -> Fitted:
    return fit(coding(300, 1), dataclasses.replace(PLAN, checks=(), run_tests=run_here))
