"""The official `google-genai` client, against every wire that a target may speak."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from clients.gateway import NAMES, Gateway, two
from clients.scripted_model import DEEP_THOUGHT, PLAIN, THOUGHT, counts_of
from clients.tools import DONE, NOTHING_SCHEMA, PICTURE, WEATHER_SCHEMA, Weather, run

THINKING = types.GenerateContentConfig(
    thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
)
TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="weather", description="How warm.", parameters_json_schema=WEATHER_SCHEMA),
            types.FunctionDeclaration(name="now", parameters_json_schema=NOTHING_SCHEMA),
        ]
    )
]
QUESTION = "script:weather In Oslo and in 北京?"


def connect(gateway: Gateway, key: str = "") -> genai.Client:
    return genai.Client(
        api_key=key or gateway.key, http_options=types.HttpOptions(base_url=gateway.address, timeout=20_000)
    )


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[genai.Client]:
    with connect(gateway) as client:
        yield client


def parts_of(answer: types.GenerateContentResponse) -> list[types.Part]:
    assert answer.candidates and answer.candidates[0].content
    return answer.candidates[0].content.parts or []


def check_usage(
    usage: types.GenerateContentResponseUsageMetadata | None, script: str = "plain", round_: int = 0
) -> None:
    counts = counts_of(script, round_)
    assert usage is not None
    assert usage.prompt_token_count == counts.input
    assert usage.cached_content_token_count == counts.cached
    assert (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0) == counts.output
    assert (usage.thoughts_token_count or 0) == counts.reasoning
    assert usage.total_token_count == counts.input + counts.output


# ---- plain and streamed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_whole_answer(client: genai.Client, model: str) -> None:
    answer = client.models.generate_content(model=model, contents="script:plain")
    assert answer.text == PLAIN
    assert answer.candidates and answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.sdk_http_response and (answer.sdk_http_response.headers or {})["x-yuzui-target"] == model
    check_usage(answer.usage_metadata)


@pytest.mark.parametrize("model", NAMES)
def test_a_stream(client: genai.Client, model: str) -> None:
    chunks = list(client.models.generate_content_stream(model=model, contents="script:plain"))
    assert "".join(chunk.text or "" for chunk in chunks) == PLAIN and len(chunks) > 3
    last = chunks[-1].candidates
    assert last and last[0].finish_reason == types.FinishReason.STOP
    check_usage(chunks[-1].usage_metadata)


@pytest.mark.parametrize("model", NAMES)
def test_the_async_client(gateway: Gateway, model: str) -> None:
    async def story() -> None:
        with connect(gateway) as client:
            async with client.aio as aio:
                whole = await aio.models.generate_content(model=model, contents="script:plain")
                assert whole.text == PLAIN
                stream = await aio.models.generate_content_stream(model=model, contents="script:plain")
                assert "".join([chunk.text or "" async for chunk in stream]) == PLAIN

    asyncio.run(story())


@pytest.mark.parametrize("model", NAMES)
def test_an_answer_that_may_not_be_longer(client: genai.Client, model: str) -> None:
    answer = client.models.generate_content(model=model, contents="script:length")
    assert answer.candidates and answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS


# ---- tools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [False, True], ids=["", "thinking"])
@pytest.mark.parametrize("model", NAMES)
def test_a_tool_loop_of_several_turns(client: genai.Client, model: str, stream: bool, thinking: bool) -> None:
    config = (THINKING if thinking else types.GenerateContentConfig()).model_copy(update={"tools": TOOLS})
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=QUESTION)])]  # Any: the client's union
    rounds: list[list[types.Part]] = []
    usage = None
    while len(rounds) < 5:
        if stream:
            chunks = list(client.models.generate_content_stream(model=model, contents=contents, config=config))
            parts = [part for chunk in chunks if chunk.candidates for part in parts_of(chunk) if part.text != ""]
            usage = chunks[-1].usage_metadata
        else:
            answer = client.models.generate_content(model=model, contents=contents, config=config)
            parts, usage = parts_of(answer), answer.usage_metadata
        rounds.append(parts)
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            break
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"result": run(call.name or "", call.args or {})}
                )
            )
            for call in calls
        ]
        contents += [types.Content(role="model", parts=parts), types.Content(role="user", parts=results)]
    assert [len([part for part in parts if part.function_call]) for parts in rounds] == [2, 1, 0]
    assert "".join(part.text or "" for part in rounds[-1] if not part.thought) == DONE
    if thinking:
        assert "".join(part.text or "" for part in rounds[0] if part.thought) == THOUGHT
    check_usage(usage, "weather", 2)


# ---- structured output -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["response_schema", "response_json_schema"])
@pytest.mark.parametrize("model", NAMES)
def test_a_schema_gives_a_value_of_the_applications_type(client: genai.Client, model: str, kind: str) -> None:
    schema: Any = Weather if kind == "response_schema" else Weather.model_json_schema()  # Any: the client's union
    config = types.GenerateContentConfig(response_mime_type="application/json", **{kind: schema})
    answer = client.models.generate_content(model=model, contents="script:schema", config=config)
    assert Weather.model_validate_json(answer.text or "") == Weather(city="Oslo", degrees=3)
    if kind == "response_schema":
        assert answer.parsed == Weather(city="Oslo", degrees=3)


@pytest.mark.parametrize("model", NAMES)
def test_a_forced_tool(client: genai.Client, model: str) -> None:
    declared = types.FunctionDeclaration(name="give", parameters_json_schema=Weather.model_json_schema())
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        tool_config=types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode=types.FunctionCallingConfigMode.ANY)
        ),
    )
    answer = client.models.generate_content(model=model, contents="script:schema", config=config)
    assert [call.args for call in answer.function_calls or []] == [{"city": "Oslo", "degrees": 3}]


# ---- thoughts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", NAMES)
def test_a_thought_is_seen_and_comes_back_in_the_next_turn(client: genai.Client, model: str, stream: bool) -> None:
    chat = client.chats.create(model=model, config=THINKING)
    if stream:
        parts = [part for chunk in chat.send_message_stream("script:think") for part in parts_of(chunk)]
    else:
        parts = parts_of(chat.send_message("script:think"))
    assert "".join(part.text or "" for part in parts if part.thought) == DEEP_THOUGHT
    assert "".join(part.text or "" for part in parts if not part.thought) == "It is 42."
    assert chat.send_message("script:again").text == "I remember."


# ---- pictures and counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_arrives_whole(client: genai.Client, model: str) -> None:
    contents: list[Any] = ["script:picture", types.Part.from_bytes(data=PICTURE, mime_type="image/png")]  # Any: union
    answer = client.models.generate_content(model=model, contents=contents)
    assert answer.text == hashlib.sha256(PICTURE).hexdigest()[:12]


@pytest.mark.parametrize("model", NAMES)
def test_tokens_are_counted_before_they_are_sent(client: genai.Client, model: str) -> None:
    counted = client.models.count_tokens(model=model, contents="script:plain How many tokens are that?").total_tokens
    assert counted is not None and counted >= 5
    if model == "gemini":
        assert counted == 138  # the vendor's own number


def test_embeddings(client: genai.Client) -> None:
    contents: list[Any] = ["one", "two"]  # Any: the client's union
    answer = client.models.embed_content(model="embedder", contents=contents)
    first, second = answer.embeddings or []
    assert len(first.values or []) == len(second.values or []) == 8 and first.values != second.values


# ---- when it does not end well ---------------------------------------------------------------------------------------


def refused(client: genai.Client, model: str, text: str = "script:plain") -> errors.APIError:
    with pytest.raises(errors.APIError) as found:
        client.models.generate_content(model=model, contents=text)
    return found.value


def test_refusals_are_typed(client: genai.Client, gateway: Gateway) -> None:
    with connect(gateway, "nobody") as stranger:
        error = refused(stranger, "llama")
        assert (type(error), error.code, error.status) == (errors.ClientError, 401, "UNAUTHENTICATED")
    with connect(gateway, gateway.key_of("floored", "--floor", "restricted")) as floored:
        error = refused(floored, "claude")
        assert (error.code, error.status) == (403, "PERMISSION_DENIED") and "no target" in (error.message or "")
    with connect(gateway, gateway.key_of("bounded-gemini", "--rpm", "1")) as bounded:
        bounded.models.generate_content(model="llama", contents="script:plain")
        error = refused(bounded, "llama")
        assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    with pytest.raises(errors.ClientError) as wrong:
        client.models.generate_content(
            model="llama", contents="script:plain", config=types.GenerateContentConfig(temperature=9)
        )
    assert (wrong.value.code, wrong.value.status) == (400, "INVALID_ARGUMENT")
    assert refused(client, "nobody").code == 404


@pytest.mark.parametrize("model", two("gemini"))
def test_a_busy_target_is_a_429(client: genai.Client, model: str) -> None:
    assert refused(client, model, "script:status-429").code == 429


@pytest.mark.parametrize("script", ["cut", "fail"])
@pytest.mark.parametrize("model", NAMES)
def test_a_stream_that_breaks_is_an_exception(client: genai.Client, model: str, script: str) -> None:
    ends: list[object] = []
    with pytest.raises(errors.APIError):
        for chunk in client.models.generate_content_stream(model=model, contents=f"script:{script}"):
            ends += [candidate.finish_reason for candidate in chunk.candidates or []]
    assert not any(ends)


@pytest.mark.parametrize("model", two("gemini"))
def test_a_hang_up_reaches_the_target(gateway: Gateway, model: str) -> None:
    with connect(gateway) as client:
        stream = client.models.generate_content_stream(model=model, contents="script:long")
        for count, _ in enumerate(stream):
            if count == 3:
                break
        stream.close()  # type: ignore[attr-defined]  # it is a generator, and called an iterator
    asked = gateway.upstream.asked[-1]
    until = time.monotonic() + 10
    while not asked.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert asked.is_left


# ---- models ----------------------------------------------------------------------------------------------------------


def test_models_are_listed_and_retrieved(client: genai.Client) -> None:
    assert {f"models/{name}" for name in NAMES} <= {model.name for model in client.models.list()}
    assert client.models.get(model="llama").name == "models/llama"
