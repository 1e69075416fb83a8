"""What goes over the line to an OpenAI-compatible server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, Message, TextPart
from yuzui.core.target import Quirks, Target
from yuzui.dialects.openai_chat import DIALECT
from yuzui.providers.openai import CODEC

KEY = "the-" + "k" * 20
TARGET = Target(
    name="t", provider="openai", codec="openai", model="real", base_url="https://x.test/v1", premises="vendor",
    clearance=0, jurisdiction="US", api_key=KEY,
)  # fmt: skip
BODY: dict[str, Any] = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}  # Any: JSON values


def sent(target: Target = TARGET, *, output_cap: int | None = None, **more: Any) -> dict[str, Any]:  # Any: JSON values
    request = DIALECT.read_request({**BODY, **more})
    body: dict[str, Any] = json.loads(CODEC.write_request(request, target, output_cap=output_cap).body)
    return body


def with_quirks(**quirks: Any) -> Target:  # Any: the fields of Quirks
    return replace(TARGET, quirks=Quirks(**quirks))


@pytest.mark.parametrize(
    ("quirks", "more", "cap", "limits"),
    [
        ({}, {}, None, {}),
        ({}, {}, 50, {"max_tokens": 50}),
        ({}, {"max_completion_tokens": 7}, 50, {"max_completion_tokens": 7}),
        ({"max_tokens_field": "max_tokens"}, {"max_completion_tokens": 7}, None, {"max_tokens": 7}),
        ({"max_tokens_field": "max_completion_tokens"}, {"max_tokens": 7}, None, {"max_completion_tokens": 7}),
        ({"max_tokens_field": "max_completion_tokens"}, {"max_tokens": 7, "max_completion_tokens": 7}, None,
         {"max_completion_tokens": 7}),
        ({"max_tokens_field": "max_completion_tokens"}, {}, 9, {"max_completion_tokens": 9}),
        ({"max_tokens_field": "max_tokens"}, {"max_tokens": None}, 9, {"max_tokens": 9}),
    ],
)  # fmt: skip
def test_the_limit_goes_by_the_name_that_the_target_knows(
    quirks: dict[str, Any], more: dict[str, Any], cap: int | None, limits: dict[str, int]
) -> None:
    body = sent(with_quirks(**quirks), output_cap=cap, **more)
    assert {name: body[name] for name in ("max_tokens", "max_completion_tokens") if name in body} == limits


@pytest.mark.parametrize(
    ("auth", "wanted"),
    [
        ("bearer", {"authorization": f"Bearer {KEY}"}),
        ("api-key", {"api-key": KEY}),
        ("x-api-key", {"x-api-key": KEY}),
        ("none", {}),
    ],
)
def test_the_key_goes_where_the_target_looks(auth: Any, wanted: dict[str, str]) -> None:  # Any: a Literal's values
    wire = CODEC.write_request(
        DIALECT.read_request(BODY), with_quirks(auth=auth, headers={"x-org": "o"}), output_cap=None
    )
    assert wire.headers.keys() - {"content-type", "accept", "user-agent"} == wanted.keys() | {"x-org"}
    assert wanted.items() <= wire.headers.items()
    assert KEY not in repr(wire)


def test_the_query_is_escaped_into_the_path() -> None:
    wire = CODEC.write_request(DIALECT.read_request(BODY), with_quirks(query={"a b": "1&2"}), output_cap=None)
    assert wire.path == "/chat/completions?a+b=1%262"


def test_stream_options_keep_what_the_client_said() -> None:
    assert sent(stream=True, stream_options={"include_usage": False, "x": 1})["stream_options"] == {
        "include_usage": True,
        "x": 1,
    }


def test_the_clients_body_is_never_changed_in_place() -> None:
    body = {**BODY, "stream": True, "stream_options": {"x": 1}, "messages": [{"role": "developer", "content": "d"}]}
    before = json.dumps(body)
    CODEC.write_request(
        DIALECT.read_request(body), with_quirks(developer_role=False, drops=frozenset({"x"})), output_cap=1
    )
    assert json.dumps(body) == before


def test_a_dropped_knob_is_reported_unless_it_was_null() -> None:
    request = DIALECT.read_request({**BODY, "seed": 1, "user": None})
    wire = CODEC.write_request(request, with_quirks(drops=frozenset({"seed", "user"})), output_cap=None)
    assert wire.dropped == ("seed",)
    assert json.loads(wire.body) == {**BODY, "model": "real"}


def test_a_request_of_another_dialect_is_written_from_its_meaning() -> None:
    meaning = Meaning(messages=(Message(role="user", parts=(TextPart(text="hi"),)),), knobs={"top_k": 5, "seed": 1})
    request = ChatRequest(
        dialect="anthropic_messages", model="auto", body={"max_tokens": 10}, max_output_tokens=10, stream=True,
        read_meaning=lambda body: meaning,
    )  # fmt: skip
    wire = CODEC.write_request(request, with_quirks(max_tokens_field="max_completion_tokens"), output_cap=None)
    assert json.loads(wire.body) == {
        "model": "real", "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_completion_tokens": 10,
        "seed": 1, "stream_options": {"include_usage": True}}  # fmt: skip
    assert wire.dropped == ("top_k",)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=6).map(lambda name: "x_" + name), st.integers() | st.text(), max_size=4
    )
)
def test_a_vendors_own_fields_survive_the_lane(extra: dict[str, Any]) -> None:  # Any: JSON values
    assert sent(**extra) == {**BODY, "model": "real", **extra}


CLAUDES = {"type": "reasoning.text", "text": "Hm.", "signature": "sig", "format": "anthropic"}
ROUTERS = {"type": "reasoning.encrypted", "data": "x", "format": "openai-responses-v1"}
PLAIN = {"type": "reasoning.text", "text": "Hm."}


@pytest.mark.parametrize(
    ("details", "kept", "dropped"),
    [
        ([CLAUDES], None, ("reasoning",)),
        ([CLAUDES, ROUTERS], [ROUTERS], ("reasoning",)),
        ([ROUTERS, PLAIN, {**PLAIN, "format": "unknown"}, {**PLAIN, "format": "openai"}], ..., ()),
        ([], ..., ()),
        (None, ..., ()),
    ],
)
def test_thoughts_of_other_vendors_stay_here_also_on_the_lane(
    details: object, kept: object, dropped: tuple[str, ...]
) -> None:
    said = {"role": "assistant", "reasoning_content": "Hm.", "reasoning_details": details, "content": "a", "x": 1}
    request = DIALECT.read_request({**BODY, "messages": [*BODY["messages"], said, *BODY["messages"]]})
    wire = CODEC.write_request(request, TARGET, output_cap=None)
    wanted: dict[str, object]
    if kept is ...:
        wanted = said
    elif kept is None:
        wanted = {"role": "assistant", "content": "a", "x": 1}
    else:
        wanted = {**said, "reasoning_details": kept}
    assert json.loads(wire.body)["messages"][1] == wanted
    assert wire.dropped == dropped
