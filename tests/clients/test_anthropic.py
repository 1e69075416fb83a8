"""The official `anthropic` client over Messages, against every wire that a target may speak."""

from __future__ import annotations

import asyncio
import hashlib
import time
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic.types import Usage

from clients.gateway import NAMES, WIRES, Gateway, two
from clients.scripted_model import DEEP_THOUGHT, PLAIN, THOUGHT, counts_of
from clients.tools import DONE, NOTHING_SCHEMA, PICTURE, WEATHER_SCHEMA, Weather, now, run, weather

Options = dict[str, Any]  # Any: the client's own options
THINKING: Options = {"thinking": {"type": "enabled", "budget_tokens": 2000}}
TOOLS: list[Any] = [  # Any: the client's TypedDicts
    {"name": "weather", "description": "How warm.", "input_schema": WEATHER_SCHEMA},
    {"name": "now", "input_schema": NOTHING_SCHEMA},
]


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.address, api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


def ask(model: str, text: str, **more: Any) -> Options:  # Any: the client's own options
    return {"model": model, "max_tokens": 8000, "messages": [{"role": "user", "content": text}], **more}


def text_of(message: Any) -> str:  # Any: plain, parsed and beta messages
    return "".join(block.text for block in message.content if block.type == "text")


def check_usage(usage: Usage, model: str, script: str = "plain", round_: int = 0) -> None:
    """The vendor's counts; only this dialect tells read and written tokens apart from the others."""
    counts = counts_of(script, round_)
    written = counts.written if WIRES[model] in ("messages", "responses") else 0
    assert usage.cache_read_input_tokens == counts.cached
    assert (usage.cache_creation_input_tokens or 0) == written
    assert usage.input_tokens == counts.input - counts.cached - written
    assert usage.output_tokens == counts.output


# ---- plain and streamed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_whole_answer(client: anthropic.Anthropic, model: str) -> None:
    reply = client.messages.with_raw_response.create(**ask(model, "script:plain"))
    message = reply.parse()
    assert text_of(message) == PLAIN and message.stop_reason == "end_turn" and message.role == "assistant"
    assert reply.headers["x-yuzui-target"] == model
    check_usage(message.usage, model)


@pytest.mark.parametrize("model", NAMES)
def test_a_stream_with_the_helper(client: anthropic.Anthropic, model: str) -> None:
    with client.messages.stream(**ask(model, "script:plain")) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert "".join(pieces) == text_of(message) == PLAIN and len(pieces) > 3
    assert message.stop_reason == "end_turn"
    check_usage(message.usage, model)


@pytest.mark.parametrize("model", NAMES)
def test_the_async_client(gateway: Gateway, model: str) -> None:
    async def story() -> None:
        async with anthropic.AsyncAnthropic(base_url=gateway.address, api_key=gateway.key, max_retries=0) as client:
            assert text_of(await client.messages.create(**ask(model, "script:plain"))) == PLAIN
            async with client.messages.stream(**ask(model, "script:plain")) as stream:
                assert await stream.get_final_text() == PLAIN
            events = [
                event.type async for event in await client.messages.create(**ask(model, "script:plain"), stream=True)
            ]
            assert events[0] == "message_start" and events[-2:] == ["message_delta", "message_stop"]

    asyncio.run(story())


@pytest.mark.parametrize("model", NAMES)
def test_an_answer_that_may_not_be_longer(client: anthropic.Anthropic, model: str) -> None:
    assert client.messages.create(**ask(model, "script:length")).stop_reason == "max_tokens"


@pytest.mark.parametrize("model", NAMES)
def test_a_filtered_answer_is_a_refusal(client: anthropic.Anthropic, model: str) -> None:
    assert client.messages.create(**ask(model, "script:refuse")).stop_reason == "refusal"


# ---- tools -----------------------------------------------------------------------------------------------------------


def loop(
    client: anthropic.Anthropic, model: str, *, stream: bool, **options: Any
) -> list[Any]:  # Any: two types of message
    """An agent's loop: the whole content goes back each time, all results in one message."""
    messages: list[Any] = [{"role": "user", "content": "script:weather In Oslo and in 北京?"}]  # Any: TypedDicts
    answers: list[Any] = []  # Any: as above
    while len(answers) < 5:
        asked = {**ask(model, ""), "messages": messages, "tools": TOOLS, **options}
        if stream:
            with client.messages.stream(**asked) as helper:
                answer: Any = helper.get_final_message()  # Any: as above
        else:
            answer = client.messages.create(**asked)
        answers.append(answer)
        if answer.stop_reason != "tool_use":
            break
        calls = [block for block in answer.content if block.type == "tool_use"]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": run(call.name, call.input)} for call in calls
        ]
        messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
    return answers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [False, True], ids=["", "thinking"])
@pytest.mark.parametrize("model", NAMES)
def test_a_tool_loop_of_several_turns(client: anthropic.Anthropic, model: str, stream: bool, thinking: bool) -> None:
    first, second, third = loop(client, model, stream=stream, **(THINKING if thinking else {}))
    assert [[block.type for block in answer.content].count("tool_use") for answer in (first, second, third)] == [
        2,
        1,
        0,
    ]
    assert [block.input for block in first.content if block.type == "tool_use"] == [{"city": "Oslo"}, {"city": "北京"}]
    assert second.content[-1].input == {}
    assert text_of(third) == DONE
    if thinking:
        assert first.content[0].type == "thinking" and first.content[0].thinking == THOUGHT
    check_usage(third.usage, model, "weather", 2)


@pytest.mark.parametrize("model", NAMES)
def test_the_tool_runner(client: anthropic.Anthropic, model: str) -> None:
    tools = [anthropic.beta_tool(weather), anthropic.beta_tool(now)]
    runner = client.beta.messages.tool_runner(**ask(model, "script:weather In Oslo and in 北京?", tools=tools))
    assert text_of(runner.until_done()) == DONE


# ---- structured output -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_parse_gives_a_value_of_the_applications_type(client: anthropic.Anthropic, model: str) -> None:
    answer = client.messages.parse(**ask(model, "script:schema"), output_format=Weather)
    assert answer.parsed_output == Weather(city="Oslo", degrees=3)
    with client.messages.stream(**ask(model, "script:schema"), output_format=Weather) as stream:
        assert stream.get_final_message().parsed_output == Weather(city="Oslo", degrees=3)


@pytest.mark.parametrize("model", NAMES)
def test_a_forced_tool(client: anthropic.Anthropic, model: str) -> None:
    tool = {"name": "give", "description": "Give the answer.", "input_schema": Weather.model_json_schema()}
    choice = {"type": "tool", "name": "give"}
    answer = client.messages.create(**ask(model, "script:schema", tools=[tool], tool_choice=choice))
    assert answer.stop_reason == "tool_use"
    assert [block.input for block in answer.content if block.type == "tool_use"] == [{"city": "Oslo", "degrees": 3}]


# ---- thoughts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", NAMES)
def test_a_thought_is_seen_and_comes_back_in_the_next_turn(
    client: anthropic.Anthropic, model: str, stream: bool
) -> None:
    asked = ask(model, "script:think", **THINKING)
    if stream:
        with client.messages.stream(**asked) as helper:
            first: Any = helper.get_final_message()  # Any: two types of the client
    else:
        first = client.messages.create(**asked)
    assert text_of(first) == "It is 42."
    assert first.content[0].type == "thinking" and first.content[0].thinking == DEEP_THOUGHT
    assert first.content[0].signature
    again = {"role": "assistant", "content": first.content}, {"role": "user", "content": "script:again"}
    second = client.messages.create(**{**asked, "messages": [*asked["messages"], *again]})
    assert text_of(second) == "I remember."


# ---- pictures and counts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_arrives_whole(client: anthropic.Anthropic, model: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(PICTURE).decode()}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "script:picture"}]
    answer = client.messages.create(**{**ask(model, ""), "messages": [{"role": "user", "content": content}]})
    assert text_of(answer) == hashlib.sha256(PICTURE).hexdigest()[:12]


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_in_a_tool_result_arrives_whole(client: anthropic.Anthropic, model: str) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": b64encode(PICTURE).decode()}
    result = [{"type": "text", "text": "a screenshot"}, {"type": "image", "source": source}]
    messages = [
        {"role": "user", "content": "script:picture Look at the screen."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_a", "name": "now", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_a", "content": result}]},
    ]
    answer = client.messages.create(**{**ask(model, ""), "messages": messages, "tools": TOOLS})
    assert text_of(answer) == hashlib.sha256(PICTURE).hexdigest()[:12]


@pytest.mark.parametrize("model", NAMES)
def test_tokens_are_counted_before_they_are_sent(client: anthropic.Anthropic, model: str) -> None:
    asked = ask(model, "script:plain How many tokens are that?")
    del asked["max_tokens"]
    counted = client.messages.count_tokens(**asked).input_tokens
    assert counted >= 5
    if WIRES[model] == "messages":
        assert counted == 100 + len(asked["messages"][0]["content"])  # the vendor's own number


# ---- when it does not end well ---------------------------------------------------------------------------------------


def test_refusals_are_typed(client: anthropic.Anthropic, gateway: Gateway) -> None:
    with pytest.raises(anthropic.AuthenticationError):
        client.with_options(api_key="nobody").messages.create(**ask("llama", "script:plain"))
    floored = client.with_options(api_key=gateway.key_of("floored", "--floor", "restricted"))
    with pytest.raises(anthropic.PermissionDeniedError) as refused:
        floored.messages.create(**ask("claude", "script:plain"))
    assert refused.value.type == "permission_error" and "no target" in str(refused.value)
    bounded = client.with_options(api_key=gateway.key_of("bounded-messages", "--rpm", "1"))
    bounded.messages.create(**ask("llama", "script:plain"))
    with pytest.raises(anthropic.RateLimitError):
        bounded.messages.create(**ask("llama", "script:plain"))
    with pytest.raises(anthropic.BadRequestError) as wrong:
        client.messages.create(**{**ask("llama", "script:plain"), "max_tokens": -1})
    assert "max_tokens" in str(wrong.value)
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(**ask("nobody", "script:plain"))


@pytest.mark.parametrize("model", two("messages"))
def test_a_busy_target_is_a_rate_limit_error(client: anthropic.Anthropic, model: str) -> None:
    with pytest.raises(anthropic.RateLimitError):
        client.messages.create(**ask(model, "script:status-429"))


@pytest.mark.parametrize("script", ["cut", "fail"])
@pytest.mark.parametrize("model", NAMES)
def test_a_stream_that_breaks_is_an_exception(client: anthropic.Anthropic, model: str, script: str) -> None:
    events: list[str] = []
    with pytest.raises(anthropic.APIError):
        for event in client.messages.create(**ask(model, f"script:{script}"), stream=True):
            events.append(event.type)
    assert "message_stop" not in events and "message_delta" not in events


@pytest.mark.parametrize("model", two("messages"))
def test_a_hang_up_reaches_the_target(client: anthropic.Anthropic, gateway: Gateway, model: str) -> None:
    with client.messages.stream(**ask(model, "script:long")) as stream:
        for count, _ in enumerate(stream.text_stream):
            if count == 3:
                break
    asked = gateway.upstream.asked[-1]
    until = time.monotonic() + 10
    while not asked.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert asked.is_left


# ---- models ----------------------------------------------------------------------------------------------------------


def test_models_are_listed_and_retrieved(client: anthropic.Anthropic) -> None:
    assert set(NAMES) <= {model.id for model in client.models.list()}
    assert client.models.retrieve("llama").type == "model"
