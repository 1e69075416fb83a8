"""Converse and its streams: what the wire cases do not show, family by family, and that no cut changes what is read."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstream_kit import encode_lines, event, exception
from yuzui.core.answers import EmbeddingRequest
from yuzui.core.chat import (
    AudioPart,
    ChatRequest,
    Citation,
    DocumentPart,
    ImagePart,
    Meaning,
    Message,
    OpaquePart,
    Part,
    ReasoningPart,
    ResponseFormat,
    StreamChunk,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
    WebSearch,
)
from yuzui.core.errors import (
    UnsupportedFeature,
    UpstreamBusy,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
    UpstreamRefused,
    UpstreamTimeout,
)
from yuzui.core.target import Auth, Quirks, Target
from yuzui.core.usage import Usage
from yuzui.providers import bedrock_embeddings
from yuzui.providers._bedrock_models import family_of, schemas_of
from yuzui.providers._contract import WireRequest
from yuzui.providers.bedrock import CODEC

WIRE = Path(__file__).parent.parent / "wire" / "bedrock"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NEWER = "global.anthropic.claude-opus-4-6-v1"
OLDER = "anthropic.claude-3-7-sonnet-20250219-v1:0"
NOVA = "us.amazon.nova-2-lite-v1:0"
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
GPT = "openai.gpt-6-luna"
QWEN = "qwen.qwen3-coder-30b-a3b-v1:0"
TARGET = Target(
    name="t", provider="bedrock", codec="bedrock", model=CLAUDE, base_url="https://x.test", premises="vendor",
    clearance=0, jurisdiction="US", api_key="the-key",
)  # fmt: skip
HI = Message(role="user", parts=(TextPart(text="hi"),))
NOW = ToolSpec(name="now")


def ask(meaning: Meaning, **changes: Any) -> ChatRequest:  # Any: fields of a ChatRequest
    return ChatRequest(dialect="nobody's", model="auto", body={}, read_meaning=lambda body: meaning, **changes)


def sent(
    meaning: Meaning, target: Target | str = TARGET, cap: int | None = None, **changes: Any  # Any: as above
) -> tuple[dict[str, Any], WireRequest]:  # fmt: skip
    target = replace(TARGET, model=target) if isinstance(target, str) else target
    wire = CODEC.write_request(ask(meaning, **changes), target, output_cap=cap)
    return json.loads(wire.body), wire


def blocks(*parts: Part, model: str = CLAUDE, role: Any = "user") -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Any: a role, and JSON. Content blocks of a turn with `parts`, and what was dropped."""
    body, wire = sent(Meaning(messages=(HI, Message(role=role, parts=parts))), model)
    turn: list[dict[str, Any]] = body["messages"][-1]["content"]
    return turn[1:] if role == "user" else turn, wire.dropped


# ---- models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "family", "schemas"),
    [
        (CLAUDE, "claude", "native"),
        (OLDER, "claude", "tool"),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1", "claude", "native"),
        (NOVA, "nova", "tool"),
        ("amazon.titan-text-express-v1", "titan", "none"),
        ("openai.gpt-oss-20b-1:0", "gpt-oss", "native"),
        (GPT, "gpt", "native"),
        ("us.deepseek.r1-v1:0", "deepseek", "native"),
        (QWEN, "qwen", "native"),
        ("mistral.pixtral-large-2502-v1:0", "mistral", "native"),
        ("us.meta.llama4-scout-17b-instruct-v1:0", "llama", "none"),
        ("cohere.command-r-plus-v1:0", "command", "none"),
        ("ai21.jamba-1-5-large-v1:0", "jamba", "none"),
        ("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1", "", "native"),
        ("zai.glm-5", "", "native"),
    ],
)
def test_a_models_family_is_read_from_its_name(model: str, family: str, schemas: str) -> None:
    found = family_of(model, {})
    assert (found.name, schemas_of(found, model)) == (family, schemas)


def test_the_operator_may_name_the_family() -> None:
    assert family_of("arn:…/a1", {"family": "nova"}).name == "nova"
    assert family_of(CLAUDE, {"family": "nobody's"}).name == ""


# ---- requests -------------------------------------------------------------------------------------------------------


EFFORT = "additionalModelRequestFields"


@pytest.mark.parametrize(
    ("model", "meaning", "field", "value", "dropped"),
    [
        (CLAUDE, {"reasoning_effort": "medium"}, EFFORT, {"thinking": {"type": "enabled", "budget_tokens": 4096}}, ()),
        (CLAUDE, {"thinking_budget": 3000}, EFFORT, {"thinking": {"type": "enabled", "budget_tokens": 3000}}, ()),
        (CLAUDE, {"thinking_budget": -1}, EFFORT, {"thinking": {"type": "enabled", "budget_tokens": 4096}}, ()),
        (CLAUDE, {"thinking_budget": 500}, EFFORT, None, ("reasoning_effort",)),
        (CLAUDE, {"thinking_budget": 0}, EFFORT, None, ()),
        (CLAUDE, {"reasoning_effort": "minimal"}, EFFORT, None, ()),
        (CLAUDE, {"reasoning_effort": "enormous"}, EFFORT, None, ("reasoning_effort",)),
        (CLAUDE, {"reasoning_effort": "low", "tools": (NOW,), "tool_choice": ToolChoice(mode="required")}, EFFORT, None, ("reasoning_effort",)),
        (CLAUDE, {"reasoning_effort": "low", "knobs": {"top_k": 4}}, EFFORT, {"thinking": {"type": "enabled", "budget_tokens": 1024}}, ("top_k",)),
        (NEWER, {"reasoning_effort": "max"}, "outputConfig", {"effort": "max"}, ()),
        (NEWER, {"thinking_budget": 20_000}, "outputConfig", {"effort": "high"}, ()),
        (NEWER, {"reasoning_effort": "low", "wants_thoughts": False}, EFFORT, {"thinking": {"type": "adaptive", "display": "omitted"}}, ()),
        (NOVA, {"reasoning_effort": "none"}, EFFORT, {"reasoningConfig": {"type": "disabled"}}, ()),
        (NOVA, {"reasoning_effort": "max", "temperature": 0.1}, EFFORT, {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}, ("temperature",)),
        ("us.amazon.nova-lite-v1:0", {"reasoning_effort": "low"}, EFFORT, None, ("reasoning_effort",)),
        (GPT, {"reasoning_effort": "xhigh"}, EFFORT, {"reasoning": {"effort": "xhigh"}}, ()),
        (GPT, {"reasoning_effort": "minimal"}, EFFORT, {"reasoning": {"effort": "low"}}, ()),
        (GPT, {"reasoning_effort": "none"}, EFFORT, {"reasoning": {"effort": "none"}}, ()),
        ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "xhigh"}, EFFORT, {"reasoning_effort": "high"}, ()),
        ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "none"}, EFFORT, None, ()),
        (QWEN, {"reasoning_effort": "high"}, EFFORT, None, ("reasoning_effort",)),
        (QWEN, {"reasoning_effort": "none"}, EFFORT, None, ()),
        (QWEN, {"knobs": {"top_k": 4}}, EFFORT, None, ("top_k",)),
        (CLAUDE, {"temperature": 0.5, "top_p": 0.5}, "inferenceConfig", {"temperature": 0.5}, ("top_p",)),
        (CLAUDE, {"temperature": 2.0}, "inferenceConfig", {"temperature": 1.0}, ("temperature",)),
        (QWEN, {"temperature": 0.5, "top_p": 0.5, "stop": ("x",)}, "inferenceConfig", {"temperature": 0.5, "topP": 0.5, "stopSequences": ["x"]}, ()),
        (QWEN, {"stop": ("x",)}, "additionalModelResponseFieldPaths", None, ()),
        (CLAUDE, {"knobs": {"service_tier": "auto"}}, "serviceTier", None, ()),
        (CLAUDE, {"knobs": {"service_tier": "scale"}}, "serviceTier", None, ("service_tier",)),
        (CLAUDE, {"knobs": {"metadata": {"a": "ä"}}}, "requestMetadata", None, ("metadata",)),
        (CLAUDE, {"knobs": {"metadata": {str(i): "x" for i in range(17)}}}, "requestMetadata", None, ("metadata",)),
        (CLAUDE, {"tools": (ToolSpec(name="f", is_strict=True),)}, "toolConfig",
         {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "additionalProperties": False}}, "strict": True}}]}, ()),
        (NOVA, {"tools": (ToolSpec(name="f", is_strict=True),)}, "toolConfig",
         {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}, ("tools.strict",)),
        (QWEN, {"tools": (ToolSpec(name="f", cache="5m"),)}, "toolConfig",
         {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object"}}}}]}, ("cache_control",)),
        (CLAUDE, {"tools": (NOW,), "tool_choice": ToolChoice(mode="none")}, "toolConfig", None, ()),
        (QWEN, {"response_format": ResponseFormat(kind="json_schema", description="d", schema={})}, "outputConfig",
         {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"type":"object","description":"d"}'}}}}, ()),
        (CLAUDE, {"response_format": ResponseFormat(kind="text")}, "outputConfig", None, ()),
        (QWEN, {"response_format": ResponseFormat(kind="json_schema", name="no good", schema={"minimum": 1})}, "outputConfig",
         {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": '{"minimum":1}'}}}}, ()),
    ],
)  # fmt: skip
def test_each_family_is_told_in_its_own_words(
    model: str, meaning: dict[str, Any], field: str, value: object, dropped: tuple[str, ...]
) -> None:
    body, wire = sent(Meaning(messages=(HI,), **meaning), model)
    assert body.get(field) == value
    assert wire.dropped == dropped


def test_a_mark_inside_of_a_result_stands_behind_it() -> None:
    call = Message(role="assistant", parts=(ToolCallPart(id="1", name="f", arguments="{}"),))
    inside = ToolResultPart(call_id="1", parts=(TextPart(text="r", cache="1h"), TextPart(text="s")))
    body, wire = sent(Meaning(messages=(HI, call, Message(role="tool", parts=(inside,)))), CLAUDE)
    assert body["messages"][-1]["content"][1] == {"cachePoint": {"type": "default", "ttl": "1h"}}
    assert wire.dropped == ()


def test_a_grammar_that_becomes_a_hint_is_reported() -> None:
    tool = ToolSpec(name="c", is_custom=True, grammar={"type": "grammar", "syntax": "regex", "definition": "a+"})
    assert sent(Meaning(messages=(HI,), tools=(tool,)), CLAUDE)[1].dropped == ("tools.format",)


@pytest.mark.parametrize(
    ("model", "meaning", "param"),
    [
        (CLAUDE, {"web_search": WebSearch()}, "web_search_options"),
        (CLAUDE, {"server_tools": ("bash",)}, "tools"),
        (LLAMA, {"tools": (NOW,), "tool_choice": ToolChoice(mode="named", name="now")}, "tool_choice"),
        (LLAMA, {"response_format": ResponseFormat(kind="json_object")}, "response_format"),
        (NOVA, {"tools": (NOW,), "response_format": ResponseFormat(kind="json_schema", schema={})}, "response_format"),
    ],
)
def test_what_a_family_cannot_do_is_refused_by_name(model: str, meaning: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        sent(Meaning(messages=(HI,), **meaning), model)
    assert caught.value.param == param


def test_several_answers_and_token_probabilities_are_refused() -> None:
    for changes, param in (({"n": 2}, "n"), ({"features": frozenset({"logprobs"})}, "logprobs")):
        with pytest.raises(UnsupportedFeature) as caught:
            sent(Meaning(messages=(HI,)), **changes)
        assert caught.value.param == param


@pytest.mark.parametrize(
    ("wanted", "cap", "most", "limit"),
    [
        (None, None, 0, None),
        (50, None, 0, 50),
        (None, 9, 0, 9),
        (50, 9, 0, 50),
        (50, None, 20, 20),
        (None, None, 20, None),
    ],
)
def test_a_limit_is_sent_when_somebody_set_one(
    wanted: int | None, cap: int | None, most: int, limit: int | None
) -> None:
    target = replace(TARGET, max_output_tokens=most)
    body, _ = sent(Meaning(messages=(HI,)), target, cap, max_output_tokens=wanted)
    assert body.get("inferenceConfig", {}).get("maxTokens") == limit


def test_a_budget_of_thought_leaves_room_for_the_answer() -> None:
    body, _ = sent(Meaning(messages=(HI,), reasoning_effort="high"), max_output_tokens=4000)
    assert body[EFFORT] == {"thinking": {"type": "enabled", "budget_tokens": 2000}}


def test_a_tool_loop_that_began_without_thinking_goes_on_without() -> None:
    loop = (
        HI,
        Message(role="assistant", parts=(ToolCallPart(id="a", name="now", arguments="{}"),)),
        Message(role="tool", parts=(ToolResultPart(call_id="a", parts=(TextPart(text="12"),)),)),
    )
    body, wire = sent(Meaning(messages=loop, tools=(NOW,), reasoning_effort="low"))
    assert EFFORT not in body
    assert wire.dropped == ("reasoning_effort",)


def test_the_newest_models_thinking_can_be_stopped_or_made_small() -> None:
    body, wire = sent(Meaning(messages=(HI,), reasoning_effort="none"), "anthropic.claude-sonnet-5-v1")
    assert body[EFFORT] == {"thinking": {"type": "disabled"}}
    body, wire = sent(Meaning(messages=(HI,), reasoning_effort="none"), "anthropic.claude-fable-5-2-v1")
    assert body["outputConfig"] == {"effort": "low"}
    assert wire.dropped == ("reasoning_effort",)


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (TextPart(text=" \n"), None),
        (ImagePart(url="s3://b/a.PNG"), {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/a.PNG"}}}}),
        (ImagePart(url="s3://b/a.jpg"), {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://b/a.jpg"}}}}),
        (AudioPart(data="QQ==", media_type="audio/mpeg"), {"audio": {"format": "mp3", "source": {"bytes": "QQ=="}}}),
        (DocumentPart(text="x", title="../évil\n\tname  v2"), {"document": {"format": "txt", "name": "vil name v2", "source": {"text": "x"}}}),
        (DocumentPart(url="s3://b/a.docx"), {"document": {"format": "docx", "name": "document", "source": {"s3Location": {"uri": "s3://b/a.docx"}}}}),
        (DocumentPart(data="QQ==", media_type="text/markdown", wants_citations=True, context="c"),
         {"document": {"format": "md", "name": "document", "source": {"bytes": "QQ=="}, "context": "c", "citations": {"enabled": True}}}),
    ],
)  # fmt: skip
def test_what_a_turn_may_hold(part: Part, block: dict[str, Any] | None) -> None:
    assert blocks(TextPart(text="x"), part) == ([{"text": "x"}, *([block] if block else [])], ())


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(data="QQ==", media_type="image/tiff"),
        ImagePart(url="https://x.test/a.png"),
        ImagePart(file_id="file-1", media_type="image/png"),
        DocumentPart(data="QQ==", media_type="application/zip"),
        DocumentPart(url="https://x.test/a.pdf"),
        AudioPart(data="QQ==", media_type="audio/midi"),
        OpaquePart(kind="hologram"),
    ],
)
def test_what_it_may_not_hold_is_refused(part: Part) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        blocks(part)
    assert caught.value.param == "messages"


def test_no_two_documents_have_one_name() -> None:
    found, _ = blocks(*(DocumentPart(text=text, title="a") for text in "xyz"))
    assert [block["document"]["name"] for block in found] == ["a", "a (2)", "a (3)"]


def test_a_picture_in_a_system_message_is_refused() -> None:
    with pytest.raises(UnsupportedFeature):
        sent(Meaning(messages=(HI, Message(role="system", parts=(ImagePart(data="QQ==", media_type="image/png"),)))))


def test_a_conversation_without_content_is_refused() -> None:
    with pytest.raises(UnsupportedFeature, match="at least one message"):
        sent(Meaning(messages=(Message(role="system", parts=(TextPart(text="x"),)),)))


@pytest.mark.parametrize(
    ("part", "model", "block"),
    [
        (ReasoningPart(text="t", signature="S"), CLAUDE, {"reasoningText": {"text": "t", "signature": "S"}}),
        (
            ReasoningPart(text="t", signature="S", origin="anthropic"),
            CLAUDE,
            {"reasoningText": {"text": "t", "signature": "S"}},
        ),
        (ReasoningPart(text="", redacted="QQ==", origin="bedrock"), CLAUDE, {"redactedContent": "QQ=="}),
        (ReasoningPart(text="", redacted="QQ==", origin="anthropic"), CLAUDE, None),
        (ReasoningPart(text="t", signature="S", origin="gemini"), CLAUDE, None),
        (ReasoningPart(text="t", origin="bedrock"), CLAUDE, None),
        (ReasoningPart(text="t", signature="S", origin="bedrock"), NOVA, None),
        (ReasoningPart(text="t", signature="S", origin="anthropic"), QWEN, None),
        (ReasoningPart(text="t", origin="bedrock"), QWEN, None),
    ],
)
def test_thoughts_return_only_to_those_who_know_them(
    part: ReasoningPart, model: str, block: dict[str, Any] | None
) -> None:
    found, dropped = blocks(part, TextPart(text="x"), model=model, role="assistant")
    assert found == [*([{"reasoningContent": block}] if block else []), {"text": "x"}]
    assert dropped == (() if block else ("reasoning",))


def test_a_servers_own_words_go_back_where_its_row_says_so() -> None:
    target = replace(TARGET, model=QWEN, quirks=Quirks(reasoning_fields=("reasoningText",)))
    turn = Message(role="assistant", parts=(ReasoningPart(text="t", origin="bedrock"), TextPart(text="x")))
    body, wire = sent(Meaning(messages=(HI, turn)), target)
    assert body["messages"][1]["content"][0] == {"reasoningContent": {"reasoningText": {"text": "t"}}}
    assert wire.dropped == ()


def test_arguments_that_are_no_object_can_still_be_looked_at() -> None:
    found, _ = blocks(
        *(ToolCallPart(id="a", name="f", arguments=text) for text in ("", " ", "[1]", "{", '{"a": 1}')),
        ToolCallPart(id="a", name="f", arguments="text", is_custom=True),
        role="assistant",
    )
    assert [block["toolUse"]["input"] for block in found[:5]] == [
        {}, {}, {"invalid_arguments": "[1]"}, {"invalid_arguments": "{"}, {"a": 1},
    ]  # fmt: skip
    assert found[5]["toolUse"]["input"] == {"input": "text"}


def test_a_request_that_will_be_signed_carries_no_key() -> None:
    auth = Auth(kind="aws_sigv4", settings={"access_key": "a", "secret_key": "s", "region": "r"})
    _, wire = sent(Meaning(messages=(HI,)), replace(TARGET, api_key="", auth=auth))
    assert "authorization" not in wire.headers


def test_another_path_may_be_set() -> None:
    target = replace(TARGET, quirks=Quirks(path="/proxy/{model}", headers={"x-a": "b"}))
    _, wire = sent(Meaning(messages=(HI,)), target, stream=True)
    assert wire.path == "/proxy/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0-stream"
    assert wire.headers["x-a"] == "b"
    assert wire.headers["accept"] == "application/vnd.amazon.eventstream"


# ---- answers --------------------------------------------------------------------------------------------------------


def whole(*content: dict[str, Any], stop: str = "end_turn", **more: object) -> bytes:
    answer = {
        "output": {"message": {"role": "assistant", "content": list(content)}},
        "stopReason": stop,
        "metrics": {"latencyMs": 1},
    }
    return json.dumps(answer | more).encode()


@pytest.mark.parametrize(
    ("usage", "want"),
    [
        ({"inputTokens": 9, "outputTokens": 4, "totalTokens": 13}, Usage(input_tokens=9, output_tokens=4)),
        (
            {"inputTokens": 9, "outputTokens": 4, "totalTokens": 113, "cacheReadInputTokens": 60, "cacheWriteInputTokens": 40,
             "cacheDetails": [{"ttl": "1h", "inputTokens": 30}, {"ttl": "5m", "inputTokens": 10}]},
            Usage(input_tokens=109, cached_input_tokens=60, cache_write_tokens=40, cache_write_1h_tokens=30, output_tokens=4),
        ),
        (
            {"inputTokens": 109, "outputTokens": 4, "totalTokens": 113, "cacheReadInputTokens": 60},
            Usage(input_tokens=109, cached_input_tokens=60, output_tokens=4),
        ),
        (
            {"inputTokens": 9, "outputTokens": 4, "totalTokens": 13, "cacheReadInputTokens": 60},
            Usage(input_tokens=69, cached_input_tokens=60, output_tokens=4),
        ),
        ({"inputTokens": 9, "outputTokens": 4, "cacheReadInputTokens": 60, "cacheDetails": None},
         Usage(input_tokens=69, cached_input_tokens=60, output_tokens=4)),
        ({"inputTokens": -9, "outputTokens": 4}, None),
        ({"inputTokens": 10**30, "outputTokens": 4}, None),
        ({"inputTokens": 9}, None),
        ({"inputTokens": "nine"}, None),
        (None, None),
    ],
    ids=["plain", "cache beside it", "cache inside it", "a total that cannot be", "no total", "negative", "huge", "half", "nonsense", "absent"],
)  # fmt: skip
def test_counts_in_the_canonical_shape(usage: object, want: Usage | None) -> None:
    assert CODEC.read_response(whole({"text": "x"}, usage=usage)).usage == want


@pytest.mark.parametrize(
    ("stop", "finish", "native"),
    [
        ("end_turn", "stop", ""),
        ("stop_sequence", "stop", ""),
        ("tool_use", "tool_calls", ""),
        ("max_tokens", "length", ""),
        ("model_context_window_exceeded", "length", "model_context_window_exceeded"),
        ("guardrail_intervened", "content_filter", "guardrail_intervened"),
        ("content_filtered", "content_filter", "content_filtered"),
        ("a_reason_to_come", "length", "a_reason_to_come"),
    ],
)
def test_why_an_answer_ended(stop: str, finish: str, native: str) -> None:
    choice = CODEC.read_response(whole({"text": "x"}, stop=stop)).choices[0]
    assert (choice.finish_reason, choice.native_finish) == (finish, native)


def test_an_answers_parts() -> None:
    answer = whole(
        {"reasoningContent": {"reasoningText": {"text": "t", "signature": "S"}}},
        {"reasoningContent": {"redactedContent": "QQ=="}},
        {"reasoningContent": {"reasoningText": {"text": ""}}},
        {"text": "x"},
        {"toolUse": {"toolUseId": "a", "name": "f", "input": {"é": [1, "\n"]}}},
        {"toolUse": {"toolUseId": "b", "name": "g"}},
        {"toolUse": {"toolUseId": "s", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
        {"toolResult": {"toolUseId": "s", "content": [{"text": "found"}]}},
        {"citationsContent": {"content": [{"text": "c"}], "citations": [
            {"location": {"web": {"url": "https://x.test"}}, "title": "T"}, {"source": "https://y.test"}, {"source": "kb:1", "location": {"documentPage": {"documentIndex": 2}}}]}},
        {"hologram": {}},
        stop="tool_use", additionalModelResponseFields={"stop_sequence": 7}, serviceTier={"type": "flex"},
    )  # fmt: skip
    response = CODEC.read_response(answer)
    assert response.choices[0].parts == (
        ReasoningPart(text="t", signature="S"),
        ReasoningPart(text="", redacted="QQ=="),
        TextPart(text="x"),
        ToolCallPart(id="a", name="f", arguments='{"\\u00e9": [1, "\\n"]}'),
        ToolCallPart(id="b", name="g", arguments="{}"),
        TextPart(
            text="c",
            citations=(Citation(url="https://x.test", title="T"), Citation(url="https://y.test"), Citation(document=2)),
        ),
    )
    assert (response.choices[0].finish_reason, response.choices[0].stop_sequence) == ("tool_calls", "")
    assert response.service_tier == "flex"


@pytest.mark.parametrize(
    "body",
    [
        whole({"text": "x"}, stop="malformed_model_output"),
        whole({"toolUse": {"name": "f", "input": {}}}),
        whole({"toolUse": {"toolUseId": "a", "name": "f", "input": [1]}}),
        whole({"text": 7}),
        b'{"output":{"message":{"content":[]}}}',
        b'{"stopReason":"end_turn"}',
        b'{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a","name":"f","input":{"a":"\xff"}}}]}},"stopReason":"tool_use"}',
    ],
)
def test_what_is_no_answer_is_a_fault(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


# ---- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "fault", "code"),
    [
        (400, "ValidationException", UpstreamRefused, "upstream_rejected_request"),
        (403, "AccessDeniedException", UpstreamRefused, "upstream_auth"),
        (403, "ExpiredTokenException", UpstreamRefused, "upstream_auth"),
        (404, "ResourceNotFoundException", UpstreamRefused, "upstream_not_found"),
        (408, "ModelTimeoutException", UpstreamTimeout, "upstream_timeout"),
        (413, "", UpstreamRefused, "upstream_rejected_request"),
        (429, "ThrottlingException", UpstreamBusy, "upstream_rate_limited"),
        (429, "ModelNotReadyException", UpstreamBusy, "upstream_overloaded"),
        (400, "ServiceQuotaExceededException", UpstreamBusy, "upstream_rate_limited"),
        (424, "ModelErrorException", UpstreamRefused, "upstream_refused"),
        (500, "InternalServerException", UpstreamRefused, "upstream_refused"),
        (503, "ServiceUnavailableException", UpstreamBusy, "upstream_overloaded"),
        (418, "TeapotException", UpstreamRefused, "upstream_refused"),
    ],
)
@pytest.mark.parametrize("place", ["header", "body"])
def test_an_exception_means_what_its_class_says(
    status: int, kind: str, fault: type[UpstreamFault], code: str, place: str
) -> None:
    headers = {"x-amzn-errortype": f"{kind}:http://internal/"} if place == "header" else {}
    body = {"Message": "the-key is bad"} | ({"__type": f"com.amazon#{kind}"} if place == "body" else {})
    found = CODEC.read_error(status, {**headers, "retry-after": "3"}, json.dumps(body).encode(), TARGET)
    assert type(found) is fault
    assert found.code == code
    assert "the-key" not in found.message
    assert (found.retry_after_s == 3) is isinstance(found, UpstreamBusy)
    if isinstance(found, UpstreamRefused):
        assert found.upstream_status == status


# ---- streams --------------------------------------------------------------------------------------------------------


def recordings() -> list[bytes]:
    """The upstream's half of every streamed wire case."""
    found = []
    for path in sorted(WIRE.glob("*.wire")):
        upstream = path.read_text("utf-8").partition("<< upstream\n")[2].partition("<< client\n")[0]
        head, _, body = upstream.partition("\n\n")
        if "application/vnd.amazon.eventstream" in head:
            found.append(encode_lines(body))
    return found


RECORDINGS = recordings()


def read(pieces: list[bytes], answer_tool: str = "") -> tuple[list[StreamChunk], str]:
    """Chunks, and the fault that ended them."""
    decoder = CODEC.decoder(WireRequest(path="/", headers={}, body=b"", is_stream=True, answer_tool=answer_tool))
    chunks: list[StreamChunk] = []
    try:
        for piece in pieces:
            chunks += decoder.feed(piece)
        decoder.close()
    except UpstreamFault as fault:
        return chunks, f"{type(fault).__name__}: {fault.message}"
    assert decoder.is_complete
    return chunks, ""


def test_there_are_recordings() -> None:
    assert len(RECORDINGS) > 15
    assert all(read([recording])[0] or read([recording])[1] for recording in RECORDINGS)


@given(data=st.data())
def test_any_cut_of_a_recording_gives_the_same_chunks(data: st.DataObject) -> None:
    stream = data.draw(st.sampled_from(RECORDINGS))
    edges = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)) | {0, len(stream)})
    assert read([stream[a:b] for a, b in itertools.pairwise(edges)]) == read([stream])


KINDS = st.sampled_from(
    ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "x"]
)
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.sampled_from(["end_turn", "tool_use"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["text", "toolUse", "toolUseId", "name", "input", "start", "delta", "contentBlockIndex", "stopReason", "usage", "inputTokens", "outputTokens"]),
        inner, max_size=4,
    ),
    max_leaves=8,
)  # fmt: skip


@given(found=st.lists(st.tuples(KINDS, VALUES), max_size=6))
def test_any_events_are_chunks_or_a_declared_fault(found: list[tuple[str, object]]) -> None:
    read([b"".join(event(kind, json.dumps(value).encode()) for kind, value in found)])


def lines(*found: str) -> bytes:
    return encode_lines("\n".join(found))


END = (
    'messageStop {"stopReason": "end_turn"}',
    'metadata {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}',
)


def test_a_stream_may_end_between_frames_only_behind_its_end() -> None:
    text = 'contentBlockDelta {"contentBlockIndex": 0, "delta": {"text": "x"}}'
    assert read([lines(text, *END)])[1] == ""
    assert read([lines(text, END[0])])[1] == ""
    assert read([lines(text, *END, "~3")])[1].startswith("UpstreamInterrupted")
    assert read([lines(text)])[1].startswith("UpstreamInterrupted")


@pytest.mark.parametrize(
    "line",
    [
        'messageStop {}',
        'metadata {"usage": {}}',
        'contentBlockStart {"start": {"toolUse": {"name": "f"}}, "contentBlockIndex": 0}',
        'contentBlockDelta {"delta": {"toolUse": {"input": "{"}}, "contentBlockIndex": 4}',
        'messageStop {"stopReason": "malformed_tool_use"}',
        "contentBlockDelta [1]",
    ],
)  # fmt: skip
def test_a_broken_known_event_is_a_fault(line: str) -> None:
    assert read([lines(line, *END)])[1].startswith("UpstreamInvalid")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("throttlingException", UpstreamBusy),
        ("validationException", UpstreamRefused),
        ("serviceUnavailableException", UpstreamBusy),
        ("modelTimeoutException", UpstreamTimeout),
        ("internalServerException", UpstreamInterrupted),
        ("modelStreamErrorException", UpstreamInterrupted),
        ("teapotException\r\nx", UpstreamInterrupted),
    ],
)
def test_an_exception_in_a_stream_is_its_own_fault(kind: str, fault: type[UpstreamFault]) -> None:
    decoder = CODEC.decoder()
    with pytest.raises(fault) as caught:
        decoder.feed(exception(kind, b'{"message":"why\\u0007"}'))
    assert caught.value.may_have_run
    assert "\r" not in caught.value.message
    assert "\x07" not in caught.value.message


def test_an_answer_by_tool_may_stand_beside_words() -> None:
    stream = lines(
        'contentBlockDelta {"contentBlockIndex": 0, "delta": {"text": "Here: "}}',
        'contentBlockStart {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "json_answer"}}}',
        'contentBlockDelta {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}',
        'contentBlockStop {"contentBlockIndex": 1}',
        'messageStop {"stopReason": "tool_use"}',
    )
    chunks, _ = read([stream], answer_tool="json_answer")
    assert [chunk.deltas[0].text for chunk in chunks] == ["Here: ", "{}", ""]
    assert chunks[-1].deltas[0].finish_reason == "stop"


def test_thoughts_and_citations_stream() -> None:
    stream = lines(
        'contentBlockDelta {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "t"}}}',
        'contentBlockDelta {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": "QQ=="}}}',
        'contentBlockDelta {"contentBlockIndex": 0, "delta": {"reasoningContent": {}}}',
        'contentBlockDelta {"contentBlockIndex": 1, "delta": {"text": ""}}',
        'contentBlockDelta {"contentBlockIndex": 1, "delta": {"citation": {"title": "T", "location": {"web": {"url": "https://x.test"}}}}}',
        "contentBlockDelta {}",
        *END,
    )
    deltas = [delta for chunk in read([stream])[0] for delta in chunk.deltas]
    assert [(delta.reasoning, delta.redacted) for delta in deltas[:2]] == [("t", ""), ("", "QQ==")]
    assert deltas[2].citations == (Citation(url="https://x.test", title="T"),)
    assert len(deltas) == 4


# ---- embeddings -----------------------------------------------------------------------------------------------------


def embed(model: str, **changes: Any) -> tuple[dict[str, Any], WireRequest]:  # Any: fields of a request; JSON
    request = EmbeddingRequest(
        dialect="nobody's", operation="embeddings", model="auto", body={}, read_meaning=lambda body: Meaning(messages=()),
        **{"inputs": ("a",)} | changes,
    )  # fmt: skip
    wire = bedrock_embeddings.CODEC.write_request(request, replace(TARGET, model=model), output_cap=None)
    return json.loads(wire.body), wire


def test_what_embeddings_are_for_is_said_where_the_model_asks() -> None:
    assert embed("cohere.embed-v4:0", purpose="query")[0]["input_type"] == "search_query"
    assert embed("amazon.titan-embed-text-v2:0", purpose="query")[0] == {"inputText": "a"}


def test_knobs_of_embeddings_are_sent_or_reported() -> None:
    knobs = {"truncate": "END", "normalize": False}
    body, wire = embed("cohere.embed-v4:0", knobs=knobs)
    assert (body["truncate"], wire.dropped) == ("END", ("normalize",))
    body, wire = embed("amazon.titan-embed-text-v2:0", knobs=knobs)
    assert (body["normalize"], wire.dropped) == (False, ("truncate",))


@pytest.mark.parametrize("changes", [{"has_tokens": True}, {"inputs": ("a", "b")}])
def test_inputs_that_cannot_be_embedded_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        embed("amazon.titan-embed-text-v2:0", **changes)
    assert caught.value.param == "input"
