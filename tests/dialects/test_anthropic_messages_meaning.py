"""What Messages requests mean, part by part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from yuzui.core.chat import (
    Citation,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
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
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.reasoning import seal
from yuzui.dialects.anthropic_messages import DIALECT

PLAIN: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}  # Any: JSON
TOOL = {"name": "f", "input_schema": {"type": "object"}}


def meant(**changes: Any) -> Meaning:  # Any: JSON values
    return DIALECT.read_request(PLAIN | changes).meaning


def parts_of(*blocks: Mapping[str, Any], role: str = "user") -> tuple[Part, ...]:  # Any: JSON values
    (message,) = meant(messages=[{"role": role, "content": list(blocks)}]).messages
    return message.parts


PARTS: list[tuple[dict[str, Any], tuple[Part, ...]]] = [  # Any: JSON values
    ({"type": "text", "text": "x"}, (TextPart(text="x"),)),
    (
        {"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        (TextPart(text="x", cache="1h"),),
    ),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}},
        (ImagePart(data="QQ==", media_type="image/png"),),
    ),
    (
        {
            "type": "image",
            "source": {"type": "url", "url": "https://a.test/b"},
            "cache_control": {"type": "ephemeral"},
        },
        (ImagePart(url="https://a.test/b", cache="5m"),),
    ),
    ({"type": "image", "source": {"type": "file", "file_id": "f"}}, (ImagePart(file_id="f"),)),
    (
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "QQ=="},
            "title": "T",
            "context": "c",
            "citations": {"enabled": True},
        },
        (DocumentPart(data="QQ==", media_type="application/pdf", title="T", context="c", wants_citations=True),),
    ),
    (
        {"type": "document", "source": {"type": "url", "url": "https://a.test/b.pdf"}},
        (DocumentPart(url="https://a.test/b.pdf", media_type="application/pdf"),),
    ),
    ({"type": "document", "source": {"type": "file", "file_id": "f"}}, (DocumentPart(file_id="f"),)),
    (
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
        (DocumentPart(text="x", media_type="text/plain"),),
    ),
    (
        {"type": "document", "source": {"type": "content", "content": "x"}},
        (DocumentPart(text="x", media_type="text/plain"),),
    ),
    (
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image", "source": {"type": "url", "url": "https://a.test/b"}},
                    {"type": "text", "text": "b"},
                ],
            },
        },
        (DocumentPart(text="a\n\nb", media_type="text/plain"), ImagePart(url="https://a.test/b")),
    ),
    (
        {
            "type": "document",
            "source": {
                "type": "content",
                "content": [{"type": "image", "source": {"type": "url", "url": "https://a.test/b"}}],
            },
        },
        (ImagePart(url="https://a.test/b"),),
    ),
    (
        {
            "type": "search_result",
            "source": "https://a.test",
            "title": "T",
            "content": [{"type": "text", "text": "x"}],
            "citations": {"enabled": True},
        },
        (
            DocumentPart(
                text="x", media_type="text/plain", title="T", context="Source: https://a.test", wants_citations=True
            ),
        ),
    ),
    ({"type": "block_to_come"}, (OpaquePart(kind="block_to_come"),)),
    ({"type": "container_upload", "file_id": "f"}, (OpaquePart(kind="container_upload"),)),
]


@pytest.mark.parametrize(("block", "want"), PARTS)
def test_a_block_of_the_user_is_a_part(block: dict[str, Any], want: tuple[Part, ...]) -> None:  # Any: JSON values
    assert parts_of(block) == want


SIGNED = ReasoningPart(text="", signature="s", id="rs_1", is_summary=True)
CITED = {
    "type": "web_search_result_location",
    "cited_text": "c",
    "url": "https://a.test",
    "title": "T",
    "encrypted_index": "e",
}
ASSISTANT: list[tuple[dict[str, Any], tuple[Part, ...]]] = [  # Any: JSON values
    (
        {"type": "text", "text": "x", "citations": [CITED]},
        (TextPart(text="x", citations=(Citation(url="https://a.test", title="T", cited_text="c"),)),),
    ),
    (
        {"type": "thinking", "thinking": "t", "signature": "s"},
        (ReasoningPart(text="t", signature="s", origin="anthropic"),),
    ),
    ({"type": "thinking", "thinking": "t", "signature": ""}, (ReasoningPart(text="t"),)),
    (
        {"type": "thinking", "thinking": "t", "signature": seal(SIGNED, "openai")},
        (ReasoningPart(text="t", signature="s", id="rs_1", is_summary=True, origin="openai"),),
    ),
    ({"type": "redacted_thinking", "data": "d"}, (ReasoningPart(text="", redacted="d", origin="anthropic"),)),
    (
        {"type": "redacted_thinking", "data": seal(ReasoningPart(text="", redacted="d"), "bedrock")},
        (ReasoningPart(text="", redacted="d", origin="bedrock"),),
    ),
    (
        {"type": "tool_use", "id": "c", "name": "f", "input": {"ü": [1]}},
        (ToolCallPart(id="c", name="f", arguments='{"ü":[1]}'),),
    ),
    (
        {"type": "tool_use", "id": "toolu_yz1_ZnVuY3Rpb25zLm5vdzow", "name": "f", "input": {}},
        (ToolCallPart(id="functions.now:0", name="f", arguments="{}"),),
    ),
    ({"type": "mcp_tool_use", "id": "x", "name": "f", "server_name": "s"}, (OpaquePart(kind="mcp_tool_use"),)),
    ({"type": "server_tool_use", "id": "x", "name": "bash_code_execution"}, (OpaquePart(kind="server_tool_use"),)),
    ({"type": "fallback", "to": {}}, ()),
]


@pytest.mark.parametrize(("block", "want"), ASSISTANT)
def test_a_block_of_the_assistant_is_a_part(block: dict[str, Any], want: tuple[Part, ...]) -> None:  # Any: JSON
    assert parts_of(block, role="assistant") == want


def test_a_search_of_an_earlier_turn_is_left_out_and_reported() -> None:
    meaning = meant(
        messages=[
            {
                "role": "assistant",
                "content": [
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    {"type": "web_search_tool_result", "tool_use_id": "s", "content": {"type": "error"}},
                    {"type": "text", "text": "x"},
                ],
            }
        ]
    )
    assert meaning.messages[0].parts == (TextPart(text="x"),)
    assert meaning.knobs == {"messages.web_search_tool_result": True}


def test_results_are_messages_of_their_own_in_their_order_before_the_rest_of_the_turn() -> None:
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    results = [
        {"type": "text", "text": "before"},
        {"type": "tool_result", "tool_use_id": "c", "content": "one", "is_error": True},
        {
            "type": "tool_result",
            "tool_use_id": "d",
            "cache_control": {"type": "ephemeral"},
            "content": [
                {"type": "text", "text": "two"},
                {"type": "image", "source": {"type": "url", "url": "https://a.test/b"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}},
                {"type": "tool_reference", "tool_name": "g"},
            ],
        },
        {"type": "tool_result", "tool_use_id": "e"},
        {"type": "text", "text": "after"},
    ]
    meaning = meant(messages=[{"role": "assistant", "content": [call]}, {"role": "user", "content": results}])
    assert meaning.messages[1:] == (
        Message(
            role="tool",
            parts=(ToolResultPart(call_id="c", parts=(TextPart(text="one"),), name="f", is_error=True),),
        ),
        Message(
            role="tool",
            parts=(
                ToolResultPart(
                    call_id="d",
                    parts=(
                        TextPart(text="two"),
                        ImagePart(url="https://a.test/b"),
                        DocumentPart(text="x", media_type="text/plain"),
                        TextPart(text="Tool found: g"),
                    ),
                    cache="5m",
                ),
            ),
        ),
        Message(role="tool", parts=(ToolResultPart(call_id="e", parts=()),)),
        Message(role="user", parts=(TextPart(text="before"), TextPart(text="after"))),
    )


def test_a_result_that_no_other_dialect_can_hold_is_refused_by_its_place() -> None:
    block = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "browser_state", "tabs": []}]}
    with pytest.raises(UnsupportedFeature) as caught:
        parts_of(block)
    assert caught.value.param == "messages[0].content[0].content[0]"


# ---- the system prompt ----------------------------------------------------------------------------------------------

BILLING = "x-anthropic-billing-header: cc_version=2.1.177.01c; cc_entrypoint=cli; cch=36ee5;"


@pytest.mark.parametrize(
    ("system", "want"),
    [
        ("Be brief.", ["Be brief."]),
        ("", []),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], ["a", "b"]),
        (f"{BILLING}\nBe brief.", ["Be brief."]),
        (f"{BILLING}You are it.", ["You are it."]),
        (BILLING, []),
        ([{"type": "text", "text": BILLING}, {"type": "text", "text": "b"}], ["b"]),
        ("Not x-anthropic-billing-header: cch=1;", ["Not x-anthropic-billing-header: cch=1;"]),
    ],
)
def test_the_system_prompt_is_a_message_without_the_line_for_the_vendor_s_billing(
    system: object, want: list[str]
) -> None:
    messages = meant(system=system).messages[:-1]
    texts = [part.text for message in messages for part in message.parts if isinstance(part, TextPart)]
    assert texts == want
    assert all(message.role == "system" for message in messages)


def test_system_messages_between_turns_stay_where_they_are_while_they_count() -> None:
    user, gone = {"role": "user", "content": "u"}, {"role": "system", "content": "a", "clear_at": "next_user_message"}
    lasting = {"role": "system", "content": [{"type": "text", "text": "b"}], "clear_at": "never"}
    last = {**gone, "content": "c"}
    meaning = meant(messages=[user, gone, lasting, user, {"role": "system", "output_config": {"effort": "max"}}, last])
    assert [(m.role, [p.text for p in m.parts if isinstance(p, TextPart)]) for m in meaning.messages] == [
        ("user", ["u"]),
        ("system", ["b"]),
        ("user", ["u"]),
        ("system", ["c"]),
    ]
    assert meaning.reasoning_effort == "max"


def test_cache_control_at_the_top_marks_the_last_part_that_can_be_marked() -> None:
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert meant(cache_control=mark).messages[-1].parts == (TextPart(text="hi", cache="1h"),)
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    messages = [*PLAIN["messages"], {"role": "assistant", "content": [call]}]
    marked = meant(cache_control=mark, messages=messages).messages
    assert marked[0].parts == (TextPart(text="hi", cache="1h"),)


# ---- tools ----------------------------------------------------------------------------------------------------------

OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**OPEN, "required": ["a"], "additionalProperties": False}


@pytest.mark.parametrize(
    ("tool", "want", "knobs"),
    [
        (TOOL, ToolSpec(name="f", parameters={"type": "object"}), set()),
        (
            TOOL | {"description": "d", "cache_control": {"type": "ephemeral"}, "type": "custom"},
            ToolSpec(name="f", description="d", parameters={"type": "object"}, cache="5m"),
            set(),
        ),
        (
            TOOL | {"description": "d", "input_examples": [{"a": 1}, {"a": 2}]},
            ToolSpec(
                name="f",
                description='d\n\nExamples of its input:\n{"a":1}\n{"a":2}',
                parameters={"type": "object"},
            ),
            set(),
        ),
        (
            TOOL | {"input_schema": CLOSED, "strict": True},
            ToolSpec(name="f", parameters=CLOSED, is_strict=True),
            set(),
        ),
        (TOOL | {"input_schema": OPEN, "strict": True}, ToolSpec(name="f", parameters=OPEN), {"tools.strict"}),
        (
            TOOL | {"defer_loading": True, "eager_input_streaming": True, "allowed_callers": ["code_execution"]},
            ToolSpec(name="f", parameters={"type": "object"}),
            {"tools.defer_loading", "tools.eager_input_streaming", "tools.allowed_callers"},
        ),
    ],
)
def test_a_tool_of_the_client_is_a_function(tool: dict[str, Any], want: ToolSpec, knobs: set[str]) -> None:  # Any: JSON
    meaning = meant(tools=[tool])
    assert meaning.tools == (want,)
    assert set(meaning.knobs) == knobs


MARK = {"type": "ephemeral"}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QQ=="}}


@pytest.mark.parametrize(
    ("fields", "knobs"),
    [
        (
            {"tools": [{"type": "web_search_20260318", "name": "web_search", "cache_control": MARK,
                        "response_inclusion": "excluded", "allowed_callers": ["code_execution_20260120"]}]},
            {"cache_control", "tools.response_inclusion", "tools.allowed_callers"},
        ),
        ({"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "error"}}},
         {"thinking.block_binding"}),
        ({"messages": [{"role": "user", "content": [PICTURE | {"transformations": {"oversized_image": "error"}}]}]},
         {"messages.image.transformations"}),
        (
            {"messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}, "cache_control": MARK}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": [
                    PICTURE | {"transformations": {"oversized_image": "error"}}]}]},
            ]},
            {"cache_control", "messages.image.transformations"},
        ),
    ],
)  # fmt: skip
def test_what_no_other_api_says_is_reported(fields: dict[str, Any], knobs: set[str]) -> None:  # Any: JSON
    assert set(meant(**fields).knobs) == knobs


def test_a_mark_inside_of_a_document_stands_behind_it() -> None:
    inside = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    found = {"type": "search_result", "source": "s", "title": "t", "content": inside}
    document = {"type": "document", "source": {"type": "content", "content": inside}}
    parts = meant(messages=[{"role": "user", "content": [found, document]}]).messages[0].parts
    assert [part.cache for part in parts if isinstance(part, DocumentPart)] == ["1h", "1h"]


@pytest.mark.parametrize(
    ("choice", "want", "parallel"),
    [
        ({"type": "auto"}, ToolChoice(mode="auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice(mode="required"), False),
        ({"type": "tool", "name": "f"}, ToolChoice(mode="named", name="f"), None),
        ({"type": "none"}, ToolChoice(mode="none"), None),
        ({"type": "auto", "disable_parallel_tool_use": False}, ToolChoice(mode="auto"), True),
    ],
)
def test_a_choice_of_tools_has_its_counterpart(choice: object, want: ToolChoice, parallel: bool | None) -> None:
    meaning = meant(tools=[TOOL], tool_choice=choice)
    assert (meaning.tool_choice, meaning.parallel_tool_calls) == (want, parallel)
    assert meant(tool_choice={"type": "auto", "disable_parallel_tool_use": True}).parallel_tool_calls is None


def test_a_search_of_the_web_and_the_vendor_s_other_tools_are_told_apart() -> None:
    search = {
        "type": "web_search_20260209",
        "name": "web_search",
        "max_uses": 3,
        "allowed_domains": ["a.test"],
        "user_location": {"type": "approximate", "city": "Bern", "region": None},
    }
    meaning = meant(
        tools=[TOOL, search, {"type": "bash_20250124", "name": "bash"}],
        tool_choice={"type": "tool", "name": "web_search"},
    )
    assert [tool.name for tool in meaning.tools] == ["f"]
    assert meaning.web_search == WebSearch(allowed_domains=("a.test",), most_uses=3, location={"city": "Bern"})
    assert meaning.server_tools == ("bash_20250124",)
    assert meaning.tool_choice is None and "tool_choice" in meaning.knobs


# ---- format, thinking, knobs ----------------------------------------------------------------------------------------

NESTED = {
    "$defs": {"a": CLOSED},
    "type": "object",
    "properties": {"x": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "array", "items": CLOSED}]}},
    "required": ["x"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "is_strict"),
    [
        (CLOSED, True),
        (OPEN, False),
        (NESTED, True),
        ({**NESTED, "$defs": {"a": OPEN}}, False),
        ({"type": "array", "items": OPEN}, False),
        ({**CLOSED, "required": []}, False),
        ({}, True),
    ],
)
def test_a_schema_is_strict_where_every_property_is_required(schema: object, is_strict: bool) -> None:
    want = ResponseFormat(kind="json_schema", schema=schema, is_strict=is_strict)  # type: ignore[arg-type]  # JSON
    wanted = {"type": "json_schema", "schema": schema}
    assert meant(output_config={"format": wanted}).response_format == want
    assert meant(output_format=wanted).response_format == want


@pytest.mark.parametrize(
    ("fields", "budget", "effort", "wants"),
    [
        ({}, None, None, None),
        ({"thinking": {"type": "disabled"}}, 0, None, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, 2000, None, True),
        ({"thinking": {"type": "adaptive", "display": "summarized"}}, -1, None, True),
        ({"thinking": {"type": "between_tools"}}, -1, None, None),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"}},
            -1,
            "high",
            False,
        ),
        ({"output_config": {"effort": "low"}}, None, "low", None),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}, 0, None, None),
    ],
)
def test_thinking_is_a_budget_and_an_effort(
    fields: Mapping[str, object], budget: int | None, effort: str | None, wants: bool | None
) -> None:
    meaning = meant(**fields)
    assert (meaning.thinking_budget, meaning.reasoning_effort, meaning.wants_thoughts) == (budget, effort, wants)


def test_knobs_keep_their_names_and_unknown_fields_are_reported() -> None:
    meaning = meant(
        top_k=5,
        service_tier="standard_only",
        speed="standard",
        context_management={"edits": []},
        fallbacks="default",
        output_config={"task_budget": {"type": "tokens"}},
        field_to_come=None,
        another_to_come=1,
        metadata={"user_id": "u"},
        stop_sequences=["a"],
        temperature=0.5,
        top_p=0.5,
    )
    assert meaning.knobs == {
        "top_k": 5,
        "service_tier": "default",
        "context_management": {"edits": []},
        "fallbacks": "default",
        "output_config.task_budget": {"type": "tokens"},
        "another_to_come": 1,
    }
    assert (meaning.user, meaning.stop, meaning.temperature, meaning.top_p) == ("u", ("a",), 0.5, 0.5)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"compaction": {}}, "compaction"),
        ({"billing_policy": {"type": "billing_policy", "bill_to": "user_profile"}}, "billing_policy"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"container": {"skills": []}}, "container"),
        ({"thinking": {"type": "to_come"}}, "thinking.type"),
        ({"output_config": {"format": {"type": "to_come"}}}, "output_config.format.type"),
    ],
)
def test_what_only_the_vendor_can_do_is_refused_by_its_field(fields: dict[str, Any], param: str) -> None:  # Any: JSON
    request = DIALECT.read_request(PLAIN | fields)
    with pytest.raises(UnsupportedFeature) as caught:
        _ = request.meaning
    assert caught.value.param == param


@pytest.mark.parametrize(
    "fields", [{"inference_geo": "global"}, {"billing_policy": {"bill_to": "self"}}, {"mcp_servers": []}]
)
def test_what_changes_nothing_is_not_refused(fields: dict[str, Any]) -> None:  # Any: JSON values
    assert meant(**fields).messages


def test_a_masked_copy_of_the_body_is_read_anew() -> None:
    request = DIALECT.read_request(PLAIN)
    masked = json.loads(json.dumps(PLAIN).replace("hi", "ho"))
    assert request.read_meaning(masked).messages[0].parts == (TextPart(text="ho"),)
    assert request.meaning.messages[0].parts == (TextPart(text="hi"),)
