"""Hard budgets in every dialect and operation: the limit is really sent, and no target that lies can spend beyond it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import pytest

from fault_upstream import Call, FaultUpstream
from faults.dialect_kit import (
    CHATS,
    DIALECTS,
    FORM_TYPE,
    MEDIA,
    Asked,
    Said,
    ask,
    body_of,
    chat_request,
    config,
    events,
    form,
    gemini_path,
    speaks,
    start,
    wire_of,
)
from faults_kit import VENDOR_SECRET, dial, forget_failures, status_of
from gateway_kit import RunningGateway, gateway
from yuzui.io.books import BudgetRow

Json = dict[str, Any]  # Any: JSON
LIE = Said(input=10**9, output=10**9)
CAP_NANO = 20_000_000  # two requests without a limit fit: about 0.0094 USD each
numbers = count(1)


def limit_of(call: Call) -> int | None:
    """What the vendor is told not to write beyond."""
    body: Json = json.loads(call.body)
    match wire_of(call):
        case "chat":
            found = body.get("max_completion_tokens", body.get("max_tokens"))
        case "responses":
            found = body.get("max_output_tokens")
        case "gemini":
            config_ = body.get("generationConfig") or body.get("generation_config") or {}
            found = config_.get("maxOutputTokens", config_.get("max_output_tokens"))
        case "bedrock":
            found = body.get("inferenceConfig", {}).get("maxTokens")
        case _:
            found = body.get("max_tokens")
    assert found is None or isinstance(found, int)
    return found


def run(script: Callable[[Call], Any], story: Callable[..., Any], *, extra: str = "") -> None:  # Any: coroutines
    async def main() -> None:
        async with FaultUpstream(speaks()) as own, FaultUpstream(script) as vendor:
            text = f'[sensitivity]\nunscannable = "internal"\n{config(own, vendor, extra=extra)}'
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}) as running:
                await story(running, vendor)
                assert not await asyncio.to_thread(running.service.books.verify_sums)

    asyncio.run(main())


async def spend(
    running: RunningGateway, vendor: FaultUpstream, asked: Asked, cap_nano: int = CAP_NANO
) -> tuple[bytes, BudgetRow | None, Call | None]:
    """The answer to `asked` with a fresh key that may spend so much, what became of its budget, what the vendor saw."""
    number = next(numbers)
    forget_failures(running)
    vendor.calls.clear()
    fields: Json = {"app": f"app{number}", "id": f"key_{number}", "seed": number % 256, "budget_nano": cap_nano}
    secret = running.add_key(**fields)
    answer = await ask(running, asked, secret)
    rows = await asyncio.to_thread(running.service.books.budgets, f"key_{number}")
    for row in rows:
        assert row.reserved_nano == 0 and row.spent_nano <= row.cap_nano, (asked.path, asked.body[:300], row)
    return answer, rows[0] if rows else None, vendor.calls[0] if vendor.calls else None


@pytest.mark.parametrize("dialect", [*DIALECTS, "completions"])
def test_a_limit_is_sent_and_a_lying_target_spends_no_more_than_was_reserved(dialect: str) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        targets = ("vendor/media", "vendor/claude") if dialect == "completions" else (*CHATS, "vendor/both")
        more: Json = {"max_tokens": None} if dialect == "messages" else {}
        for target in targets:
            for stream in (False, True):
                asked = chat_request(dialect, target, stream=stream, **more)
                answer, row, call = await spend(running, vendor, asked)
                assert status_of(answer) == 200 and row is not None and call is not None, (target, answer[-300:])
                assert limit_of(call) == 4096, target
                assert row.spent_nano > 9_000_000, "the lie is charged up to what was reserved, and flagged"

    run(speaks(LIE), story)


LIMITS: Mapping[str, Callable[[int], Json]] = {
    "chat": lambda limit: {"max_tokens": limit},
    "responses": lambda limit: {"max_output_tokens": limit},
    "messages": lambda limit: {"max_tokens": limit},
    "gemini": lambda limit: {"generationConfig": {"maxOutputTokens": limit}},
    "completions": lambda limit: {"max_tokens": limit},
}


def test_a_limit_beyond_what_the_model_can_write_is_charged_as_what_it_can() -> None:
    """Reserved is what the target can write; so nothing beyond it is believed, on the lane as well."""

    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        for dialect, limit in LIMITS.items():
            for target in ("vendor/media",) if dialect == "completions" else ("vendor/both", "vendor/gemini"):
                answer, row, _ = await spend(running, vendor, chat_request(dialect, target, **limit(9_000_000)))
                assert status_of(answer) == 200 and row is not None, (dialect, target)

    run(speaks(LIE), story, extra="max_output_tokens = 1000")


def test_several_answers_are_reserved_several_times_however_they_are_asked_for() -> None:
    ways: tuple[tuple[str, Json], ...] = (
        ("chat", {"n": 3}),
        ("gemini", {"generationConfig": {"candidateCount": 3}}),
        ("gemini", {"generation_config": {"candidate_count": "3"}}),
        ("completions", {"n": 3}),
        ("completions", {"n": 1, "best_of": 3}),
        ("completions", {"prompt": ["a", "b", "c"]}),
    )

    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        for dialect, more in ways:
            for target in ("vendor/media",) if dialect == "completions" else ("vendor/chat", "vendor/gemini"):
                answer, _, call = await spend(running, vendor, chat_request(dialect, target, **more))
                assert status_of(answer) == 429 and call is None, (dialect, more)
                answer, row, call = await spend(running, vendor, chat_request(dialect, target, **more), 3 * CAP_NANO)
                assert status_of(answer) == 200 and row is not None and row.spent_nano > CAP_NANO

    run(speaks(LIE), story)


def test_no_tokens_means_no_tokens() -> None:
    """`max_tokens` of 0 fills a prompt cache at Anthropic; nowhere does it mean that there is no limit."""

    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        for target in (*CHATS, "vendor/both"):
            answer, row, call = await spend(running, vendor, chat_request("messages", target, max_tokens=0))
            if status_of(answer) == 200:
                assert call is not None and limit_of(call) == 0
                assert row is not None and row.spent_nano < 2_000_000
            else:
                assert call is None

    run(speaks(LIE), story)


def _json(path: str, **body: object) -> Asked:
    return Asked(path=path, body=json.dumps(body).encode())


OPERATIONS: Mapping[str, Asked] = {
    "pictures": _json("/v1/images/generations", model=MEDIA, prompt="x", n=2),
    "picture changed": Asked(
        path="/v1/images/edits",
        body=form({"model": MEDIA, "prompt": "x", "n": "2"}, name="image"),
        content_type=FORM_TYPE,
    ),
    "speech": _json("/v1/audio/speech", model=MEDIA, input="x", voice="a"),
    "speech in events": _json("/v1/audio/speech", model=MEDIA, input="x", voice="a", stream_format="sse"),
    "recording": Asked(path="/v1/audio/transcriptions", body=form({"model": MEDIA}), content_type=FORM_TYPE),
    "embedding": _json("/v1/embeddings", model=MEDIA, input="x"),
    "ranking": _json("/v1/rerank", model=MEDIA, query="x", documents=["y"]),
    "moderation": _json("/v1/moderations", model=MEDIA, input="x"),
    "Google's embedding": _json(gemini_path("vendor/vectors", "embedContent"), content={"parts": [{"text": "x"}]}),
}
BY_UNIT = 'price = { currency = "USD", image = 0.04, character = 0.000015, second = 0.0001, search = 0.002 }'


@pytest.mark.parametrize("price", ["", BY_UNIT], ids=["by token", "by unit"])
def test_no_operation_spends_more_than_its_budget_whatever_the_target_says(price: str) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        for name, asked in OPERATIONS.items():
            generous = 10**9
            answer, row, call = await spend(running, vendor, asked, generous)
            assert status_of(answer) == 200 and row is not None and call is not None, (name, answer[-300:])
            if row.spent_nano > 1:  # the next smaller budget does not let it in, and nothing is sent
                answer, _, call = await spend(running, vendor, asked, row.spent_nano - 1)
                assert status_of(answer) == 429 and call is None, name

    async def main() -> None:
        async with FaultUpstream(speaks()) as own, FaultUpstream(speaks(LIE)) as vendor:
            text = f'[sensitivity]\nunscannable = "internal"\n{config(own, vendor, price=price)}'
            async with gateway(text, {"VENDOR_KEY": VENDOR_SECRET}) as running:
                await story(running, vendor)

    asyncio.run(main())


def test_counting_costs_nothing_and_is_recorded() -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        body = {"messages": [{"role": "user", "content": "Good morning."}]}
        for target in CHATS:
            asked = _json("/v1/messages/count_tokens", model=target, **body)
            answer, row, _ = await spend(running, vendor, asked, 1)
            assert status_of(answer) == 200 and (row is None or row.spent_nano == 0), target
            assert b"input_tokens" in body_of(answer)
        records = await running.records()
        assert {(record.operation, record.outcome) for record in records} == {("count_tokens", "answered")}

    run(speaks(LIE), story)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_lie_at_the_beginning_of_a_stream_that_is_left_is_charged_in_bounds(dialect: str) -> None:
    """Some wires tell the input first: whoever hangs up then pays at most what was reserved."""

    async def script(call: Call) -> None:
        wire = wire_of(call)
        await start(call, wire)
        for event in events(wire, LIE)[: {"gemini": 1, "responses": 5}.get(wire, 3)]:
            await call.chunk(event)
        await call.client_left(8)

    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        async def leave(target: str) -> None:
            number = next(numbers)
            fields: Json = {"app": f"app{number}", "id": f"key_{number}", "seed": number % 256, "budget_nano": CAP_NANO}
            secret = running.add_key(**fields)
            reader, writer = await dial(running)
            line = chat_request(dialect, target, stream=True).line
            writer.write(line.replace(b"\r\n", f"\r\nauthorization: Bearer {secret}\r\n".encode(), 1))
            await reader.readuntil(b"Good")
            writer.transport.abort()
            async with asyncio.timeout(8):
                while not (rows := running.service.books.budgets(f"key_{number}")) or rows[0].reserved_nano:
                    await asyncio.sleep(0.02)
            assert 0 < rows[0].spent_nano <= CAP_NANO, target

        await asyncio.gather(*[leave(target) for target in CHATS])

    run(script, story)
