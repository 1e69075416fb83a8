"""The simulated vendor: real wire, never a real look."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from yuzui.core.chat import ToolCallPart
from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.providers.scripted import CODEC, MARK, ROW, answer, play

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "Who are you?"}]}  # Any: JSON values
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}
    for name in ("first", "second")
]  # fmt: skip


def asked(model: str = "scripted", **more: Any) -> bytes:  # Any: JSON values
    return json.dumps({"model": model, **ASK, **more}).encode()


def whole(model: str = "scripted", **more: Any) -> Any:  # Any: a ChatResponse, picked apart by the tests
    return CODEC.read_response(b"".join(answer(asked(model, **more)).pieces))


def streamed(model: str, **more: Any) -> str:  # Any: JSON values
    decoder = CODEC.decoder()
    body = asked(model, stream=True, stream_options={"include_usage": True}, **more)
    text = "".join(
        delta.text for piece in answer(body).pieces for chunk in decoder.feed(piece) for delta in chunk.deltas
    )
    decoder.close()
    return text


@pytest.mark.parametrize("model", ["scripted", "scripted-echo", "scripted-words-5", "scripted-reason", "anything"])
def test_every_text_says_that_it_is_simulated_streamed_and_whole(model: str) -> None:
    text = whole(model).choices[0].parts[-1].text
    assert text.startswith(MARK)
    assert streamed(model) == text


def test_the_same_request_gets_the_same_answer() -> None:
    assert answer(asked()) == answer(asked())


def test_echo_repeats_the_last_user_message() -> None:
    assert whole("scripted-echo").choices[0].parts[0].text == f"{MARK} Who are you?"


def test_the_chosen_tool_is_called_with_arguments_of_its_schema() -> None:
    choice = whole(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "second"}}).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.parts == (
        ToolCallPart(
            id="call_simulated_second", name="second", arguments=json.dumps({"city": MARK}, separators=(",", ":"))
        ),
    )


def test_no_tool_is_called_after_its_result_or_when_forbidden() -> None:
    result = [*ASK["messages"], {"role": "tool", "tool_call_id": "1", "content": "x"}]
    assert whole(tools=TOOLS, messages=result).choices[0].finish_reason == "stop"
    assert whole(tools=TOOLS, tool_choice="none").choices[0].finish_reason == "stop"


def test_a_schema_gets_a_json_value_of_its_shape() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
        "required": ["a", "b"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    assert json.loads(whole(response_format=wanted).choices[0].parts[0].text) == {"a": 0, "b": MARK}


def test_a_limit_cuts_the_answer_and_says_length() -> None:
    found = whole("scripted-words-100", max_tokens=10)
    assert found.choices[0].finish_reason == "length"
    assert found.usage.output_tokens == 10


def test_usage_counts_every_answer_and_can_be_missing() -> None:
    assert whole(n=2).usage.output_tokens == 2 * whole().usage.output_tokens
    assert len(whole(n=2).choices) == 2
    assert whole("scripted-no-usage").usage is None


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("scripted-cut-after-3", UpstreamInterrupted),
        ("scripted-error-after-3", UpstreamFault),
        ("scripted-garbage-after-3", UpstreamInvalid),
    ],
)
def test_a_direction_to_fail_is_followed(model: str, fault: type[UpstreamFault]) -> None:
    with pytest.raises(fault):
        streamed(model)
    with pytest.raises(UpstreamFault):
        whole(model)


def test_play_yields_the_answer_to_what_the_codec_wrote_or_raises_the_status() -> None:
    def target(model: str) -> Target:
        return Target(name="t", provider="scripted", codec="scripted", model=model, base_url="", premises="vendor",
                      clearance=0, jurisdiction="", is_simulated=True)  # fmt: skip

    async def played(model: str) -> bytes:
        wire = CODEC.write_request(DIALECT.read_request({"model": "auto", **ASK}), target(model), output_cap=None)
        async with aclosing(play(target(model), wire)) as pieces:
            return b"".join([piece async for piece in pieces])

    assert MARK in CODEC.read_response(asyncio.run(played("scripted"))).choices[0].parts[0].text  # type: ignore[union-attr]  # the script answers with text
    with pytest.raises(UpstreamBusy):
        asyncio.run(played("scripted-fail-429"))


def test_its_row_has_no_address_and_no_key() -> None:
    assert (ROW.base_url, ROW.key_env, ROW.codec) == ("", "", "scripted")
