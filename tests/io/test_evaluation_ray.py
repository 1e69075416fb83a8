"""Workers share the work, a lost one is said to be lost, and Ray is neither imported nor open to others unasked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade, Told
from yuzui.evaluation.scorers.catalogue import read_scorer
from yuzui.io.evaluation_line import Lost, Stopped
from yuzui.io.evaluation_ray import MOST_TRIES, RayWorkers, ray_workers
from yuzui.io.evaluation_worker import Refused, Task

CALL = Call(key="k", purpose="answer", model="m", body={"model": "m", "messages": []})
EXACT = read_scorer("exact", lambda module, name: len)
EXAMPLE, ANSWER = Example(prompt="q", references=["a"]), Answer(model="m", text="a")


class Gone(Exception):
    """As Ray's, when a worker ended."""


class Method:
    def __init__(self, handle: Handle, name: str) -> None:
        self._handle, self._name = handle, name

    def remote(self, *given: object) -> Any:  # Any: awaited by the caller
        return self._handle.told(self._name)


class Handle:
    """Stands for the handle of an actor: hands out what `says` has, an error raised."""

    def __init__(self, *says: object) -> None:
        self._says = list(says)
        self.asked: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Method:
        return Method(self, name)

    async def told(self, name: str) -> object:
        self.asked[name] += 1
        found = self._says[0] if len(self._says) == 1 else self._says.pop(0)
        await asyncio.sleep(0)
        if isinstance(found, Exception):
            raise found
        return found


class Silent(Handle):
    @override
    async def told(self, name: str) -> object:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


def test_the_one_with_least_to_do_is_asked() -> None:
    answered = Result(outcome="answered", text="x")
    handles = [Handle(answered) for _ in range(3)]
    workers = RayWorkers(handles, Gone)

    async def work() -> None:
        await asyncio.gather(*[workers.ask(CALL) for _ in range(9)])

    asyncio.run(work())
    assert [handle.asked["ask"] for handle in handles] == [3, 3, 3]


def test_what_a_worker_refuses_is_raised_here() -> None:
    with pytest.raises(Stopped, match="the key's budget is spent"):
        asyncio.run(RayWorkers([Handle(Refused(why="the key's budget is spent"))], Gone).ask(CALL))
    with pytest.raises(ConfigError, match="f raised"):
        asyncio.run(RayWorkers([Handle(Refused(why="f raised"))], Gone).grade(EXACT, EXAMPLE, ANSWER, ()))


def test_a_lost_call_is_not_repeated_here_but_code_and_grades_are() -> None:
    handle = Handle(Gone(), Result(outcome="answered"))
    with pytest.raises(Lost):
        asyncio.run(RayWorkers([handle], Gone).ask(CALL))
    assert handle.asked["ask"] == 1  # it may be paid: who holds the purse decides
    assert asyncio.run(RayWorkers([Handle(Gone(), Told(ok=True))], Gone).execute("")).ok
    assert asyncio.run(RayWorkers([Handle(Gone(), Grade(score=1))], Gone).grade(EXACT, EXAMPLE, ANSWER, ())).score == 1
    lost = Handle(Gone())
    with pytest.raises(Lost):
        asyncio.run(RayWorkers([lost], Gone).execute(""))
    assert lost.asked["execute"] == MOST_TRIES


def test_workers_that_cannot_work_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(RayWorkers([Handle(""), Handle("")], Gone).check())
    with pytest.raises(ConfigError, match="1 of 2 workers of Ray cannot work: no walls"):
        asyncio.run(RayWorkers([Handle(""), Handle("no walls")], Gone).check())
    with pytest.raises(ConfigError, match="same versions"):
        asyncio.run(RayWorkers([Handle(Gone())], Gone).check())
    monkeypatch.setattr("yuzui.io.evaluation_ray.START_TIMEOUT_S", 0.01)
    with pytest.raises(ConfigError, match="lower --parallel"):
        asyncio.run(RayWorkers([Silent()], Gone).check())


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.io.evaluation_ray.find_spec", lambda name: None)
    with (
        pytest.raises(ConfigError, match=r"pip install 'yuzui\[ray\]'"),
        ray_workers(Task(url="", key="", scorers=()), "", 1),
    ):
        pass


def test_rays_client_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuzui.io.evaluation_ray.find_spec", lambda name: object())
    with (
        pytest.raises(ConfigError, match="client is not supported"),
        ray_workers(Task(url="", key="", scorers=()), "ray://127.0.0.1:10001", 1),
    ):
        pass


def test_nothing_imports_ray_unasked(tmp_path: Path) -> None:
    code = (
        "import sys, yuzui.cli.evaluate, yuzui.io.evaluation_ray, yuzui.io.evaluation_run; "
        "assert 'ray' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
