"""How two answers become a loss, by each kind of comparison: through a gateway with places that answer as told."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fault_upstream import Call, completion
from watch_kit import JUDGED, WATCH, Places, is_judging, run, scene, verdict
from yuzui.auditing import PREFIX, Ungraded, compared, payer
from yuzui.core.watching import ShadowRules, WatchRules
from yuzui.evaluation.scorers._contract import Answer
from yuzui.evaluation.scorers.tool_calls import ToolCallScorer

CALLS = ({"name": "weather", "arguments": '{"city": "Paris"}'},)
OTHERS = ({"name": "weather", "arguments": '{"city": "Lyon"}'},)


@pytest.mark.parametrize(
    ("grade", "own", "vendor", "loss"),
    [
        ("exact", "Paris", "Paris\n", 0.0),
        ("exact", "paris", "Paris", 1.0),
        ("normalised", "the paris!", "Paris", 0.0),
        ("numeric:tolerance=0.01", "It is 100.5 m", "100 m", 0.0),
        ("numeric:tolerance=0.01", "It is 110 m", "100 m", 1.0),
        ("json_fields", '{"a": 1, "b": 2}', '{"a": 1, "b": 3}', 0.5),
        ("numeric", "42", "no number", None),
    ],
)
def test_a_comparison_with_the_reference_is_one_minus_its_score(
    tmp_path: Path, grade: str, own: object, vendor: object, loss: float | None
) -> None:
    async def story() -> None:
        places = Places(own=lambda _: own, vendor=lambda _: vendor)
        async with scene(tmp_path, WATCH.replace("exact", grade), places=places) as at:
            await at.ask()
            await at.settled()
            (promise,) = at.running.service.watching.promises.known.values()
            if loss is None:
                assert promise.state.ungraded == {"not_comparable": 1} and promise.state.audited == 0
            else:
                assert 2 * promise.state.sums.total - 1 == pytest.approx(loss) and promise.state.audited == 1

    run(story)


def test_no_client_waits_for_a_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noting(*arguments: Any) -> float:
        threads.append(threading.current_thread())
        return compared(*arguments)

    async def story() -> None:
        monkeypatch.setattr("yuzui.auditing.compared", noting)
        async with scene(tmp_path) as at:
            await at.ask()
            await at.settled()
        assert len(threads) == 1 and threads[0] is not threading.main_thread()

    run(story)


@pytest.mark.parametrize(
    ("mine", "theirs", "loss"), [(CALLS, CALLS, 0.0), (CALLS, OTHERS, 1.0), ((), OTHERS, 1.0), ((), (), None)]
)
def test_tool_calls_are_compared_with_those_of_the_reference(
    mine: tuple[dict[str, str], ...], theirs: tuple[dict[str, str], ...], loss: float | None
) -> None:
    """A router may never have seen tools, so no gateway is needed here; nobody is asked."""
    rules = WatchRules(share=1, max_level=0, budget_nano=1, grade="tool_calls")
    scorer = ToolCallScorer(name="tool_calls")
    body: dict[str, object] = {"messages": [{"role": "user", "content": "Weather?"}]}
    first, second = Answer(model="a", text="a", tool_calls=mine), Answer(model="b", text="b", tool_calls=theirs)
    if loss is None:
        with pytest.raises(Ungraded, match="not_comparable"):
            compared(scorer, rules, body, first, second)
    else:
        assert compared(scorer, rules, body, first, second) == loss


def test_half_a_point_where_the_operator_says_nothing_else(tmp_path: Path) -> None:
    def vendor(call: Call) -> object:
        if not is_judging(call):
            return "Paris"
        return verdict("second" if call.body.rindex(b"Paris") > call.body.rindex(b"Berlin") else "first")

    async def story() -> None:
        more = JUDGED.replace(", verdict = 1.0", "")
        async with scene(tmp_path, more, places=Places(own=lambda _: "Berlin", vendor=vendor)) as at:
            await at.ask()
            await at.settled()
            (promise,) = at.running.service.watching.promises.known.values()
            assert 2 * promise.state.sums.total - 1 == 0.5

    run(story)


def test_equal_answers_are_a_tie_without_asking_the_judge(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, JUDGED) as at:
            await at.ask()
            await at.settled()
            assert [one.operation for one in await at.asides()] == ["audit"]
            (promise,) = at.running.service.watching.promises.known.values()
            assert promise.state.audited == 1 and promise.state.sums.total == 0.5

    run(story)


def test_an_answer_that_only_our_own_bound_has_cut_says_nothing(tmp_path: Path) -> None:
    cut = completion("Par")
    cut["choices"][0]["finish_reason"] = "length"  # type: ignore[index]  # a list

    async def story() -> None:
        async with scene(tmp_path, places=Places(vendor=lambda _: cut)) as at:
            await at.ask()
            await at.ask(max_tokens=1)
            await at.settled()
            (promise,) = at.running.service.watching.promises.known.values()
            assert promise.state.ungraded == {"cut": 1} and promise.state.audited == 1

    run(story)


def test_who_pays_is_no_key_and_has_a_budget_for_the_day() -> None:
    caller = payer(PREFIX, "support", ShadowRules(target="t", share=1, max_level=0, budget_nano=5, app="a", team="b"))
    assert (caller.key_id, caller.app, caller.team) == ("watch:support", "a", "b")
    assert caller.budget is not None and (caller.budget.cap_nano, caller.budget.period) == (5, "day")
