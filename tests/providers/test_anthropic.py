"""Requests in the words of the Messages API: tables for what wire cases would only repeat."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    ChatRequest,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    ResponseFormat,
    Role,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import (
    UnsupportedFeature,
)
from yuzui.core.target import Quirks, Target
from yuzui.providers._anthropic_models import traits_of
from yuzui.providers._anthropic_request import DEFAULT_MAX_TOKENS
from yuzui.providers._anthropic_schema import enforceable
from yuzui.providers._anthropic_thinking import THINKING_BUDGETS
from yuzui.providers.anthropic import CODEC, ROW
from yuzui.providers.catalogue import codec_of, find_codecs, load_rows
from yuzui.providers.native_request import INVALID_ARGUMENTS

NEW, OLD = "claude-sonnet-5-5", "claude-haiku-4-5-20251001"
HI = Message(role="user", parts=(TextPart(text="hi"),))


def target(model: str = NEW, **changes: Any) -> Target:  # Any: fields of Target
    fields: dict[str, Any] = {  # Any: see above
        "name": "vendor/claude",
        "provider": "anthropic",
        "codec": "anthropic",
        "model": model,
        "base_url": ROW.base_url,
        "premises": "vendor",
        "clearance": 0,
        "jurisdiction": "US",
        "api_key": "secret-of-the-operator",
        "quirks": ROW.quirks,
    }
    return Target(**(fields | changes))


def request(meaning: Meaning | None = None, **changes: Any) -> ChatRequest:  # Any: fields of ChatRequest
    meant = meaning or Meaning(messages=(HI,))
    return ChatRequest(dialect="openai_chat", model="auto", body={}, read_meaning=lambda _: meant, **changes)


def sent(meaning: Meaning, model: str = NEW) -> tuple[dict[str, Any], tuple[str, ...]]:  # Any: JSON values
    wire = CODEC.write_request(request(meaning), target(model), output_cap=None)
    body: dict[str, Any] = json.loads(wire.body)  # Any: JSON values
    return body, wire.dropped


def turns(*messages: Message) -> tuple[list[dict[str, Any]], tuple[str, ...]]:  # Any: JSON values
    body, dropped = sent(Meaning(messages=messages))
    return body["messages"], dropped


def said(role: Role, *parts: Part) -> Message:
    return Message(role=role, parts=parts)


# ---- the request's frame --------------------------------------------------------------------------------------------


def test_the_catalogue_finds_the_codec_and_its_row() -> None:
    assert load_rows()["anthropic"] == ROW
    assert find_codecs()["anthropic"] is CODEC
    assert codec_of("anthropic") == "anthropic"


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.anthropic.com", "/v1/messages"),
        ("https://api.anthropic.com/v1", "/messages"),
        ("https://proxy.test/anthropic", "/v1/messages"),
    ],
)
def test_both_spellings_of_a_base_url_lead_to_the_same_place(base_url: str, path: str) -> None:
    assert CODEC.write_request(request(), target(base_url=base_url), output_cap=None).path == path


def test_quirks_choose_version_query_and_way_of_authentication() -> None:
    quirks = Quirks(path="/m", auth="bearer", query={"beta": "1"}, headers={"anthropic-version": "2026-10-21"})
    wire = CODEC.write_request(request(), target(quirks=quirks), output_cap=None)
    assert wire.path == "/m?beta=1"
    assert wire.headers["anthropic-version"] == "2026-10-21"
    assert wire.headers["authorization"] == "Bearer secret-of-the-operator"
    assert "x-api-key" not in wire.headers


@pytest.mark.parametrize("changes", [{"api_key": ""}, {"quirks": Quirks(path="/v1/messages", auth="none")}])
def test_without_a_key_no_credential_is_sent(changes: Mapping[str, Any]) -> None:  # Any: fields of Target
    wire = CODEC.write_request(request(), target(**changes), output_cap=None)
    assert not {"x-api-key", "authorization", "api-key"} & wire.headers.keys()


@pytest.mark.parametrize(
    ("client", "cap", "model_most", "want"),
    [
        (None, None, 0, DEFAULT_MAX_TOKENS),
        (None, None, 8192, 8192),
        (None, 300, 8192, 300),
        (50, 300, 8192, 50),
        (9000, None, 8192, 8192),
        (9000, None, 0, 9000),
    ],
)
def test_max_tokens_comes_from_client_then_cap_then_model(
    client: int | None, cap: int | None, model_most: int, want: int
) -> None:
    chat = request(max_output_tokens=client)
    wire = CODEC.write_request(chat, target(max_output_tokens=model_most), output_cap=cap)
    assert json.loads(wire.body)["max_tokens"] == want


# ---- turns ----------------------------------------------------------------------------------------------------------


def test_messages_of_one_role_in_a_row_become_one_turn() -> None:
    got, _ = turns(HI, HI, said("assistant", TextPart(text="a")), said("assistant", TextPart(text="b")), HI)
    assert [turn["role"] for turn in got] == ["user", "assistant", "user"]
    assert [len(turn["content"]) for turn in got] == [2, 2, 1]


def test_rules_between_turns_join_the_system_prompt_in_their_order() -> None:
    body, _ = sent(
        Meaning(messages=(said("system", TextPart(text="1")), HI, said("developer", TextPart(text="2")), HI))
    )
    assert [block["text"] for block in body["system"]] == ["1", "2"]
    assert len(body["messages"]) == 1


def test_a_conversation_without_user_content_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        turns(said("system", TextPart(text="rule")), said("user", TextPart(text="")))
    assert caught.value.param == "messages"


@pytest.mark.parametrize(
    ("text", "want"),
    [("He said: ", "He said:"), ("{\n", "{")],
)
def test_white_space_at_the_end_of_a_prefill_is_trimmed(text: str, want: str) -> None:
    got, _ = turns(HI, said("assistant", TextPart(text=text)))
    assert got[-1]["content"][-1]["text"] == want


def test_a_prefill_of_nothing_but_white_space_is_left_out() -> None:
    got, _ = turns(HI, said("assistant", TextPart(text=" \n")))
    assert [turn["role"] for turn in got] == ["user"]


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ("", {}),
        ("  ", {}),
        ('{"a": [1]}', {"a": [1]}),
        ('{"a":', {INVALID_ARGUMENTS: '{"a":'}),
        ("[1]", {INVALID_ARGUMENTS: "[1]"}),
        ('{"a": NaN}', {INVALID_ARGUMENTS: '{"a": NaN}'}),
        ("[" * 5000, {INVALID_ARGUMENTS: "[" * 5000}),
    ],
)
def test_arguments_are_always_an_object(arguments: str, want: object) -> None:
    got, _ = turns(HI, said("assistant", ToolCallPart(id="c", name="f", arguments=arguments)))
    assert got[1]["content"][0]["input"] == want


@given(st.text(max_size=30))
def test_a_call_and_its_result_keep_the_same_allowed_id(call_id: str) -> None:
    got, _ = turns(
        HI,
        said("assistant", ToolCallPart(id=call_id, name="f", arguments="")),
        said("tool", ToolResultPart(call_id=call_id, parts=())),
    )
    used = got[1]["content"][0]["id"]
    assert used == got[2]["content"][0]["tool_use_id"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", used)


def test_a_tool_result_may_hold_an_image() -> None:
    image = ImagePart(data="QUJD", media_type="image/webp")
    got, _ = turns(HI, said("tool", ToolResultPart(call_id="c", parts=(TextPart(text="see"), image))))
    assert got[0]["content"][1] == {
        "type": "tool_result",
        "tool_use_id": "c",
        "content": [
            {"type": "text", "text": "see"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "QUJD"}},
        ],
    }


@pytest.mark.parametrize(
    "message",
    [
        said("user", OpaquePart(kind="file")),
        said("user", ImagePart(data="QUJD", media_type="image/tiff")),
        said("assistant", ImagePart(url="https://example.test/a.png")),
        said("system", ImagePart(url="https://example.test/a.png")),
    ],
)
def test_parts_without_a_block_are_refused(message: Message) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        turns(HI, message)
    assert caught.value.param == "messages"


def test_reasoning_of_other_vendors_is_left_out_and_reported() -> None:
    got, dropped = turns(HI, said("assistant", ReasoningPart(text="hm"), TextPart(text="yes")), HI)
    assert [block["type"] for block in got[1]["content"]] == ["text"]
    assert dropped == ("reasoning",)


@pytest.mark.parametrize(
    ("origin", "provider", "returns"),
    [
        ("", "anthropic", True),
        ("anthropic", "anthropic", True),
        ("bedrock", "anthropic", True),
        ("vertex_anthropic", "anthropic", True),
        ("deepseek", "anthropic", False),
        ("anthropic", "deepseek", False),
        ("deepseek", "deepseek", True),
    ],
)
def test_a_signed_thought_returns_to_its_vendor_and_that_vendor_s_relatives(
    origin: str, provider: str, returns: bool
) -> None:
    thoughts = (
        ReasoningPart(text="hm", signature="s", origin=origin),
        ReasoningPart(text="", redacted="r", origin=origin),
    )
    meaning = Meaning(messages=(HI, said("assistant", *thoughts, TextPart(text="yes")), HI))
    wire = CODEC.write_request(request(meaning), target(provider=provider), output_cap=None)
    blocks = json.loads(wire.body)["messages"][1]["content"]
    kept = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
    ]
    assert blocks == [*(kept if returns else []), {"type": "text", "text": "yes"}]
    assert wire.dropped == (() if returns else ("reasoning",))


def test_an_error_of_a_tool_stays_one_if_it_is_all_text() -> None:
    image = ImagePart(url="https://example.test/a.png")
    failed = ToolResultPart(call_id="c", parts=(TextPart(text="no"),), is_error=True)
    shown = ToolResultPart(call_id="d", parts=(TextPart(text="no"), image), is_error=True)
    got, dropped = turns(HI, said("tool", failed), said("tool", shown))
    assert got[0]["content"][1]["is_error"] is True
    assert "is_error" not in got[0]["content"][2]
    assert dropped == ("tool_result.is_error",)


def test_a_custom_tool_is_a_function_of_one_text_and_its_call_too() -> None:
    tool = ToolSpec(name="sh", description="Runs it.", is_custom=True)
    call = ToolCallPart(id="c", name="sh", arguments="ls -l", is_custom=True)
    body, _ = sent(Meaning(messages=(HI, said("assistant", call)), tools=(tool,)))
    assert body["tools"][0]["input_schema"]["required"] == ["input"]
    assert body["messages"][1]["content"][0]["input"] == {"input": "ls -l"}


# ---- documents and cache marks --------------------------------------------------------------------------------------


def b64(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("document", "source"),
    [
        (DocumentPart(url="https://example.test/a.pdf"), {"type": "url", "url": "https://example.test/a.pdf"}),
        (DocumentPart(file_id="file_1"), {"type": "file", "file_id": "file_1"}),
        (DocumentPart(text="plain"), {"type": "text", "media_type": "text/plain", "data": "plain"}),
        (
            DocumentPart(data="QUJD", media_type="application/pdf"),
            {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
        ),
        (
            DocumentPart(data=b64("# Ä"), media_type="text/markdown; charset=utf-8"),
            {"type": "text", "media_type": "text/plain", "data": "# Ä"},
        ),
        (
            DocumentPart(data=b64("{}"), media_type="application/json"),
            {"type": "text", "media_type": "text/plain", "data": "{}"},
        ),
    ],
)
def test_a_document_has_a_source_of_each_kind(document: DocumentPart, source: object) -> None:
    got, _ = turns(said("user", document))
    assert got[0]["content"] == [{"type": "document", "source": source}]


def test_a_document_keeps_title_context_and_the_wish_for_citations() -> None:
    document = DocumentPart(text="t", title="T", context="c", wants_citations=True, cache="1h")
    got, _ = turns(said("user", document))
    assert got[0]["content"][0] == {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "t"},
        "title": "T",
        "context": "c",
        "citations": {"enabled": True},
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
    }


@pytest.mark.parametrize(
    "document",
    [
        DocumentPart(data="QUJD", media_type="application/zip"),
        DocumentPart(data="/w==", media_type="text/plain"),
        DocumentPart(data="no base64!", media_type="text/plain"),
    ],
)
def test_a_document_that_cannot_be_read_is_refused(document: DocumentPart) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        turns(said("user", document))
    assert caught.value.param == "messages"


def test_a_document_may_be_a_tool_s_result_and_an_image_a_file() -> None:
    parts = (DocumentPart(text="t"), ImagePart(file_id="file_2"))
    got, _ = turns(HI, said("tool", ToolResultPart(call_id="c", parts=parts)))
    assert [piece["source"]["type"] for piece in got[0]["content"][1]["content"]] == ["text", "file"]


def test_only_the_last_four_cache_marks_are_sent() -> None:
    def marked(number: int) -> Message:
        return said("user", TextPart(text=str(number), cache="5m"))

    result = ToolResultPart(call_id="c", parts=(TextPart(text="r", cache="1h"),), cache="5m")
    meaning = Meaning(
        messages=(said("system", TextPart(text="s", cache="1h")), marked(1), said("tool", result), marked(2)),
        tools=(ToolSpec(name="f", cache="1h"),),
    )
    body, dropped = sent(meaning)
    assert dropped == ("cache_control",)
    assert "cache_control" not in body["tools"][0] and "cache_control" not in body["system"][0]
    first, answer, last = body["messages"][0]["content"]
    assert first["cache_control"] == answer["cache_control"] == last["cache_control"] == {"type": "ephemeral"}
    assert answer["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}


# ---- tools, schemas, knobs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "parallel", "want"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="auto"), None, {"type": "auto"}),
        (ToolChoice(mode="none"), False, {"type": "none"}),
        (ToolChoice(mode="required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice(mode="named", name="f"), None, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choices_have_a_counterpart_each(choice: ToolChoice | None, parallel: bool | None, want: object) -> None:
    body, _ = sent(
        Meaning(messages=(HI,), tools=(ToolSpec(name="f"),), tool_choice=choice, parallel_tool_calls=parallel), OLD
    )
    assert body.get("tool_choice") == want


@pytest.mark.parametrize("choice", [ToolChoice(mode="required"), ToolChoice(mode="named", name="f")])
def test_a_tool_that_the_model_cannot_be_made_to_call_is_refused(choice: ToolChoice) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        sent(Meaning(messages=(HI,), tools=(ToolSpec(name="f"),), tool_choice=choice), "claude-opus-5-5")
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("search", "want", "dropped"),
    [
        (WebSearch(), {}, ()),
        (
            WebSearch(allowed_domains=("a.test",), most_uses=3, location={"city": "Bern"}),
            {
                "allowed_domains": ["a.test"],
                "max_uses": 3,
                "user_location": {"type": "approximate", "city": "Bern"},
            },
            (),
        ),
        (WebSearch(blocked_domains=("b.test",)), {"blocked_domains": ["b.test"]}, ()),
        (
            WebSearch(allowed_domains=("a.test",), blocked_domains=("b.test",), context_size="low"),
            {"allowed_domains": ["a.test"]},
            ("web_search_options.blocked_domains", "web_search_options.search_context_size"),
        ),
    ],
)
def test_a_search_of_the_web_is_a_tool_that_the_vendor_runs(
    search: WebSearch, want: Mapping[str, object], dropped: tuple[str, ...]
) -> None:
    body, reported = sent(Meaning(messages=(HI,), web_search=search))
    assert body["tools"] == [{"type": "web_search_20250305", "name": "web_search", **want}]
    assert reported == dropped


def test_other_tools_that_a_vendor_runs_are_refused_through_the_hub() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        sent(Meaning(messages=(HI,), server_tools=("code_interpreter",)))
    assert caught.value.param == "tools" and "code_interpreter" in str(caught.value)


def test_a_tool_choice_without_tools_is_not_sent() -> None:
    body, _ = sent(Meaning(messages=(HI,), tool_choice=ToolChoice(mode="none"), parallel_tool_calls=False))
    assert "tools" not in body and "tool_choice" not in body


def test_strict_tools_are_closed_where_the_model_enforces_them() -> None:
    tool = ToolSpec(name="f", parameters={"properties": {"a": {"type": "integer", "minimum": 1}}}, is_strict=True)
    new, dropped = sent(Meaning(messages=(HI,), tools=(tool,)))
    assert new["tools"][0]["strict"] is True
    assert new["tools"][0]["input_schema"]["additionalProperties"] is False
    assert dropped == ("tools.parameters.minimum",)
    old, dropped = sent(Meaning(messages=(HI,), tools=(tool,)), "claude-3-haiku-20240307")
    assert "strict" not in old["tools"][0]
    assert old["tools"][0]["input_schema"]["properties"]["a"]["minimum"] == 1
    assert dropped == ("tools.strict",)


SCHEMAS: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [  # Any: JSON schemas
    ({"type": "string"}, {"type": "string"}, set()),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}, set()),
    ({"oneOf": [{"type": "null"}, True]}, {"anyOf": [{"type": "null"}, True]}, set()),
    ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}, set()),
    (
        {"type": "string", "format": "isbn", "description": "A book."},
        {"type": "string", "description": "A book.\n(format: isbn)"},
        {"format"},
    ),
    (
        {"type": "array", "items": {"type": "object", "properties": {}}, "minItems": 2, "$schema": "x"},
        {
            "type": "array",
            "items": {"type": "object", "properties": {}, "additionalProperties": False},
            "description": "(minItems: 2)",
        },
        {"minItems"},
    ),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}},
        set(),
    ),
]


@pytest.mark.parametrize(("schema", "want", "hints"), SCHEMAS)
def test_schemas_come_out_in_the_enforced_subset(
    schema: dict[str, Any],  # Any: a JSON schema
    want: dict[str, Any],  # Any: a JSON schema
    hints: set[str],
) -> None:
    before = json.dumps(schema)
    assert enforceable(schema) == (want, frozenset(hints))
    assert json.dumps(schema) == before, "the client's own JSON is never changed"


SCHEMA = {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}}
FORCED = {"type": "tool", "name": "answer"}
# Format, tools, choice → choice sent, the tool whose input is the answer.
ANSWERS: list[tuple[ResponseFormat, tuple[str, ...], ToolChoice | None, object, str]] = [
    (ResponseFormat(kind="json_schema", name="x", schema=SCHEMA), (), None, FORCED, "answer"),
    (ResponseFormat(kind="json_object"), (), None, FORCED, "answer"),
    (ResponseFormat(kind="text"), (), None, None, ""),
    (ResponseFormat(kind="json_object"), ("f",), None, {"type": "any"}, "answer"),
    (ResponseFormat(kind="json_object"), ("f",), ToolChoice(mode="auto"), {"type": "any"}, "answer"),
    (ResponseFormat(kind="json_object"), ("f",), ToolChoice(mode="none"), FORCED, "answer"),
    (ResponseFormat(kind="json_object"), ("f",), ToolChoice(mode="required"), {"type": "any"}, ""),
    (ResponseFormat(kind="json_object"), ("answer",), None, {"type": "any"}, "answer_"),
]


@pytest.mark.parametrize(("wanted", "tools", "choice", "want", "name"), ANSWERS)
def test_a_model_without_schemas_is_held_to_json_by_a_tool(
    wanted: ResponseFormat, tools: tuple[str, ...], choice: ToolChoice | None, want: object, name: str
) -> None:
    meaning = Meaning(
        messages=(HI,),
        tools=tuple(ToolSpec(name=tool) for tool in tools),
        tool_choice=choice,
        response_format=wanted,
        reasoning_effort="high",
    )
    wire = CODEC.write_request(request(meaning), target("claude-3-7-sonnet-20250219"), output_cap=None)
    body = json.loads(wire.body)
    assert wire.answer_tool == name
    assert body.get("tool_choice") == want
    if name:
        tool = body["tools"][-1]
        assert tool["name"] == name and tool["input_schema"] == (wanted.schema or {"type": "object"})
        assert "thinking" not in body, "thinking cannot be combined with forced tools"
        assert wire.dropped == ("reasoning_effort",)
    elif wanted.kind != "text":
        assert "response_format" in wire.dropped


def test_the_words_beside_a_schema_go_into_it() -> None:
    wanted = ResponseFormat(kind="json_schema", name="x", description="d", schema=SCHEMA)
    wire = CODEC.write_request(
        request(Meaning(messages=(HI,), response_format=wanted)), target("claude-sonnet-4-5"), output_cap=None
    )
    assert json.loads(wire.body)["output_config"]["format"]["schema"]["description"] == "d"


def test_a_grammar_that_becomes_a_hint_is_reported() -> None:
    tool = ToolSpec(name="c", is_custom=True, grammar={"type": "grammar", "syntax": "regex", "definition": "a+"})
    wire = CODEC.write_request(
        request(Meaning(messages=(HI,), tools=(tool,))), target("claude-sonnet-4-5"), output_cap=None
    )
    assert wire.dropped == ("tools.format",)


def test_a_schema_that_no_way_can_hold_to_is_refused() -> None:
    listed = ResponseFormat(kind="json_schema", name="x", schema={"type": "array"})
    for wanted, model in ((listed, "claude-3-haiku-20240307"), (ResponseFormat(kind="json_object"), NEW)):
        with pytest.raises(UnsupportedFeature) as caught:
            sent(Meaning(messages=(HI,), response_format=wanted), model)
        assert caught.value.param == "response_format"


def test_a_schema_is_enforced_by_the_model_that_can() -> None:
    wanted = ResponseFormat(kind="json_schema", name="x", schema=SCHEMA)
    body, dropped = sent(Meaning(messages=(HI,), response_format=wanted))
    assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
    assert dropped == ("response_format.minimum",)


@pytest.mark.parametrize(
    ("features", "field"),
    [({"logprobs"}, "logprobs"), ({"audio"}, "audio"), ({"n"}, "n")],
)
def test_features_are_refused_by_the_field_that_asks_for_them(features: set[Any], field: str) -> None:  # Any: Feature
    with pytest.raises(UnsupportedFeature) as caught:
        CODEC.write_request(request(features=frozenset(features)), target(), output_cap=None)
    assert caught.value.param == field


@pytest.mark.parametrize(
    ("knobs", "dropped"),
    [
        ({"seed": 1, "verbosity": "low"}, ("seed", "verbosity")),
        ({"seed": None, "modalities": ["text"]}, ()),
        ({"vendor_extra": 1, "x\r\nset-cookie: a": 1}, ("vendor_extra", "unknown_field")),
        ({"service_tier": "flex"}, ("service_tier",)),
        ({"service_tier": "auto"}, ()),
        ({"safety_identifier": "u" * 300}, ("user",)),
    ],
)
def test_knobs_without_a_counterpart_are_reported(knobs: Mapping[str, object], dropped: tuple[str, ...]) -> None:
    assert sent(Meaning(messages=(HI,), knobs=knobs))[1] == dropped


def test_a_moderation_that_would_not_happen_is_refused() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        sent(Meaning(messages=(HI,), knobs={"moderation": {"model": "m"}}))
    assert caught.value.param == "moderation"


# Model → (sampling, thinking, on by itself, least thinking, highest effort, schemas, forced tools); sources in
# _anthropic_models.
GENERATIONS = [
    ("claude-3-haiku-20240307", True, "budget", False, "disabled", "", False, True),
    ("claude-3-7-sonnet-20250219", True, "budget", False, "disabled", "", False, True),
    ("claude-sonnet-4-20250514", True, "budget", False, "disabled", "", False, True),
    ("claude-haiku-4-5-20251001", True, "budget", False, "disabled", "", True, True),
    ("claude-opus-4-5-20251101", True, "budget", False, "disabled", "high", True, True),
    ("claude-opus-4-6", True, "adaptive", False, "disabled", "max", True, True),
    ("anthropic/claude-opus-4.7", False, "adaptive", False, "disabled", "xhigh", True, True),
    ("claude-opus-4-8", False, "adaptive", False, "disabled", "xhigh", True, True),
    ("claude-opus-5", False, "adaptive", True, "disabled", "xhigh", True, True),
    ("claude-fable-5", False, "adaptive", True, "", "xhigh", True, True),
    ("claude-opus-5-5", False, "adaptive", True, "", "xhigh", True, False),
    ("claude-sonnet-5-5", False, "adaptive", True, "between_tools", "xhigh", True, False),
    ("claude-haiku-5-5", False, "adaptive", True, "disabled", "xhigh", True, True),
    ("claude-fable-5-2", False, "adaptive", True, "", "xhigh", True, False),
    ("claude-mythos-preview", False, "adaptive", True, "", "xhigh", True, False),
    ("deepseek-chat", True, "budget", False, "disabled", "", True, True),
]


@pytest.mark.parametrize(
    ("model", "sampling", "thinking", "unasked", "least", "effort", "schemas", "forced"), GENERATIONS
)
def test_a_model_s_name_tells_what_it_takes(
    model: str, sampling: bool, thinking: str, unasked: bool, least: str, effort: str, schemas: bool, forced: bool
) -> None:
    traits = traits_of(model)
    assert (traits.takes_sampling, traits.thinking, traits.takes_schemas) == (sampling, thinking, schemas)
    assert (traits.thinks_unasked, traits.least_thinking, traits.takes_forced_tools) == (unasked, least, forced)
    assert traits.can_stop_thinking == (least == "disabled")
    assert (effort in traits.efforts) if effort else not traits.efforts


ADAPTIVE = {"type": "adaptive", "display": "summarized"}
EFFORTS = [
    (NEW, "max", ADAPTIVE, "max", ()),
    (NEW, "minimal", None, "low", ()),
    (NEW, "none", {"type": "between_tools"}, None, ()),
    ("claude-opus-5-5", "none", None, "low", ("reasoning_effort",)),
    (NEW, "enormous", None, None, ("reasoning_effort",)),
    ("claude-opus-5", "none", {"type": "disabled"}, None, ()),
    ("claude-opus-4-6", "xhigh", ADAPTIVE, "high", ()),
    ("claude-opus-4-6", "none", None, None, ()),
    (
        "claude-opus-4-5-20251101",
        "low",
        {"type": "enabled", "budget_tokens": THINKING_BUDGETS["low"]},
        "low",
        (),
    ),
    (OLD, "high", {"type": "enabled", "budget_tokens": DEFAULT_MAX_TOKENS // 2}, None, ()),
    (OLD, "minimal", None, None, ()),
]


@pytest.mark.parametrize(("model", "effort", "thinking", "level", "dropped"), EFFORTS)
def test_an_effort_is_said_as_the_model_takes_it(
    model: str, effort: str, thinking: object, level: str | None, dropped: tuple[str, ...]
) -> None:
    body, reported = sent(Meaning(messages=(HI,), reasoning_effort=effort), model)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == level
    assert reported == dropped


UNTHOUGHT_LOOP = (
    HI,
    said("assistant", ToolCallPart(id="c", name="f", arguments="")),
    said("tool", ToolResultPart(call_id="c", parts=(TextPart(text="1"),))),
)
THOUGHT_LOOP = (
    HI,
    said("assistant", ReasoningPart(text="t", signature="s"), ToolCallPart(id="c", name="f", arguments="")),
    UNTHOUGHT_LOOP[2],
)


@pytest.mark.parametrize(
    ("meaning", "model", "is_thinking"),
    [
        (Meaning(messages=UNTHOUGHT_LOOP, reasoning_effort="high"), OLD, False),
        (Meaning(messages=THOUGHT_LOOP, reasoning_effort="high"), OLD, True),
        (Meaning(messages=UNTHOUGHT_LOOP, reasoning_effort="high"), NEW, True),
        (
            Meaning(
                messages=(HI,),
                tools=(ToolSpec(name="f"),),
                tool_choice=ToolChoice(mode="required"),
                reasoning_effort="high",
            ),
            OLD,
            False,
        ),
        (
            Meaning(
                messages=(HI,),
                tools=(ToolSpec(name="f"),),
                tool_choice=ToolChoice(mode="named", name="f"),
                reasoning_effort="high",
            ),
            "claude-opus-5",
            False,
        ),
    ],
)
def test_thinking_is_not_asked_for_where_it_would_be_refused(meaning: Meaning, model: str, is_thinking: bool) -> None:
    body, dropped = sent(meaning, model)
    assert ("thinking" in body) == is_thinking
    assert ("reasoning_effort" in dropped) == (not is_thinking and model == OLD)


# Budget, wish to see the thoughts → thinking, effort, dropped.
BUDGETS = [
    (NEW, 0, None, {"type": "between_tools"}, None, ()),
    (NEW, -1, None, ADAPTIVE, None, ()),
    (NEW, 5000, None, ADAPTIVE, "medium", ()),
    (NEW, 500, True, ADAPTIVE, "low", ()),
    (NEW, 200_000, False, {"type": "adaptive", "display": "omitted"}, "max", ()),
    (NEW, None, True, ADAPTIVE, None, ()),
    (NEW, None, False, None, None, ()),
    ("claude-fable-5-2", 0, None, None, "low", ("thinking_budget",)),
    (OLD, 0, None, None, None, ()),
    (OLD, -1, None, {"type": "enabled", "budget_tokens": THINKING_BUDGETS["medium"]}, None, ()),
    (OLD, 5000, False, {"type": "enabled", "budget_tokens": 5000, "display": "omitted"}, None, ()),
    (OLD, 100, None, {"type": "enabled", "budget_tokens": 1024}, None, ()),
    (OLD, 100_000, None, {"type": "enabled", "budget_tokens": DEFAULT_MAX_TOKENS - 1}, None, ()),
    (OLD, None, True, None, None, ()),
]


@pytest.mark.parametrize(("model", "budget", "wants", "thinking", "level", "dropped"), BUDGETS)
def test_a_budget_is_said_as_the_model_takes_it(
    model: str, budget: int | None, wants: bool | None, thinking: object, level: str | None, dropped: tuple[str, ...]
) -> None:
    body, reported = sent(Meaning(messages=(HI,), thinking_budget=budget, wants_thoughts=wants), model)
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == level
    assert reported == dropped


@pytest.mark.parametrize(
    ("model", "top_k", "want", "dropped"),
    [(OLD, 40, 40, ()), (OLD, -1, None, ("top_k",)), (NEW, 40, None, ("top_k",))],
)
def test_top_k_is_sent_where_the_model_takes_it(
    model: str, top_k: int, want: int | None, dropped: tuple[str, ...]
) -> None:
    body, reported = sent(Meaning(messages=(HI,), knobs={"top_k": top_k}), model)
    assert body.get("top_k") == want
    assert reported == dropped


def test_a_short_answer_leaves_no_room_for_a_thinking_budget() -> None:
    chat = request(Meaning(messages=(HI,), reasoning_effort="low"), max_output_tokens=1500)
    wire = CODEC.write_request(chat, target(OLD), output_cap=None)
    assert "thinking" not in json.loads(wire.body)
    assert wire.dropped == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("model", "effort", "temperature", "top_p", "want", "dropped"),
    [
        (NEW, None, 0.1, 0.5, {}, ("temperature", "top_p")),
        (OLD, None, 0.1, 0.5, {"temperature": 0.1}, ("top_p",)),
        (OLD, None, None, 0.5, {"top_p": 0.5}, ()),
        (OLD, None, 2, None, {"temperature": 1.0}, ("temperature",)),
        (OLD, "high", 0.1, None, {}, ("temperature",)),
        ("claude-3-haiku-20240307", None, 0.1, 0.5, {"temperature": 0.1, "top_p": 0.5}, ()),
    ],
)
def test_sampling_is_sent_as_far_as_the_model_takes_it(
    model: str,
    effort: str | None,
    temperature: float | None,
    top_p: float | None,
    want: Mapping[str, float],
    dropped: tuple[str, ...],
) -> None:
    body, reported = sent(Meaning(messages=(HI,), temperature=temperature, top_p=top_p, reasoning_effort=effort), model)
    assert {name: body[name] for name in ("temperature", "top_p") if name in body} == want
    assert reported == dropped
