"""A cascade in a whole gateway that also asks a judge, and one that runs the tests which requests bring."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cascade_kit import FROM_BIG, NANO, RIGHT, UMPIRE, Scene, of_cascade, scene
from graded_kit import fitted_with_judge, fitted_with_tests
from guarantee_kit import EASY
from test_cascading import assert_sums, routed, said, total
from test_relabelling import SECRET
from yuzui import cascading
from yuzui.audit.record import RequestRecord
from yuzui.core.guarantee import TestsRun
from yuzui.evaluation import judge_words
from yuzui.evaluation.judge_words import pointwise_question
from yuzui.io.code_tests import CodeTests
from yuzui.routing.artefact import Certificate, Signals, read_artefact, write_artefact
from yuzui.routing.learned import Learned
from yuzui.routing.own_text import Answered
from yuzui.routing.signals import Evidence
from yuzui.routing.surface import Asked

NANO_OF_UMPIRE = 15_000
SURE, DOUBTS = 'It holds. {"right": 90}', 'It does not. {"right": 10}'
QUESTION = "Write a Python function add(x) that returns x plus 4711.\n>>> add(1)\n4712\n"
GOOD, BAD = (f"```python\ndef add(x):\n    return 4711 {sign} x\n```" for sign in "+-")


def with_judge(policy: str = "cascade", **changes: Any) -> tuple[Certificate, dict[str, Any]]:
    fit = fitted_with_judge()
    signals = Signals(log_probabilities=False, samples=0, judge="umpire")
    return of_cascade(fit, signals=signals, policy=policy), {
        "fit": fit, "more": UMPIRE, "beside": 'judge = "house/umpire"', **changes
    }  # fmt: skip


def with_tests(**changes: Any) -> tuple[Certificate, dict[str, Any]]:
    fit = fitted_with_tests()
    signals = Signals(log_probabilities=False, samples=0, runs_tests=True)
    return of_cascade(fit, signals=signals), {"fit": fit, "beside": "run_tests = true", **changes}


def detail(record: RequestRecord) -> str:
    assert record.routed is not None
    return record.routed.detail


walls = pytest.mark.skipif(bool(CodeTests().problem()), reason="this machine gives no walls for strangers' code")


# ---- a judge --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_judge_decides_what_is_released_and_is_paid_and_told(tmp_path: Path, stream: bool) -> None:
    certificate, more = with_judge()
    router = Learned(read_artefact(write_artefact(fitted_with_judge())))

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = SURE
            record, answer = await at.ask(EASY, stream=stream)
            assert said(answer) == RIGHT
            assert routed(record) == ("house/small", "accepted", "certified")
            assert [(one.target, one.role, one.outcome) for one in record.attempts] == [
                ("house/umpire", "judge", "ok"), ("house/small", "", "ok"),
            ]  # fmt: skip
            assert total(record) == NANO["house/small"] + NANO_OF_UMPIRE
            await assert_sums(at, record)
            assert record.routed is not None and record.routed.signals["judged"] == 0.9
            (asked,) = at.bodies["tiny"]
            question = pointwise_question([{"role": "user", "content": EASY}], (), RIGHT)
            assert (asked["messages"], asked["temperature"]) == (list(question), 0)
            look = router.look(Asked(text=EASY))
            evidence = Evidence(answered=Answered(question=EASY, text=RIGHT), judged=0.9)
            assert record.routed.gain == round(router.judge(look, "small", evidence), 6)
            assert "capital" not in repr(record) and "It holds" not in repr(record)

            at.says["tiny"] = DOUBTS
            doubted, answer = await at.ask(EASY, stream=stream)
            assert said(answer) == FROM_BIG and routed(doubted) == ("vendor/big", "escalated", "reference")
            assert [(one.target, one.role) for one in doubted.attempts] == [
                ("house/umpire", "judge"), ("house/small", "candidate"), ("vendor/big", ""),
            ]  # fmt: skip
            await assert_sums(at, record, doubted)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("I would say it is right.", "house/umpire gave no verdict"),
        ('{"right": 250}', "house/umpire gave no verdict"),
        ("down", "house/umpire: upstream_error"),
        ("cut", "house/umpire: upstream_interrupted"),
    ],
)
def test_a_judge_that_says_nothing_of_use_leaves_the_reference_to_answer(tmp_path: Path, says: str, why: str) -> None:
    certificate, more = with_judge()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = says
            record, answer = await at.ask(EASY)
            assert said(answer) == FROM_BIG and routed(record)[1] == "escalated"
            assert detail(record).startswith(why.partition(":")[0])
            await assert_sums(at, record)

    asyncio.run(story())


def test_an_answer_that_says_more_than_was_asked_goes_to_no_judge_who_may_not_see_it(tmp_path: Path) -> None:
    certificate, more = with_judge("portable_cascade")

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says |= {"tiny": SURE, "small": f"It is so. {SECRET} #### 123"}
            record, answer = await at.ask(EASY)
            assert at.asked == ["small", "big"] and said(answer) == FROM_BIG
            assert detail(record) == "house/umpire may not see it"
            await assert_sums(at, record)
            at.asked.clear()
            record, _ = await at.ask(f"{SECRET} {EASY}")  # nor is anything begun that it could not judge
            assert at.asked == ["big"] and routed(record)[1] == "not_permitted"
            assert "house/umpire may not see it as it is" in detail(record)

    asyncio.run(story())


def test_what_no_judge_can_be_shown_is_the_references_before_anybody_is_asked(tmp_path: Path) -> None:
    certificate, more = with_judge("portable_cascade")
    more["more"] = UMPIRE.replace("internal", "restricted")

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
            asked = {"role": "user", "content": [{"type": "text", "text": EASY}, picture]}
            record, answer = await at.ask("", messages=[asked])
            assert at.asked == ["big"] and said(answer) == FROM_BIG
            assert routed(record)[1] == "no_certificate"

    asyncio.run(story())


def test_an_answer_longer_than_what_was_reserved_for_judging_is_not_judged(tmp_path: Path) -> None:
    certificate, more = with_judge()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says |= {"tiny": SURE, "small": "It is so. " * 2_000 + "#### 123"}
            key = at.running.add_key(app="a", budget_nano=10**9)
            record, answer = await at.ask(EASY, key=key)
            assert said(answer) == FROM_BIG and at.asked == ["small", "big"]
            assert detail(record) == "it is longer than what is reserved for house/umpire"

    asyncio.run(story())


@pytest.mark.parametrize("what", ["relabelled", "judged", "who_may_see", "pointwise_question", "plain_body"])
def test_a_bug_on_the_way_to_the_judge_shows_it_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    certificate, more = with_judge()

    def broken(*_: object) -> object:
        raise RuntimeError("a bug")

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            if what == "pointwise_question":  # a bound is computed with it before
                real = judge_words.pointwise_question
                monkeypatch.setattr(cascading, what, lambda *all: real(*all) if not all[2] else broken())
            else:
                monkeypatch.setattr(cascading, what, broken)
            record, answer = await at.ask(EASY)
            assert said(answer) == FROM_BIG and at.asked == ["small", "big"]
            assert detail(record) == "it could not be judged"
            await assert_sums(at, record)

    asyncio.run(story())


def test_the_reservation_holds_the_judge_as_well(tmp_path: Path) -> None:
    certificate, more = with_judge()

    async def reserved(at: Scene, key: str) -> int:
        record, answer = await at.ask(EASY, key=key)
        assert answer.status_code == 200
        books = at.running.service.books
        (row,) = await asyncio.to_thread(
            books._execute, "SELECT reserved FROM request WHERE request_id = ?", (record.id,)
        )
        return int(str(row[0]))

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = SURE
            bound = await reserved(at, at.running.add_key(app="a", budget_nano=10**9))
            poor = at.running.add_key(app="b", budget_nano=bound - 1, seed=7)
            at.asked.clear()
            await at.ask(EASY, key=poor)
            assert at.asked == ["big"], "the reference alone is within it"

    asyncio.run(story())


def test_a_judge_that_fails_again_and_again_is_left_alone_and_no_cascade_begins(tmp_path: Path) -> None:
    certificate, more = with_judge()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = "down"
            for _ in range(12):
                record, _ = await at.ask(EASY)
            at.asked.clear()
            record, answer = await at.ask(EASY)
            assert at.asked == ["big"] and said(answer) == FROM_BIG
            assert "house/umpire left alone after failures" in detail(record)

    asyncio.run(story())


def test_without_its_judge_the_cascade_is_not_served(tmp_path: Path) -> None:
    certificate, more = with_judge(beside="", more="")

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            record, _ = await at.ask(EASY)
            assert at.asked == ["big"] and record.routed is not None
            found = at.running.service.gateway.snapshot.guaranteed["support"]
            assert "name that target in cascade.judge" in found.shortfall

    asyncio.run(story())


def test_a_trial_counts_by_the_candidate_and_never_by_the_judge(tmp_path: Path) -> None:
    trial = '20.0\n\n[[models.trials]]\nname = "next"\narm = "house/tiny"\npercent = 0\noutside_guarantee = true\n'
    certificate, more = with_judge(timeout_s=trial)

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = SURE
            records = [(await at.ask(EASY))[0]]
            at.says["tiny"] = "down"
            records.append((await at.ask(EASY))[0])
            assert [routed(record)[1] for record in records] == ["accepted", "escalated"]
            assert records[0].attempts[0].role == "judge"
            (counted,) = at.running.service.trials._states.values()
            assert (counted.control.requests, counted.control.failures) == (2, 0)

    asyncio.run(story())


# ---- tests that requests bring --------------------------------------------------------------------------------------


@walls
@pytest.mark.parametrize("stream", [False, True])
def test_code_that_passes_the_tests_of_its_request_is_released_and_other_code_is_not(
    tmp_path: Path, stream: bool
) -> None:
    certificate, more = with_tests()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["small"] = GOOD
            record, answer = await at.ask(QUESTION, stream=stream)
            assert said(answer) == GOOD and routed(record) == ("house/small", "accepted", "certified")
            assert record.routed is not None
            assert record.routed.signals["tests_known"] == record.routed.signals["tests_passed"] == 1.0
            at.says["small"] = BAD
            record, answer = await at.ask(QUESTION, stream=stream)
            assert said(answer) == FROM_BIG and routed(record) == ("vendor/big", "escalated", "reference")
            assert record.routed is not None and record.routed.signals["tests_known"] == 1.0
            assert "tests_passed" not in record.routed.signals
            assert "add" not in repr(record.routed) and "add(1)" not in repr(record)

    asyncio.run(story())


@walls
def test_code_that_attacks_its_gateway_finds_nothing_and_does_not_pass(tmp_path: Path) -> None:
    """It gets no file of the gateway, no key and no network, and cannot tell a test that it passed."""
    certificate, more = with_tests()
    assert Path("pyproject.toml").is_file()
    attack = "\n".join([
        "```python", "import os, socket, glob", "def add(x):",
        "    assert 'BIG' not in os.environ",
        f"    assert not os.path.exists({str(Path('pyproject.toml').absolute())!r}), 'beside the configuration'",
        "    assert not os.path.exists('{data_dir}/secrets')",
        "    assert not glob.glob('/proc/[0-9]*/environ')",
        "    try:", "        socket.create_connection(('127.0.0.1', {port}), 2)", "    except OSError:",
        "        return 4711 + x", "    return 0", "```",
    ])  # fmt: skip

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            port = at.running.base_url.rsplit(":", 1)[1]
            assert (at.running.data_dir / "secrets").is_dir()
            at.says["small"] = attack.replace("{port}", port).replace("{data_dir}", str(at.running.data_dir))
            record, _ = await at.ask(QUESTION)
            assert record.routed is not None and record.routed.signals["tests_passed"] == 1.0, "every wall stands"
            at.says["small"] = "```python\nimport os\ndef add(x): os._exit(0)\n```"
            record, answer = await at.ask(QUESTION)
            assert said(answer) == FROM_BIG and record.routed is not None
            assert "tests_passed" not in record.routed.signals

    asyncio.run(story())


@pytest.mark.parametrize("outcome", [None, "slow", "bug"])
def test_tests_that_cannot_be_run_leave_the_reference_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str | None
) -> None:
    async def run(self: CodeTests, question: str, answer: str) -> TestsRun | None:
        if outcome == "slow":
            await asyncio.sleep(30)
        if outcome == "bug":
            raise RuntimeError("a bug")
        return None

    certificate, more = with_tests(timeout_s="1.0")
    monkeypatch.setattr(CodeTests, "problem", lambda self: "")
    monkeypatch.setattr(CodeTests, "run", run)
    words = {None: "its tests could not be run", "slow": "its tests took too long", "bug": "it could not be judged"}

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["small"] = GOOD
            record, answer = await at.ask(QUESTION)
            assert said(answer) == FROM_BIG and routed(record)[1] == "escalated"
            assert detail(record).startswith(words[outcome])
            await assert_sums(at, record)

    asyncio.run(story())


def test_nothing_is_run_unless_the_operator_allows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(self: CodeTests, question: str, answer: str) -> TestsRun | None:
        raise AssertionError("nobody allowed it")

    monkeypatch.setattr(CodeTests, "run", run)
    certificate, more = with_tests(beside="")

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            await at.ask(QUESTION)
            assert at.asked == ["big"]
            found = at.running.service.gateway.snapshot.guaranteed["support"]
            assert "allow it with cascade.run_tests" in found.shortfall

    asyncio.run(story())


def test_a_machine_without_walls_serves_no_cascade_that_needs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CodeTests, "problem", lambda self: "the sandbox for code needs Linux")
    certificate, more = with_tests()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            await at.ask(QUESTION)
            assert at.asked == ["big"]
            found = at.running.service.gateway.snapshot.guaranteed["support"]
            assert found.shortfall.startswith("the sandbox for code needs Linux")

    asyncio.run(story())


def test_a_client_that_hangs_up_while_its_answer_is_looked_at_is_settled(tmp_path: Path) -> None:
    certificate, more = with_judge()

    async def story() -> None:
        async with scene(tmp_path, certificate, **more) as at:
            at.says["tiny"] = asyncio.Event()
            asking = asyncio.create_task(at.ask(EASY))
            while "tiny" not in at.asked:
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            async with asyncio.timeout(10):
                while not (records := await at.running.records()):
                    await asyncio.sleep(0.05)
            (record,) = records
            assert record.outcome == "aborted"
            assert [(one.target, one.role, one.outcome) for one in record.attempts] == [
                ("house/umpire", "judge", "aborted")
            ]
            await assert_sums(at, record)

    asyncio.run(story())
