"""A run of an evaluation: asks every model every example, has the answers graded, keeps both; so many at once.

What is kept already is not asked again. Judges are asked on the same line, under the same rules, out of the same purse.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol, assert_never

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result, Settings, answer_call, judge_call
from yuzui.evaluation.examples import Example
from yuzui.evaluation.purse import Purse
from yuzui.evaluation.scorers._contract import Answer, Ask, Execute, Need, Scorer, Told, unknown
from yuzui.io.evaluation_grading import Grading
from yuzui.io.evaluation_line import Lost, Stopped
from yuzui.io.evaluation_store import EvaluationStore

MOST_TRIES: Final = 3


class Line(Protocol):
    async def ask(self, call: Call) -> Result:
        """Raise `Stopped`; raise `Lost` where nobody heard how it ended."""
        ...


class OutOfMoney(Exception):
    """The next call could exceed what the run may cost."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a run did this time."""

    asked: int = 0
    kept_before: int = 0
    judged: int = 0
    graded: int = 0
    not_permitted: int = 0
    failed: int = 0
    why_stopped: str = ""
    """Empty: it came to its end."""
    faults: dict[str, int] = field(default_factory=dict)
    """Why grades are missing that another try may bring → how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    settings: Settings
    examples: Sequence[Example]
    scorers: Sequence[Scorer]
    parallel: int
    on_step: Callable[[Tally, int], None] = lambda tally, spent_nano: None
    """Called once per answer with its grades."""


class EvaluationRun:
    def __init__(self, work: Work, store: EvaluationStore, line: Line, purse: Purse, grading: Grading) -> None:
        self._work = work
        self._store = store
        self._line = line
        self._purse = purse
        self._grading = grading
        self._settled = asyncio.Condition()
        self.tally = Tally()

    async def to_its_end(self) -> Tally:
        """Ends early, with the reason in the tally, when the money is over or nothing further can be asked.

        Raise `ConfigError` for what the command has to say otherwise: no price, a scorer of one's own that breaks.
        """
        waiting = iter(self._work.examples)
        wrong: ConfigError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self._work.parallel):
                    group.create_task(self._take(waiting))
        except* OutOfMoney:
            self.tally.why_stopped = "the next call could exceed the budget"
        except* Stopped as stopped:
            self.tally.why_stopped = str(stopped.exceptions[0])
        except* ConfigError as found:
            first = found.exceptions[0]
            assert isinstance(first, ConfigError)  # tasks are not nested
            wrong = first  # raised in here it would be wrapped again
        if wrong is not None:
            raise wrong
        return self.tally

    async def _take(self, waiting: Iterator[Example]) -> None:
        for example in waiting:
            await self._example(example)

    async def _example(self, example: Example) -> None:
        settings = self._work.settings
        reference: Answer | None = None
        if settings.reference_model:
            result = await self._answer(example, settings.reference_model)
            reference = result.answer(settings.reference_model) if result.outcome == "answered" else None
        for model in settings.asked:
            result = await self._answer(example, model)
            if result.outcome == "answered":
                call = answer_call(example, model, settings.parameters)
                for scorer in self._work.scorers:
                    await self._grade(call, example, result.answer(model), reference, scorer)
            self._work.on_step(self.tally, self._purse.spent_nano)

    async def _answer(self, example: Example, model: str) -> Result:
        call = answer_call(example, model, self._work.settings.parameters)
        before = self._store.result(call.key)
        if before is not None:
            if model != self._work.settings.reference_model:
                self.tally.kept_before += 1
            return before
        result = await self._ask(call)
        self.tally.asked += 1
        self.tally.not_permitted += result.outcome == "not_permitted"
        self.tally.failed += result.outcome == "failed"
        return result

    async def _ask(self, call: Call) -> Result:
        result = await self._try(call)
        if self._purse.currency and result.currency not in ("", self._purse.currency):
            raise Stopped(f"the gateway books in {result.currency}: give --budget in it")
        return result

    async def _try(self, call: Call) -> Result:
        for number in range(1, MOST_TRIES + 1):
            held_nano = await self._hold(call)  # of each try anew: one that was lost may have been paid
            try:
                # What has begun is paid: heard to its end, kept and counted, also when the run is stopped meanwhile.
                return await _to_its_end(self._asked(call, held_nano))
            except Lost as lost:
                if number == MOST_TRIES:
                    raise Stopped(str(lost)) from lost
        raise AssertionError("unreachable")

    async def _asked(self, call: Call, held_nano: int) -> Result:
        cost_nano: int | None = None  # of a call that broke nobody knows what it cost: it counts at its most
        try:
            result = await self._line.ask(call)
            self._store.keep(call, result)
            cost_nano = 0 if result.outcome == "not_permitted" else result.cost_nano
            return result
        finally:
            self._purse.settle(held_nano, cost_nano)
            async with self._settled:
                self._settled.notify_all()

    async def _hold(self, call: Call) -> int:
        while True:
            held_nano = self._purse.hold(call.body)
            if held_nano is not None:
                return held_nano
            if not self._purse.has_others:
                raise OutOfMoney
            async with self._settled:
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.0):  # what settled before we listened is seen then
                        await self._settled.wait()

    async def _grade(
        self, call: Call, example: Example, answer: Answer, reference: Answer | None, scorer: Scorer
    ) -> None:
        if scorer.problem(example) or self._store.grade(call.key, scorer.name) is not None:
            return
        if scorer.name.partition(":")[0] == "pairwise":
            if answer.model == self._work.settings.reference_model:
                return
            if reference is None:
                await self._without_reference(call, example, scorer)
                return
        told = [await self._tell(need) for need in scorer.needs(example, answer, reference)]
        grade = await self._grading.grade(scorer, example, answer, told)
        for one in told:
            if one.is_fault:
                self._fault(one.why)
                return
        self._store.keep_grade(call.key, scorer.name, grade)
        self.tally.graded += 1

    async def _without_reference(self, call: Call, example: Example, scorer: Scorer) -> None:
        """A refusal stays one, so nothing can be compared; after a failure another try may bring an answer."""
        settings = self._work.settings
        result = await self._answer(example, settings.reference_model)
        if result.outcome == "not_permitted":
            self._store.keep_grade(call.key, scorer.name, unknown("the reference is not permitted"))
        else:
            self._fault("the reference failed")

    def _fault(self, why: str) -> None:
        self.tally.faults[why] = self.tally.faults.get(why, 0) + 1

    async def _tell(self, need: Need) -> Told:
        match need:
            case Execute():
                return await self._grading.execute(need.source)
            case Ask():
                call = judge_call(need, self._work.settings.judge)
                result = self._store.result(call.key)
                if result is None:
                    result = await self._ask(call)
                    self.tally.judged += 1
                is_fault = result.outcome == "failed"
                why = "" if result.outcome == "answered" else f"judge {result.code or result.outcome}"
                return Told(ok=result.outcome == "answered", text=result.text, why=why, is_fault=is_fault)
            case _:
                assert_never(need)


async def _to_its_end(work: Coroutine[None, None, Result]) -> Result:
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with suppress(Stopped, Lost):
            await task
        raise
