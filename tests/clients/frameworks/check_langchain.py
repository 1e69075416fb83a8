# mypy: ignore-errors
# LangChain lies in an environment of its own, which mypy does not see
"""LangChain: chat models over four dialects, agents with tools, structured output, embeddings."""

from __future__ import annotations

from base64 import b64encode

from harness import NotHere, Place, run
from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from clients.scripted_model import DEEP_THOUGHT, PLAIN, counts_of
from clients.tools import DONE, PICTURE, Weather, now, weather


def model_of(place: Place, thinking: bool = False, **options):
    options = {"max_retries": 0, "timeout": 20, **options}
    if place.dialect == "messages":
        if thinking:
            options["thinking"] = {"type": "enabled", "budget_tokens": 2000}
        return ChatAnthropic(
            model=place.model, base_url=place.address, api_key=place.key, max_tokens=8000, stream_usage=True, **options
        )
    if place.dialect == "gemini":
        return ChatGoogleGenerativeAI(
            model=place.model,
            base_url=place.address,
            google_api_key=place.key,
            include_thoughts=thinking,
            thinking_budget=2000 if thinking else None,
            **options,
        )
    if place.dialect == "responses":
        if thinking:
            options["reasoning"] = {"effort": "low", "summary": "auto"}
            options["include"] = ["reasoning.encrypted_content"]
        return ChatOpenAI(
            model=place.model, base_url=place.openai, api_key=place.key, use_responses_api=True,
            output_version="responses/v1", store=False, **options,
        )  # fmt: skip
    if thinking:
        options |= {"reasoning_effort": "low", "max_completion_tokens": 8000}
    return ChatOpenAI(
        model=place.model,
        base_url=place.openai,
        api_key=place.key,
        stream_usage=True,
        use_responses_api=False,
        **options,
    )


def same_usage(usage, script="plain", round_=0):
    counts = counts_of(script, round_)
    assert (usage["input_tokens"], usage["output_tokens"]) == (counts.input, counts.output), usage
    assert usage["input_token_details"]["cache_read"] == counts.cached, usage


def check_plain(place: Place) -> None:
    answer = model_of(place).invoke("script:plain")
    assert answer.text == PLAIN, answer
    same_usage(answer.usage_metadata)


async def check_stream(place: Place) -> None:
    pieces = [piece async for piece in model_of(place).astream("script:plain")]
    assert len(pieces) > 3
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert whole.text == PLAIN, whole
    same_usage(whole.usage_metadata)


def check_agent(place: Place) -> None:
    messages = create_agent(model_of(place), [weather, now]).invoke(question("script:weather In Oslo and in 北京?"))[
        "messages"
    ]
    whole_loop(messages)


def question(text):
    return {"messages": [HumanMessage(text)]}


def whole_loop(messages):
    answers = [message for message in messages if message.type == "ai"]
    assert [len(answer.tool_calls) for answer in answers] == [2, 1, 0], answers
    assert answers[-1].text == DONE, answers[-1]
    same_usage(answers[-1].usage_metadata, "weather", 2)


async def check_agent_streamed_and_thinking(place: Place) -> None:
    agent = create_agent(model_of(place, thinking=True, streaming=True), [weather, now])
    said, last = "", None
    async for kind, value in agent.astream(
        question("script:weather In Oslo and in 北京?"), stream_mode=["messages", "values"]
    ):
        if kind == "messages":
            said += value[0].text if value[0].type == "AIMessageChunk" else ""
        else:
            last = value
    whole_loop(last["messages"])
    assert said.endswith(DONE), said


def check_structured_output(place: Place) -> None:
    given = model_of(place).with_structured_output(Weather, method="json_schema").invoke("script:schema")
    assert given == Weather(city="Oslo", degrees=3), given


def check_structured_output_by_a_tool(place: Place) -> None:
    given = model_of(place).with_structured_output(Weather, method="function_calling").invoke("script:schema")
    assert given == Weather(city="Oslo", degrees=3), given


def check_a_thought_comes_back(place: Place) -> None:
    if place.dialect == "chat":
        raise NotHere("ChatOpenAI reads no thoughts of chat completions: its documentation says to use Responses")
    model = model_of(place, thinking=True)
    first = model.invoke([HumanMessage("script:think")])
    assert first.text == "It is 42.", first
    thoughts = [block.get("reasoning", "") for block in first.content_blocks if block["type"] == "reasoning"]
    assert "".join(thoughts) == DEEP_THOUGHT, first.content_blocks
    second = model.invoke([HumanMessage("script:think"), first, HumanMessage("script:again")])
    assert second.text == "I remember.", second


def check_a_picture(place: Place) -> None:
    picture = {"type": "image", "base64": b64encode(PICTURE).decode(), "mime_type": "image/png"}
    answer = model_of(place).invoke([HumanMessage([{"type": "text", "text": "script:picture"}, picture])])
    assert len(answer.text) == 12, answer


def check_a_busy_target_is_an_exception(place: Place) -> None:
    try:
        model_of(place).invoke("script:status-429")
    except Exception as error:
        status = (
            getattr(error, "status_code", None)
            or getattr(error, "code", None)
            or getattr(error.__cause__, "code", None)
        )
        assert status == 429, (error, status)
    else:
        raise AssertionError("no exception")


def check_embeddings(place: Place) -> None:
    if place.dialect != "chat":
        raise NotHere("asked once")
    model = OpenAIEmbeddings(
        model="embedder", base_url=place.openai, api_key=place.key, check_embedding_ctx_length=False
    )
    first, second = model.embed_documents(["one", "two"])
    assert len(first) == len(second) == 8 and first != second


run(globals())
