"""The official `openai` client over Responses, against every wire that a target may speak."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from clients.gateway import NAMES, Gateway, two
from clients.scripted_model import DEEP_THOUGHT, PLAIN, THOUGHT, counts_of
from clients.tools import DONE, NOTHING_SCHEMA, PICTURE, PICTURE_URL, WEATHER_SCHEMA, Weather, run

Options = dict[str, Any]  # Any: the client's own options
THINKING: Options = {
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "max_output_tokens": 8000,
}
TOOLS: list[Any] = [  # Any: the client's TypedDicts
    {"type": "function", "name": "weather", "description": "How warm.", "parameters": WEATHER_SCHEMA, "strict": True},
    {"type": "function", "name": "now", "parameters": NOTHING_SCHEMA, "strict": True},
]
QUESTION = "script:weather In Oslo and in 北京?"


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


def check_usage(usage: openai.types.responses.ResponseUsage | None, script: str = "plain", round_: int = 0) -> None:
    counts = counts_of(script, round_)
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (counts.input, counts.output)
    assert usage.input_tokens_details.cached_tokens == counts.cached
    assert usage.output_tokens_details.reasoning_tokens == counts.reasoning
    assert usage.total_tokens == counts.input + counts.output


def thoughts_of(answer: Response) -> str:
    """Summaries or whole thoughts, whichever there are."""
    items = [item for item in answer.output if item.type == "reasoning"]
    summaries = [part.text for item in items for part in item.summary]
    return "".join(summaries or [part.text for item in items for part in item.content or ()])


# ---- plain and streamed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_whole_answer(client: openai.OpenAI, model: str) -> None:
    reply = client.responses.with_raw_response.create(model=model, input="script:plain")
    answer = reply.parse()
    assert answer.output_text == PLAIN and answer.status == "completed"
    assert reply.headers["x-yuzui-target"] == model
    check_usage(answer.usage)


@pytest.mark.parametrize("model", NAMES)
def test_a_stream_with_the_helper(client: openai.OpenAI, model: str) -> None:
    with client.responses.stream(model=model, input="script:plain") as stream:
        events = list(stream)
        answer = stream.get_final_response()
    pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(pieces) == answer.output_text == PLAIN and len(pieces) > 3
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(len(numbers)))
    check_usage(answer.usage)


@pytest.mark.parametrize("model", NAMES)
def test_the_async_client(gateway: Gateway, model: str) -> None:
    async def story() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
            assert (await client.responses.create(model=model, input="script:plain")).output_text == PLAIN
            async with client.responses.stream(model=model, input="script:plain") as stream:
                assert (await stream.get_final_response()).output_text == PLAIN
            events = [
                e.type async for e in await client.responses.create(model=model, input="script:plain", stream=True)
            ]
            assert events[0] == "response.created" and events[-1] == "response.completed"

    asyncio.run(story())


@pytest.mark.parametrize("model", NAMES)
def test_an_answer_that_may_not_be_longer(client: openai.OpenAI, model: str) -> None:
    answer = client.responses.create(model=model, input="script:length")
    assert answer.status == "incomplete"
    assert answer.incomplete_details and answer.incomplete_details.reason == "max_output_tokens"


# ---- tools -----------------------------------------------------------------------------------------------------------


def loop(
    client: openai.OpenAI, model: str, *, stream: bool, chained: bool, **options: Any
) -> list[Response]:  # Any: options
    """An agent's loop: with all items each time and nothing stored, or by the id of the answer before."""
    given: list[Any] = [{"role": "user", "content": QUESTION}]  # Any: the client's TypedDicts
    answers: list[Response] = []
    while len(answers) < 5:
        asked: Options = {"model": model, "input": given, "tools": TOOLS, "store": chained, **options}
        if chained and answers:
            asked["previous_response_id"] = answers[-1].id
        if stream:
            with client.responses.stream(**asked) as helper:
                answer: Response = helper.get_final_response()
        else:
            answer = client.responses.create(**asked)
        answers.append(answer)
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            break
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": run(call.name, call.arguments)}
            for call in calls
        ]
        before = [] if chained else [*given, *answer.output]
        given = [*before, *results]
    return answers


@pytest.mark.parametrize("chained", [False, True], ids=["items", "by-id"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("thinking", [False, True], ids=["", "thinking"])
@pytest.mark.parametrize("model", NAMES)
def test_a_tool_loop_of_several_turns(
    client: openai.OpenAI, model: str, stream: bool, thinking: bool, chained: bool
) -> None:
    first, second, third = loop(client, model, stream=stream, chained=chained, **(THINKING if thinking else {}))
    assert [[item.type for item in one.output].count("function_call") for one in (first, second, third)] == [2, 1, 0]
    assert third.output_text == DONE
    if thinking:
        assert thoughts_of(first) == THOUGHT
        check_usage(first.usage, "weather", 0)
    check_usage(third.usage, "weather", 2)


# ---- structured output -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_parse_gives_a_value_of_the_applications_type(client: openai.OpenAI, model: str) -> None:
    answer = client.responses.parse(model=model, input="script:schema", text_format=Weather)
    assert answer.output_parsed == Weather(city="Oslo", degrees=3)
    with client.responses.stream(model=model, input="script:schema", text_format=Weather) as stream:
        assert stream.get_final_response().output_parsed == Weather(city="Oslo", degrees=3)


@pytest.mark.parametrize("model", NAMES)
def test_parse_gives_typed_arguments_of_a_forced_tool(client: openai.OpenAI, model: str) -> None:
    function = openai.pydantic_function_tool(Weather)["function"]
    tool: Any = {"type": "function", **function}  # Any: the client's TypedDicts
    answer = client.responses.parse(model=model, input="script:schema", tools=[tool], tool_choice="required")
    calls = [item for item in answer.output if item.type == "function_call"]
    assert [Weather.model_validate_json(call.arguments) for call in calls] == [Weather(city="Oslo", degrees=3)]


# ---- thoughts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", NAMES)
def test_a_thought_is_seen_and_comes_back_in_the_next_turn(client: openai.OpenAI, model: str, stream: bool) -> None:
    asked: Options = {
        "model": model,
        "input": [{"role": "user", "content": "script:think"}],
        "store": False,
        **THINKING,
    }
    if stream:
        with client.responses.stream(**asked) as helper:
            first: Response = helper.get_final_response()
    else:
        first = client.responses.create(**asked)
    assert first.output_text == "It is 42."
    assert thoughts_of(first) == DEEP_THOUGHT
    again = [*asked["input"], *first.output, {"role": "user", "content": "script:again"}]
    assert client.responses.create(**{**asked, "input": again}).output_text == "I remember."


# ---- kept answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", NAMES)
def test_a_kept_answer_is_shown_followed_and_deleted(client: openai.OpenAI, model: str, stream: bool) -> None:
    asked: Options = {"model": model, "input": "script:think", **THINKING}
    if stream:
        with client.responses.stream(**asked) as helper:
            first: Response = helper.get_final_response()
    else:
        first = client.responses.create(**asked)
    shown = client.responses.retrieve(first.id)
    assert shown.id == first.id and shown.output_text == first.output_text == "It is 42."
    inputs = list(client.responses.input_items.list(first.id))
    assert len(inputs) == 1 and "script:think" in str(inputs[0])
    second = client.responses.create(model=model, input="script:again", previous_response_id=first.id, **THINKING)
    assert second.output_text == "I remember."
    assert second.previous_response_id == first.id
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.APIStatusError) as gone:
        client.responses.create(model=model, input="script:again", previous_response_id=first.id)
    assert gone.value.status_code in (400, 404)


def test_what_is_not_stored_is_not_found_and_nobody_sees_anothers(client: openai.OpenAI, gateway: Gateway) -> None:
    unstored = client.responses.create(model="llama", input="script:plain", store=False)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(unstored.id)
    stored = client.responses.create(model="llama", input="script:plain")
    other = client.with_options(api_key=gateway.key_of("somebody-else"))
    with pytest.raises(openai.NotFoundError):
        other.responses.retrieve(stored.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.delete(stored.id)
    assert client.responses.retrieve(stored.id).output_text == PLAIN


# ---- pictures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_arrives_whole(client: openai.OpenAI, model: str) -> None:
    content = [
        {"type": "input_text", "text": "script:picture"},
        {"type": "input_image", "image_url": PICTURE_URL, "detail": "auto"},
    ]
    given: Any = [{"role": "user", "content": content}]  # Any: the client's TypedDicts
    assert client.responses.create(model=model, input=given).output_text == hashlib.sha256(PICTURE).hexdigest()[:12]


@pytest.mark.parametrize("model", NAMES)
def test_a_picture_in_a_tool_result_arrives_whole(client: openai.OpenAI, model: str) -> None:
    output = [{"type": "input_text", "text": "a screenshot"}, {"type": "input_image", "image_url": PICTURE_URL}]
    given: Any = [  # Any: the client's TypedDicts
        {"role": "user", "content": "script:picture Look at the screen."},
        {"type": "function_call", "call_id": "call_a", "name": "now", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_a", "output": output},
    ]
    answer = client.responses.create(model=model, input=given, tools=TOOLS)
    assert answer.output_text == hashlib.sha256(PICTURE).hexdigest()[:12]


# ---- when it does not end well ---------------------------------------------------------------------------------------


def test_refusals_are_typed(client: openai.OpenAI, gateway: Gateway) -> None:
    with pytest.raises(openai.AuthenticationError) as stranger:
        client.with_options(api_key="nobody").responses.create(model="llama", input="script:plain")
    assert stranger.value.code == "invalid_api_key"
    floored = client.with_options(api_key=gateway.key_of("floored", "--floor", "restricted"))
    with pytest.raises(openai.PermissionDeniedError) as refused:
        floored.responses.create(model="claude", input="script:plain")
    assert refused.value.code == "no_permitted_target"
    bounded = client.with_options(api_key=gateway.key_of("bounded-responses", "--rpm", "1"))
    bounded.responses.create(model="llama", input="script:plain")
    with pytest.raises(openai.RateLimitError) as later:
        bounded.responses.create(model="llama", input="script:plain")
    assert later.value.code == "rate_limit_exceeded"
    with pytest.raises(openai.BadRequestError) as wrong:
        client.responses.create(model="llama", input="script:plain", temperature=9)
    assert wrong.value.param == "temperature"
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="nobody", input="script:plain")


@pytest.mark.parametrize("model", two("responses"))
def test_a_busy_target_is_a_rate_limit_error(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.RateLimitError):
        client.responses.create(model=model, input="script:status-429")


@pytest.mark.parametrize("script", ["cut", "fail"])
@pytest.mark.parametrize("model", NAMES)
def test_a_stream_that_breaks_never_looks_complete(client: openai.OpenAI, model: str, script: str) -> None:
    events: list[str] = []
    try:
        for event in client.responses.create(model=model, input=f"script:{script}", stream=True):
            events.append(event.type)
    except openai.APIError:
        events.append("error")
    assert events[-1] in ("error", "response.failed")
    assert "response.completed" not in events and "response.output_item.done" not in events


@pytest.mark.parametrize("model", two("responses"))
def test_a_hang_up_reaches_the_target(client: openai.OpenAI, gateway: Gateway, model: str) -> None:
    with client.responses.create(model=model, input="script:long", stream=True) as stream:
        for count, _ in enumerate(stream):
            if count == 8:
                break
    asked = gateway.upstream.asked[-1]
    until = time.monotonic() + 10
    while not asked.is_over and time.monotonic() < until:
        time.sleep(0.02)
    assert asked.is_left
