"""A run asks each once, keeps it, goes on where it stopped, and ends before its money does."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from yuzui.core.errors import ConfigError
from yuzui.evaluation.calls import Call, Result, Settings
from yuzui.evaluation.examples import Example
from yuzui.evaluation.purse import PriceBounds, Purse
from yuzui.evaluation.scorers._contract import Told
from yuzui.evaluation.scorers.catalogue import read_scorer
from yuzui.io.evaluation_grading import GradingHere
from yuzui.io.evaluation_line import Lost, Stopped
from yuzui.io.evaluation_run import EvaluationRun, Tally, Work
from yuzui.io.evaluation_store import EvaluationStore

EXAMPLES = [
    Example(id=str(number), prompt=f"q{number}", references=["right"], tests="assert x == 1") for number in range(8)
]
PRICE = {"currency": "USD", "input": "0", "output": "1000"}
LISTED = [{"id": name, "yuzui": {"kind": "target", "price": PRICE}} for name in ("m", "r", "j")]


class FakeLine:
    """Answers by model; notes what was asked, and how many calls ran at once."""

    def __init__(self, answers: dict[str, Any]) -> None:  # Any: a text, a result, an error, or a function of the call
        self.answers = answers
        self.asked: list[Call] = []
        self.running = self.most = 0

    async def ask(self, call: Call) -> Result:
        self.asked.append(call)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.running -= 1
        found = self.answers[call.model]
        found = found(call) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        if isinstance(found, Result):
            return found
        return Result(outcome="answered", text=found, cost_nano=1_000_000, currency="USD", latency_ms=5)


class FakeSandbox:
    def run(self, source: str) -> Told:
        return Told(ok="x = 1" in source, why="exception")


def carry_out(
    path: Path, line: FakeLine, *scorers: str, reference: str = "", cap_nano: int | None = None, parallel: int = 3,
    models: tuple[str, ...] = ("m",), parameters: dict[str, Any] | None = None,
) -> tuple[Tally, Purse]:  # fmt: skip
    settings = Settings(
        models=models, reference_model=reference, judge="j", scorers=scorers, parameters=parameters or {"max_tokens": 1},
        examples_sha256="x",
    )  # fmt: skip
    with EvaluationStore(path, may_create=True) as store:
        store.begin(settings, EXAMPLES)
        purse = Purse(cap_nano, PriceBounds(LISTED, "USD"), store.spent_nano())
        work = Work(
            settings=settings, examples=EXAMPLES, scorers=[read_scorer(one, lambda m, f: len) for one in scorers],
            parallel=parallel,
        )  # fmt: skip
        run = EvaluationRun(work, store, line, purse, GradingHere(FakeSandbox()))
        return asyncio.run(run.to_its_end()), purse


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.sqlite3"


def test_everything_is_asked_once_and_no_more_at_a_time_than_allowed(path: Path) -> None:
    line = FakeLine({"m": "right", "r": "wrong"})
    tally, _ = carry_out(path, line, "exact", reference="r", parallel=3)
    assert (tally.asked, tally.graded, tally.why_stopped, line.most) == (16, 16, "", 3)
    again = FakeLine({})
    tally, _ = carry_out(path, again, "exact", reference="r")
    assert again.asked == [] and (tally.asked, tally.graded) == (0, 0)
    with EvaluationStore(path) as store:
        found = store.outcomes()
    assert found.scores("m", "exact", found.places()) == [1.0] * 8


def test_another_scorer_later_asks_nobody_again(path: Path) -> None:
    carry_out(path, FakeLine({"m": "right"}), "exact")
    line = FakeLine({})
    tally, _ = carry_out(path, line, "exact", "chrf")
    assert line.asked == [] and tally.graded == 8


def test_it_stops_before_the_money_is_over_and_goes_on_with_more(path: Path) -> None:
    # At most 2 * 1,000,000 nano (and a little) each; each costs 1,000,000.
    line = FakeLine({"m": "right"})
    tally, purse = carry_out(path, line, "exact", cap_nano=5_500_000, parallel=4)
    assert tally.why_stopped == "the next call could exceed the budget"
    assert purse.spent_nano == 4_000_000 == len(line.asked) * 1_000_000
    tally, purse = carry_out(path, FakeLine({"m": "right"}), "exact", cap_nano=5_500_000)
    assert tally.asked == 0 and tally.why_stopped
    tally, purse = carry_out(path, FakeLine({"m": "right"}), "exact", cap_nano=50_000_000)
    assert (tally.asked, tally.why_stopped, purse.spent_nano) == (4, "", 8_000_000)


def test_a_judge_spends_the_same_money(path: Path) -> None:
    def judge(call: Call) -> str:
        return '{"better": "first"}'

    line = FakeLine({"m": "mine", "r": "theirs", "j": judge})
    tally, purse = carry_out(path, line, "pairwise", reference="r", cap_nano=20_000_000_000)
    assert tally.judged == 16 and purse.spent_nano == 32_000_000
    assert Counter(call.purpose for call in line.asked) == {"answer": 16, "judge": 16}


def test_a_judge_that_takes_the_first_place_ties_everything(path: Path) -> None:
    carry_out(path, FakeLine({"m": "mine", "r": "theirs", "j": '{"better": "first"}'}), "pairwise", reference="r")
    with EvaluationStore(path) as store:
        found = store.outcomes()
    assert found.scores("m", "pairwise", found.places()) == [0.5] * 8
    assert found.grades[0, "m", "pairwise"].detail["orders"] == ["answer", "reference"]


def test_a_fair_judge_finds_the_better_one_in_both_orders(path: Path) -> None:
    def judge(call: Call) -> str:
        shown = call.body["messages"][1]["content"]
        return '{"better": "first"}' if shown.index("mine") < shown.index("theirs") else '{"better": "second"}'

    carry_out(path, FakeLine({"m": "mine", "r": "theirs", "j": judge}), "pairwise", reference="r")
    with EvaluationStore(path) as store:
        found = store.outcomes()
    assert found.scores("m", "pairwise", found.places()) == [1.0] * 8


def test_a_refusal_is_a_result_and_a_judge_may_be_refused_too(path: Path) -> None:
    refused = Result(outcome="not_permitted", code="no_permitted_target")
    line = FakeLine({"m": lambda call: refused if "q3" in str(call.body) else "mine", "r": "theirs", "j": refused})
    tally, purse = carry_out(path, line, "pairwise", reference="r", cap_nano=10**12)
    assert tally.not_permitted == 1 and tally.faults == {} and tally.why_stopped == ""
    with EvaluationStore(path) as store:
        found = store.outcomes()
    assert found.grades[0, "m", "pairwise"].detail == {"why": "judge no_permitted_target"}
    assert found.results[3, "m"].outcome == "not_permitted" and (3, "m", "pairwise") not in found.grades
    assert purse.spent_nano == 15_000_000  # refusals cost nothing


def test_where_the_reference_is_refused_there_is_no_pair(path: Path) -> None:
    line = FakeLine({"m": "mine", "r": Result(outcome="not_permitted", code="no_permitted_target")})
    tally, _ = carry_out(path, line, "pairwise", reference="r")
    assert tally.faults == {} and tally.judged == 0
    with EvaluationStore(path) as store:
        assert store.outcomes().grades[0, "m", "pairwise"].detail == {"why": "the reference is not permitted"}


def test_what_failed_is_kept_as_such_and_grades_wait_for_another_try(path: Path) -> None:
    failure = Result(outcome="failed", code="upstream_timeout")
    tally, _ = carry_out(path, FakeLine({"m": "mine", "r": "theirs", "j": failure}), "pairwise", reference="r")
    assert tally.faults == {"judge upstream_timeout": 8} and tally.graded == 0
    with EvaluationStore(path) as store:
        store.forget_failures()
    tally, _ = carry_out(path, FakeLine({"j": '{"better": "tie"}'}), "pairwise", reference="r")
    assert tally.graded == 8 and tally.faults == {}


def test_what_no_call_would_survive_ends_the_run_and_keeps_what_is_paid(path: Path) -> None:
    calls = 0

    def answer(call: Call) -> Any:
        nonlocal calls
        calls += 1
        return Stopped("m: the key's budget is spent") if calls == 4 else "right"

    line = FakeLine({"m": answer})
    tally, purse = carry_out(path, line, "exact")
    assert tally.why_stopped == "m: the key's budget is spent"
    with EvaluationStore(path) as store:
        kept = len(store.outcomes().results)
    assert kept == len(line.asked) - 1 and purse.spent_nano == kept * 1_000_000


def test_a_lost_call_is_asked_again_and_counts_at_its_most(path: Path) -> None:
    lost = iter([Lost("gone")] * 2)
    line = FakeLine({"m": lambda call: next(lost, "right")})
    tally, purse = carry_out(path, line, "exact", cap_nano=10**12)
    assert (tally.asked, tally.why_stopped, len(line.asked)) == (8, "", 10)
    assert purse.spent_nano > 8 * 1_000_000 + 2 * 2_000_000 - 1  # each of the two may have cost all that it could


def test_a_call_that_is_lost_again_and_again_ends_the_run(path: Path) -> None:
    tally, _ = carry_out(path, FakeLine({"m": Lost("workers ended")}), "exact", parallel=1)
    assert tally.why_stopped == "workers ended" and tally.asked == 0


def test_what_the_command_must_say_otherwise_is_raised_as_it_is(path: Path) -> None:
    with pytest.raises(ConfigError, match="--param max_tokens"):
        carry_out(path, FakeLine({}), "exact", cap_nano=10**12, parameters={"temperature": 0})
    # Nothing was kept, so the corrected command is not refused as another run.
    tally, _ = carry_out(path, FakeLine({"m": "right"}), "exact", cap_nano=10**12, parameters={"max_tokens": 5})
    assert tally.asked == 8


def test_another_currency_than_the_budgets_stops(path: Path) -> None:
    foreign = Result(outcome="answered", text="x", cost_nano=1, currency="CNY")
    tally, _ = carry_out(path, FakeLine({"m": foreign}), "exact", cap_nano=10**12)
    assert "books in CNY" in tally.why_stopped


def test_code_goes_to_the_sandbox(path: Path) -> None:
    carry_out(path, FakeLine({"m": "x = 1"}), "code")
    with EvaluationStore(path) as store:
        found = store.outcomes()
    assert found.scores("m", "code", found.places()) == [1.0] * 8


def test_a_call_that_has_begun_is_kept_when_the_run_is_cancelled(path: Path) -> None:
    async def work() -> None:
        started, go = asyncio.Event(), asyncio.Event()

        class Slow:
            async def ask(self, call: Call) -> Result:
                started.set()
                await go.wait()
                return Result(outcome="answered", text="late", cost_nano=1)

        settings = Settings(models=("m",), scorers=("exact",), examples_sha256="x")
        with EvaluationStore(path, may_create=True) as store:
            store.begin(settings, EXAMPLES)
            work = Work(
                settings=settings, examples=EXAMPLES, scorers=[read_scorer("exact", lambda m, f: len)], parallel=1
            )
            run = EvaluationRun(work, store, Slow(), Purse(None, PriceBounds([])), GradingHere(None))
            task = asyncio.create_task(run.to_its_end())
            await started.wait()
            task.cancel()
            await asyncio.sleep(0)
            go.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert [result.text for result in store.outcomes().results.values()] == ["late"]

    asyncio.run(work())
