"""Money through the whole gateway where a field changes the price: no hard budget breaks, and the books are exact."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import RequestRecord

LIST_NANO = 10 * 1000 + 5 * 2000
"""What the answers below cost at the list price of one and two USD per million."""
USED = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}


def target(name: str, upstream: FaultUpstream, provider: str = "openai", factors: str = "") -> str:
    return f"""
[[targets]]
name = "{name}"
provider = "{provider}"
base_url = "{upstream.base_url}"
model = "m"
premises = "vendor"
jurisdiction = "US"
clearance = "internal"
price = {{ currency = "USD", input = 1, output = 2 }}
price_factors = {{ {factors} }}
"""


PRIORITY = "service_tier = { priority = 2, flex = 0.5 }, inference_geo = { us = 1.1 }, speed = { fast = 6 }"


def answering(tier: str | None) -> Callable[[Call], Awaitable[None]]:
    """A vendor that tells its tier, or does not."""
    more: dict[str, object] = {} if tier is None else {"service_tier": tier}

    async def script(call: Call) -> None:
        if b"/messages" in call.head.split(b"\r\n")[0]:
            await messages(call)
        elif b'"stream":true' not in call.body:
            await call.json(completion("hi", **more))
        else:
            await call.start_stream()
            await call.event({**piece("hi"), **more})
            await call.event({**piece(finish="stop"), **more})
            await call.event({**piece(usage=USED), **more})
            await call.end_stream()

    async def messages(call: Call) -> None:
        asked = json.loads(call.body)
        told = {"speed": asked.get("speed"), "inference_geo": asked.get("inference_geo", "global")}
        usage = {"input_tokens": 10, "output_tokens": 5, **told}
        if not asked.get("stream"):
            content = [{"type": "text", "text": "hi"}]
            await call.json({"type": "message", "id": "m", "role": "assistant", "model": "m", "content": content,
                             "stop_reason": "end_turn", "usage": usage})  # fmt: skip
            return
        await call.start_stream()
        await call.event({"type": "message_start", "message": {"id": "m", "model": "m", "usage": usage}})
        await call.event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        await call.event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}})
        await call.event({"type": "content_block_stop", "index": 0})
        await call.event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage})
        await call.event({"type": "message_stop"})
        await call.end_stream(done=False)

    return script


@dataclass(frozen=True, slots=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(running: RunningGateway, path: str, body: dict[str, Any] | None = None, key: str = "none") -> Got:
    """Any: JSON values."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def send() -> Got:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(running.base_url + path, data, headers), timeout=20
            ) as reply:
                return Got(reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read())
        except urllib.error.HTTPError as error:
            with error:
                return Got(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())

    return await asyncio.to_thread(send)


async def last_record(running: RunningGateway) -> RequestRecord:
    return (await running.records())[-1]


def tell(
    tier: str | None, story: Callable[[RunningGateway, FaultUpstream], Awaitable[None]], *targets: dict[str, str]
) -> None:
    async def main() -> None:
        async with FaultUpstream(answering(tier)) as upstream:
            text = "".join(target(upstream=upstream, **one) for one in targets)
            names = ", ".join(f'"{one["name"]}"' for one in targets)
            text += f'[[models]]\nname = "any"\ncandidates = [{names}]\npolicy = "pinned"\n'
            async with gateway(text) as running:
                await story(running, upstream)
                assert not await asyncio.to_thread(running.service.books.verify_sums)

    asyncio.run(main())


PRICED = {"name": "v/m", "factors": PRIORITY}
CLAUDE = {"name": "v/m", "provider": "anthropic", "factors": PRIORITY}
WAYS: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any], dict[str, str]]] = [  # Any: JSON values
    ("/v1/chat/completions", CHAT, {"service_tier": "default"}, {"service_tier": "priority"}, PRICED),
    ("/v1/chat/completions", CHAT, {"service_tier": "default"},
     {"service_tier": "default", "extra_body": {"ServiceTier": " PRIORITY "}}, PRICED),
    ("/v1/messages", CHAT, {"service_tier": "standard_only"}, {"speed": "fast", "inference_geo": "us"}, CLAUDE),
    ("/v1beta/models/v/m:generateContent",
     {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 50}},
     {"serviceTier": "STANDARD"}, {"serviceTier": "PRIORITY"}, PRICED),
]  # fmt: skip
IDS = ["lane", "unknown field on the lane", "lane of Messages", "hub"]


def as_stream(path: str, body: dict[str, Any], stream: bool) -> tuple[str, dict[str, Any]]:  # Any: JSON values
    if ":generateContent" in path:
        return (path.replace(":generateContent", ":streamGenerateContent?alt=sse") if stream else path), body
    return path, {"model": "v/m", **body, "stream": stream}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("path", "body", "usual", "dear", "place"), WAYS, ids=IDS)
def test_a_hard_budget_is_not_broken_by_a_dear_tier(
    path: str, body: dict[str, Any], usual: dict[str, Any], dear: dict[str, Any], place: dict[str, str], stream: bool
) -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        where, plain = as_stream(path, body, stream)
        rich = running.add_key(app="rich", seed=1, budget_nano=10**9)
        for asked in (usual, dear):
            got = await ask(running, where, {**plain, **asked}, rich)
            assert got.status == 200, got.body
        costs = [record.cost.book for record in await running.records() if record.cost is not None]
        assert len(costs) == 2 and costs[1] >= 2 * costs[0] == 2 * LIST_NANO

        # Room for what one request may cost at the list price, and not for twice as much.
        poor = running.add_key(app="poor", seed=2, budget_nano=1_600_000)
        assert {(await ask(running, where, {**plain, **dear}, poor)).status for _ in range(3)} == {429}
        assert (await ask(running, where, {**plain, **usual}, poor)).status == 200
        row = (await asyncio.to_thread(running.service.books.budgets, "key_poor"))[0]
        assert (row.spent_nano, row.reserved_nano) == (LIST_NANO, 0)
        assert len(upstream.calls) == 3, "what the budget refuses never leaves"

    tell(None, story, place)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("asked", "told", "factor", "terms"),
    [
        ("priority", "priority", 2, ("service_tier=priority",)),
        ("priority", "default", 1, ()),
        ("priority", None, 2, ("service_tier=priority",)),
        ("Priority", "priority", 2, ("service_tier=priority",)),
        ("flex", "flex", 0.5, ("service_tier=flex",)),
        ("flex", "default", 1, ()),
        ("auto", "priority", 2, ("service_tier=priority",)),
        (None, "priority", 2, ("service_tier=priority",)),
        (None, "default", 1, ()),
    ],
)
def test_the_books_follow_the_tier_that_the_answer_tells(
    asked: str | None, told: str | None, factor: float, terms: tuple[str, ...], stream: bool
) -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        key = running.add_key(app="team", budget_nano=10**9)
        body = {"model": "v/m", **CHAT, "stream": stream, **({} if asked is None else {"service_tier": asked})}
        answer = await ask(running, "/v1/chat/completions", body, key)
        assert answer.status == 200, answer.body
        record = await last_record(running)
        assert record.cost is not None and record.usage is not None and not record.usage.is_estimated
        assert (record.cost.amount, record.cost.terms) == (LIST_NANO * factor, terms)
        assert record.cost.factor == (f"{factor}" if terms else "1")
        assert record.cost.price_version.endswith(
            f" x{factor} ({', '.join(terms)})" if terms else record.cost.price_version
        )
        row = (await asyncio.to_thread(running.service.books.budgets, "key_team"))[0]
        assert row.spent_nano == LIST_NANO * factor

    tell(told, story, PRICED)


def test_messages_are_settled_by_the_speed_and_the_place_that_they_tell() -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        for stream in (False, True):
            body = {"model": "v/m", **CHAT, "speed": "fast", "inference_geo": "us", "stream": stream}
            assert (await ask(running, "/v1/messages", body)).status == 200
            record = await last_record(running)
            assert record.cost is not None
            assert (record.cost.amount, record.cost.factor) == (LIST_NANO * 66 // 10, "6.6")
            assert record.cost.terms == ("inference_geo=us", "speed=fast")

    tell(None, story, CLAUDE)


def test_a_tier_of_the_account_that_nobody_priced_is_flagged() -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        await ask(running, "/v1/chat/completions", {"model": "v/m", **CHAT})
        record = await last_record(running)
        assert record.cost is not None and record.usage is not None
        assert (record.cost.amount, record.cost.terms) == (LIST_NANO, ("service_tier=scale",))
        assert (record.usage.is_estimated, record.usage.note) == (True, "unknown_tier")

    tell("scale", story, {"name": "v/m"})


@pytest.mark.parametrize("field", [{"service_tier": "priority"}, {"speed": "fast"}, {"extra_body": {"speed": "fast"}}])
def test_a_tier_without_a_price_is_refused_before_anything_is_sent(field: dict[str, object]) -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        with pytest.raises(openai.BadRequestError) as refused:
            await running.client().chat.completions.create(
                model="v/m", messages=[{"role": "user", "content": "hi"}], extra_body=field
            )
        assert refused.value.code == "unknown_price_factor"
        assert "price_factors." in refused.value.message
        assert not upstream.calls
        record = await last_record(running)
        assert (record.outcome, record.refused) == ("refused", {"unknown_price_factor": ("v/m",)})

    tell(None, story, {"name": "v/m"})


def test_a_target_that_never_hears_of_the_tier_answers_at_its_list_price() -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        body = {"model": "any", **CHAT, "service_tier": "priority"}
        answer = await ask(running, "/v1/chat/completions", body)
        assert answer.status == 200
        assert answer.headers["x-yuzui-target"] == "claude/m"
        assert answer.headers["x-yuzui-dropped"] == "service_tier"
        record = await last_record(running)
        assert record.refused == {"unknown_price_factor": ("v/m",)}
        assert record.cost is not None and (record.cost.amount, record.cost.terms) == (LIST_NANO, ())

    tell(None, story, {"name": "v/m"}, {"name": "claude/m", "provider": "anthropic"})


def test_the_list_of_models_shows_the_factors() -> None:
    async def story(running: RunningGateway, upstream: FaultUpstream) -> None:
        listed = json.loads((await ask(running, "/v1/models")).body)["data"]
        shown = next(entry for entry in listed if entry["id"] == "v/m")["yuzui"]["price"]["factors"]
        assert shown["service_tier=priority"] == "2" and shown["service_tier=flex"] == "0.5"

    tell(None, story, PRICED)
