"""A body's meaning in the words of the hub."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.dialects.openai_chat_meaning import read_meaning


def meaning_of(
    *messages: dict[str, Any], **more: Any
) -> Any:  # Any: JSON values in; a Meaning, picked apart by the tests
    return read_meaning({"model": "m", "messages": list(messages) or [{"role": "user", "content": "hi"}], **more})


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ({"role": "system", "content": "s", "name": "n"},
         Message(role="system", parts=(TextPart(text="s"),), name="n")),
        ({"role": "developer", "content": "d"}, Message(role="developer", parts=(TextPart(text="d"),))),
        ({"role": "user", "content": ""}, Message(role="user", parts=())),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"},
                {"type": "image_url", "image_url": {"url": "https://x.test/i", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            Message(role="user", parts=(TextPart(text="a"), ImagePart(url="https://x.test/i", detail="low"),
                                        ImagePart(data="AAAA", media_type="image/png"))),
        ),
        (
            {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}},
                                         {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}]},
            Message(role="user", parts=(DocumentPart(file_id="f"), AudioPart(data="A", media_type="audio/wav"))),
        ),
        (
            {"role": "assistant", "content": "b", "reasoning_content": "t",
             "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            Message(role="assistant", parts=(ReasoningPart(text="t"), TextPart(text="b"),
                                             ToolCallPart(id="1", name="f", arguments="{}"))),
        ),
        (
            {"role": "assistant", "content": "b", "reasoning_content": "plain", "reasoning_details": [
                {"type": "reasoning.text", "text": "t", "signature": "sig"},
                {"type": "reasoning.encrypted", "data": "xx"}]},
            Message(role="assistant", parts=(ReasoningPart(text="t", signature="sig"),
                                             ReasoningPart(text="", redacted="xx"), TextPart(text="b"))),
        ),
        (
            {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"text": "t"}]},
                                              {"type": "refusal", "refusal": "no"}]},
            Message(role="assistant", parts=(ReasoningPart(text="t"), TextPart(text="no"))),
        ),
        (
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "r"}]},
            Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(TextPart(text="r"),)),)),
        ),
        (
            {"role": "tool", "tool_call_id": "1", "content": [{"type": "file", "file": {"file_data": "QQ=="}}]},
            Message(role="tool", parts=(ToolResultPart(call_id="1", parts=(DocumentPart(data="QQ=="),)),)),
        ),
        (
            {"role": "user", "content": [
                {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
                {"type": "image_url", "image_url": {"url": "https://x.test/i", "detail": "original"},
                 "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
                {"type": "file", "file": {"file_id": "f"}, "prompt_cache_breakpoint": {"mode": "explicit"}}]},
            Message(role="user", parts=(TextPart(text="a", cache="1h"),
                                        ImagePart(url="https://x.test/i", detail="original", cache="1h"),
                                        DocumentPart(file_id="f", cache="1h"))),
        ),
    ],
)  # fmt: skip
def test_a_message_means(message: dict[str, Any], wanted: Message) -> None:
    assert meaning_of(message).messages == (wanted,)


def test_old_function_calls_and_their_results_find_each_other() -> None:
    call = {"name": "f", "arguments": "{}"}
    meaning = meaning_of(
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "1"},
        functions=[{"name": "f", "description": "d"}],
        function_call={"name": "f"},
    )
    assert meaning.messages[0].parts == (ToolCallPart(id="call_0", name="f", arguments="{}"),)
    assert meaning.messages[1].parts == (ToolResultPart(call_id="call_0", parts=(TextPart(text="1"),)),)
    assert meaning.tools == (ToolSpec(name="f", description="d"),)
    assert meaning.tool_choice == ToolChoice(mode="named", name="f")


def test_allowed_tools_leave_only_those() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    customs = [{"type": "custom", "custom": {"name": name}} for name in ("c", "d")]
    allowed = {
        "mode": "required",
        "tools": [{"type": "function", "function": {"name": "b"}}, {"type": "custom", "custom": {"name": "c"}}],
    }
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    meaning = meaning_of(tools=[*tools, *customs], tool_choice=choice)
    assert [tool.name for tool in meaning.tools] == ["b", "c"]
    assert meaning.tool_choice == ToolChoice(mode="required")


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}, "modalities"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
    ],
)
def test_a_spoken_answer_is_for_the_lane_only(asked: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedFeature) as refused:
        meaning_of(**asked)
    assert refused.value.param == param


def test_sound_is_no_result_of_a_tool() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "A", "format": "wav"}}
    with pytest.raises(UnsupportedFeature, match="result"):
        meaning_of({"role": "tool", "tool_call_id": "1", "content": [sound]})


def test_a_custom_tool_takes_free_text_and_keeps_its_grammar() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}}
    custom = {"type": "custom", "custom": {"name": "c", "description": "d", "format": grammar}}
    call = {"id": "1", "type": "custom", "custom": {"name": "c", "input": "free"}}
    meaning = meaning_of({"role": "assistant", "tool_calls": [call]}, tools=[custom])
    assert meaning.tools == (
        ToolSpec(name="c", description="d", is_custom=True,
                 grammar={"type": "grammar", "syntax": "lark", "definition": "start: A"}),
    )  # fmt: skip
    assert meaning.messages[0].parts == (ToolCallPart(id="1", name="c", arguments="free", is_custom=True),)


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ({"reasoning_content": "t"}, (ReasoningPart(text="t"),)),
        (
            {"reasoning_content": "t", "reasoning_details": [
                {"type": "reasoning.text", "signature": "s", "format": "anthropic-claude-v1"}]},
            (ReasoningPart(text="t", signature="s", origin="anthropic"),),
        ),
        (
            {"reasoning_content": "t", "reasoning_details": [{"type": "reasoning.text", "format": "cohere"}]},
            (ReasoningPart(text="t", origin="cohere"),),
        ),
        (
            {"reasoning_content": "t", "reasoning_details": [
                {"type": "reasoning.encrypted", "data": "x", "id": "rs_1", "format": "openai"}]},
            (ReasoningPart(text="t"), ReasoningPart(text="", redacted="x", id="rs_1", origin="openai")),
        ),
        (
            {"reasoning_details": [{"type": "reasoning.summary", "summary": "short"}]},
            (ReasoningPart(text="short", is_summary=True),),
        ),
    ],
)  # fmt: skip
def test_thoughts_come_back_with_their_origin(message: dict[str, Any], parts: tuple[ReasoningPart, ...]) -> None:
    said = meaning_of({"role": "assistant", "content": "a", **message}).messages[0]
    assert said.parts == (*parts, TextPart(text="a"))


def test_a_search_of_the_web_is_part_of_the_meaning() -> None:
    place = {"type": "approximate", "approximate": {"country": "CN", "city": "成都"}}
    options = {"search_context_size": "low", "user_location": place}
    wanted = WebSearch(context_size="low", location={"country": "CN", "city": "成都"})
    assert meaning_of(web_search_options=options).web_search == wanted
    assert meaning_of(web_search_options={}).web_search == WebSearch()
    assert meaning_of().web_search is None


def test_a_schema_keeps_its_name_and_strictness() -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "p", "schema": {"type": "object"}, "strict": True}}
    assert meaning_of(response_format=wanted).response_format == ResponseFormat(
        kind="json_schema", name="p", schema={"type": "object"}, is_strict=True
    )


def test_knobs_hold_what_must_be_mapped_or_reported_and_nothing_else() -> None:
    meaning = meaning_of(seed=1, user="u", top_k=5, store=None, n=1, temperature=0.5, stop="x", reasoning_effort="low")
    assert meaning.knobs == {"seed": 1, "top_k": 5}
    assert (meaning.user, meaning.temperature, meaning.stop, meaning.reasoning_effort) == ("u", 0.5, ("x",), "low")
