"""A masked conversation with tools, streamed and whole, in three dialects over four wires: all comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from clients.gateway import TARGETS, VENDOR, Gateway, Row, serving
from clients.scripted_upstream import ScriptedUpstream

VALUES = ("wang@corp.cn", "138 0013 8000", "Hunter22!x", "li@corp.cn", "13900139000")
ASKED = 'Write to wang@corp.cn or +86 138 0013 8000,\npassword: "Hunter22!x" and EMAIL_ABCDEFGHIJKL.'
SENT = "sent to wang@corp.cn, copy to li@corp.cn, call 13900139000"
ROWS = (
    Row(name="chat", wire="chat", provider="openai", model="gpt-4o"),
    *[row for row in TARGETS if row.wire != "chat"],
)
NAMES = [row.name for row in ROWS]
MASKING = """
[masking]
kinds = ["email", "cn_mobile", "phone", "password"]
{more}
"""
SCHEMA: dict[str, Any] = {  # Any: a JSON schema
    "type": "object",
    "properties": {"said": {"type": "string"}, "to": {"type": "array", "items": {"type": "string"}}},
}
LONG = 8000


def configuration(address: str, more: str = "") -> str:
    targets = [
        VENDOR.format(name=row.name, provider=row.provider, upstream=address, path=row.path, model=row.model)
        for row in ROWS
    ]
    return MASKING.format(more=more) + "\n".join(targets)


@pytest.fixture(scope="module")
def gateway(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serving(tmp_path_factory.mktemp("masking"), upstream, configuration(upstream.address)) as running:
        yield running


def check_what_the_vendor_saw(upstream: ScriptedUpstream, before: int) -> None:
    assert len(upstream.asked) == before + 2
    for asked in upstream.asked[before:]:
        said = json.dumps(asked.body, ensure_ascii=False)
        assert not [value for value in VALUES if value in said], said
        assert not asked.refusal


def check_call(arguments: Any) -> None:  # Any: JSON values
    assert arguments == {"said": ASKED, "to": [ASKED, "x"]}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", NAMES)
def test_a_conversation_with_openais_client(
    gateway: Gateway, upstream: ScriptedUpstream, model: str, stream: bool
) -> None:
    before = len(upstream.asked)
    tools: list[Any] = [{"type": "function", "function": {"name": "mail", "parameters": SCHEMA}}]  # Any: TypedDicts
    messages: list[Any] = [{"role": "user", "content": f"script:mirror {ASKED}"}]  # Any: as above
    asked: dict[str, Any] = {  # Any: as above
        "model": model, "messages": messages, "tools": tools, "reasoning_effort": "low", "max_tokens": LONG,
    }  # fmt: skip  # one request
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:

        def ask() -> Any:  # Any: the client's own message
            if not stream:
                reply = client.chat.completions.with_raw_response.create(**asked)
                assert reply.headers["x-yuzui-masked"].startswith("cn_mobile=")
                assert reply.headers["x-yuzui-target"] == model
                return reply.parse().choices[0].message
            with client.chat.completions.stream(**asked) as events:
                return events.get_final_completion().choices[0].message

        first = ask()
        assert first.content == f"I mail it: {ASKED}"
        (call,) = first.tool_calls
        check_call(json.loads(call.function.arguments))
        messages.append(first.model_dump(exclude_none=True, exclude={"parsed"}))
        for one in messages[-1]["tool_calls"]:
            one["function"].pop("parsed_arguments", None)
        messages.append({"role": "tool", "tool_call_id": call.id, "content": SENT})
        assert ask().content == f"{ASKED} | {SENT}"
    check_what_the_vendor_saw(upstream, before)


@pytest.mark.parametrize("chained", [True, False])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", NAMES)
def test_a_conversation_over_responses(
    gateway: Gateway, upstream: ScriptedUpstream, model: str, stream: bool, chained: bool
) -> None:
    before = len(upstream.asked)
    given: list[Any] = [{"role": "user", "content": f"script:mirror {ASKED}"}]  # Any: the client's TypedDicts
    asked: dict[str, Any] = {  # Any: as above
        "model": model,
        "tools": [{"type": "function", "name": "mail", "parameters": SCHEMA}],
        "store": chained,
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
        assert first.output_text == f"I mail it: {ASKED}"
        (call,) = [item for item in first.output if item.type == "function_call"]
        check_call(json.loads(call.arguments))
        result = {"type": "function_call_output", "call_id": call.call_id, "output": SENT}
        if chained:
            second = ask(input=[result], previous_response_id=first.id)
        else:
            second = ask(input=[*given, *first.output, result])
        assert second.output_text == f"{ASKED} | {SENT}"
    check_what_the_vendor_saw(upstream, before)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", NAMES)
def test_a_conversation_with_anthropics_client(
    gateway: Gateway, upstream: ScriptedUpstream, model: str, stream: bool
) -> None:
    before = len(upstream.asked)
    messages: list[Any] = [{"role": "user", "content": f"script:mirror {ASKED}"}]  # Any: the client's TypedDicts
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
        assert not thoughts or "".join(thoughts) == f"They wrote: {ASKED}"
        assert said["text"].text == f"I mail it: {ASKED}"
        check_call(said["tool_use"].input)
        messages.append(
            {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]}
        )
        result = {"type": "tool_result", "tool_use_id": said["tool_use"].id, "content": SENT}
        messages.append({"role": "user", "content": [result]})
        assert "".join(block.text for block in ask().content if block.type == "text") == f"{ASKED} | {SENT}"
    check_what_the_vendor_saw(upstream, before)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", NAMES)
def test_a_conversation_with_googles_client(
    gateway: Gateway, upstream: ScriptedUpstream, model: str, stream: bool
) -> None:
    before = len(upstream.asked)
    declared = types.FunctionDeclaration(name="mail", parameters_json_schema=SCHEMA)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declared])],
        thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2000),
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    contents: list[Any] = [types.Content(role="user", parts=[types.Part(text=f"script:mirror {ASKED}")])]  # Any: unions
    options = types.HttpOptions(base_url=gateway.address, timeout=20_000)
    with genai.Client(api_key=gateway.key, http_options=options) as client:

        def ask() -> list[types.Part]:
            if not stream:
                return parts(client.models.generate_content(model=model, contents=contents, config=config))
            pieces = client.models.generate_content_stream(model=model, contents=contents, config=config)
            return [part for piece in pieces for part in parts(piece)]

        first = ask()
        assert text_of(first) == f"I mail it: {ASKED}"
        (call,) = [part.function_call for part in first if part.function_call]
        check_call(call.args)
        contents.append(types.Content(role="model", parts=first))
        answered = types.FunctionResponse(id=call.id, name="mail", response={"result": SENT})
        contents.append(types.Content(role="user", parts=[types.Part(function_response=answered)]))
        assert text_of(ask()) == f"{ASKED} | {SENT}"
    check_what_the_vendor_saw(upstream, before)


def parts(answer: types.GenerateContentResponse) -> list[types.Part]:
    content = answer.candidates[0].content if answer.candidates else None
    return (content.parts if content else None) or []


def text_of(said: list[types.Part]) -> str:
    return "".join(part.text or "" for part in said if not part.thought)
