"""Answers of other dialects in Google's spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import (
    ChatResponse,
    Choice,
    Citation,
    DocumentPart,
    FinishReason,
    ImagePart,
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
    RateExceeded,
    RequestTooLarge,
    Unauthenticated,
    UpstreamTimeout,
    YuzuiError,
)
from yuzui.core.usage import Usage
from yuzui.dialects.gemini_answer import INVALID_ARGUMENTS, error_object, write_answer
from yuzui.dialects.gemini_meaning import read_meaning


def written(
    *parts: Part, usage: Usage | None = None, finish_reason: FinishReason = "stop"
) -> dict[str, Any]:  # Any: JSON values
    choice = Choice(index=0, parts=parts, finish_reason=finish_reason)
    answer = ChatResponse(id="", model="m", created_s=0, usage=usage, choices=(choice,))
    found: dict[str, Any] = json.loads(write_answer(answer, "deepseek", "req-1"))  # Any: JSON values
    return found


def parts_of(*parts: Part) -> list[dict[str, Any]]:  # Any: JSON values
    found: list[dict[str, Any]] = written(*parts)["candidates"][0]["content"]["parts"]  # Any: JSON values
    return found


@pytest.mark.parametrize(
    ("reason", "word"),
    [("stop", "STOP"), ("length", "MAX_TOKENS"), ("tool_calls", "STOP"), ("content_filter", "SAFETY")],
)
def test_reasons_have_googles_words(reason: FinishReason, word: str) -> None:
    assert written(finish_reason=reason)["candidates"][0]["finishReason"] == word


def test_an_answer_is_never_without_a_part_or_a_name() -> None:
    found = written()
    assert found["candidates"][0]["content"] == {"parts": [{"text": ""}], "role": "model"}
    assert found["responseId"] == "req-1"


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        ("", {}),
        (' {"a": 1.0} ', {"a": 1.0}),
        ("[1]", {INVALID_ARGUMENTS: "[1]"}),
        ("{oops", {INVALID_ARGUMENTS: "{oops"}),
        ('{"a": "\ud800"}', {INVALID_ARGUMENTS: '{"a": "?"}'}),
    ],
)
def test_the_arguments_of_a_call_are_an_object(arguments: str, args: dict[str, Any]) -> None:
    (part,) = parts_of(ToolCallPart(id="c", name="f", arguments=arguments))
    assert part["functionCall"] == {"id": "c", "name": "f", "args": args}


def test_numbers_in_arguments_stay_as_the_model_wrote_them() -> None:
    answer = ChatResponse(
        id="r", model="m", created_s=0, usage=None,
        choices=(Choice(index=0, parts=(ToolCallPart(id="c", name="f", arguments='{"a": 1.10, "b": 1e400}'),), finish_reason="stop"),),
    )  # fmt: skip
    assert b'{"a": 1.10, "b": 1e400}' in write_answer(answer, "x", "r")


def test_pictures_are_shown_and_addresses_are_not() -> None:
    data = ImagePart(data="AAAA", media_type="image/png")
    assert parts_of(data, ImagePart(url="https://x.test/a"), DocumentPart(data="BB", media_type="application/pdf")) == [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "BB"}},
    ]


def test_usage_leaves_thoughts_out_of_the_candidates() -> None:
    usage = Usage(
        input_tokens=10,
        cached_input_tokens=4,
        input_audio_tokens=3,
        output_tokens=9,
        reasoning_tokens=5,
        output_audio_tokens=1,
    )
    assert written(usage=usage)["usageMetadata"] == {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 19,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}, {"modality": "AUDIO", "tokenCount": 3}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 3}, {"modality": "AUDIO", "tokenCount": 1}],
    }


def test_citations_become_grounding_and_characters_bytes() -> None:
    cited = (
        Citation(url="https://a.test", title="A", start=0, end=3),
        Citation(url="https://a.test", title="A", start=4, end=6),
        Citation(title="B", cited_text="quoted", document=1),
        Citation(url="https://c.test", start=5, end=99),
    )
    found = written(ReasoningPart(text="t"), TextPart(text="éa. bé", citations=cited))["candidates"][0]
    assert found["groundingMetadata"] == {
        "groundingChunks": [
            {"web": {"uri": "https://a.test", "title": "A"}},
            {"retrievedContext": {"title": "B", "text": "quoted"}},
            {"web": {"uri": "https://c.test", "title": ""}},
        ],
        "groundingSupports": [
            {"segment": {"partIndex": 1, "startIndex": 0, "endIndex": 4, "text": "éa."}, "groundingChunkIndices": [0]},
            {"segment": {"partIndex": 1, "startIndex": 5, "endIndex": 8, "text": "bé"}, "groundingChunkIndices": [0]},
            {
                "segment": {"partIndex": 1, "startIndex": 0, "endIndex": 8, "text": "éa. bé"},
                "groundingChunkIndices": [1],
            },
        ],
    }


TEXTS = st.text(min_size=1, max_size=8)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, text=TEXTS),
    st.builds(ReasoningPart, text=st.text(max_size=8), signature=TEXTS, id=st.text(max_size=3), is_summary=st.booleans(), origin=st.just("deepseek")),
    st.builds(ReasoningPart, text=st.just(""), redacted=TEXTS, origin=st.just("deepseek")),
    st.builds(ReasoningPart, text=TEXTS, origin=st.just("deepseek")),
    st.builds(ToolCallPart, id=TEXTS, name=st.from_regex(r"[a-z]{1,9}", fullmatch=True), arguments=st.sampled_from(["{}", '{"a":1}'])),
)  # fmt: skip


@given(parts=st.lists(PARTS, min_size=1, max_size=6))
def test_what_a_client_sends_back_is_what_it_was_shown(parts: list[Part]) -> None:
    content = written(*parts)["candidates"][0]["content"]
    turns = read_meaning({"contents": [{"parts": [{"text": "hi"}]}, content]}).messages
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, TextPart) and isinstance(last, TextPart):
            joined[-1] = TextPart(text=last.text + part.text)  # texts in a row are one
        else:
            joined.append(part)
    assert list(turns[1].parts) == joined


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest("x"), "INVALID_ARGUMENT"),
        (Unauthenticated("x"), "UNAUTHENTICATED"),
        (NoPermittedTarget("x"), "PERMISSION_DENIED"),
        (RequestTooLarge("x"), "INVALID_ARGUMENT"),
        (RateExceeded("x"), "RESOURCE_EXHAUSTED"),
        (BudgetExceeded("x"), "RESOURCE_EXHAUSTED"),
        (UpstreamTimeout("x"), "DEADLINE_EXCEEDED"),
        (GatewayFault("x"), "UNAVAILABLE"),
        (YuzuiError("x"), "INTERNAL"),
        (YuzuiError("x", status=418), "INVALID_ARGUMENT"),
        (YuzuiError("x", status=599), "INTERNAL"),
    ],
)
def test_errors_have_googles_status(error: YuzuiError, status: str) -> None:
    found = error_object(error, "req-1")
    assert (found["code"], found["status"], next(iter(found))) == (error.status, status, "code")


def test_an_error_tells_our_code_the_field_the_request_and_when_to_come_back() -> None:
    details = error_object(RateExceeded("slow down", param="model", retry_after_s=2.5), "req-1")["details"]
    assert details == [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "RATE_LIMIT_EXCEEDED",
            "domain": "yuzui",
            "metadata": {"code": "rate_limit_exceeded", "request_id": "req-1", "param": "model"},
        },
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "req-1"},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"},
    ]
