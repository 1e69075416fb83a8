"""One worker, without Ray: it asks a real gateway, grades by the scorer's name, and says what it cannot do as a value."""

from __future__ import annotations

import asyncio
import pickle
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from gateway_kit import gateway
from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade
from yuzui.evaluation.scorers.catalogue import read_scorer
from yuzui.io.evaluation_worker import EvaluationWorker, Refused, Task

CONFIG = """
[[targets]]
name = "own/a"
provider = "scripted"
model = "scripted-echo"
premises = "own"
price = "free"
"""
EXAMPLE = Example(prompt="q", references=["right"])
T = TypeVar("T")


def broken(example: object, answer: str) -> float:
    raise OSError("no disk")


def load(module: str, name: str) -> Callable[..., float]:
    return broken


def worked(work: Callable[[EvaluationWorker], Awaitable[T]], *scorers: str, runs_code: bool = False) -> T:
    async def main() -> T:
        async with gateway(CONFIG) as running:
            task = Task(
                url=running.base_url, key="", scorers=tuple(read_scorer(one, load) for one in scorers), runs_code=runs_code
            )  # fmt: skip
            return await work(EvaluationWorker(task))

    return asyncio.run(main())


def call(model: str) -> Call:
    body = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    return Call(key="k", purpose="answer", model=model, body=body)


def test_it_asks_and_what_no_call_would_survive_comes_back_as_a_value() -> None:
    async def work(worker: EvaluationWorker) -> tuple[Result | Refused, Result | Refused]:
        return await worker.ask(call("own/a")), await worker.ask(call("nobody"))

    answered, refused = worked(work)
    assert isinstance(answered, Result) and answered.text.endswith("Hello") and answered.currency == "USD"
    assert isinstance(refused, Refused) and refused.why.startswith("nobody: ")


def test_many_first_calls_at_once_share_one_line() -> None:
    async def work(worker: EvaluationWorker) -> int:
        found = await asyncio.gather(*[worker.ask(call("own/a")) for _ in range(8)])
        return len([one for one in found if isinstance(one, Result) and one.outcome == "answered"])

    assert worked(work) == 8


def test_it_grades_by_name_and_a_broken_function_is_said() -> None:
    async def work(worker: EvaluationWorker) -> tuple[Grade | Refused, Grade | Refused]:
        answer = Answer(model="m", text="right")
        return await worker.grade("exact", EXAMPLE, answer, ()), await worker.grade("mine:f", EXAMPLE, answer, ())

    good, refused = worked(work, "exact", "mine:f")
    assert good == Grade(score=1.0)
    assert refused == Refused(why="mine:f raised OSError: no disk")


def test_it_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def problem(worker: EvaluationWorker) -> str:
        return await worker.problem()

    assert worked(problem) == ""
    alone = EvaluationWorker(Task(url="http://127.0.0.1:9", key="", scorers=()))
    assert "no gateway answers at http://127.0.0.1:9" in asyncio.run(alone.problem())
    monkeypatch.setattr("yuzui.io.sandbox.Sandbox.check", refuse)
    assert worked(problem, runs_code=True) == "no walls here"


def refuse(sandbox: object) -> None:
    raise ConfigError("no walls here")


@pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux")
def test_it_runs_code() -> None:
    worker = EvaluationWorker(Task(url="http://127.0.0.1:9", key="", scorers=(), is_unsafe=True))
    assert asyncio.run(worker.execute("assert 1 + 1 == 2")).ok
    assert not asyncio.run(worker.execute("assert 1 + 1 == 3")).ok


def test_what_it_is_made_with_and_what_it_says_can_travel() -> None:
    task = Task(url="http://127.0.0.1:9", key="k", scorers=(read_scorer("numeric:tolerance=0.01", load),))
    for value in (task, Refused(why="x"), call("own/a"), EXAMPLE, Grade(score=0.5, detail={"a": [1]})):
        assert pickle.loads(pickle.dumps(value)) == value
