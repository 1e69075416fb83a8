# mypy: ignore-errors
# the Agents SDK lies in an environment of its own, which mypy does not see
"""OpenAI's Agents SDK: runs with tools over Responses and over chat completions."""

from __future__ import annotations

import openai
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from agents.items import ReasoningItem
from harness import NotHere, Place, run
from openai.types.shared import Reasoning

from clients import tools
from clients.scripted_model import DEEP_THOUGHT, PLAIN, counts_of
from clients.tools import DONE, PICTURE_URL, Weather

set_tracing_disabled(True)
QUESTION = "script:weather In Oslo and in 北京?"
THINKING = ModelSettings(
    reasoning=Reasoning(effort="low", summary="auto"), max_tokens=8000, store=False,
    response_include=["reasoning.encrypted_content"], include_usage=True,
)  # fmt: skip
TOOLS = [function_tool(tools.weather), function_tool(tools.now)]


def agent_of(place: Place, settings=None, **options) -> Agent:
    client = openai.AsyncOpenAI(base_url=place.openai, api_key=place.key, max_retries=0, timeout=20)
    kind = OpenAIResponsesModel if place.dialect == "responses" else OpenAIChatCompletionsModel
    settings = settings or ModelSettings(include_usage=True)
    return Agent(name="tester", model=kind(place.model, client), model_settings=settings, **options)


def same_usage(result, script="plain", rounds=1) -> None:
    usage = result.context_wrapper.usage
    counts = [counts_of(script, round_) for round_ in range(rounds)]
    assert usage.requests == rounds, usage
    assert usage.input_tokens == sum(one.input for one in counts), usage
    assert usage.output_tokens == sum(one.output for one in counts), usage
    assert usage.input_tokens_details.cached_tokens == sum(one.cached for one in counts), usage


async def check_plain(place: Place) -> None:
    result = await Runner.run(agent_of(place), "script:plain")
    assert result.final_output == PLAIN, result
    same_usage(result)


async def check_stream(place: Place) -> None:
    result = Runner.run_streamed(agent_of(place), "script:plain")
    said = ""
    async for event in result.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            said += event.data.delta
    assert said == result.final_output == PLAIN, (said, result)
    same_usage(result)


async def check_agent(place: Place) -> None:
    result = await Runner.run(agent_of(place, tools=TOOLS), QUESTION)
    assert result.final_output == DONE, result
    same_usage(result, "weather", 3)


async def check_agent_streamed_and_thinking(place: Place) -> None:
    result = Runner.run_streamed(agent_of(place, THINKING, tools=TOOLS), QUESTION)
    async for _ in result.stream_events():
        pass
    assert result.final_output == DONE, result
    same_usage(result, "weather", 3)


async def check_agent_that_continues_by_the_answers_id(place: Place) -> None:
    if place.dialect == "chat":
        raise NotHere("chat completions keep nothing")
    result = await Runner.run(agent_of(place, tools=TOOLS), QUESTION, auto_previous_response_id=True)
    assert result.final_output == DONE, result


async def check_agent_in_a_stored_conversation(place: Place) -> None:
    if place.dialect == "chat":
        raise NotHere("chat completions keep nothing")
    async with openai.AsyncOpenAI(base_url=place.openai, api_key=place.key, max_retries=0, timeout=20) as client:
        conversation = await client.conversations.create()
        result = await Runner.run(agent_of(place, tools=TOOLS), QUESTION, conversation_id=conversation.id)
        assert result.final_output == DONE, result
        kinds = [item.type async for item in client.conversations.items.list(conversation.id, order="asc")]
        assert kinds.count("function_call") == kinds.count("function_call_output") > 1, kinds
        assert (kinds[0], kinds[-1]) == ("message", "message"), kinds


async def check_agent_with_the_sessions_of_the_api(place: Place) -> None:
    if place.dialect == "chat":
        raise NotHere("its sessions take the ids off messages, without which it cannot say them in chat completions")
    async with openai.AsyncOpenAI(base_url=place.openai, api_key=place.key, max_retries=0, timeout=20) as client:
        session = OpenAIConversationsSession(openai_client=client)
        result = await Runner.run(agent_of(place, tools=TOOLS), QUESTION, session=session)
        assert result.final_output == DONE, result
        again = await Runner.run(agent_of(place), "script:plain", session=session)
        assert again.final_output == PLAIN, again
        assert len(await session.get_items()) > 6, await session.get_items()


async def check_structured_output(place: Place) -> None:
    result = await Runner.run(agent_of(place, output_type=Weather), "script:schema")
    assert result.final_output == Weather(city="Oslo", degrees=3), result


async def check_a_thought_comes_back(place: Place) -> None:
    if place.dialect == "chat":
        raise NotHere("it drops the thoughts of chat completions in the next turn, except DeepSeek's between tools")
    first = await Runner.run(agent_of(place, THINKING), "script:think")
    assert first.final_output == "It is 42.", first
    thoughts = [item.raw_item for item in first.new_items if isinstance(item, ReasoningItem)]
    assert "".join(part.text for item in thoughts for part in item.summary) == DEEP_THOUGHT, first.new_items
    asked = [*first.to_input_list(), {"role": "user", "content": "script:again"}]
    second = await Runner.run(agent_of(place, THINKING), asked)
    assert second.final_output == "I remember.", second


async def check_a_picture(place: Place) -> None:
    content = [
        {"type": "input_text", "text": "script:picture"},
        {"type": "input_image", "image_url": PICTURE_URL, "detail": "auto"},
    ]
    result = await Runner.run(agent_of(place), [{"role": "user", "content": content}])
    assert len(result.final_output) == 12, result


async def check_a_busy_target_is_an_exception(place: Place) -> None:
    try:
        await Runner.run(agent_of(place), "script:status-429")
    except openai.RateLimitError:
        return
    raise AssertionError("no exception")


run(globals())
