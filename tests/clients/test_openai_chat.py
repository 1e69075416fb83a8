"""The official `openai` client over chat completions, against every wire that a target may speak."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from clients.gateway import NAMES, WIRES, Gateway, two
from clients.scripted_model import DEEP_THOUGHT, PLAIN, THOUGHT, counts_of
from clients.tools import DONE, NOTHING_SCHEMA, PICTURE, PICTURE_URL, WEATHER_SCHEMA, Weather, run

Options = dict[str, Any]  # Any: the client's own options
THINKING: Options = {"reasoning_effort": "low", "max_tokens": 8000}
TOOLS: list[Any] = [  # Any: the client's TypedDicts
    {"type": "function", "function": {"name": "weather", "description": "How warm.", "parameters": WEATHER_SCHEMA}},
    {"type": "function", "function": {"name": "now", "parameters": NOTHING_SCHEMA}},
]


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


def other(client: openai.OpenAI, key: str) -> openai.OpenAI:
    return client.with_options(api_key=key)


def ask(text: str, *earlier: Any) -> list[Any]:  # Any: the client's TypedDicts
    return [*earlier, {"role": "user", "content": text}]


def check_usage(usage: openai.types.CompletionUsage | None, script: str = "plain", round_: int = 0) -> None:
    counts = counts_of(script, round_)
    assert usage is not None and usage.prompt_tokens_details and usage.completion_tokens_details
    assert (usage.prompt_tokens, usage.completion_tokens) == (counts.input, counts.output)
    assert usage.total_tokens == counts.input + counts.output
    assert usage.prompt_tokens_details.cached_tokens == counts.cached
    assert (usage.completion_tokens_details.reasoning_tokens or 0) == counts.reasoning


# ---- plain and streamed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_whole_answer(client: openai.OpenAI, model: str) -> None:
    reply = client.chat.completions.with_raw_response.create(model=model, messages=ask("script:plain"))
    answer = reply.parse()
    assert answer.choices[0].message.content == PLAIN
    assert answer.choices[0].finish_reason == "stop"
    assert not answer.choices[0].message.tool_calls
    assert reply.headers["x-yuzui-target"] == model
    check_usage(answer.usage)


@pytest.mark.parametrize("model", NAMES)
def test_a_stream_with_the_helper(client: openai.OpenAI, model: str) -> None:
    said = ""
    with client.chat.completions.stream(
        model=model, messages=ask("script:plain"), stream_options={"include_usage": True}
    ) as stream:
        for event in stream:
            if event.type == "content.delta":
                said += event.delta
        answer = stream.get_final_completion()
    assert said == answer.choices[0].message.content == PLAIN
    assert answer.choices[0].finish_reason == "stop"
    check_usage(answer.usage)


@pytest.mark.parametrize("model", NAMES)
def test_the_async_client(gateway: Gateway, model: str) -> None:
    async def story() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
            whole = await client.chat.completions.create(model=model, messages=ask("script:plain"))
            assert whole.choices[0].message.content == PLAIN
            stream = await client.chat.completions.create(model=model, messages=ask("script:plain"), stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            assert "".join(pieces) == PLAIN and len(pieces) > 3
            async with client.chat.completions.stream(model=model, messages=ask("script:plain")) as helper:
                assert (await helper.get_final_completion()).choices[0].message.content == PLAIN

    asyncio.run(story())


@pytest.mark.parametrize("model", NAMES)
def test_an_answer_that_may_not_be_longer(client: openai.OpenAI, model: str) -> None:
    assert (
        client.chat.completions.create(model=model, messages=ask("script:length")).choices[0].finish_reason == "length"
    )


# ---- tools -----------------------------------------------------------------------------------------------------------


def loop(client: openai.OpenAI, model: str, *, stream: bool, **options: Any) -> list[ChatCompletion]:  # Any: options
    """An application's loop: answers until the model has no more calls; the whole message goes back each time."""
    messages = ask("script:weather In Oslo and in 北京?")
    answers: list[ChatCompletion] = []
    while len(answers) < 5:
        if stream:
            with client.chat.completions.stream(
                model=model, messages=messages, tools=TOOLS, stream_options={"include_usage": True}, **options
            ) as helper:
                answer: ChatCompletion = helper.get_final_completion()
        else:
            answer = client.chat.completions.create(model=model, messages=messages, tools=TOOLS, **options)
        answers.append(answer)
        message = answer.choices[0].message
        if not message.tool_calls:
            break
        assert answer.choices[0].finish_reason == "tool_calls"
        messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        for call in message.tool_calls:
            assert call.type == "function"
            messages.append(
                {"role": "tool", "tool_call_id": call.id, "content": run(call.function.name, call.function.arguments)}
            )
    return answers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [False, True], ids=["", "thinking"])
@pytest.mark.parametrize("model", NAMES)
def test_a_tool_loop_of_several_turns(client: openai.OpenAI, model: str, stream: bool, thinking: bool) -> None:
    first, second, third = loop(client, model, stream=stream, **(THINKING if thinking else {}))
    assert [len(answer.choices[0].message.tool_calls or []) for answer in (first, second, third)] == [2, 1, 0]
    assert third.choices[0].message.content == DONE
    if thinking or WIRES[model] == "chat":  # open models think unasked
        check_usage(first.usage, "weather", 0)
        assert reasoning_of(first.choices[0].message) == THOUGHT
    check_usage(third.usage, "weather", 2)


def reasoning_of(message: Any) -> str:  # Any: fields that the client keeps without a type
    found = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None) or ""
    if not found and "<think>" in (message.content or ""):  # same dialect on both ends: not touched
        found = message.content.partition("<think>")[2].partition("</think>")[0].strip()
    assert isinstance(found, str)
    return found


# ---- structured output -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_parse_gives_a_value_of_the_applications_type(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.parse(model=model, messages=ask("script:schema"), response_format=Weather)
    assert answer.choices[0].message.parsed == Weather(city="Oslo", degrees=3)
    with client.chat.completions.stream(model=model, messages=ask("script:schema"), response_format=Weather) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == Weather(city="Oslo", degrees=3)


@pytest.mark.parametrize("model", NAMES)
def test_parse_gives_typed_arguments_of_a_forced_tool(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.parse(
        model=model,
        messages=ask("script:schema"),
        tools=[openai.pydantic_function_tool(Weather)],
        tool_choice="required",
    )
    calls = answer.choices[0].message.tool_calls
    assert calls and calls[0].function.parsed_arguments == Weather(city="Oslo", degrees=3)


# ---- thoughts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", NAMES)
def test_a_thought_is_seen_and_comes_back_in_the_next_turn(client: openai.OpenAI, model: str, stream: bool) -> None:
    messages = ask("script:think")
    if stream:
        with client.chat.completions.stream(model=model, messages=messages, **THINKING) as helper:
            first: Any = helper.get_final_completion()  # Any: two types of the client
    else:
        first = client.chat.completions.create(model=model, messages=messages, **THINKING)
    message = first.choices[0].message
    assert message.content and message.content.endswith("It is 42.")
    assert reasoning_of(message) == DEEP_THOUGHT
    messages = ask("script:again", *messages, message.model_dump(exclude_none=True, exclude={"parsed"}))
    second = client.chat.completions.create(model=model, messages=messages, **THINKING)
    # A server that leaves the tags in the text takes no thoughts back in a field of their own.
    assert second.choices[0].message.content == ("I do not remember." if model == "think" else "I remember.")


# ---- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_arrives_whole(client: openai.OpenAI, model: str) -> None:
    content: list[Any] = [  # Any: the client's TypedDicts
        {"type": "text", "text": "script:picture"},
        {"type": "image_url", "image_url": {"url": PICTURE_URL}},
    ]
    answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content == hashlib.sha256(PICTURE).hexdigest()[:12]


# ---- when it does not end well ---------------------------------------------------------------------------------------


def test_refusals_are_typed(client: openai.OpenAI, gateway: Gateway) -> None:
    hello = ask("script:plain")
    with pytest.raises(openai.AuthenticationError) as stranger:
        other(client, "nobody").chat.completions.create(model="llama", messages=hello)
    assert stranger.value.code == "invalid_api_key"
    floored = other(client, gateway.key_of("floored", "--floor", "restricted"))
    with pytest.raises(openai.PermissionDeniedError) as refused:
        floored.chat.completions.create(model="claude", messages=hello)
    assert refused.value.code == "no_permitted_target"
    assert floored.chat.completions.create(model="llama", messages=hello).choices[0].message.content == PLAIN
    bounded = other(client, gateway.key_of("bounded-chat", "--rpm", "1"))
    bounded.chat.completions.create(model="llama", messages=hello)
    with pytest.raises(openai.RateLimitError) as later:
        bounded.chat.completions.create(model="llama", messages=hello)
    assert later.value.code == "rate_limit_exceeded" and int(later.value.response.headers["retry-after"]) > 0
    with pytest.raises(openai.BadRequestError) as wrong:
        client.chat.completions.create(model="llama", messages=hello, temperature=9)
    assert wrong.value.param == "temperature"
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="nobody", messages=hello)


@pytest.mark.parametrize("model", two("chat"))
def test_a_busy_target_is_a_rate_limit_error(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.RateLimitError) as busy:
        client.chat.completions.create(model=model, messages=ask("script:status-429"))
    assert busy.value.code == "upstream_rate_limited"


@pytest.mark.parametrize("script", ["cut", "fail"])
@pytest.mark.parametrize("model", NAMES)
def test_a_stream_that_breaks_is_an_exception(client: openai.OpenAI, model: str, script: str) -> None:
    stream = client.chat.completions.create(model=model, messages=ask(f"script:{script}"), stream=True)
    finished = []
    with pytest.raises(openai.APIError):
        finished += [chunk.choices[0].finish_reason for chunk in stream if chunk.choices]
    assert not any(finished)


@pytest.mark.parametrize("model", two("chat"))
def test_a_hang_up_reaches_the_target(client: openai.OpenAI, gateway: Gateway, model: str) -> None:
    stream = client.chat.completions.create(model=model, messages=ask("script:long"), stream=True)
    for count, _ in enumerate(stream):
        if count == 3:
            break
    stream.response.close()
    asked = gateway.upstream.asked[-1]
    until = time.monotonic() + 10
    while not asked.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert asked.is_left


# ---- models ----------------------------------------------------------------------------------------------------------


def test_models_are_listed_and_retrieved(client: openai.OpenAI) -> None:
    assert set(NAMES) <= {model.id for model in client.models.list()}
    assert client.models.retrieve("llama").id == "llama"
