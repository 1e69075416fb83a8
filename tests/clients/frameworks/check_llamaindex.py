# mypy: ignore-errors
# LlamaIndex lies in an environment of its own, which mypy does not see
"""LlamaIndex: its OpenAI-like, Anthropic and Google model classes, agents and embeddings."""

from __future__ import annotations

from base64 import b64encode

from harness import NotHere, Place, run
from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.anthropic import Anthropic
from llama_index.llms.google_genai import GoogleGenAI
from llama_index.llms.openai import OpenAIResponses
from llama_index.llms.openai_like import OpenAILike

from clients.scripted_model import PLAIN
from clients.tools import DONE, PICTURE, Weather, now, weather

QUESTION = "script:weather In Oslo and in 北京?"


def model_of(place: Place, thinking: bool = False):
    if place.dialect == "messages":
        options = {"thinking_dict": {"type": "enabled", "budget_tokens": 2000}, "temperature": 1.0} if thinking else {}
        return Anthropic(
            model=place.alias, base_url=place.address, api_key=place.key, max_tokens=8000, max_retries=0, **options
        )
    if place.dialect == "gemini":
        return GoogleGenAI(
            model=place.model, api_key=place.key, http_options={"base_url": place.address}, context_window=100_000,
            is_function_calling_model=True, max_tokens=8000,
        )  # fmt: skip
    if place.dialect == "responses":
        return OpenAIResponses(
            model=place.model, api_base=place.openai, api_key=place.key, context_window=100_000, max_retries=0,
            reasoning_options={"effort": "low"} if thinking else None,
        )  # fmt: skip
    return OpenAILike(
        model=place.model, api_base=place.openai, api_key=place.key, is_chat_model=True, is_function_calling_model=True,
        context_window=100_000, max_retries=0,
    )  # fmt: skip


def check_plain(place: Place) -> None:
    answer = model_of(place).chat([ChatMessage("script:plain")])
    assert answer.message.content == PLAIN, answer


async def check_stream(place: Place) -> None:
    pieces = [piece.delta or "" async for piece in await model_of(place).astream_chat([ChatMessage("script:plain")])]
    assert "".join(pieces) == PLAIN and len(pieces) > 3, pieces


async def check_agent(place: Place) -> None:
    agent = FunctionAgent(tools=[weather, now], llm=model_of(place), streaming=False)
    result = await agent.run(QUESTION)
    assert str(result.response.content) == DONE, result


async def check_agent_streamed_and_thinking(place: Place) -> None:
    agent = FunctionAgent(tools=[weather, now], llm=model_of(place, thinking=True))
    handler = agent.run(QUESTION)
    said = ""
    async for event in handler.stream_events():
        if isinstance(event, AgentStream):
            said += event.delta
    result = await handler
    assert str(result.response.content) == DONE, result
    assert said.endswith(DONE), said


def check_structured_output(place: Place) -> None:
    answer = model_of(place).as_structured_llm(Weather).chat([ChatMessage("script:schema")])
    assert answer.raw == Weather(city="Oslo", degrees=3), answer


def check_a_picture(place: Place) -> None:
    picture = ImageBlock(image=b64encode(PICTURE), image_mimetype="image/png")
    answer = model_of(place).chat([ChatMessage(role="user", blocks=[TextBlock(text="script:picture"), picture])])
    assert len(answer.message.content) == 12, answer


def check_a_busy_target_is_an_exception(place: Place) -> None:
    try:
        model_of(place).chat([ChatMessage("script:status-429")])
    except Exception as error:
        assert 429 in (getattr(error, "status_code", None), getattr(error, "code", None)), error
    else:
        raise AssertionError("no exception")


def check_embeddings(place: Place) -> None:
    if place.dialect != "chat":
        raise NotHere("asked once")
    model = OpenAIEmbedding(model_name="embedder", api_base=place.openai, api_key=place.key, dimensions=8)
    first, second = model.get_text_embedding_batch(["one", "two"])
    assert len(first) == len(second) == 8 and first != second


run(globals())
