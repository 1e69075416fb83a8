"""The organisation's own model labels what patterns cannot: asked before routing, booked, and never believed when it fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import openai
import pytest

from fault_upstream import Call, FaultUpstream, Script, completion
from faults_kit import answers, run
from gateway_kit import RunningGateway, gateway
from yuzui.engine.cache import default_cache
from yuzui.privacy.catalogue import source_version

JUDGE = """
[sensitivity.judge]
target = "house/small"
labels = { trade_secret = "restricted", source_code = "confidential" }
deadline_ms = 400
max_bytes = 2000
"""
RECIPE = "The glaze is three parts ash to one part of the red clay from the second terrace."
NO: Mapping[str, str] = {"trade_secret": "no", "source_code": "no"}


def dict_of(verdict: Mapping[str, str] | str) -> set[str]:
    """Labels that the judge gave."""
    return {one for one, word in verdict.items() if word == "yes"} if not isinstance(verdict, str) else set()


def is_judged(call: Call) -> bool:
    return b"data protection officer" in call.body


def judge_says(verdict: Mapping[str, str] | str, *, after_s: float = 0.0) -> Script:
    """An own target that judges as told, and answers everything else."""

    async def play(call: Call) -> None:
        if not is_judged(call):
            await answers(call)
            return
        await asyncio.sleep(after_s)
        await call.json(completion(verdict if isinstance(verdict, str) else json.dumps(verdict)))

    return play


async def asked(running: RunningGateway, text: str, *, model: str = "vendor/big", **more: Any) -> str:
    """The level that was told, or `refused`. Any: the client's own options."""
    try:
        answer = await running.client().chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": text}], **more
        )
    except openai.PermissionDeniedError as refused:
        return "refused " + refused.response.headers["x-yuzui-sensitivity"]
    return str(answer.headers["x-yuzui-sensitivity"])


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (NO, "internal"),
        ({**NO, "source_code": "yes"}, "refused confidential"),
        ({**NO, "trade_secret": "yes"}, "refused restricted"),
        ({"trade_secret": "yes", "source_code": "yes"}, "refused restricted"),
        ("no", "refused restricted"),
        ('{"trade_secret": "no"}', "refused restricted"),
        ("", "refused restricted"),
    ],
)
def test_what_the_judge_says_decides_where_a_request_may_go(verdict: Mapping[str, str] | str, told: str) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        assert await asked(running, RECIPE) == told
        assert len(own.calls) == 1 and is_judged(own.calls[0])
        assert len(vendor.calls) == (0 if told.startswith("refused") else 1)
        first, second = sorted(await running.records(), key=lambda record: record.id)
        judged, main = (first, second) if first.operation == "judge" else (second, first)
        assert (
            judged.why == f"judges {main.id}" and judged.target == "house/small" and judged.allowed == ("house/small",)
        )
        assert judged.part_of == main.id and main.part_of == ""
        assert judged.key_id == main.key_id and judged.usage is not None and judged.usage.input == 10
        sources = {cause.source for cause in main.causes}
        assert ("judge" in sources) == told.startswith("refused") and RECIPE not in str(judged)
        said = [one for one in ("source_code", "trade_secret") if verdict != NO and one in dict_of(verdict)]
        assert list(main.rules) == [f"judge/{one}@{source_version('yuzui.privacy.judge')}" for one in said]

    run(judge_says(verdict), answers, story, more=JUDGE)


async def breaks(call: Call) -> None:
    await call.json({"error": {"message": "out of order"}}, "500 Internal Server Error")


async def resets(call: Call) -> None:
    call.reset()


async def garbage(call: Call) -> None:
    await call.json({"choices": "none"})


async def several(call: Call) -> None:
    one = completion(json.dumps(NO))
    await call.json({**one, "choices": [*one["choices"], {**one["choices"][0], "index": 1}]})  # type: ignore[misc,index]


async def redirects(call: Call) -> None:
    await call.write(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")


@pytest.mark.parametrize("script", [breaks, resets, garbage, several, redirects, judge_says(NO, after_s=2.0)])
def test_a_judge_that_breaks_or_is_late_makes_the_request_most_sensitive(script: Callable[[Call], Any]) -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        assert await asked(running, RECIPE) == "refused restricted"
        assert vendor.calls == []
        records = {record.operation: record for record in await running.records()}
        assert records["judge"].outcome == "failed" and records["judge"].error
        assert records["chat"].causes[0].source == "judge" and records["chat"].causes[0].detail.startswith("no verdict")
        assert await asyncio.to_thread(running.service.books.verify_sums) == []

    run(script, answers, story, more=JUDGE)


def test_an_own_target_still_answers_and_the_label_sticks() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        whole = f"{RECIPE} It is fired for nine hours, cooled with the doors shut, and dipped again in thin slip."
        assert await asked(running, whole, model="house/small") == "restricted"
        assert [is_judged(call) for call in own.calls] == [True, False]
        own.script = judge_says(NO)  # what was learnt does not hang on the judge's next opinion
        assert await asked(running, f"Someone wrote: {whole[20:]} Is that right?") == "refused restricted"
        assert await asked(running, "Something else that nobody has said before.") == "internal"
        assert len(vendor.calls) == 1

    run(judge_says({**NO, "trade_secret": "yes"}), answers, story, more=JUDGE)


def test_a_text_is_judged_once_and_a_conversation_costs_its_new_part() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        for _ in range(3):
            assert await asked(running, RECIPE) == "internal"
        assert len(own.calls) == 1
        client = running.client()
        messages: list[Any] = [{"role": "user", "content": RECIPE}, {"role": "assistant", "content": "Good morning!"}]
        messages.append({"role": "user", "content": "How long does it stay in the kiln?"})
        await client.chat.completions.create(model="vendor/big", messages=messages)
        assert len(own.calls) == 2
        assert b"kiln" in own.calls[1].body and b"terrace" not in own.calls[1].body
        await running.client(running.add_key(app="second", seed=2)).chat.completions.create(
            model="vendor/big", messages=[{"role": "user", "content": RECIPE}]
        )
        assert len(own.calls) == 3, "another key is told nothing by the time it takes"

    run(judge_says(NO), answers, story, more=JUDGE)


def test_it_is_asked_where_the_policy_says_so_and_not_where_nothing_can_change() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        assert await asked(running, RECIPE) == "internal"
        assert own.calls == []
        await asked(running, RECIPE, model="assistant")
        assert [is_judged(call) for call in own.calls] == [True, False]
        own.calls.clear()
        card = "4111 1111 1111 " + "1111"
        assert await asked(running, f"{RECIPE} and {card}", model="assistant") == "restricted"
        assert not any(map(is_judged, own.calls)), "it is at the highest level already"

    run(judge_says(NO), answers, story, more=JUDGE + 'models = ["assistant"]\n')


def test_what_is_too_long_is_not_judged_and_most_sensitive() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        assert await asked(running, RECIPE * 30) == "refused restricted"
        assert own.calls == vendor.calls == []

    run(judge_says(NO), answers, story, more=JUDGE)


def test_the_judge_is_paid_by_who_asks_and_a_spent_budget_refuses() -> None:
    paid = JUDGE + '[[targets]]\nname = "house/dear"\nprovider = "vllm"\nbase_url = "{}"\nmodel = "d"\n'

    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        price = 'price = { currency = "USD", input = 1000, output = 1000 }\n'
        text = (
            paid.replace("{}", own.base_url).replace("house/small", "house/dear")
            + price
            + (
                f'[[targets]]\nname = "vendor/big"\nprovider = "openai"\nmodel = "b"\nbase_url = "{vendor.base_url}"\n'
                'api_key = { env = "VENDOR_KEY" }\nprice = "free"\n'
            )
        )
        async with gateway(text, {"VENDOR_KEY": "v"}) as other:
            rich = other.client(other.add_key(app="rich", seed=3, budget_nano=10**12))
            poor = other.client(other.add_key(app="poor", seed=4, budget_nano=1000))
            message: list[Any] = [{"role": "user", "content": RECIPE}]
            await rich.chat.completions.create(model="vendor/big", messages=message)
            spent = {row.name: row.spent_nano for row in other.service.books.costs(0, 2**62, "app")}
            assert spent == {"rich": 15_000_000}
            with pytest.raises(openai.RateLimitError):
                await poor.chat.completions.create(model="vendor/big", messages=message)
            assert other.service.books.verify_sums() == []

    run(judge_says(NO), answers, story)


def test_a_client_that_leaves_meanwhile_is_settled_too() -> None:
    async def story(running: RunningGateway, own: FaultUpstream, vendor: FaultUpstream) -> None:
        leaving = asyncio.create_task(asked(running, RECIPE))
        while not own.calls:
            await asyncio.sleep(0.01)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await running.close_clients()
        async with asyncio.timeout(5):
            while len(records := await running.records()) < 2:
                await asyncio.sleep(0.02)
        assert {(record.operation, record.outcome) for record in records} == {("judge", "aborted"), ("chat", "aborted")}
        assert vendor.calls == []

    run(judge_says(NO, after_s=30), answers, story, more=JUDGE.replace("400", "20000"))


@pytest.mark.engine
@pytest.mark.skipif(
    default_cache().find("smollm2-135m") is None, reason="the weights are not in the cache: `yuzui models pull smollm2-135m`"
)  # fmt: skip
def test_the_real_embedded_model_gives_a_verdict() -> None:
    """Its opinion is that of a very small model; that it is one of the answers that were asked for is what counts."""
    text = (
        '[embedded]\nenabled = true\n[sensitivity.judge]\ntarget = "own/smollm2-135m"\n'
        'labels = { trade_secret = "restricted", source_code = "confidential" }\ndeadline_ms = 60000\n'
    )

    async def main() -> None:
        async with gateway(text) as running:
            await (
                running.client()
                .with_options(timeout=90)
                .chat.completions.create(model="own", messages=[{"role": "user", "content": RECIPE}], max_tokens=4)
            )
            records = {record.operation: record for record in await running.records()}
            assert records["judge"].outcome == "answered", records["judge"].error
            assert not [cause for cause in records["chat"].causes if cause.detail.startswith("no verdict")]

    asyncio.run(main())
