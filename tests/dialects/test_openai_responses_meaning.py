"""What Responses bodies mean in the hub's words."""

from __future__ import annotations

from typing import Any

import pytest

from yuzui.core.chat import (
    AudioPart,
    Citation,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    Part,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import ClientFault, InvalidRequest, UnsupportedFeature
from yuzui.core.reasoning import seal
from yuzui.dialects.openai_responses import DIALECT

FUNCTION = {"type": "function", "name": "f", "description": "F", "parameters": {"type": "object"}, "strict": True}
CUSTOM = {"type": "custom", "name": "run", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}
SPACE = {
    "type": "namespace",
    "name": "crm",
    "description": "Customers",
    "tools": [{**FUNCTION, "name": "find"}, CUSTOM],
}


def mean(**changes: Any) -> Meaning:  # Any: JSON values
    return DIALECT.read_request({"model": "auto", "input": "Hi", **changes}).meaning


def say(*items: Any) -> tuple[Message, ...]:  # Any: JSON values
    return mean(input=list(items)).messages


def part_of(**part: Any) -> Part:  # Any: JSON values
    return say({"role": "user", "content": [part]})[0].parts[0]


def user(text: str) -> Message:
    return Message(role="user", parts=(TextPart(text=text),))


def test_instructions_stand_in_front_of_the_input() -> None:
    assert mean(instructions="Be brief.").messages == (
        Message(role="system", parts=(TextPart(text="Be brief."),)),
        user("Hi"),
    )


def test_what_the_model_said_in_a_row_is_one_turn() -> None:
    assert say(
        {"role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "custom_tool_call", "call_id": "b", "name": "run", "input": "1"},
        {"type": "function_call_output", "call_id": "a", "output": "A"},
        {"type": "custom_tool_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "B"}]},
        {"role": "assistant", "content": "Done."},
    ) == (
        user("Hi"),
        Message(
            role="assistant",
            parts=(
                ReasoningPart(text="Hm.", id="rs_1"),
                TextPart(text="Wait."),
                ToolCallPart(id="a", name="f", arguments="{}"),
                ToolCallPart(id="b", name="run", arguments="1", is_custom=True),
            ),
        ),
        Message(role="tool", parts=(ToolResultPart(call_id="a", parts=(TextPart(text="A"),)),)),
        Message(role="tool", parts=(ToolResultPart(call_id="b", parts=(TextPart(text="B"),)),)),
        Message(role="assistant", parts=(TextPart(text="Done."),)),
    )


def test_two_messages_of_the_model_stay_two_and_a_thought_goes_with_what_follows_it() -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]}
    assert say({"role": "assistant", "content": "One."}, thought, {"role": "assistant", "content": "Two."}) == (
        Message(role="assistant", parts=(TextPart(text="One."),)),
        Message(role="assistant", parts=(ReasoningPart(text="Hm.", is_summary=True), TextPart(text="Two."))),
    )


def test_a_text_behind_a_call_stays_in_its_turn() -> None:
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    turns = say({"role": "assistant", "content": "One."}, call, {"role": "assistant", "content": "Two."})
    assert len(turns) == 1
    assert [type(part) for part in turns[0].parts] == [TextPart, ToolCallPart, TextPart]


def test_a_thought_at_the_end_is_not_lost() -> None:
    assert say({"type": "reasoning", "summary": [], "encrypted_content": "abc", "id": "rs_1"}) == (
        Message(
            role="assistant",
            parts=(ReasoningPart(text="", redacted="abc", id="rs_1", is_summary=True, origin="openai"),),
        ),
    )


@pytest.mark.parametrize(
    "thought",
    [
        ReasoningPart(text="Hm.", signature="sig", origin="anthropic", is_summary=True),
        ReasoningPart(text="Hm.", origin="deepseek"),
        ReasoningPart(text="", redacted="xyz", origin="anthropic"),
        ReasoningPart(text="", signature="sig", origin="gemini"),
    ],
)
def test_a_sealed_thought_comes_back_as_it_was(thought: ReasoningPart) -> None:
    said = [{"type": "summary_text" if thought.is_summary else "reasoning_text", "text": thought.text}]
    shown = {
        "summary": said if thought.text and thought.is_summary else [],
        "content": said if thought.text and not thought.is_summary else None,
    }
    item = {"type": "reasoning", "id": "rs_x_0", **shown, "encrypted_content": seal(thought)}
    assert say(item)[0].parts == (thought,)


def test_the_shell_of_a_thought_is_no_thought_and_its_loss_is_reported() -> None:
    shell = {
        "type": "reasoning",
        "id": "rs_x_0",
        "summary": [],
        "encrypted_content": seal(ReasoningPart(text="Hm."), "x"),
    }
    meant = mean(input=[{"role": "user", "content": "Hi"}, shell, {"role": "assistant", "content": "a"}])
    assert [type(part) for message in meant.messages for part in message.parts] == [TextPart, TextPart]
    assert meant.knobs == {"reasoning.content": True}


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        ({"type": "input_text", "text": "a"}, TextPart(text="a")),
        (
            {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}},
            TextPart(text="a", cache="1h"),
        ),
        ({"type": "refusal", "refusal": "No."}, TextPart(text="No.")),
        (
            {
                "type": "output_text",
                "text": "abc",
                "annotations": [
                    {"type": "url_citation", "url": "https://x.test", "title": "X", "start_index": 1, "end_index": 2},
                    {"type": "file_citation", "file_id": "f", "filename": "a.txt", "index": 3},
                    {"type": "file_path", "index": 3},
                ],
            },
            TextPart(
                text="abc",
                citations=(
                    Citation(url="https://x.test", title="X", start=1, end=2),
                    Citation(file_id="f", title="a.txt"),
                ),
            ),
        ),
        (
            {"type": "input_image", "image_url": "https://x.test/a.png", "detail": "original"},
            ImagePart(url="https://x.test/a.png", detail="original"),
        ),
        (
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ImagePart(data="AAAA", media_type="image/png"),
        ),
        ({"type": "input_image", "file_id": "file-1"}, ImagePart(file_id="file-1")),
        (
            {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AAAA"},
            DocumentPart(data="AAAA", media_type="application/pdf", title="a.pdf"),
        ),
        (
            {"type": "input_file", "filename": "a.PDF", "file_data": "AAAA"},
            DocumentPart(data="AAAA", media_type="application/pdf", title="a.PDF"),
        ),
        (
            {"type": "input_file", "file_url": "https://x.test/a"},
            DocumentPart(url="https://x.test/a"),
        ),
        ({"type": "input_file", "file_id": "file-1"}, DocumentPart(file_id="file-1")),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
            AudioPart(data="AAAA", media_type="audio/mp3"),
        ),
    ],
)
def test_each_kind_of_content_has_its_part(wire: dict[str, Any], part: Part) -> None:
    assert part_of(**wire) == part


def test_tools_of_each_kind() -> None:
    grammar = CUSTOM["format"]
    assert mean(tools=[FUNCTION, CUSTOM, SPACE]).tools == (
        ToolSpec(name="f", description="F", parameters={"type": "object"}, is_strict=True),
        ToolSpec(name="run", is_custom=True, grammar=grammar),  # type: ignore[arg-type]  # a dictionary of a table
        ToolSpec(name="crm__find", description="Customers\n\nF", parameters={"type": "object"}, is_strict=True),
        ToolSpec(name="crm__run", description="Customers", is_custom=True, grammar=grammar),  # type: ignore[arg-type]
    )


def test_tools_that_an_item_adds_are_told_with_the_others() -> None:
    added = {"type": "additional_tools", "role": "developer", "tools": [CUSTOM]}
    tools = mean(input=[{"role": "user", "content": "Hi"}, added], tools=[FUNCTION]).tools
    assert [tool.name for tool in tools] == ["f", "run"]


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ("required", ToolChoice(mode="required")),
        ({"type": "function", "name": "f"}, ToolChoice(mode="named", name="f")),
        ({"type": "custom", "name": "run"}, ToolChoice(mode="named", name="run")),
        ({"type": "function", "name": "find"}, ToolChoice(mode="named", name="crm__find")),
        ({"type": "allowed_tools", "mode": "required", "tools": []}, ToolChoice(mode="required")),
    ],
)
def test_a_choice_of_tools(choice: object, meant: ToolChoice) -> None:
    assert mean(tools=[FUNCTION, CUSTOM, SPACE], tool_choice=choice).tool_choice == meant


def test_only_allowed_tools_are_offered() -> None:
    search = {"type": "web_search"}
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "run"}]}
    few = mean(tools=[FUNCTION, CUSTOM, SPACE, search], tool_choice=allowed)
    assert [tool.name for tool in few.tools] == ["run"]
    assert few.web_search is None
    allowed["tools"] = [{"type": "namespace", "name": "crm"}, search]
    more = mean(tools=[FUNCTION, CUSTOM, SPACE, search], tool_choice=allowed)
    assert [tool.name for tool in more.tools] == ["crm__find", "crm__run"]
    assert more.web_search == WebSearch()


def test_a_web_search_is_told_with_all_it_asks_for() -> None:
    tool = {
        "type": "web_search_preview",
        "filters": {"allowed_domains": ["a.test"], "blocked_domains": ["b.test"]},
        "search_context_size": "high",
        "user_location": {"type": "approximate", "country": "NO", "city": None},
    }
    assert mean(tools=[tool], max_tool_calls=3).web_search == WebSearch(
        allowed_domains=("a.test",),
        blocked_domains=("b.test",),
        most_uses=3,
        context_size="high",
        location={"country": "NO"},
    )


def test_output_options() -> None:
    schema = {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True}
    meant = mean(
        text={"format": schema},
        reasoning={"effort": "low", "summary": "auto"},
        temperature=0.1,
        top_p=0.2,
        parallel_tool_calls=False,
        user="u",
    )
    assert meant.response_format == ResponseFormat(
        kind="json_schema", name="n", schema={"type": "object"}, is_strict=True
    )
    assert (meant.reasoning_effort, meant.wants_thoughts) == ("low", True)
    assert (meant.temperature, meant.top_p, meant.parallel_tool_calls, meant.user) == (0.1, 0.2, False, "u")
    assert not meant.knobs
    assert mean(reasoning={"effort": "low"}).wants_thoughts is None


def test_the_last_update_of_the_configuration_counts() -> None:
    update = {"type": "configuration_update", "reasoning": {"effort": "high"}}
    formats = {"type": "configuration_update", "text": {"format": {"type": "json_object"}}}
    meant = mean(input=[{"role": "user", "content": "Hi"}, update, formats], reasoning={"effort": "low"})
    assert meant.reasoning_effort == "high"
    assert meant.response_format == ResponseFormat(kind="json_object")


@pytest.mark.parametrize(
    ("changes", "knobs"),
    [
        ({"truncation": "auto"}, {"truncation": "auto"}),
        ({"truncation": "disabled"}, {}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"service_tier": "flex", "prompt_cache_key": "k"}, {"service_tier": "flex", "prompt_cache_key": "k"}),
        ({"reasoning": {"mode": "pro", "context": "all_turns"}}, {"reasoning.mode": "pro", "reasoning.context": "all_turns"}),
        ({"reasoning": {"mode": "standard", "context": "auto"}}, {}),
        ({"x_vendor": 1}, {"x_vendor": 1}),
        ({"metadata": {"a": "b"}, "store": True, "include": [], "stream_options": {}}, {}),
        ({"tools": [{**FUNCTION, "output_schema": {}}]}, {"tools.output_schema": True}),
        ({"tools": [{**FUNCTION, "async": True}]}, {"tools.async": True}),
        ({"tools": [{**FUNCTION, "allowed_callers": ["direct"]}]}, {}),
        ({"tools": [{**FUNCTION, "defer_loading": True}]}, {"tools.defer_loading": True}),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        ({"include": ["web_search_call.action.sources"]}, {"include": True}),
        ({"tools": [{**FUNCTION, "allowed_callers": ["programmatic"]}]}, {"tools.allowed_callers": True}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "description": "D"}}},
            {},
        ),
        ({"input": [{"role": "assistant", "phase": "commentary", "content": "a"}]}, {"phase": True}),
        ({"input": [{"role": "user", "content": "a"}, {"type": "web_search_call", "id": "ws"}]}, {"web_search_call": True}),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f", "detail": "low"}]}]},
            {"input_file.detail": True},
        ),
    ],
)  # fmt: skip
def test_what_has_no_word_in_the_hub_is_a_knob_that_is_mapped_or_reported(
    changes: dict[str, Any], knobs: dict[str, Any]
) -> None:
    assert mean(**changes).knobs == knobs


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"tools": [FUNCTION, {"type": "code_interpreter", "container": "c"}]}, "tools[1]"),
        ({"tools": [{"type": "web_search", "external_web_access": False}]}, "tools[0].external_web_access"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"tool_choice": {"type": "mcp", "server_label": "x", "name": "n"}}, "tool_choice"),
        ({"tools": [FUNCTION, FUNCTION]}, "tools"),
        ({"input": [{"type": "file_search_call", "id": "fs"}]}, "input[0]"),
        ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "input[0]"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id"),
        ({"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
        (
            {
                "input": [
                    {
                        "type": "function_call_output",
                        "call_id": "c",
                        "output": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}],
                    }
                ]
            },
            "input[0].output",
        ),
        (
            {"input": [{"type": "additional_tools", "role": "developer", "tools": [{"type": "mcp"}]}]},
            "input[0].tools[0]",
        ),
    ],
)
def test_what_only_the_lane_can_say_is_refused_by_name(changes: dict[str, Any], param: str) -> None:
    with pytest.raises(ClientFault) as raised:
        mean(**changes)
    assert isinstance(raised.value, UnsupportedFeature | InvalidRequest)
    assert raised.value.param == param
    assert f"`{param}`" in raised.value.message


def test_a_body_that_was_masked_since_is_read_again() -> None:
    request = DIALECT.read_request({"model": "auto", "input": "My name is Ann."})
    assert request.read_meaning({"model": "auto", "input": "My name is [1]."}).messages == (user("My name is [1]."),)
    assert request.meaning.messages == (user("My name is Ann."),)
