"""One worker of an evaluation in a process of its own: asks the gateway, runs code, grades. It keeps nothing.

A plain class; `evaluation_ray` makes an actor of it. What may be kept, asked twice or paid is not decided here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result
from yuzui.evaluation.examples import Example
from yuzui.evaluation.scorers._contract import Answer, Grade, Scorer, Told
from yuzui.io.evaluation_line import GatewayLine, Stopped
from yuzui.io.sandbox import Sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a worker is made with; it travels to its machine, the key in it."""

    url: str
    key: str
    scorers: tuple[Scorer, ...]
    runs_code: bool = False
    is_unsafe: bool = False
    """Code is run without walls, as the worker's user."""
    hidden: tuple[str, ...] = ()
    """Folders that code shall not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Instead of an error, whose class a worker's machine could lose on the way."""

    why: str


class EvaluationWorker:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._scorers = {scorer.name: scorer for scorer in task.scorers}
        self._sandbox = Sandbox(is_unsafe=task.is_unsafe, hidden=tuple(Path(one) for one in task.hidden))
        self._line: GatewayLine | None = None
        self._connecting = asyncio.Lock()

    async def problem(self) -> str:
        """Why it cannot work here; "" for nothing: the gateway answers, and the sandbox stands where one is needed."""
        try:
            if self._task.runs_code:
                await asyncio.to_thread(self._sandbox.check)
            await (await self._connected()).models()
        except ConfigError as error:
            return error.message
        return ""

    async def ask(self, call: Call) -> Result | Refused:
        try:
            return await (await self._connected()).ask(call)
        except Stopped as stopped:
            return Refused(why=str(stopped))

    async def execute(self, source: str) -> Told:
        return await asyncio.to_thread(self._sandbox.run, source)

    async def grade(self, scorer: str, example: Example, answer: Answer, told: Sequence[Told]) -> Grade | Refused:
        """`scorer`: its name."""
        try:
            return self._scorers[scorer].grade(example, answer, told)
        except ConfigError as error:
            return Refused(why=error.message)

    async def _connected(self) -> GatewayLine:
        """Made on first use, since a worker that was started again is not told so."""
        async with self._connecting:
            if self._line is None:
                self._line = await GatewayLine(self._task.url, self._task.key).__aenter__()
            return self._line
