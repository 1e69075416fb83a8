"""A cascade in a whole gateway: what is released, what escalates, what nobody ever sees, and what all of it costs."""

from __future__ import annotations

import asyncio
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from backtest_kit import replayed
from cascade_kit import AGREES, FROM_BIG, NANO, RIGHT, WRONG, Scene, call_of, of_cascade, scene
from graded_kit import artefact
from guarantee_kit import EASY, HARD, STRANGE, certificate
from yuzui.audit.record import RequestRecord, read_record, write_record
from yuzui.config import read
from yuzui.economics.savings import savings
from yuzui.evaluation.trial_report import gather
from yuzui.privacy.scan import Scanner
from yuzui.providers.catalogue import find_codecs
from yuzui.routing.artefact import Signals
from yuzui.routing.learned import Learned
from yuzui.routing.own_text import Answered
from yuzui.routing.router import Router
from yuzui.routing.signals import Evidence
from yuzui.routing.surface import Asked
from yuzui.world import Snapshot

SECRET = "My card is 4111 1111 1111 1111. What is the capital of France and a tree number 412?"
TOOL = {"type": "function", "function": {
    "name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                                      "required": ["city"], "additionalProperties": False}}}  # fmt: skip
OWN_FIRST = """
[[targets]]
name = "house/small"
provider = "vllm"
model = "small"
base_url = "http://127.0.0.1:1/v1"
price = "free"

[[targets]]
name = "vendor/big"
provider = "openai"
model = "big"
price = "free"

[[targets]]
name = "house/third"
provider = "vllm"
model = "third"
base_url = "http://127.0.0.1:1/v1"
price = "free"

[[models]]
name = "support"
candidates = ["house/small", "house/third", "vendor/big"]
"""
GOOD_CALL, BAD_CALL = call_of("weather", '{"city": "Rome"}'), call_of("weather", '{"town": "Rome"}')


def said(answer: httpx.Response) -> str:
    """What a chat client reads, whole or streamed."""
    if not answer.headers["content-type"].startswith("text/event-stream"):
        message = answer.json()["choices"][0]["message"]
        return str(message.get("content") or "")
    return "".join(
        choice["delta"].get("content") or ""
        for line in answer.text.splitlines()
        if line.startswith("data: {")
        for choice in json.loads(line[6:]).get("choices", ())
    )


def routed(record: RequestRecord) -> tuple[str, str, str]:
    assert record.routed is not None
    return record.target, record.routed.rule, record.routed.guarantee


def total(record: RequestRecord) -> int:
    return record.cost.total if record.cost is not None else 0


async def assert_sums(at: Scene, *records: RequestRecord) -> None:
    """What the records tell of each call is what the books owe, and nothing in the books is wrong."""
    paid: dict[str, int] = {}
    for record in records:
        for attempt in record.attempts:
            if attempt.cost is not None:
                paid[attempt.target] = paid.get(attempt.target, 0) + attempt.cost.book
        if record.cost is not None:
            paid[record.target] = paid.get(record.target, 0) + record.cost.book
            assert record.cost.others == sum(one.cost.book for one in record.attempts if one.cost is not None)
    assert await at.spent() == {name: amount for name, amount in paid.items() if amount}
    assert sum(paid.values()) == sum(total(record) for record in records)
    assert await asyncio.to_thread(at.running.service.books.verify_sums) == []


@pytest.mark.parametrize("stream", [False, True])
def test_an_accepted_answer_is_released_as_an_ordinary_one_and_all_calls_are_paid(tmp_path: Path, stream: bool) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            record, answer = await at.ask(EASY, stream=stream)
            assert said(answer) == RIGHT
            assert routed(record) == ("house/small", "accepted", "certified")
            assert sorted(at.asked) == ["small", "tiny"]
            assert [(one.target, one.role, one.outcome) for one in record.attempts] == [
                ("house/tiny", "check", "ok"), ("house/small", "", "ok"),
            ]  # fmt: skip
            assert answer.headers["x-yuzui-target"] == "house/small"
            assert answer.headers["x-yuzui-guarantee"] == "certified"
            assert "accepted, gain" in answer.headers["x-yuzui-decision"]
            assert total(record) == NANO["house/small"] + NANO["house/tiny"]
            if not stream:
                assert answer.headers["x-yuzui-cost"] == "0.00000275 USD"
            await assert_sums(at, record)
            found = record.routed
            assert found is not None and found.policy == "cascade" and found.threshold == 0.2
            assert found.gain is not None and found.gain <= 0.2
            assert found.signals["agree_share"] == 1.0 and "own_log_answer" not in found.signals
            labels = 'guarantee="certified",model="support",rule="accepted",target="house/small"'
            scraped = at.running.service._metrics.scrape().decode()
            assert f"yuzui_guaranteed_requests_total{{{labels}}} 1.0" in scraped
            # The check was asked the same, whole, and only what a client may see of it is in the record.
            (asked,) = at.bodies["tiny"]
            assert asked["messages"] == at.bodies["small"][0]["messages"] and "stream" not in asked
            assert "capital" not in repr(record) and "#### 123" not in repr(record)

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_is_not_accepted_reaches_nobody_and_the_reference_answers(tmp_path: Path, stream: bool) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            at.says["small"] = WRONG + " never to be seen"
            record, answer = await at.ask(EASY, stream=stream)
            assert said(answer) == FROM_BIG and "never to be seen" not in answer.text and "so. ####" not in answer.text
            assert routed(record) == ("vendor/big", "escalated", "reference")
            assert answer.headers["x-yuzui-guarantee"] == "reference"
            assert {(one.target, one.role, one.outcome) for one in record.attempts} == {
                ("house/tiny", "check", "ok"), ("house/small", "candidate", "escalated"), ("vendor/big", "", "ok"),
            }  # fmt: skip
            assert total(record) == sum(NANO.values())
            await assert_sums(at, record)
            found = record.routed
            assert found is not None and found.gain is not None and found.gain > 0.2
            assert found.signals["distinct_rivals"] == 1.0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"model": "support", "max_tokens": 20, "messages": [{"role": "user", "content": EASY}]}),
        ("/v1/responses", {"model": "support", "max_output_tokens": 20, "input": EASY}),
        (
            "/v1beta/models/support:generateContent",
            {"contents": [{"role": "user", "parts": [{"text": EASY}]}], "generationConfig": {"maxOutputTokens": 20}},
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_every_dialect_sees_the_accepted_answer_or_the_reference_alone(
    tmp_path: Path, path: str, body: dict[str, object], stream: bool
) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            target, asked = path, dict(body)
            if stream and "generateContent" in path:
                target = path.replace("generateContent", "streamGenerateContent") + "?alt=sse"
            elif stream:
                asked["stream"] = True
            for says, sees, rule in ((RIGHT, "123", "accepted"), (WRONG, "The r", "escalated")):
                at.says["small"] = says
                answer = await at.post(target, asked)
                assert answer.status_code == 200, answer.text
                assert sees in answer.text
                assert ("It is so." in answer.text) == (rule == "accepted")
                record = await at.running.record_of(answer.headers["x-yuzui-request-id"])
                assert routed(record)[1] == rule

    asyncio.run(story())


@pytest.mark.parametrize(
    ("server", "says", "detail"),
    [
        ("tiny", "down", "house/tiny: upstream_error"),
        ("tiny", "", "house/tiny says nothing"),
        ("small", "", "it says nothing"),
        ("small", "down", "house/small: "),
        ("small", {"role": "assistant", "content": None, "refusal": "I will not"}, "it refuses"),
    ],
)
def test_what_cannot_be_known_is_the_references_to_answer(
    tmp_path: Path, server: str, says: object, detail: str
) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            at.says[server] = says
            record, answer = await at.ask(EASY)
            assert (answer.status_code, said(answer)) == (200, FROM_BIG)
            assert routed(record) == ("vendor/big", "escalated", "reference")
            assert record.routed is not None and record.routed.detail.startswith(detail.split(":")[0])
            await assert_sums(at, record)

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("message", "choice", "rule"),
    [
        (GOOD_CALL, "auto", "accepted"),
        (BAD_CALL, "auto", "escalated"),
        (call_of("delete_all", "{}"), "auto", "escalated"),
        (call_of("weather", '{"city": '), "auto", "escalated"),
        (GOOD_CALL, "none", "escalated"),
        (RIGHT, "required", "escalated"),
    ],
)
def test_a_tool_call_is_verified_before_anybody_can_carry_it_out(
    tmp_path: Path, message: object, choice: str, rule: str, stream: bool
) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(policy="portable_cascade")) as at:
            at.says |= {"small": message, "tiny": GOOD_CALL if isinstance(message, dict) else AGREES}
            at.says["big"] = call_of("weather", '{"city": "Bonn"}')
            record, answer = await at.ask(EASY, stream=stream, tools=[TOOL], tool_choice=choice)
            assert routed(record)[1] == rule, record.routed
            assert ("Bonn" in answer.text.replace('"', "").replace("\\", "")) or "on" in answer.text
            assert "delete_all" not in answer.text and "town" not in answer.text
            await assert_sums(at, record)

    asyncio.run(story())


def test_an_answer_that_does_not_fit_its_schema_escalates(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    form = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}

    async def story() -> None:
        async with scene(tmp_path, of_cascade(policy="portable_cascade")) as at:
            for says, rule in (('{"a": 1}', "accepted"), ('{"a": "1"}', "escalated"), ("a: 1", "escalated")):
                at.says |= {"small": says, "tiny": says}
                record, _ = await at.ask(EASY, response_format=form)
                assert routed(record)[1] == rule, says

    asyncio.run(story())


def test_what_is_unlike_the_examples_is_not_tried_unless_the_portable_cascade_is_certified(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            record, _ = await at.ask(STRANGE)
            assert routed(record) == ("vendor/big", "unlike", "reference") and at.asked == ["big"]
        async with scene(tmp_path, of_cascade(policy="portable_cascade")) as at:
            record, _ = await at.ask(STRANGE)
            assert routed(record) == ("house/small", "accepted", "certified")

    asyncio.run(story())


@pytest.mark.parametrize("who", ["small_clearance", "tiny_clearance"])
def test_nobody_is_asked_who_may_not_see_the_request_as_it_is(tmp_path: Path, who: str) -> None:
    async def story() -> None:
        may_see: dict[str, Any] = {who: "internal"}
        async with scene(tmp_path, of_cascade(policy="portable_cascade"), **may_see) as at:
            record, _ = await at.ask(SECRET)
            assert routed(record) == ("vendor/big", "not_permitted", "reference") and at.asked == ["big"]
            assert record.routed is not None and "may not see it as it is" in record.routed.detail
        masking = '\n[masking]\nkinds = ["bank_card"]\n'
        may_see["heartbeat_s"] = f"10.0{masking}"
        async with scene(tmp_path, of_cascade(policy="portable_cascade"), **may_see) as at:
            record, _ = await at.ask(SECRET)
            assert routed(record) == ("vendor/big", "not_permitted", "reference") and at.asked == ["big"]

    asyncio.run(story())


def test_several_answers_and_tools_of_the_vendor_are_decided_before(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(), certificate(threshold=0.3)) as at:
            record, _ = await at.ask(EASY, n=2)
            assert routed(record) == ("house/small", "certified", "certified")
        async with scene(tmp_path, of_cascade()) as at:
            record, _ = await at.ask(EASY, n=2)
            assert routed(record) == ("vendor/big", "no_certificate", "reference")

    asyncio.run(story())


def test_streams_are_decided_before_where_the_operator_wants_them_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        both = (of_cascade(), certificate(threshold=0.3))
        async with scene(tmp_path, *both, streaming="up_front") as at:
            for text, expected in (
                (EASY, ("house/small", "certified", "certified")), (HARD, ("vendor/big", "reference_better", "reference")),
            ):  # fmt: skip
                record, _ = await at.ask(text, stream=True)
                assert routed(record) == expected
            record, _ = await at.ask(HARD)
            assert routed(record) == ("house/small", "accepted", "certified")
        async with scene(tmp_path, of_cascade(), streaming="up_front") as at:
            record, _ = await at.ask(EASY, stream=True)
            assert routed(record) == ("vendor/big", "no_certificate", "reference")

    asyncio.run(story())


@pytest.mark.parametrize("says", [RIGHT, WRONG])
def test_a_held_stream_is_kept_alive_and_tells_at_its_end_who_answered(tmp_path: Path, says: str) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(), heartbeat_s="0.1") as at:
            at.says["tiny"] = let_go = asyncio.Event()
            at.says["small"] = says
            asking = asyncio.create_task(at.ask(EASY, stream=True))
            while "tiny" not in at.asked:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.5)  # long enough for the head and some heartbeats
            let_go.set()
            record, answer = await asking
            head = answer.text[: answer.text.index("data:")]
            assert ": keep-alive" in head and "x-yuzui-target" not in answer.headers
            last = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")][-1]
            told = last["yuzui"]["headers"]
            assert told["x-yuzui-target"] == record.target
            assert told["x-yuzui-cost"].startswith("0.0")
            assert said(answer) == (RIGHT if says == RIGHT else FROM_BIG)

    asyncio.run(story())


def test_a_check_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(), timeout_s="0.3") as at:
            at.says["tiny"] = asyncio.Event()
            record, answer = await at.ask(EASY)
            assert said(answer) == FROM_BIG and routed(record)[1] == "escalated"
            assert [one.outcome for one in record.attempts if one.role == "check"] == ["upstream_timeout"]
            at.says |= {"tiny": AGREES, "small": asyncio.Event()}
            record, answer = await at.ask(EASY)
            assert said(answer) == FROM_BIG and routed(record)[1] == "escalated"
            assert [one.outcome for one in record.attempts if one.role == "candidate"] == ["upstream_timeout"]

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_hangs_up_ends_all_calls_and_pays_for_them(tmp_path: Path, stream: bool) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            at.says["tiny"] = asyncio.Event()
            asking = asyncio.create_task(at.ask(EASY, stream=stream))
            while sorted(at.asked) != ["small", "tiny"]:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            async with asyncio.timeout(10):
                while not (records := await at.running.records()):
                    await asyncio.sleep(0.05)
            (record,) = records
            assert (record.outcome, record.routed is not None and record.routed.rule) == ("aborted", "cascade")
            assert [(one.target, one.role, one.outcome) for one in record.attempts] == [
                ("house/tiny", "check", "aborted")
            ]
            await assert_sums(at, record)
            assert set(await at.spent()) == {"house/small", "house/tiny"} and "big" not in at.asked

    asyncio.run(story())


def test_the_reservation_holds_all_calls_together(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(signals=Signals(log_probabilities=False, samples=2))) as at:
            key = at.running.add_key(app="a", budget_nano=10**9)
            at.says["small"] = WRONG
            record, answer = await at.ask(EASY, key=key)
            assert answer.status_code == 200
            (bound,) = await asyncio.to_thread(
                at.running.service.books._execute, "SELECT reserved FROM request WHERE request_id = ?", (record.id,)
            )
            lone = dict.fromkeys(NANO, 0)
            text_bound = record.asked.input_bound if record.asked is not None else 0
            for name, (sent, written) in {
                "house/small": (100, 200), "house/tiny": (50, 50), "vendor/big": (10_000, 30_000),
            }.items():  # fmt: skip
                lone[name] = text_bound * sent + 20 * written
            assert bound[0] == 3 * lone["house/small"] + lone["house/tiny"] + lone["vendor/big"]
            assert total(record) == 3 * NANO["house/small"] + NANO["house/tiny"] + NANO["vendor/big"]
            await assert_sums(at, record)
            poor = at.running.add_key(app="b", budget_nano=int(bound[0]) - 1, seed=7)
            at.asked.clear()
            record, answer = await at.ask(EASY, key=poor)
            assert answer.status_code == 200 and at.asked == ["big"], "the reference alone is within it"
            assert record.routed is not None and record.routed.rule == "escalated"
            assert "the budget does not hold all calls of a cascade" in record.why
            assert total(record) == NANO["vendor/big"]
            poorer = at.running.add_key(app="c", budget_nano=lone["vendor/big"] - 1, seed=8)
            answer = await at.post(
                "/v1/chat/completions",
                {"model": "support", "messages": [{"role": "user", "content": EASY}], "max_tokens": 20},
                poorer,
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (429, "budget_exceeded")

    asyncio.run(story())


def test_samples_vote_and_each_of_them_is_paid(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(signals=Signals(log_probabilities=False, samples=2))) as at:
            record, _ = await at.ask(EASY)
            assert at.asked.count("small") == 3
            assert [one.role for one in record.attempts].count("sample") == 2
            assert record.routed is not None and record.routed.signals["vote_share"] == 1.0
            await assert_sums(at, record)

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("asks", [False, True])
def test_log_probabilities_are_asked_for_and_shown_only_to_who_asked(tmp_path: Path, stream: bool, asks: bool) -> None:
    async def story() -> None:
        certified = of_cascade(signals=Signals(log_probabilities=True, samples=0))
        async with scene(tmp_path, certified) as at:
            record, answer = await at.ask(EASY, stream=stream, logprobs=asks or None)
            assert at.bodies["small"][0]["logprobs"] is True
            found = record.routed
            assert found is not None
            assert found.signals["own_log_likelihood"] == -0.375 and found.signals["own_least_log_likelihood"] == -0.5
            assert ("-0.25" in answer.text) == asks

    asyncio.run(story())


def test_a_candidate_that_breaks_off_is_paid_for_what_it_said(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade(), fallback="false") as at:
            at.says["small"] = call_of("", "")  # a stream that ends in a call without a name
            record, answer = await at.ask(EASY, stream=True)
            assert said(answer) == FROM_BIG and routed(record)[1] == "escalated"
            await assert_sums(at, record)

    asyncio.run(story())


def test_what_is_served_is_what_the_router_decides_offline(tmp_path: Path) -> None:
    """The same request and answers, through the gateway and through `Learned` alone."""
    router = Learned(artefact())

    async def story() -> None:
        async with scene(tmp_path, of_cascade(), timeout_s="30.0") as at:
            for number, question in enumerate((EASY, HARD, "What is the name of Japan and a tree number 613?")):
                for text, check in (
                    (RIGHT, AGREES),
                    (WRONG, AGREES),
                    ("12 + 3 = 15. #### 15", "I guess 15"),
                    ("no", "yes"),
                ):
                    at.says |= {"small": text, "tiny": check}
                    record, _ = await at.ask(question, stream=bool(number % 2))
                    look = router.look(Asked(text=question))
                    answered = Answered(question=question, text=text)
                    gain = router.judge(look, "small", Evidence(answered=answered, checks=[check]))
                    found = record.routed
                    assert found is not None and found.gain == round(gain, 6)
                    assert found.rule == ("accepted" if router.keeps(look, gain, of_cascade()) else "escalated")

    asyncio.run(story())


def test_who_lacks_a_healthy_second_opinion_does_not_begin(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            at.says["tiny"] = "down"
            for _ in range(5):
                await at.ask(EASY)
            at.asked.clear()
            record, _ = await at.ask(EASY)
            assert at.asked == ["big"] and routed(record) == ("vendor/big", "escalated", "reference")
            assert record.routed is not None and record.routed.detail == "house/tiny left alone after failures"

    asyncio.run(story())


def test_costs_by_target_and_savings_count_each_call_where_it_was_paid(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            await at.ask(EASY)
            at.says["small"] = WRONG
            await at.ask(EASY)
            books = at.running.service.books
            rows = await asyncio.to_thread(books.costs, 0, 2**62, "target")
            assert {row.name: (row.requests, row.spent_nano) for row in rows} == {
                "vendor/big": (1, NANO["vendor/big"]), "house/small": (1, 2 * NANO["house/small"]),
                "house/tiny": (0, 2 * NANO["house/tiny"]),
            }  # fmt: skip
            work = (await asyncio.to_thread(books.work_done, 0, 2**62, (), ())).rows
            targets = {target.name: target for target in at.running.service.gateway.snapshot.config.targets}
            (saved,) = savings(work, lambda model: "vendor/big", targets, {"USD": Decimal(1)})
            assert saved.reference_nano == 2 * NANO["vendor/big"]
            assert saved.spent_nano == NANO["vendor/big"] + 2 * (NANO["house/small"] + NANO["house/tiny"])

    asyncio.run(story())


def test_an_answer_that_is_refused_for_what_it_holds_ends_the_request(tmp_path: Path) -> None:
    """As without a cascade: it was paid for, and nobody else is asked."""

    async def story() -> None:
        answers = '10.0\n[answers.kinds]\nemail = "refuse"\n'
        async with scene(tmp_path, of_cascade(), heartbeat_s=answers) as at:
            at.says["small"] = "Write to ann.lee@example.org. #### 123"
            answer = await at.post(
                "/v1/chat/completions", {"model": "support", "messages": [{"role": "user", "content": EASY}]}
            )
            assert answer.status_code == 403 and "ann.lee" not in answer.text and "big" not in at.asked
            record = await at.running.record_of(answer.headers["x-yuzui-request-id"])
            assert routed(record) == ("house/small", "cascade", "none")
            await assert_sums(at, record)

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_a_redacted_answer_is_judged_and_released_as_it_is_shown(tmp_path: Path, stream: bool) -> None:
    async def story() -> None:
        answers = '10.0\n[answers.kinds]\nemail = "redact"\n'
        async with scene(tmp_path, of_cascade(), heartbeat_s=answers) as at:
            at.says["small"] = "Write to ann.lee@example.org. #### 123"
            record, answer = await at.ask(EASY, stream=stream)
            assert routed(record)[1] == "accepted"
            assert "ann.lee" not in answer.text and said(answer).endswith("#### 123")
            assert record.answer is not None and record.answer.redacted == {"email": 1}
            at.says["small"] = "Write to ann.lee@example.org. #### 150"
            record, answer = await at.ask(EASY, stream=stream)
            assert said(answer) == FROM_BIG and record.answer is None  # it is about the answer that was given

    asyncio.run(story())


def test_a_log_of_cascades_verifies_and_a_backtest_counts_all_that_was_paid(tmp_path: Path) -> None:
    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            at.says["small"] = WRONG
            record, _ = await at.ask(EASY)
            leaf = await asyncio.to_thread(at.running.service.books.record_of, record.id)
            assert leaf is not None and read_record(leaf[1]) == record and write_record(record) == leaf[1]
            tally = replayed([record], at.running.service.gateway.snapshot)
            ((change, line),) = tally.lines.items()
            assert (change.before, change.after, line.before_nano) == ("vendor/big", "vendor/big", sum(NANO.values()))
            alone = read(OWN_FIRST, {"BIG": "k"}, source=None)
            draft = Snapshot(
                config=alone, router=Router(alone.targets, alone.models, alone.sensitivity.lattice, rates=alone.money.rates),
                scanner=Scanner(alone.sensitivity), codecs=find_codecs(),
            )  # fmt: skip
            ((change, _),) = replayed([record], draft).lines.items()
            assert change.after == "house/small"  # it answered, only not well enough: that is no failure

    asyncio.run(story())


@pytest.mark.parametrize("stream", [False, True])
def test_an_accepted_answer_is_audited_like_any_certified_one(tmp_path: Path, stream: bool) -> None:
    watch = 'true\nwatch = { share = 1.0, budget = 100.0, grade = "exact", max_level = "internal" }'

    async def story() -> None:
        async with scene(tmp_path, of_cascade(), fallback=watch) as at:
            record, _ = await at.ask(EASY, stream=stream)
            at.says["small"] = WRONG
            await at.ask(EASY, stream=stream)
            (promise,) = at.running.service.watching.promises.known.values()
            async with asyncio.timeout(10):
                while (promise.state.audited, promise.state.referred) != (1, 1):
                    await asyncio.sleep(0.05)
            audits = [one for one in await at.running.records() if one.operation == "audit"]
            assert [(one.part_of, one.target) for one in audits] == [(record.id, "vendor/big")]

    asyncio.run(story())


def test_a_shadow_is_compared_with_all_that_the_answer_cost(tmp_path: Path) -> None:
    copied = 'true\nshadow = { target = "house/tiny", share = 1.0, budget = 100.0, max_level = "internal" }'

    async def story() -> None:
        async with scene(tmp_path, of_cascade(), fallback=copied) as at:
            record, _ = await at.ask(EASY)
            async with asyncio.timeout(10):
                while not (shadows := list(at.running.service.watching.shadows.values())) or not shadows[0].answered:
                    await asyncio.sleep(0.02)
            assert shadows[0].usual_cost_nano == total(record) == NANO["house/small"] + NANO["house/tiny"]
            assert shadows[0].cost_nano == NANO["house/tiny"]

    asyncio.run(story())


DIALECTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("/v1/chat/completions", {"model": "support", "max_tokens": 20, "messages": [{"role": "user", "content": EASY}]}),
    ("/v1/messages", {"model": "support", "max_tokens": 20, "messages": [{"role": "user", "content": EASY}]}),
    ("/v1/responses", {"model": "support", "max_output_tokens": 20, "input": EASY}),
)
MARK = "zq7"


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_nothing_of_a_refused_answer_is_seen_and_the_sums_hold(tmp_path: Path, seed: int) -> None:
    """Thirty requests of any dialect, servers that answer, disagree, say nothing, fail or break off."""
    drawn = random.Random(seed)
    marked = f"{MARK} {MARK} {MARK} {MARK} "
    of_call = call_of("f", f'{{"{MARK}": "{MARK} {MARK}"}}')
    of_small = (*(marked + RIGHT, marked + WRONG) * 2, "", of_call, drawn.choice(("cut", "down")))
    of_tiny, of_big = (*(AGREES,) * 6, "", "down", "I think 7"), (*(FROM_BIG,) * 6, "down")

    async def story() -> None:
        certified = of_cascade(signals=Signals(log_probabilities=False, samples=1))
        async with scene(tmp_path, certified) as at:
            records = []
            for _ in range(30):
                at.says |= {"small": drawn.choice(of_small), "tiny": drawn.choice(of_tiny), "big": drawn.choice(of_big)}
                path, body = drawn.choice(DIALECTS)
                answer = await at.post(path, {**body, "stream": True} if drawn.random() < 0.5 else body)
                record = await at.running.record_of(answer.headers["x-yuzui-request-id"])
                records.append(record)
                assert record.routed is not None
                is_small = record.outcome == "answered" and record.target == "house/small"
                assert (MARK in answer.text) == is_small, record
                if is_small:  # accepted, or the last one who could be asked at all, with nothing claimed
                    assert record.routed.guarantee == ("certified" if record.routed.rule == "accepted" else "none")
                    assert not any(one.role == "candidate" for one in record.attempts)
                elif record.outcome == "answered":
                    assert (record.target, record.routed.guarantee) == ("vendor/big", "reference")
                assert record.cost is None or record.cost.others == sum(
                    one.cost.book for one in record.attempts if one.cost is not None
                )
            assert {"accepted", "escalated"} <= {one.routed.rule for one in records if one.routed is not None}
            await assert_sums(at, *records)

    asyncio.run(story())


def test_a_trial_counts_what_a_cascade_did_by_its_candidate_and_never_by_its_second_opinions(tmp_path: Path) -> None:
    async def story() -> None:
        # The arm is the second opinion itself: it may be both.
        trial = '20.0\n\n[[models.trials]]\nname = "next"\narm = "house/tiny"\npercent = 0\noutside_guarantee = true\n'
        async with scene(tmp_path, of_cascade(), timeout_s=trial) as at:
            records = [(await at.ask(EASY))[0]]
            at.says["tiny"] = "down"
            records.append((await at.ask(EASY))[0])
            at.says["small"] = "down"
            records.append((await at.ask(EASY, stream=True))[0])
            assert [routed(record)[1] for record in records] == ["accepted", "escalated", "escalated"]
            assert records[0].attempts[0].role == "check"
            (counted,) = at.running.service.trials._states.values()
            assert (counted.control.requests, counted.control.failures, counted.arm.requests) == (3, 1, 0)
            assert counted.control.first_tokens <= 1, "what the reference took is not the candidate's"
            sides = gather(records, "next", {})
            assert sides.control.failures.total() == 1
            assert sum(sides.control.cost) * 1e9 == pytest.approx(sum(total(record) for record in records))

    asyncio.run(story())


@pytest.mark.parametrize("where", ["yuzui.held_answer.HeldAnswer.problem", "yuzui.routing.learned.Learned.weigh"])
def test_a_bug_in_judging_is_the_references_to_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(where, broken)

    async def story() -> None:
        async with scene(tmp_path, of_cascade()) as at:
            record, answer = await at.ask(EASY)
            assert answer.status_code == 200 and FROM_BIG in answer.text
            assert record.routed is not None and record.routed.rule == "escalated"
            assert record.routed.detail == "it could not be judged"
            await assert_sums(at, record)

    asyncio.run(story())
