"""Whole answers in the words of the Messages API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    AnswerFacts,
    ChatResponse,
    Choice,
    Citation,
    FinishReason,
    OpaquePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
)
from yuzui.core.errors import (
    BudgetExceeded,
    GatewayFault,
    InvalidRequest,
    NoPermittedTarget,
    NotFound,
    RequestTooLarge,
    Unauthenticated,
    UpstreamRefused,
    UpstreamTimeout,
    YuzuiError,
)
from yuzui.core.reasoning import unseal
from yuzui.core.usage import Usage
from yuzui.dialects.anthropic_messages import DIALECT

Json = dict[str, Any]  # Any: JSON values
FACTS = AnswerFacts(request_id="req_1", origin="deepseek")
DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Cats purr."}}
REQUEST = DIALECT.read_request(
    {"model": "auto", "messages": [{"role": "user", "content": [DOCUMENT, {"type": "text", "text": "hi"}]}]}
)


def answer(*parts: Part, finish: FinishReason = "stop", **fields: Any) -> Json:  # Any: fields of a ChatResponse
    changes: Json = {"id": "c1", "model": "m", "usage": Usage(input_tokens=3, output_tokens=2)} | fields
    choice = Choice(index=0, parts=parts, finish_reason=finish, refusal=changes.pop("refusal", ""))
    response = ChatResponse(created_s=0, choices=(choice,), **changes)
    written: Json = json.loads(DIALECT.write_response(response, REQUEST, FACTS))
    return written


def test_parts_are_blocks_in_their_order() -> None:
    thought = ReasoningPart(text="t", signature="s")
    content = answer(
        thought, TextPart(text="a"), ToolCallPart(id="x", name="f", arguments='{ "a": 1 }'), OpaquePart(kind="to_come")
    )["content"]
    assert [block["type"] for block in content] == ["thinking", "text", "tool_use"]
    assert content[2] == {"type": "tool_use", "id": "x", "name": "f", "input": {"a": 1}}
    assert unseal(content[0]["signature"], "t") == ReasoningPart(text="t", signature="s", origin="deepseek")


@pytest.mark.parametrize(
    "part",
    [
        ReasoningPart(text="", redacted="r"),
        ReasoningPart(text="summary", redacted="r", id="rs_1", is_summary=True),
        ReasoningPart(text="plain"),
        ReasoningPart(text="", signature="of the call behind it"),
    ],
)
def test_a_thought_comes_back_whole_in_the_next_turn(part: ReasoningPart) -> None:
    (block,) = answer(part)["content"]
    again = DIALECT.read_request({"model": "m", "messages": [{"role": "assistant", "content": [block]}]})
    (message,) = again.meaning.messages
    (returned,) = message.parts
    assert isinstance(returned, ReasoningPart) and returned.origin == "deepseek"
    fields = ("text", "signature", "redacted", "id", "is_summary")
    assert [getattr(returned, name) for name in fields] == [getattr(part, name) for name in fields]


@given(st.text(max_size=20))
def test_arguments_of_any_text_are_an_object(arguments: str) -> None:
    (block,) = answer(ToolCallPart(id="x", name="f", arguments=arguments))["content"]
    assert isinstance(block["input"], dict)
    if arguments.strip() and block["input"] and not arguments.lstrip().startswith("{"):
        assert block["input"] == {"invalid_arguments": arguments}


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ('{"a":1}', {"a": 1}),
        ("", {}),
        ("null", {}),
        ("[1]", {"invalid_arguments": "[1]"}),
        ('{"a": "\\ud83c"}', {"invalid_arguments": '{"a": "\\ud83c"}'}),
        ("{" * 5000, {"invalid_arguments": "{" * 5000}),
    ],
)
def test_arguments_that_are_no_object_stand_under_a_key(arguments: str, want: object) -> None:
    (block,) = answer(ToolCallPart(id="x", name="f", arguments=arguments))["content"]
    assert block["input"] == want


def test_calls_without_a_name_of_their_own_get_different_ones() -> None:
    call = ToolCallPart(id="", name="f", arguments="")
    content = answer(call, call, finish="tool_calls")["content"]
    assert [block["id"] for block in content] == ["toolu_req_1_0", "toolu_req_1_1"]


@pytest.mark.parametrize(
    ("parts", "finish", "refusal", "reason", "explanation", "said"),
    [
        ((TextPart(text="a"),), "stop", "", "end_turn", None, ["a"]),
        ((TextPart(text="a"),), "length", "", "max_tokens", None, ["a"]),
        ((TextPart(text=" \n"),), "stop", "", "end_turn", None, []),
        ((), "stop", "I cannot.", "refusal", "I cannot.", ["I cannot."]),
        ((TextPart(text="a"),), "content_filter", "Filtered.", "refusal", "Filtered.", ["a"]),
        ((), "tool_calls", "", "end_turn", None, []),
    ],
)
def test_the_reason_of_the_end(
    parts: tuple[Part, ...],
    finish: FinishReason,
    refusal: str,
    reason: str,
    explanation: str | None,
    said: list[str],
) -> None:
    written = answer(*parts, finish=finish, refusal=refusal)
    assert written["stop_reason"] == reason
    assert written.get("stop_details", {}).get("explanation") == explanation
    assert [block["text"] for block in written["content"]] == said


def test_what_a_vendor_leaves_out_is_filled_in() -> None:
    written = answer(TextPart(text="a"), id="", model="", usage=None)
    assert (written["id"], written["model"]) == ("msg_req_1", "auto")
    assert (written["usage"]["input_tokens"], written["usage"]["output_tokens"]) == (0, 0)


@pytest.mark.parametrize(
    ("tier", "want"), [("default", "standard"), ("priority", "priority"), ("flex", None), ("", None)]
)
def test_the_tier_of_service_is_told_in_this_api_s_words(tier: str, want: str | None) -> None:
    assert answer(TextPart(text="a"), service_tier=tier)["usage"].get("service_tier") == want


@pytest.mark.parametrize(
    ("citation", "want"),
    [
        (
            Citation(url="https://a.test", cited_text="c"),
            {
                "type": "web_search_result_location",
                "cited_text": "c",
                "encrypted_index": "",
                "title": None,
                "url": "https://a.test",
            },
        ),
        (
            Citation(document=0, cited_text="purr", title="Cats"),
            {
                "type": "char_location",
                "cited_text": "purr",
                "document_index": 0,
                "document_title": "Cats",
                "start_char_index": 5,
                "end_char_index": 9,
                "file_id": None,
            },
        ),
    ],
)
def test_a_citation_has_the_form_that_fits(citation: Citation, want: object) -> None:
    (block,) = answer(TextPart(text="They purr.", citations=(citation,)))["content"]
    assert block["citations"] == [want]


@pytest.mark.parametrize("document", [7, -1])
def test_a_citation_of_a_document_that_is_not_there_has_no_place(document: int) -> None:
    (block,) = answer(TextPart(text="x", citations=(Citation(document=document, cited_text="y"),)))["content"]
    assert block["citations"][0]["start_char_index"] == 0


def test_an_answer_of_the_lane_goes_on_as_it_is() -> None:
    raw = b'{"id": "msg_1",  "field_to_come": 1}'
    response = ChatResponse(
        id="", model="", created_s=0, choices=(), usage=None, raw=raw, raw_dialect="anthropic_messages"
    )
    assert DIALECT.write_response(response, REQUEST, FACTS) == raw


# ---- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidRequest("x", param="messages"), "invalid_request_error"),
        (Unauthenticated("x"), "authentication_error"),
        (YuzuiError("x", status=402), "billing_error"),
        (NoPermittedTarget("x"), "permission_error"),
        (NotFound("x"), "not_found_error"),
        (YuzuiError("x", status=408), "timeout_error"),
        (YuzuiError("x", status=409), "conflict_error"),
        (RequestTooLarge("x"), "request_too_large"),
        (YuzuiError("x", status=422), "invalid_request_error"),
        (BudgetExceeded("x"), "rate_limit_error"),
        (YuzuiError("x"), "api_error"),
        (UpstreamRefused("x", upstream_status=500), "api_error"),
        (GatewayFault("x"), "overloaded_error"),
        (UpstreamTimeout("x"), "timeout_error"),
        (YuzuiError("x", status=529), "overloaded_error"),
    ],
)
def test_an_error_has_the_class_of_its_status_and_our_code(error: YuzuiError, kind: str) -> None:
    written = json.loads(DIALECT.write_error(error, "req_1"))
    details = {"error_code": error.code} | ({"param": error.param} if error.param else {})
    assert written == {
        "type": "error",
        "error": {"type": kind, "message": "x", "details": details},
        "request_id": "req_1",
    }
