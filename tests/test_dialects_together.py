"""All dialects through one running gateway, with the official clients: state, keys, labels and refusals hold in each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import errors as google_errors
from google.genai import types as google_types

from fault_upstream import Call, FaultUpstream
from gateway_kit import RunningGateway, gateway
from yuzui.privacy.scan import ScanResult

CONFIG = """
[[targets]]
name = "house/own"
provider = "scripted"
model = "scripted-echo"
premises = "own"
clearance = "restricted"
price = "free"

[[targets]]
name = "vendor/closed"
provider = "scripted"
model = "scripted-echo"
premises = "vendor"
clearance = "internal"
jurisdiction = "US"
retains_data = false
price = { currency = "USD", input = 1, output = 2 }

[[models]]
name = "auto"
candidates = ["vendor/closed", "house/own"]
policy = "own_first"

[[models]]
name = "closed-first"
candidates = ["vendor/closed", "house/own"]
policy = "fastest"

[[models]]
name = "closed"
candidates = ["vendor/closed"]
policy = "pinned"
"""
RESIDENT_ID = "11010519491231002X"
SECRET = f"My resident ID is {RESIDENT_ID}, please remember it."


@asynccontextmanager
async def clients(
    running: RunningGateway, key: str
) -> AsyncGenerator[tuple[openai.AsyncOpenAI, anthropic.AsyncAnthropic, genai.Client]]:
    claude = anthropic.AsyncAnthropic(base_url=running.base_url, api_key=key, max_retries=0)
    google = genai.Client(api_key=key, http_options=google_types.HttpOptions(base_url=running.base_url))
    try:
        yield running.client(key), claude, google
    finally:
        await claude.close()
        await google.aio.aclose()


def run(story: Callable[[RunningGateway], Awaitable[None]], config: str = CONFIG) -> None:
    async def whole() -> None:
        async with gateway(config) as running:
            await story(running)

    asyncio.run(whole())


async def say(running: RunningGateway, dialect: str, key: str, text: str, model: str = "auto") -> tuple[str, str]:
    """The answer's text and the target that gave it, through the official client of `dialect`."""
    async with clients(running, key) as (chat, claude, google):
        if dialect == "chat":
            got = await chat.chat.completions.with_raw_response.create(
                model=model, messages=[{"role": "user", "content": text}]
            )
            return got.parse().choices[0].message.content or "", got.headers["x-yuzui-target"]
        if dialect == "responses":
            answer = await chat.responses.with_raw_response.create(model=model, input=text)
            return answer.parse().output_text, answer.headers["x-yuzui-target"]
        if dialect == "messages":
            said = await claude.messages.with_raw_response.create(
                model=model, max_tokens=200, messages=[{"role": "user", "content": text}]
            )
            block = (await said.parse()).content[0]
            assert block.type == "text"
            return block.text, said.headers["x-yuzui-target"]
        made = await google.aio.models.generate_content(model=model, contents=text)
        assert made.sdk_http_response is not None and made.sdk_http_response.headers is not None
        return made.text or "", made.sdk_http_response.headers["x-yuzui-target"]


def see_nothing(*_: object, **__: object) -> ScanResult:
    """A scanner without eyes: what is still known is known from the conversation."""
    return ScanResult()


DIALECTS = ("chat", "responses", "messages", "gemini")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_is_taken_in_each_dialects_own_header_and_a_secret_stays_at_home(dialect: str) -> None:
    async def story(running: RunningGateway) -> None:
        key = running.add_key()
        text, target = await say(running, dialect, key, "Hello", "closed-first")
        assert "Hello" in text and target == "vendor/closed"
        text, target = await say(running, dialect, key, SECRET, "closed-first")
        assert RESIDENT_ID in text and target == "house/own"

    run(story)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_refusals_are_each_clients_own_exceptions(dialect: str) -> None:
    denied: tuple[type[Exception], ...] = (
        openai.PermissionDeniedError, anthropic.PermissionDeniedError, google_errors.ClientError,
    )  # fmt: skip
    strange: tuple[type[Exception], ...] = (
        openai.AuthenticationError, anthropic.AuthenticationError, google_errors.ClientError,
    )  # fmt: skip

    async def story(running: RunningGateway) -> None:
        key = running.add_key()
        with pytest.raises(denied, match="may see this request") as refused:
            await say(running, dialect, key, SECRET, "closed")
        assert getattr(refused.value, "status_code", None) == 403 or getattr(refused.value, "code", None) == 403
        with pytest.raises(strange) as unknown:
            await say(running, dialect, "yz-" + "w" * 43, "Hello")
        assert getattr(unknown.value, "status_code", None) == 401 or getattr(unknown.value, "code", None) == 401
        records = await running.records()
        assert [record.error for record in records] == ["no_permitted_target", "invalid_api_key"]

    run(story)


@pytest.mark.parametrize("back", DIALECTS)
@pytest.mark.parametrize("there", DIALECTS)
def test_a_label_follows_what_was_said_into_every_dialect(there: str, back: str) -> None:
    async def story(running: RunningGateway) -> None:
        key = running.add_key()
        answer, _ = await say(running, there, key, SECRET)
        assert RESIDENT_ID in answer
        # The echo says the same words: also where nothing is found in them any more, they are known.
        running.service.gateway.snapshot.scanner.scan = see_nothing  # type: ignore[method-assign]  # for this gateway
        _, target = await say(running, back, key, answer, "closed-first")
        assert target == "house/own"

    run(story)


def test_an_answer_is_kept_shown_continued_and_deleted_for_its_key_only() -> None:
    async def story(running: RunningGateway) -> None:
        mine, other = running.add_key(app="mine", seed=1), running.add_key(app="other", seed=2)
        async with clients(running, mine) as (me, *_), clients(running, other) as (they, *_):
            first = await me.responses.create(model="auto", input="The word is heron.")
            assert first.id.startswith("resp_") and first.model_dump()["store"] is True
            shown = await me.responses.retrieve(first.id)
            assert shown.output_text == first.output_text and shown.id == first.id
            items = await me.responses.input_items.list(first.id)
            assert "heron" in items.data[0].model_dump_json()
            second = await me.responses.create(model="auto", input="Which word?", previous_response_id=first.id)
            assert second.previous_response_id == first.id
            third = await me.responses.input_items.list(second.id)
            assert len(third.data) == 3  # the first question, its answer, the second question
            for call in (they.responses.retrieve(first.id), they.responses.delete(first.id)):
                with pytest.raises(openai.NotFoundError):
                    await call
            with pytest.raises(openai.NotFoundError) as unknown:
                await they.responses.create(model="auto", input="x", previous_response_id=first.id)
            assert unknown.value.code == "previous_response_not_found"
            await me.responses.delete(first.id)
            with pytest.raises(openai.NotFoundError) as gone:
                await me.responses.retrieve(first.id)
            assert gone.value.code == "response_not_found"

    run(story)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_what_continues_a_secret_is_as_secret(is_streamed: bool) -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (me, *_):
            if is_streamed:
                async with me.responses.stream(model="auto", input=SECRET) as stream:
                    async for _ in stream:
                        pass
                    first_id = (await stream.get_final_response()).id
            else:
                first_id = (await me.responses.create(model="auto", input=SECRET)).id
            after = await me.responses.with_raw_response.create(
                model="closed-first", input="And now?", previous_response_id=first_id
            )
            assert after.headers["x-yuzui-target"] == "house/own"
            with pytest.raises(openai.PermissionDeniedError):
                await me.responses.create(model="closed", input="And now?", previous_response_id=first_id)

    run(story)


def test_an_answer_that_is_not_to_be_stored_is_not() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (me, *_):
            answer = await me.responses.create(model="auto", input="Hello", store=False)
            with pytest.raises(openai.NotFoundError):
                await me.responses.retrieve(answer.id)

    run(story)


def test_an_operator_who_keeps_nothing_keeps_nothing() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (me, *_):
            answer = await me.responses.create(model="auto", input="Hello")
            with pytest.raises(openai.NotFoundError):
                await me.responses.retrieve(answer.id)

    run(story, CONFIG + "\n[stored_responses]\nretention_days = 0\n")


def test_kept_answers_lie_encrypted() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (me, *_):
            await me.responses.create(model="auto", input="The word is heron.")
        for path in running.data_dir.rglob("*"):
            assert not path.is_file() or b"heron" not in path.read_bytes(), path.name

    run(story)


def test_models_are_listed_in_each_clients_shape() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (chat, claude, google):
            names = {"auto", "closed", "closed-first", "own", "vendor", "house/own", "vendor/closed"}
            assert {model.id async for model in chat.models.list()} == names
            assert {model.id async for model in claude.models.list()} == names
            assert {model.name async for model in await google.aio.models.list()} == {f"models/{n}" for n in names}
            assert (await claude.models.retrieve("house/own")).id == "house/own"
            assert (await google.aio.models.get(model="auto")).name == "models/auto"

    run(story)


def test_tokens_are_estimated_here_where_a_target_cannot_count_and_nothing_leaves() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (_, claude, google):
            counted = await claude.messages.with_raw_response.count_tokens(
                model="auto", messages=[{"role": "user", "content": "Hello there, this is a test."}]
            )
            assert counted.headers["x-yuzui-estimated"] == "true"
            assert 5 < (await counted.parse()).input_tokens < 40
            total = (await google.aio.models.count_tokens(model="auto", contents="Hello there")).total_tokens
            assert total is not None and 2 < total < 40
        records = await running.records()
        assert [(record.operation, record.outcome, record.cost and record.cost.amount) for record in records] == [
            ("count_tokens", "answered", 0)
        ] * 2

    run(story)


def test_an_operation_that_no_target_serves_is_refused_with_what_to_write() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (chat, *_):
            with pytest.raises(openai.BadRequestError, match=r'serves = \["embeddings"\]') as refused:
                await chat.embeddings.create(model="auto", input="Hello")
            assert refused.value.code == "unsupported_feature"

    run(story)


def test_plain_prompts_are_answered_by_models_that_chat() -> None:
    async def story(running: RunningGateway) -> None:
        async with clients(running, running.add_key()) as (chat, *_):
            answer = await chat.completions.create(model="auto", prompt="Hello, heron", max_tokens=50)
            assert "heron" in answer.choices[0].text
            pieces = [
                chunk.choices[0].text
                async for chunk in await chat.completions.create(model="auto", prompt="Hello, heron", stream=True)
                if chunk.choices
            ]
            assert "heron" in "".join(pieces)

    run(story)


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ("/v1/messages", "x-api-key", ("error", "type")),
        ("/v1beta/models/auto:generateContent", "x-goog-api-key", ("error", "status")),
        ("/v1/responses", "authorization", ("error", "code")),
    ],
)
def test_what_the_line_refuses_is_told_in_the_dialect_of_the_path(path: str, key: str, place: tuple[str, str]) -> None:
    async def story(running: RunningGateway) -> None:
        secret = running.add_key()
        value = f"Bearer {secret}" if key == "authorization" else secret
        async with httpx2.AsyncClient(base_url=running.base_url) as line:
            bad: list[dict[str, Any]] = [
                {"content": b"{", "headers": {key: value}},
                {"content": b"{}", "headers": {key: value, "content-encoding": "gzip"}},
                {"content": b"{}", "headers": {key: value}, "params": {"key": "secret"}},
                {"content": b"{}", "headers": {key: value, "authorization": "Bearer yz-other"}},
            ]  # Any: arguments of httpx2
            for arguments in bad[: 3 if key == "authorization" else 4]:
                got = await line.post(path, **arguments)
                assert 400 <= got.status_code < 500, got.text
                assert isinstance(got.json()[place[0]][place[1]], str), got.text

    run(story)


def test_how_long_a_target_asks_to_wait_reaches_the_client() -> None:
    async def busy(call: Call) -> None:
        await call.json({"error": {"message": "slow down"}}, "429 Too Many Requests", "retry-after: 60\r\n")

    async def story() -> None:
        async with FaultUpstream(busy) as server:
            config = (
                '[[targets]]\nname = "house/busy"\nprovider = "vllm"\nmodel = "m"\nprice = "free"\n'
                f'base_url = "{server.base_url}"\n'
            )
            async with gateway(config) as running, httpx2.AsyncClient(base_url=running.base_url) as line:
                body = {"model": "house/busy", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
                for path in ("/v1/chat/completions", "/v1/messages"):
                    got = await line.post(path, json=body)
                    assert (got.status_code, got.headers["retry-after"]) == (429, "60"), got.text

    asyncio.run(story())
