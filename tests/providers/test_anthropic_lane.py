"""The lane of the Messages API: what goes on untouched, and the little that does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, ReasoningPart, RequestLine
from yuzui.core.reasoning import seal
from yuzui.core.target import Quirks, Target
from yuzui.providers._anthropic_lane import betas
from yuzui.providers._contract import WireRequest
from yuzui.providers.anthropic import CODEC, ROW

Body = dict[str, Any]  # Any: JSON values
USER = {"role": "user", "content": "hi"}


def no_meaning(body: Mapping[str, Any]) -> Meaning:  # Any: JSON values
    raise AssertionError("the lane never builds the meaning")


def target(**changes: Any) -> Target:  # Any: fields of Target
    fields: Body = {
        "name": "t", "provider": "anthropic", "codec": "anthropic", "model": "claude-sonnet-5-5",
        "base_url": ROW.base_url, "premises": "vendor", "clearance": 0, "jurisdiction": "US", "api_key": "k",
        "quirks": ROW.quirks,
    }  # fmt: skip
    return Target(**(fields | changes))


def wire(
    body: Body, *, cap: int | None = None, headers: Mapping[str, str] | None = None, **changes: Any
) -> WireRequest:
    request = ChatRequest(
        dialect="anthropic_messages",
        model="auto",
        body=body,
        line=RequestLine(headers=headers or {}),
        max_output_tokens=body.get("max_tokens"),
        stream=bool(body.get("stream")),
        read_meaning=no_meaning,
    )
    return CODEC.write_request(request, target(**changes), output_cap=cap)


def test_nothing_but_the_model_changes() -> None:
    body = {"model": "auto", "max_tokens": 5, "messages": [USER], "field_to_come": [1.0, None], "stream": True}
    before = json.dumps(body)
    sent = wire(body)
    assert json.loads(sent.body) == body | {"model": "claude-sonnet-5-5"}
    assert (sent.is_lane, sent.is_stream, sent.dropped, sent.model) == (True, True, (), "claude-sonnet-5-5")
    assert json.dumps(body) == before, "the client's own JSON is never changed"


@pytest.mark.parametrize(
    ("asked", "cap", "most", "want"),
    [(None, None, 0, 16_384), (None, 300, 0, 300), (None, None, 800, 800), (900, None, 800, 800), (0, None, 800, 0)],
)
def test_a_bound_is_set_only_where_there_is_none_or_it_is_above_the_model_s(
    asked: int | None, cap: int | None, most: int, want: int
) -> None:
    body = {"model": "auto", "messages": [USER]} | ({} if asked is None else {"max_tokens": asked})
    assert json.loads(wire(body, cap=cap, max_output_tokens=most).body)["max_tokens"] == want


def test_a_thinking_budget_stays_below_a_lowered_bound() -> None:
    body = {
        "model": "auto",
        "max_tokens": 9000,
        "messages": [USER],
        "thinking": {"type": "enabled", "budget_tokens": 8000},
    }
    sent = wire(body, max_output_tokens=4000)
    assert json.loads(sent.body)["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert sent.dropped == ("thinking.budget_tokens",)


def thinking(origin: str, **fields: Any) -> Body:  # Any: fields of a ReasoningPart
    part = ReasoningPart(text="", **fields)
    if part.redacted:
        return {"type": "redacted_thinking", "data": seal(part, origin)}
    return {"type": "thinking", "thinking": "t", "signature": seal(part, origin)}


SAID = {"type": "text", "text": "x"}
# Block of an earlier turn, provider → what is sent in its place, whether that is reported.
THOUGHTS: list[tuple[Body, str, Body | None]] = [
    (thinking("bedrock", signature="s"), "anthropic", {"type": "thinking", "thinking": "t", "signature": "s"}),
    (thinking("anthropic", redacted="r"), "vertex_anthropic", {"type": "redacted_thinking", "data": "r"}),
    (thinking("deepseek", signature="s"), "anthropic", None),
    (thinking("anthropic", signature="s"), "deepseek", None),
    (thinking("anthropic"), "anthropic", None),
    ({"type": "thinking", "thinking": "t", "signature": "yz1.broken"}, "anthropic", None),
]


@pytest.mark.parametrize(("block", "provider", "want"), THOUGHTS)
def test_a_sealed_thought_returns_to_its_own_vendor_only(block: Body, provider: str, want: Body | None) -> None:
    body = {"model": "auto", "max_tokens": 5, "messages": [USER, {"role": "assistant", "content": [block, SAID]}, USER]}
    sent = wire(body, provider=provider)
    assert json.loads(sent.body)["messages"][1]["content"] == ([want] if want else []) + [SAID]
    assert sent.dropped == (() if want else ("reasoning",))


def test_a_thought_whose_words_the_client_did_not_want_returns_with_them() -> None:
    part = ReasoningPart(text="Hm.", signature="s", origin="bedrock")
    block = {"type": "thinking", "thinking": "", "signature": seal(part, with_text=True)}
    sent = wire({"model": "auto", "max_tokens": 5, "messages": [USER, {"role": "assistant", "content": [block]}]})
    assert json.loads(sent.body)["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    ]
    assert sent.dropped == ()


def test_a_turn_of_nothing_but_foreign_thoughts_is_left_out() -> None:
    turn = {"role": "assistant", "content": [thinking("deepseek")]}
    sent = wire({"model": "auto", "max_tokens": 5, "messages": [USER, turn, USER]})
    assert json.loads(sent.body)["messages"] == [USER, USER]


def test_native_thoughts_and_texts_that_look_like_seals_are_not_touched() -> None:
    turn = {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "t", "signature": "ErUB"},
            {"type": "thinking", "thinking": "t", "signature": ""},
            {"type": "redacted_thinking", "data": "Emw"},
            {"type": "text", "text": "yz1.WyJkZWVwc2VlayJd"},
            {"type": "to_come", "data": "yz1.WyJkZWVwc2VlayJd"},
        ],
    }
    sent = wire({"model": "auto", "max_tokens": 5, "messages": [USER, turn, USER]})
    assert json.loads(sent.body)["messages"][1] == turn
    assert sent.dropped == ()


def test_a_knob_that_a_vendor_rejects_is_dropped_and_reported() -> None:
    sent = wire(
        {"model": "auto", "max_tokens": 5, "messages": [USER], "top_k": 5}, quirks=Quirks(drops=frozenset({"top_k"}))
    )
    assert "top_k" not in json.loads(sent.body)
    assert sent.dropped == ("top_k",)


@pytest.mark.parametrize(
    ("asked", "own", "want"),
    [
        ("", "", None),
        ("a-2026-01-01", "", "a-2026-01-01"),
        ("a-2026-01-01, b", "own-1", "own-1,a-2026-01-01,b"),
        ("a b,c\r\nx-evil: 1", "", None),
        ("a,a,,a", "", "a"),
    ],
)
def test_the_client_s_betas_go_along_behind_the_operator_s(asked: str, own: str, want: str | None) -> None:
    quirks = Quirks(headers={"anthropic-beta": own} if own else {})
    sent = wire({"model": "auto", "messages": [USER]}, headers={"anthropic-beta": asked}, quirks=quirks)
    assert sent.headers.get("anthropic-beta") == want


@given(st.text(max_size=200))
def test_no_beta_can_break_out_of_its_header(asked: str) -> None:
    told = betas({"anthropic-beta": asked})
    assert told.isascii() and told.isprintable() if told else True
    assert len(told) <= 32 * 65


def test_another_codec_s_target_has_its_own_path_for_this_dialect() -> None:
    quirks = Quirks(path="/chat/completions", paths={"anthropic": "/anthropic/v1/messages"})
    assert wire({"model": "auto", "messages": [USER]}, codec="openai", quirks=quirks).path == "/anthropic/v1/messages"
    assert wire({"model": "auto", "messages": [USER]}, codec="openai", quirks=Quirks(path="/c")).path == "/v1/messages"


CALLED = {"type": "tool_use", "id": "c", "name": "t", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "1"}]}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@pytest.mark.parametrize(
    ("block", "last", "thinks", "is_kept"),
    [
        (thinking("deepseek", signature="s"), RESULT, BUDGET, False),
        (thinking("anthropic"), RESULT, BUDGET, False),
        (thinking("anthropic", signature="s"), RESULT, BUDGET, True),
        (thinking("deepseek", signature="s"), RESULT, {"type": "adaptive"}, True),
        (thinking("deepseek", signature="s"), USER, BUDGET, True),
        (thinking("deepseek", signature="s"), {"role": "user", "content": ["odd"]}, BUDGET, True),
    ],
)
def test_a_running_turn_that_lost_its_thought_is_gone_on_from_without_budgeted_thinking(
    block: Body, last: Body, thinks: Body, is_kept: bool
) -> None:
    turn = {"role": "assistant", "content": [block, CALLED]}
    sent = wire({"model": "auto", "max_tokens": 2000, "thinking": thinks, "messages": [USER, turn, last]})
    assert ("thinking" in json.loads(sent.body)) == is_kept
    assert ("thinking" in sent.dropped) != is_kept
