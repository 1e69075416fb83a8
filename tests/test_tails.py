"""A number over two requests of one conversation: seen by whoever has the history, and here where nobody sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import openai
import pytest

from fault_upstream import FaultUpstream, completion
from gateway_kit import RunningGateway, gateway
from yuzui.tails import RETENTION_DAYS

CONFIG = """
[masking]
kinds = ["bank_card"]

[[targets]]
name = "vendor/big"
provider = "vllm"
base_url = "{address}"
model = "big"
premises = "vendor"
clearance = "internal"
price = "free"
"""
FIRST, SECOND = "my card is 4111 1111", "1111 1111"
Story = Callable[[RunningGateway, FaultUpstream], Coroutine[Any, Any, None]]  # Any: asyncio's own


def run(folder: Path, *stories: Story) -> None:
    """Each in a gateway of its own, on the same folder."""

    async def main() -> None:
        for story in stories:
            async with FaultUpstream(lambda call: call.json(completion("And?"))) as vendor:
                async with gateway(CONFIG.replace("{address}", vendor.base_url), {}, data_dir=folder) as running:
                    await story(running, vendor)

    asyncio.run(main())


async def say(running: RunningGateway, text: str, chat: str = "chat-1", key: str = "none") -> str:
    reply = await running.client(key).chat.completions.with_raw_response.create(
        model="vendor/big",
        messages=[{"role": "user", "content": text}],
        extra_headers={"x-yuzui-conversation": chat} if chat else {},
    )
    return reply.headers["x-yuzui-sensitivity"]


async def first_half(running: RunningGateway, vendor: FaultUpstream) -> None:
    assert await say(running, FIRST) == "internal"


async def second_half(running: RunningGateway, vendor: FaultUpstream) -> None:
    with pytest.raises(openai.PermissionDeniedError) as caught:
        await say(running, SECOND)
    assert caught.value.code == "no_permitted_target" and not any(SECOND.encode() in c.body for c in vendor.calls)
    record = (await running.records())[-1]
    assert record.findings == {"bank_card": 1} and record.sensitivity == "restricted"
    assert "began in an earlier request" in record.not_masked
    with pytest.raises(openai.PermissionDeniedError):  # the conversation has the label now
        await say(running, "and now?")
    assert (await running.records())[-1].causes[-1].source == "conversation"


def test_the_second_half_goes_nowhere_and_labels_the_conversation(tmp_path: Path) -> None:
    async def both(running: RunningGateway, vendor: FaultUpstream) -> None:
        await first_half(running, vendor)
        await second_half(running, vendor)

    run(tmp_path, both)


def test_also_after_a_restart(tmp_path: Path) -> None:
    run(tmp_path, first_half, second_half)


def test_the_first_half_lies_nowhere_in_the_clear(tmp_path: Path) -> None:
    run(tmp_path, first_half)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 5 and not [path for path in files if b"4111 1111" in path.read_bytes()]


def test_another_key_another_conversation_and_no_conversation_have_nothing_to_do_with_it(tmp_path: Path) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        ann, bob = running.add_key(app="ann", seed=1), running.add_key(app="bob", seed=2)
        assert await say(running, FIRST, key=ann) == "internal"
        assert await say(running, SECOND, key=bob) == "internal"
        assert await say(running, SECOND, chat="chat-2", key=ann) == "internal"
        assert await say(running, SECOND, chat="", key=ann) == "internal"
        assert await say(running, FIRST, key=ann) == "internal", "the same once more is no second half"

    run(tmp_path, story)


def test_a_value_that_was_found_whole_is_not_kept(tmp_path: Path) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        assert await say(running, f"{FIRST} {SECOND}") == "restricted"
        books = running.service.books
        assert books._execute("SELECT count(*) FROM kept_answer WHERE scope LIKE 'tail:%'") == [(0,)]  # as below

    run(tmp_path, story)


def test_it_is_kept_for_an_hour(tmp_path: Path) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        await first_half(running, vendor)
        books = running.service.books
        rows = books._execute("SELECT expires_ns FROM kept_answer WHERE scope = 'tail:loopback'")  # no other way to it
        (record,) = await running.records()
        assert len(rows) == 1 and record.outcome == "answered"
        left_s = (int(str(rows[0][0])) - running.service.gateway.world.clock.now_ns()) / 1e9
        assert 0 < left_s <= RETENTION_DAYS * 86_400 == 3600
        books.shorten_answers(0.0)  # a deployment that keeps no answers
        with pytest.raises(openai.PermissionDeniedError):
            await say(running, SECOND)

    run(tmp_path, story)


def test_who_continues_a_kept_answer_brings_the_first_half_along(tmp_path: Path) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        client = running.client()
        first = await client.responses.create(model="vendor/big", input=FIRST)
        await client.responses.create(model="vendor/big", input=SECOND, previous_response_id=first.id)
        record = (await running.records())[-1]
        assert record.findings == {"bank_card": 2} == record.masked and b"1111" not in vendor.calls[-1].body
        with pytest.raises(openai.PermissionDeniedError):
            await client.responses.create(
                model="vendor/big",
                input=SECOND,
                previous_response_id=first.id,
                extra_headers={"x-yuzui-masking": "off"},
            )

    run(tmp_path, story)


def test_who_works_on_a_stored_conversation_does_so_too(tmp_path: Path) -> None:
    async def story(running: RunningGateway, vendor: FaultUpstream) -> None:
        client = running.client()
        chat = await client.conversations.create()
        await client.responses.create(model="vendor/big", input=FIRST, conversation=chat.id)
        await client.responses.create(model="vendor/big", input=SECOND, conversation=chat.id)
        record = (await running.records())[-1]
        assert record.findings == {"bank_card": 2} == record.masked and b"1111" not in vendor.calls[-1].body

    run(tmp_path, story)
