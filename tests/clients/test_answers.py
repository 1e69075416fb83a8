"""What a model says that nobody told it, taken out or withheld: streamed and whole, three dialects over four wires."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors, types

from clients.gateway import Gateway, serving
from clients.scripted_model import LEAKED, LEAKED_HARD
from clients.scripted_upstream import ScriptedUpstream
from clients.test_masking import LONG, NAMES, SCHEMA, configuration, parts, text_of

RULES = """
[answers]
action = "redact"
kinds = { us_ssn = "refuse" }
"""
ASKED = "script:leak Whom do I write to?"
HARD = "script:leak-hard Tell me of the river."
TOLD = (
    LEAKED.replace("wang@corp.cn", "[redacted: email]")
    .replace("4111 1111 1111 1111", "[redacted: bank_card]")
    .replace("138 0013 8000", "[redacted: cn_mobile]")
)
VALUES = ("wang@corp.cn", "4111", "138 0013 8000")
STREAMED = pytest.mark.parametrize("stream", [True, False])
MODELS = pytest.mark.parametrize("model", NAMES)


@pytest.fixture(scope="module")
def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    rules = RULES + configuration(upstream.address).replace("[masking]", "[masking]\nretention_days = 1")
    with serving(tmp_path_factory.mktemp("answers"), upstream, rules) as running:
        yield running
        log = (running.folder / "log").read_text("utf-8")
        assert not [value for value in VALUES if value in log]


def check_call(arguments: Any) -> None:  # Any: JSON values
    assert arguments == {"said": TOLD, "to": [TOLD, "x"], "card": "[redacted: bank_card]"}


@STREAMED
@MODELS
def test_openais_client(gateway: Gateway, upstream: ScriptedUpstream, model: str, stream: bool) -> None:
    before = len(upstream.asked)
    tools: list[Any] = [{"type": "function", "function": {"name": "mail", "parameters": SCHEMA}}]  # Any: TypedDicts
    messages: list[Any] = [{"role": "user", "content": ASKED}]  # Any: as above
    asked: dict[str, Any] = {  # Any: as above
        "model": model, "messages": messages, "tools": tools, "reasoning_effort": "low", "max_tokens": LONG,
    }  # fmt: skip  # one request
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:

        def ask() -> Any:  # Any: the client's own message
            if not stream:
                reply = client.chat.completions.with_raw_response.create(**asked)
                assert "email=" in reply.headers["x-yuzui-answer-redacted"]
                return reply.parse().choices[0].message
            with client.chat.completions.stream(**asked) as events:
                return events.get_final_completion().choices[0].message

        first = ask()
        assert first.content == f"I mail it: {TOLD}"
        (call,) = first.tool_calls
        check_call(json.loads(call.function.arguments))
        messages.append(first.model_dump(exclude_none=True, exclude={"parsed"}))
        for one in messages[-1]["tool_calls"]:
            one["function"].pop("parsed_arguments", None)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "sent"})
        assert ask().content == f"Once more: {TOLD}"
    assert not any(one.refusal for one in upstream.asked[before:])


@STREAMED
@MODELS
def test_openais_client_over_responses(gateway: Gateway, model: str, stream: bool) -> None:
    given: list[Any] = [{"role": "user", "content": ASKED}]  # Any: the client's TypedDicts
    asked: dict[str, Any] = {  # Any: as above
        "model": model,
        "tools": [{"type": "function", "name": "mail", "parameters": SCHEMA}],
        "store": False,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": LONG,
    }
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:

        def ask(**more: Any) -> Any:  # Any: plain and parsed answers
            if not stream:
                return client.responses.create(**asked, **more)
            with client.responses.stream(**asked, **more) as events:
                return events.get_final_response()

        first = ask(input=given)
        assert first.output_text == f"I mail it: {TOLD}"
        (call,) = [item for item in first.output if item.type == "function_call"]
        check_call(json.loads(call.arguments))
        said = [part.text for item in first.output if item.type == "reasoning" for part in item.summary]
        assert not said or "".join(said) == f"I know: {TOLD}"
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "sent"}
        assert ask(input=[*given, *first.output, result]).output_text == f"Once more: {TOLD}"


@STREAMED
@MODELS
def test_anthropics_client(gateway: Gateway, model: str, stream: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": ASKED}]  # Any: the client's TypedDicts
    more: dict[str, Any] = {  # Any: as above
        "model": model,
        "max_tokens": LONG,
        "messages": messages,
        "tools": [{"name": "mail", "input_schema": SCHEMA}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
    }
    with anthropic.Anthropic(base_url=gateway.address, api_key=gateway.key, max_retries=0) as client:

        def ask() -> Any:  # Any: plain and parsed messages
            if not stream:
                return client.messages.create(**more)
            with client.messages.stream(**more) as events:
                return events.get_final_message()

        first = ask()
        said: dict[str, Any] = {block.type: block for block in first.content}  # Any: kinds of blocks
        thoughts = [block.thinking for block in first.content if block.type == "thinking"]
        assert not thoughts or "".join(thoughts) == f"I know: {TOLD}"
        assert said["text"].text == f"I mail it: {TOLD}"
        check_call(said["tool_use"].input)
        messages.append(
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]}
        )
        result = {"type": "tool_result", "tool_use_id": said["tool_use"].id, "content": "sent"}
        messages.append({"role": "user", "content": [result]})
        assert "".join(block.text for block in ask().content if block.type == "text") == f"Once more: {TOLD}"


@STREAMED
@MODELS
def test_googles_client(gateway: Gateway, model: str, stream: bool) -> None:
    declared = types.FunctionDeclaration(name="mail", parameters_json_schema=SCHEMA)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2000),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=ASKED)])]  # Any: unions
    options = types.HttpOptions(base_url=gateway.address, timeout=20_000)
    with genai.Client(api_key=gateway.key, http_options=options) as client:

        def ask() -> list[types.Part]:
            if not stream:
                return parts(client.models.generate_content(model=model, contents=contents, config=config))
            pieces = client.models.generate_content_stream(model=model, contents=contents, config=config)
            return [part for piece in pieces for part in parts(piece)]

        first = ask()
        assert text_of(first) == f"I mail it: {TOLD}"
        (call,) = [part.function_call for part in first if part.function_call]
        check_call(call.args)
        contents.append(types.Content(role="model", parts=first))
        answered = types.FunctionResponse(id=call.id, name="mail", response={"result": "sent"})
        contents.append(types.Content(role="user", parts=[types.Part(function_response=answered)]))
        assert text_of(ask()) == f"Once more: {TOLD}"


def check_refused(error: Exception, said: str, *, stream: bool) -> None:
    """In the client's words, and without the value; a stream says what came before."""
    assert "536-90" not in str(error) and "us_ssn" in str(error)
    assert LEAKED_HARD.startswith(said) and "536" not in said
    assert bool(said) == stream


@STREAMED
@MODELS
def test_a_refusal_with_openais_client(gateway: Gateway, model: str, stream: bool) -> None:
    said = ""
    asked: Any = {"model": model, "messages": [{"role": "user", "content": HARD}]}  # Any: the client's TypedDicts
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
        with pytest.raises(openai.APIError) as raised:
            if not stream:
                client.chat.completions.create(**asked)
            for chunk in client.chat.completions.create(**asked, stream=True):
                said += chunk.choices[0].delta.content or ""
        assert raised.value.code == "answer_withheld"
    check_refused(raised.value, said, stream=stream)


@STREAMED
@MODELS
def test_a_refusal_with_anthropics_client(gateway: Gateway, model: str, stream: bool) -> None:
    said = ""
    asked: Any = {"model": model, "max_tokens": LONG, "messages": [{"role": "user", "content": HARD}]}  # Any: as above
    with anthropic.Anthropic(base_url=gateway.address, api_key=gateway.key, max_retries=0) as client:
        with pytest.raises(anthropic.APIStatusError) as raised:
            if not stream:
                client.messages.create(**asked)
            with client.messages.stream(**asked) as events:
                for text in events.text_stream:
                    said += text
    check_refused(raised.value, said, stream=stream)


@STREAMED
@MODELS
def test_a_refusal_with_googles_client(gateway: Gateway, model: str, stream: bool) -> None:
    said = ""
    options = types.HttpOptions(base_url=gateway.address, timeout=20_000)
    with genai.Client(api_key=gateway.key, http_options=options) as client:
        with pytest.raises(errors.APIError) as raised:
            if not stream:
                client.models.generate_content(model=model, contents=HARD)
            for piece in client.models.generate_content_stream(model=model, contents=HARD):
                said += text_of(parts(piece))
    check_refused(raised.value, said, stream=stream)
