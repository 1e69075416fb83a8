"""Graded here, in this process: scorers are called, code goes to the sandbox off the event loop."""

from __future__ import annotations

import asyncio
import threading

from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Told
from yuzui.evaluation.scorers.catalogue import read_scorer
from yuzui.io.evaluation_grading import GradingHere


class Sandbox:
    def run(self, source: str) -> Told:
        return Told(ok=threading.current_thread() is not threading.main_thread(), text=source)


def test_a_scorer_is_called_and_code_is_run_beside_the_event_loop() -> None:
    example, answer = Example(prompt="q", references=["right"]), Answer(model="m", text="right")
    scorer = read_scorer("exact", lambda module, name: len)
    assert asyncio.run(GradingHere(None).grade(scorer, example, answer, ())).score == 1
    assert asyncio.run(GradingHere(Sandbox()).execute("x = 1")) == Told(ok=True, text="x = 1")
