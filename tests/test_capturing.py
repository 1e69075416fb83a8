"""Requests are kept as examples only where the operator wants it, sealed, and never above the level that he allows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anthropic
import openai
import pytest

from fault_upstream import Call, FaultUpstream, completion, piece
from gateway_kit import RunningGateway, gateway
from yuzui.audit.record import read_record
from yuzui.capturing import Captured, captured
from yuzui.core.capture import CaptureRules
from yuzui.io.books import SqliteBooks
from yuzui.io.capture_reader import read_captured

CONFIG = """
[[targets]]
name = "own/a"
provider = "openai"
model = "m"
premises = "own"
base_url = "{url}"
api_key = {{ env = "K" }}
price = "free"
[[targets]]
name = "vendor/b"
provider = "openai"
model = "m"
premises = "vendor"
clearance = "internal"
base_url = "{url}"
api_key = {{ env = "K" }}
price = "free"
answer_use = "{use}"
[masking]
kinds = ["email"]
[sensitivity.names]
enabled = false
[capture]
apps = ["support"]
{capture}
"""
MAIL, OTHER_MAIL = "ann.lee@corp-mail.example", "bo.roe@corp-mail.example"


async def answer(call: Call) -> None:
    """An answer, or one with an address in it where somebody asks for one."""
    asked = json.loads(call.body)
    text = f"Write to {OTHER_MAIL}." if "who" in call.body.decode() else "Glad to help."
    if not asked.get("stream"):
        await call.json(completion(text))
        return
    await call.start_stream()
    for part in (text[:4], text[4:]):
        await call.event(piece(part))
    await call.event(piece(finish="stop"))
    await call.event(piece(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}))
    await call.end_stream()


Work = Callable[[RunningGateway, str], Coroutine[Any, Any, None]]


def kept(
    tmp_path: Path, work: Work, *, use: str = "evaluate", capture: str = "", app: str = "support"
) -> list[Captured]:
    async def story() -> None:
        async with FaultUpstream(answer) as upstream:
            config = CONFIG.format(url=upstream.base_url, use=use, capture=capture)
            async with gateway(config, {"K": "k"}, data_dir=tmp_path) as running:
                await work(running, running.add_key(app=app))

    asyncio.run(story())
    found, unreadable = read_captured(tmp_path, "support")
    assert unreadable == 0
    return found


def asks(text: str, model: str = "vendor/b", **more: Any) -> Work:
    async def work(running: RunningGateway, key: str) -> None:
        client = running.client(key)
        if more.pop("stream", False):
            async for _ in await client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": text}], stream=True
            ):
                pass
        else:
            await client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)

    return work


@pytest.mark.parametrize("stream", [False, True])
def test_a_request_and_its_answer_are_kept_sealed_and_the_record_says_so(tmp_path: Path, stream: bool) -> None:
    (found,) = kept(tmp_path, asks("How do I reset the zebra lamp?", stream=stream))
    assert found.messages == [{"role": "user", "content": "How do I reset the zebra lamp?"}]
    assert (found.answer, found.answer_use, found.target, found.level) == (
        "Glad to help.",
        "evaluate",
        "vendor/b",
        "internal",
    )
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"zebra" not in path.read_bytes(), path
    books = SqliteBooks.open(tmp_path, exclusive=True)
    try:
        record = books.record_of(found.request_id)
    finally:
        books.stop()
    assert record is not None and read_record(record[1]).captured


def test_only_of_the_applications_that_are_named(tmp_path: Path) -> None:
    assert kept(tmp_path, asks("Hello"), app="other") == []


def test_another_dialect_is_kept_in_the_same_words(tmp_path: Path) -> None:
    async def work(running: RunningGateway, key: str) -> None:
        async with anthropic.AsyncAnthropic(base_url=running.base_url, api_key=key, max_retries=0) as client:
            await client.messages.create(
                model="vendor/b", max_tokens=50, system="Be brief.", messages=[{"role": "user", "content": "Hello"}]
            )

    (found,) = kept(tmp_path, work)
    assert [(one["role"], one["content"]) for one in found.messages] == [("system", "Be brief."), ("user", "Hello")]
    assert found.answer == "Glad to help."


def test_without_terms_the_answer_stays_out(tmp_path: Path) -> None:
    (found,) = kept(tmp_path, asks("Hello"), use="none")
    assert (found.answer, found.why_no_answer) == (None, "terms")


def test_a_request_above_the_level_is_never_kept(tmp_path: Path) -> None:
    text = "My card is 4111 1111 1111 1111"
    for folder, capture in (("a", ""), ("b", "masked = false")):
        assert kept(tmp_path / folder, asks(text, "own/a"), capture=capture) == []


def test_findings_are_kept_as_stand_ins_without_the_answer(tmp_path: Path) -> None:
    capture = 'max_level = "confidential"'
    (found,) = kept(tmp_path, asks(f"Write to {MAIL} please"), capture=capture)
    assert MAIL not in str(found.messages) and "EMAIL_" in str(found.messages) and found.is_masked
    assert (found.answer, found.why_no_answer) == (None, "findings")


def test_findings_that_cannot_be_masked_are_not_kept(tmp_path: Path) -> None:
    capture = 'max_level = "restricted"'
    assert kept(tmp_path, asks("My card is 4111 1111 1111 1111", "own/a"), capture=capture) == []


def test_the_operator_may_keep_them_as_they_are(tmp_path: Path) -> None:
    capture = 'max_level = "confidential"\nmasked = false'
    (found,) = kept(tmp_path, asks(f"Write to {MAIL} please", "own/a"), capture=capture)
    assert MAIL in str(found.messages) and found.answer == "Glad to help." and not found.is_masked


def test_an_answer_with_findings_or_above_the_level_stays_out(tmp_path: Path) -> None:
    (found,) = kept(tmp_path / "a", asks("who is it?"))
    assert (found.answer, found.why_no_answer) == (None, "level")
    (found,) = kept(tmp_path / "b", asks("who is it?"), capture='max_level = "confidential"')
    assert (found.answer, found.why_no_answer) == (None, "findings")


def test_pictures_and_failures_are_not_kept(tmp_path: Path) -> None:
    async def work(running: RunningGateway, key: str) -> None:
        client = running.client(key)
        picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
        await client.chat.completions.create(
            model="own/a",
            messages=[{"role": "user", "content": [picture]}],  # type: ignore[list-item, misc]  # OpenAI's
        )
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(model="nobody", messages=[{"role": "user", "content": "x"}])

    assert kept(tmp_path, work, capture='max_level = "restricted"\nmasked = false') == []


def test_a_share_is_drawn(tmp_path: Path) -> None:
    async def work(running: RunningGateway, key: str) -> None:
        client = running.client(key)
        for number in range(60):
            messages: Any = [{"role": "user", "content": f"Hello {number}"}]
            await client.chat.completions.create(model="own/a", messages=messages)

    assert 10 <= len(kept(tmp_path, work, capture="share = 0.5")) <= 50


def test_what_is_over_its_time_is_gone_and_a_shorter_time_holds_at_once(tmp_path: Path) -> None:
    assert len(kept(tmp_path, asks("Hello"))) == 1
    books = SqliteBooks.open(tmp_path, exclusive=True)
    try:
        books.shorten_answers(0.0)
        assert len(books.kept_levels("capture:support")) == 1  # that is about answers of clients
        books.shorten_captured(0.0)
        assert books.forget_expired_answers() == 1
    finally:
        books.stop()
    assert read_captured(tmp_path, "support") == ([], 0)


def test_no_client_can_ask_for_it(tmp_path: Path) -> None:
    async def work(running: RunningGateway, key: str) -> None:
        client = running.client(key)
        answered = await client.chat.completions.with_raw_response.create(
            model="own/a", messages=[{"role": "user", "content": "Hello"}]
        )
        name = answered.headers["x-yuzui-request-id"]
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(name)

    assert len(kept(tmp_path, work)) == 1


def test_an_odd_exchange_is_settled_all_the_same() -> None:
    broken: Any = SimpleNamespace(id="req_1")
    assert captured(broken, CaptureRules(), broken) == ()
