"""What a request may say: bounds, types, names, and that every field of the API is known."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import completion_create_params as api

from yuzui.core.errors import InvalidRequest
from yuzui.dialects.openai_chat_request import FIELDS, features, parse

MESSAGES = [{"role": "user", "content": "hi"}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"file_id": "f-1"}}
NOT_A_COUNT: tuple[object, ...] = (0, -1, 1.5, "100", True, 10**12, [])
TOOL = {"type": "function", "function": {"name": "f"}}


def chat(**more: Any) -> dict[str, Any]:  # Any: JSON values
    return {"model": "m", "messages": MESSAGES, **more}


def test_every_field_of_the_official_client_is_in_the_table() -> None:
    official = set(get_type_hints(api.CompletionCreateParamsStreaming)) | set(
        get_type_hints(api.CompletionCreateParamsNonStreaming)
    )
    assert official == set(FIELDS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("max_tokens", value) for value in NOT_A_COUNT),
        *(("max_completion_tokens", value) for value in NOT_A_COUNT),
        *(("n", value) for value in NOT_A_COUNT),
        ("n", 129),
        ("n", 1000),
        ("temperature", -0.1),
        ("temperature", 2.1),
        ("temperature", "1"),
        ("temperature", True),
        ("top_p", 1.1),
        ("top_logprobs", 21),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", [1]),
        ("logit_bias", {"1": 101}),
        ("logit_bias", [1]),
        ("presence_penalty", 2.5),
        ("stream", "yes"),
        ("seed", 1.5),
        ("tools", [{"type": "web_search"}]),
        ("tools", [{"type": "function", "function": {"name": ""}}]),
        ("tool_choice", "any"),
        ("response_format", {"type": "xml"}),
        ("response_format", {"type": "json_schema"}),
        ("reasoning_effort", "extreme"),
        ("metadata", {"a": 1}),
        ("user", "a\r\nx-admin: 1"),
        ("model", "m\nx"),
        ("model", ""),
        ("model", 7),
        ("messages", []),
        ("messages", "hi"),
        ("best_of", 5),
        ("Messages", MESSAGES),
        ("maxTokens", 5),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**chat(), field: value})
    assert caught.value.param is not None
    assert caught.value.param.startswith(field)
    assert field in caught.value.message
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"content": "x"}, "messages[0].role"),
        ({"role": "robot", "content": "x"}, "messages[0].role"),
        ({"role": "user"}, "messages[0].content"),
        ({"role": "user", "content": None}, "messages[0].content"),
        ({"role": "user", "content": [{"type": "video", "video": 1}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "text"}]}, "messages[0].content[0].text"),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}]},
         "messages[0].content[0].image_url.url"),
        ({"role": "user", "content": "x", "name": "a\x00b"}, "messages[0].name"),
        ({"role": "tool", "content": "x"}, "messages[0].tool_call_id"),
        ({"role": "assistant"}, "messages[0].content"),
        ({"role": "assistant", "tool_calls": [{"id": "1", "type": "function"}]}, "messages[0].tool_calls[0].function"),
        (5, "messages[0]"),
    ],
)  # fmt: skip
def test_a_wrong_message_is_refused_by_its_path(message: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({"model": "m", "messages": [message]})
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"tools": [TOOL], "functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "function", "function": {"name": "f\n"}}]}, "tools[0].function.name"),
        ({"metadata": {"conversation_id": "a\nb"}}, "metadata.conversation_id"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(more: dict[str, object], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse({**chat(), **more})
    assert caught.value.param == param


@pytest.mark.parametrize(
    "more",
    [
        {"max_tokens": 1},
        {"max_tokens": 10_000_000, "max_completion_tokens": 10_000_000},
        {"n": 128},
        {"temperature": 0, "top_p": 1, "stop": "x"},
        {"stop": None, "tools": None, "tool_choice": None, "response_format": None, "n": None},
        {"tool_choice": "required", "tools": [TOOL]},
        {"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": [TOOL]},
        {
            "tools": [{"type": "custom", "custom": {"name": "c"}}],
            "tool_choice": {"type": "custom", "custom": {"name": "c"}},
        },
        {"function_call": {"name": "f"}, "functions": [{"name": "f", "parameters": {}}]},
        {"stream": True, "stream_options": {"include_usage": True, "continuous_usage_stats": True}},
        {"top_k": 3, "chat_template_kwargs": {"x": 1}},
        {"user": "张三"},
    ],
)
def test_a_right_value_is_taken(more: dict[str, object]) -> None:
    assert parse({**chat(), **more}).model == "m"


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, set()),
        ({"tools": [TOOL]}, {"tools"}),
        ({"tools": []}, set()),
        ({"functions": [{"name": "f"}]}, {"tools"}),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, {"images"}),
        ({"messages": [{"role": "user", "content": [AUDIO, FILE]}]}, {"audio", "files"}),
        ({"modalities": ["text", "audio"]}, {"audio"}),
        ({"response_format": {"type": "json_object"}}, {"json_schema"}),
        ({"response_format": {"type": "text"}}, set()),
        ({"logprobs": True}, {"logprobs"}),
        ({"logprobs": False}, set()),
        ({"n": 1}, set()),
        ({"n": 2}, {"n"}),
        ({"web_search_options": {}}, {"web_search"}),
    ],
)
def test_features_are_what_the_target_must_be_able_to_do(more: dict[str, object], wanted: set[str]) -> None:
    assert features(parse({**chat(), **more})) == wanted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(FIELDS)), value=JSON)
def test_any_value_in_any_field_is_taken_or_refused_with_a_name(field: str, value: object) -> None:
    try:
        parse({**chat(), field: value})
    except InvalidRequest as error:
        assert error.param
        assert error.message.startswith("`")


@given(message=st.dictionaries(st.sampled_from(("role", "content", "name", "tool_calls", "refusal", "audio")), JSON))
def test_any_message_is_taken_or_refused_with_a_path(message: dict[str, object]) -> None:
    try:
        parse({"model": "m", "messages": [{"role": "assistant", **message}]})
    except InvalidRequest as error:
        assert error.param is not None
        assert error.param.startswith("messages[0]")
