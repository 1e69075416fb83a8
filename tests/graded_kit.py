"""Graded examples made by rule: who is good at what is known, so what a router should learn is known."""

from __future__ import annotations

import random
from functools import lru_cache

from yuzui.evaluation.fit import Plan, fit
from yuzui.evaluation.graded import Graded, GradedAnswer
from yuzui.routing.artefact import Artefact, Fitted, Priced, read_artefact, write_artefact

REFERENCE = Priced(name="big", input_usd=10, output_usd=30)
CANDIDATE = Priced(name="small", input_usd=0.1, output_usd=0.2)
CHECK = Priced(name="tiny", input_usd=0.05, output_usd=0.05)
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
