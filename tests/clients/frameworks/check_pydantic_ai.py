# mypy: ignore-errors
# Pydantic AI lies in an environment of its own, which mypy does not see
"""Pydantic AI: agents over its OpenAI, Anthropic and Google model classes."""

from __future__ import annotations

from anthropic import AsyncAnthropic
from harness import Place, run
from openai import AsyncOpenAI
from pydantic_ai import Agent, BinaryContent, ModelHTTPError, NativeOutput, ThinkingPart
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from clients.scripted_model import DEEP_THOUGHT, PLAIN, counts_of
from clients.tools import DONE, PICTURE, Weather, now, weather

THINKING = {
    "chat": {"openai_reasoning_effort": "low", "max_tokens": 8000},
    "responses": {"openai_reasoning_effort": "low", "openai_reasoning_summary": "auto"},
    "messages": {"anthropic_thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 8000},
    "gemini": {"google_thinking_config": {"include_thoughts": True, "thinking_budget": 2000}},
}
QUESTION = "script:weather In Oslo and in 北京?"


def agent_of(place: Place, thinking: bool = False, **options) -> Agent:
    settings = THINKING[place.dialect] if thinking else {"max_tokens": 4000}
    openai_ = OpenAIProvider(openai_client=AsyncOpenAI(base_url=place.openai, api_key=place.key, max_retries=0))
    if place.dialect == "messages":
        client = AsyncAnthropic(base_url=place.address, api_key=place.key, max_retries=0)
        profile = {"supports_json_schema_output": True}  # as below
        model = AnthropicModel(place.model, provider=AnthropicProvider(anthropic_client=client), profile=profile)
    elif place.dialect == "gemini":
        model = GoogleModel(place.model, provider=GoogleProvider(api_key=place.key, base_url=place.address))
    elif place.dialect == "responses":
        # It knows the vendors' models by their names; of others it must be told what they can do.
        profile = {"openai_supports_encrypted_reasoning_content": True}
        model = OpenAIResponsesModel(place.model, provider=openai_, profile=profile)
    else:
        model = OpenAIChatModel(place.model, provider=openai_)
    return Agent(model, model_settings=settings, **options)


def same_usage(usage, script="plain", rounds=1) -> None:
    counts = [counts_of(script, round_) for round_ in range(rounds)]
    assert usage.input_tokens == sum(one.input for one in counts), usage
    assert usage.output_tokens == sum(one.output for one in counts), usage
    assert usage.cache_read_tokens == sum(one.cached for one in counts), usage


def check_plain(place: Place) -> None:
    result = agent_of(place).run_sync("script:plain")
    assert result.output == PLAIN, result
    same_usage(result.usage)


async def check_stream(place: Place) -> None:
    async with agent_of(place).run_stream("script:plain") as result:
        pieces = [piece async for piece in result.stream_text(delta=True, debounce_by=None)]
    assert "".join(pieces) == PLAIN and len(pieces) > 3, pieces
    same_usage(result.usage)


async def check_agent(place: Place) -> None:
    result = await agent_of(place, tools=[weather, now]).run(QUESTION)
    assert result.output == DONE, result
    assert result.usage.tool_calls == 3 and result.usage.requests == 3, result.usage


async def check_agent_streamed_and_thinking(place: Place) -> None:
    agent = agent_of(place, thinking=True, tools=[weather, now])
    async with agent.iter(QUESTION) as run_:
        async for node in run_:
            if Agent.is_model_request_node(node):
                async with node.stream(run_.ctx) as stream:
                    async for _ in stream:
                        pass
    assert run_.result.output == DONE, run_.result
    same_usage(run_.result.usage, "weather", 3)


async def check_structured_output(place: Place) -> None:
    result = await agent_of(place, output_type=NativeOutput(Weather)).run("script:schema")
    assert result.output == Weather(city="Oslo", degrees=3), result


async def check_structured_output_by_a_tool(place: Place) -> None:
    result = await agent_of(place, output_type=Weather).run("script:schema")
    assert result.output == Weather(city="Oslo", degrees=3), result


async def check_a_thought_comes_back(place: Place) -> None:
    agent = agent_of(place, thinking=True)
    first = await agent.run("script:think")
    assert first.output == "It is 42.", first
    thoughts = [part for part in first.all_messages()[-1].parts if isinstance(part, ThinkingPart)]
    assert "".join(part.content for part in thoughts) == DEEP_THOUGHT, first.all_messages()
    second = await agent.run("script:again", message_history=first.all_messages())
    if place.dialect == "chat" and place.model not in ("llama", "vllm"):
        return  # it gives back the text of a chat's thought, without what a vendor needs to take it
    assert second.output == "I remember.", second


async def check_a_picture(place: Place) -> None:
    result = await agent_of(place).run(["script:picture", BinaryContent(PICTURE, media_type="image/png")])
    assert len(result.output) == 12, result


async def check_a_busy_target_is_an_exception(place: Place) -> None:
    try:
        await agent_of(place).run("script:status-429")
    except ModelHTTPError as error:
        assert error.status_code == 429, error
    else:
        raise AssertionError("no exception")


run(globals())
