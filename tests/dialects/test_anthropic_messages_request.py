"""Requests of the Messages dialect: what is refused, by which name, and what a target must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from anthropic.types.beta import message_create_params as beta
from anthropic.types.message_create_params import MessageCreateParamsBase
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import InvalidRequest, UnsupportedFeature
from yuzui.dialects.anthropic_messages_request import FIELDS, WireMessages, features, parse

USER = [{"role": "user", "content": "hi"}]
PLAIN: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": USER}  # Any: JSON values
HEADERS = {"betas", "user_profile_id", "workspace_id"}
"""Arguments of the client that travel as headers."""
OLDER = {"temperature", "top_p", "top_k", "output_format"}
"""Fields of API version 2023-06-01 and of older betas."""


def said(*blocks: Mapping[str, Any]) -> dict[str, Any]:  # Any: JSON values
    return {**PLAIN, "messages": [{"role": "user", "content": list(blocks)}]}


def test_every_field_of_the_official_client_is_known() -> None:
    names = set(MessageCreateParamsBase.__annotations__) | set(beta.MessageCreateParamsBase.__annotations__)
    assert (names - HEADERS) | OLDER | {"stream"} == FIELDS.keys()
    assert set(WireMessages.__struct_fields__) == FIELDS.keys()


# Change of a plain request → the field that is named.
WRONG: list[tuple[dict[str, Any], str]] = [  # Any: JSON values
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"model": "a\nb"}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": "hi"}, "messages"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_tokens": "10"}, "max_tokens"),
    ({"temperature": 3}, "temperature"),
    ({"stop_sequences": "x"}, "stop_sequences"),
    ({"stop_sequences": [1]}, "stop_sequences[0]"),
    ({"system": [{"type": "text"}]}, "system[0].text"),
    ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
    ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
    ({"tools": [{"name": "f\x00", "input_schema": {}}]}, "tools[0].name"),
    ({"tools": [{"name": "f" * 129, "input_schema": {}}]}, "tools[0].name"),
    ({"tools": [{"type": "web_search_20250305", "max_uses": "2"}]}, "tools[0].max_uses"),
    ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
    ({"output_format": {"type": "json_schema"}}, "output_format.schema"),
    (
        {
            "output_format": {"type": "json_schema", "schema": {}},
            "output_config": {"format": {"type": "json_schema", "schema": {}}},
        },
        "output_format",
    ),
    ({"metadata": {"user_id": "a\x7f"}}, "metadata.user_id"),
    ({"Messages": []}, "Messages"),
    ({"maxTokens": 5}, "maxTokens"),
]


@pytest.mark.parametrize(("change", "param"), WRONG)
def test_a_wrong_field_is_named(change: dict[str, Any], param: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        parse(PLAIN | change)
    assert caught.value.param == param
    assert f"`{param}`" in str(caught.value) or param in str(caught.value)


def test_a_conversation_that_the_vendor_keeps_is_refused_so_that_clients_send_it_themselves() -> None:
    with pytest.raises(UnsupportedFeature) as caught:
        parse(PLAIN | {"thread": {"type": "create"}})
    assert (caught.value.param, caught.value.code) == ("thread", "thread_unsupported_request")


BLOCKS: list[tuple[dict[str, Any], str]] = [  # Any: JSON values
    ({"type": "text"}, "text"),
    ({"type": "image"}, "source"),
    ({"type": "image", "source": "x"}, "source"),
    ({"type": "image", "source": {"type": "base64", "data": "x"}}, "source.media_type"),
    ({"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}, "source.url"),
    ({"type": "document", "source": {"type": "file"}}, "source.file_id"),
    ({"type": "document", "source": {"type": "content", "content": [{"type": "text"}]}}, "source.content[0].text"),
    ({"type": "search_result", "title": "x", "content": []}, "source"),
    ({"type": "tool_use", "id": "x", "name": "f"}, "input"),
    ({"type": "tool_use", "id": "x\n", "name": "f", "input": {}}, "id"),
    ({"type": "tool_result"}, "tool_use_id"),
    ({"type": "tool_result", "tool_use_id": "x", "content": [{"type": "text"}]}, "content[0].text"),
    ({"type": "thinking"}, "thinking"),
    ({"type": "redacted_thinking"}, "data"),
    ({"type": "container_upload"}, "file_id"),
]


@pytest.mark.parametrize(("block", "field"), BLOCKS)
def test_a_wrong_block_is_named(block: dict[str, Any], field: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        parse(said({"type": "text", "text": "x"}, block))
    assert caught.value.param == f"messages[0].content[1].{field}"


@pytest.mark.parametrize(
    "body",
    [
        said({"type": "block_to_come", "source": 7, "content": 1, "text": []}),
        said({"type": "tool_result", "tool_use_id": "x", "content": [{"type": "to_come", "title": 1}]}),
        PLAIN | {"tools": [{"type": "tool_to_come", "strict": "yes", "name": 5}]},
        PLAIN | {"thinking": {"type": "to_come", "field": 1}},
        PLAIN | {"field_to_come": {"a": 1}},
        PLAIN | {"messages": [{"role": "system", "output_config": {"effort": "low"}}]},
        {"model": "m", "messages": USER},
    ],
)
def test_what_nobody_knows_yet_is_no_error(body: dict[str, Any]) -> None:  # Any: JSON values
    assert parse(body).model == "m"


def test_a_wrong_block_is_named_also_beside_one_that_nobody_knows() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(said({"type": "text", "text": 5}, {"type": "block_to_come", "source": 7}))
    assert caught.value.param == "messages[0].content[0].text"


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "x"}}
PDF = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "x"}}
TEXT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
FEATURES: list[tuple[dict[str, Any], set[str]]] = [  # Any: JSON values
    (PLAIN, set()),
    (PLAIN | {"tools": [{"name": "f", "input_schema": {}}]}, {"tools"}),
    (PLAIN | {"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, {"web_search"}),
    (PLAIN | {"tools": [{"type": "bash_20250124", "name": "bash"}]}, {"server_tools"}),
    (PLAIN | {"mcp_servers": [{"type": "url"}]}, {"server_tools"}),
    (PLAIN | {"mcp_servers": []}, set()),
    (PLAIN | {"container": "c"}, {"server_tools"}),
    (PLAIN | {"output_format": {"type": "json_schema", "schema": {}}}, {"json_schema"}),
    (PLAIN | {"output_config": {"effort": "low"}}, set()),
    (said(IMAGE), {"images"}),
    (said(PDF), {"files"}),
    (said(TEXT), set()),
    (said({"type": "document", "source": {"type": "content", "content": [IMAGE]}}), {"images"}),
    (said({"type": "tool_result", "tool_use_id": "x", "content": [IMAGE, PDF]}), {"images", "files"}),
    (said({"type": "container_upload", "file_id": "f"}), {"server_tools"}),
]


@pytest.mark.parametrize(("body", "want"), FEATURES)
def test_what_a_target_must_be_able_to_do(body: dict[str, Any], want: set[str]) -> None:  # Any: JSON values
    assert features(parse(body)) == want


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "document", "tool_use", "tool_result", "thinking", "x"])},
    optional=dict.fromkeys(
        ("text", "source", "id", "name", "input", "content", "tool_use_id", "thinking", "title"), JSON
    ),
)


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON), st.lists(BLOCK, max_size=3))
def test_no_shape_of_a_request_is_more_than_an_invalid_one(fields: dict[str, Any], blocks: list[Any]) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": blocks}]} | fields
    try:
        features(parse(body))
    except (InvalidRequest, UnsupportedFeature) as error:
        assert str(error)
