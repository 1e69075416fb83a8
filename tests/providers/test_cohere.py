"""Cohere: tables and properties for what wire cases would only repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_kit import (
    CALL,
    HI,
    MARKS,
    NOW,
    TEXTS,
    WEATHER,
    Json,
    arguments_of,
    cuts_change_nothing,
    decode,
    embedding,
    refused,
    request,
    reranking,
    result,
    said,
    send,
    target,
    text_of,
    the_choice,
)
from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolChoice,
    ToolSpec,
)
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Quirks
from yuzui.core.usage import Usage
from yuzui.providers import cohere, cohere_embeddings, cohere_rerank
from yuzui.providers._cohere_request import PLAN, THINKING_BUDGETS
from yuzui.providers.catalogue import find_codecs, load_rows

THINKS, OLD = "command-a-reasoning-08-2025", "command-r-plus-08-2024"
TARGET = target(cohere.ROW, "cohere", THINKS)


def sent(*messages: Any, model: str = THINKS, **meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    body, wire = send(cohere.CODEC, request(*messages, **meant), target(cohere.ROW, "cohere", model))
    return body, wire.dropped


def whole(*content: Json, finish: str = "COMPLETE", usage: Json | None = None, **message: Any) -> bytes:  # Any: JSON
    body = {"id": "a", "finish_reason": finish, "message": {"role": "assistant", "content": content, **message}}
    return json.dumps({**body, "usage": usage}).encode()


def event(kind: str, index: int = 0, **message: Any) -> bytes:  # Any: JSON values
    body = {"type": kind, "index": index, "delta": {"message": message}}
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n".encode()


def end(finish: str = "COMPLETE", **delta: Any) -> bytes:  # Any: JSON values
    return (
        b"data: " + json.dumps({"type": "message-end", "delta": {"finish_reason": finish, **delta}}).encode() + b"\n\n"
    )


def test_the_catalogue_finds_the_codecs_and_their_row() -> None:
    assert load_rows()["cohere"] == cohere.ROW
    for name, module in (
        ("cohere", cohere),
        ("cohere_embeddings", cohere_embeddings),
        ("cohere_rerank", cohere_rerank),
    ):
        assert find_codecs()[name] is module.CODEC


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "meant", "thinking", "dropped"),
    [
        (THINKS, {}, None, ()),
        (THINKS, {"reasoning_effort": "none"}, {"type": "disabled"}, ()),
        (THINKS, {"thinking_budget": 0}, {"type": "disabled"}, ()),
        (THINKS, {"reasoning_effort": "low"}, {"type": "enabled", "token_budget": THINKING_BUDGETS["low"]}, ()),
        (THINKS, {"reasoning_effort": "high"}, {"type": "enabled"}, ()),
        (THINKS, {"thinking_budget": 77}, {"type": "enabled", "token_budget": 77}, ()),
        (THINKS, {"thinking_budget": -1}, {"type": "enabled"}, ()),
        (THINKS, {"thinking_budget": 77, "reasoning_effort": "low"}, {"type": "enabled", "token_budget": 77}, ()),
        ("command-z-2027", {"reasoning_effort": "high"}, {"type": "enabled"}, ()),
        (OLD, {"reasoning_effort": "high"}, None, ("reasoning_effort",)),
        (OLD, {"thinking_budget": 5}, None, ("thinking",)),
        (OLD, {"reasoning_effort": "none"}, None, ()),
    ],
)
def test_thinking_is_asked_for_in_the_vendors_words(
    model: str, meant: Json, thinking: Json | None, dropped: tuple[str, ...]
) -> None:
    body, told = sent(model=model, **meant)
    assert body.get("thinking") == thinking
    assert told == dropped


@pytest.mark.parametrize(
    ("choice", "parallel", "tools", "word", "dropped"),
    [
        (None, None, ["get_weather", "now"], None, ()),
        (ToolChoice(mode="auto"), True, ["get_weather", "now"], None, ()),
        (ToolChoice(mode="none"), None, ["get_weather", "now"], "NONE", ()),
        (ToolChoice(mode="required"), False, ["get_weather", "now"], "REQUIRED", ("parallel_tool_calls",)),
        (ToolChoice(mode="named", name="now"), None, ["now"], "REQUIRED", ()),
    ],
)
def test_tools_are_chosen_by_a_word_and_by_what_is_offered(
    choice: ToolChoice | None, parallel: bool | None, tools: list[str], word: str | None, dropped: tuple[str, ...]
) -> None:
    body, told = sent(tools=(WEATHER, NOW), tool_choice=choice, parallel_tool_calls=parallel)
    assert [tool["function"]["name"] for tool in body["tools"]] == tools
    assert body.get("tool_choice") == word
    assert told == dropped
    assert "strict_tools" not in body


def test_one_strict_tool_makes_all_of_them_strict() -> None:
    body, _ = sent(tools=(WEATHER, ToolSpec(name="now", is_strict=True)))
    assert body["strict_tools"] is True


@pytest.mark.parametrize(
    ("wanted", "form"),
    [
        (ResponseFormat(kind="text"), None),
        (ResponseFormat(kind="json_object"), {"type": "json_object"}),
        (ResponseFormat(kind="json_schema"), {"type": "json_object", "json_schema": {"type": "object"}}),
        (
            ResponseFormat(kind="json_schema", schema={"type": "array"}),
            {"type": "json_object", "json_schema": {"type": "array"}},
        ),
    ],
)
def test_a_format_is_the_vendors_json_object(wanted: ResponseFormat, form: Json | None) -> None:
    assert sent(response_format=wanted)[0].get("response_format") == form


@pytest.mark.parametrize(
    ("meant", "field"),
    [
        ({"n": 2}, "n"),
        ({"features": frozenset({"logprobs"})}, "logprobs"),
        ({"features": frozenset({"web_search"})}, "web_search_options"),
        ({"features": frozenset({"server_tools"})}, "tools"),
        ({"response_format": ResponseFormat(kind="json_object"), "tools": (NOW,)}, "response_format"),
    ],
)
def test_what_the_api_lacks_is_refused_by_its_field(meant: Json, field: str) -> None:
    assert refused(cohere.CODEC, request(**meant), TARGET).param == field


@pytest.mark.parametrize(
    "part",
    [
        AudioPart(data="aGk=", media_type="audio/wav"),
        DocumentPart(data="aGk=", media_type="application/pdf"),
        ImagePart(file_id="file_1"),
    ],
)
def test_a_part_without_a_place_is_refused(part: Any) -> None:  # Any: one of the parts above
    assert refused(cohere.CODEC, request(said("user", part)), TARGET).param == "messages"


def test_a_document_beside_a_format_is_refused() -> None:
    asked = request(said("user", DocumentPart(text="a")), response_format=ResponseFormat(kind="json_object"))
    assert "documents" in str(refused(cohere.CODEC, asked, TARGET))


@pytest.mark.parametrize(
    ("meant", "fields", "dropped"),
    [
        ({"top_p": 1.0}, {"p": 0.99}, ()),
        ({"top_p": 0.0}, {"p": 0.01}, ()),
        ({"stop": tuple("abcdefg")}, {"stop_sequences": list("abcde")}, ("stop",)),
        ({"knobs": {"frequency_penalty": -1.5}}, {"frequency_penalty": 0.0}, ("frequency_penalty",)),
        ({"knobs": {"presence_penalty": 0.4}}, {"presence_penalty": 0.4}, ()),
        ({"knobs": {"top_k": 3}}, {"k": 3}, ()),
        ({"knobs": {"safety_mode": "OFF", "logit_bias": {}}}, {"safety_mode": "OFF"}, ("logit_bias",)),
        ({"user": "ann"}, {}, ("user",)),
    ],
)
def test_sampling_is_put_on_the_vendors_scales(meant: Json, fields: Json, dropped: tuple[str, ...]) -> None:
    body, told = sent(**meant)
    assert {name: body[name] for name in body if name not in ("model", "messages")} == fields
    assert told == dropped


def test_rules_of_all_turns_stand_in_front_as_one() -> None:
    body, _ = sent(said("system", TextPart(text="a")), HI, said("developer", TextPart(text="b")), HI)
    assert body["messages"][0] == {"role": "system", "content": "a\n\nb"}
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "user"]


def test_an_assistants_turn_is_never_without_content_or_calls() -> None:
    turns = [
        said("assistant"),
        said("assistant", ReasoningPart(text="hm")),
        said("assistant", ReasoningPart(text="look", id=PLAN), CALL),
        said("assistant", ReasoningPart(text="look", id=PLAN), TextPart(text="a")),
    ]
    empty, thought, planned, talked = sent(*turns)[0]["messages"]
    assert empty == {"role": "assistant", "content": ""}
    assert thought["content"] == [{"type": "thinking", "thinking": "hm"}]
    assert planned["tool_plan"] == "look"
    assert "content" not in planned
    assert talked == {"role": "assistant", "content": "a"}  # a plan without calls has no place


def test_documents_of_a_result_are_numbered_within_it() -> None:
    body, _ = sent(said("assistant", CALL), result(DocumentPart(text="a", title="t"), TextPart(text="b")))
    assert body["messages"][-1]["content"] == [
        {"type": "document", "document": {"id": "c1_0", "data": {"text": "a", "title": "t"}}},
        {"type": "text", "text": "b"},
    ]
    assert sent(said("assistant", CALL), result())[0]["messages"][-1]["content"] == ""


def test_names_of_speakers_are_reported() -> None:
    assert sent(said("user", TextPart(text="hi"), name="ann"))[1] == ("messages.name",)


def test_the_budgets_bound_is_sent_when_the_client_set_none() -> None:
    assert send(cohere.CODEC, request(), TARGET, output_cap=9)[0]["max_tokens"] == 9


def test_a_quirk_moves_the_path() -> None:
    moved = target(cohere.ROW, "cohere", quirks=Quirks(path="/v9/chat"))
    assert send(cohere.CODEC, request(), moved)[1].path == "/v9/chat"


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, None),
        ({}, None),
        (
            {
                "billed_units": {"input_tokens": 5, "output_tokens": 8.0, "search_units": 1},
                "tokens": {"input_tokens": 71},
            },
            Usage(input_tokens=5, output_tokens=8, searches=1),
        ),
        (
            {"billed_units": {}, "tokens": {"input_tokens": 7, "output_tokens": 1}},
            Usage(input_tokens=7, output_tokens=1),
        ),
        ({"billed_units": {"input_tokens": -5}, "tokens": {"input_tokens": 7}}, Usage(input_tokens=7)),
        ({"tokens": {"input_tokens": 7}, "cached_tokens": 4.0}, Usage(input_tokens=7, cached_input_tokens=4)),
    ],
)
def test_counts_are_what_the_vendor_bills(usage: Json | None, read: Usage | None) -> None:
    assert cohere.CODEC.read_response(whole(usage=usage)).usage == read
    assert decode(cohere.CODEC.decoder(), end(usage=usage))[-1].usage == read


@pytest.mark.parametrize(
    ("word", "finish", "native"),
    [
        ("COMPLETE", "stop", ""),
        ("STOP_SEQUENCE", "stop", ""),
        ("MAX_TOKENS", "length", ""),
        ("TOOL_CALL", "tool_calls", ""),
        ("ERROR_TOXIC", "content_filter", ""),
        ("TIRED", "length", "TIRED"),
    ],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str, native: str) -> None:
    choice = the_choice(cohere.CODEC.read_response(whole(finish=word)))
    (delta,) = decode(cohere.CODEC.decoder(), end(word))[-1].deltas
    for told in (choice, delta):
        assert (told.finish_reason, told.native_finish, bool(told.refusal)) == (finish, native, word == "ERROR_TOXIC")


@pytest.mark.parametrize("word", ["ERROR", "TIMEOUT", "USER_CANCEL"])
def test_an_answer_that_was_cut_short_is_a_fault(word: str) -> None:
    with pytest.raises(UpstreamInterrupted, match=word):
        cohere.CODEC.read_response(whole(finish=word))
    with pytest.raises(UpstreamInterrupted, match=word):
        cohere.CODEC.decoder().feed(end(word))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"finish_reason":"COMPLETE"}',
        b'{"message":{"content":[]}}',
        whole(tool_calls=[{"id": "c"}]),
        whole(tool_calls=[{"function": {"name": "now"}}]),
    ],
)
def test_half_an_answer_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        cohere.CODEC.read_response(body)


def test_a_citation_stands_at_the_text_that_it_is_of() -> None:
    source: Json = {"type": "document", "id": "doc_2", "document": {"title": "t", "text": "x", "url": 5}}
    cited: Json = {"start": 1, "end": 3, "content_index": 2, "sources": [source, {"id": "now_1:0"}]}
    of_plan = {**cited, "type": "PLAN"}
    text = {"type": "text", "text": "abc"}
    answer = whole(text, {"type": "thinking", "thinking": "hm"}, text, citations=[cited, of_plan])
    first, thought, second = the_choice(cohere.CODEC.read_response(answer)).parts
    assert isinstance(first, TextPart)
    assert not first.citations
    assert isinstance(thought, ReasoningPart)
    assert isinstance(second, TextPart)
    by_document, by_tool = second.citations
    assert (by_document.document, by_document.title, by_document.url, by_document.start) == (2, "t", "", 1)
    assert (by_tool.document, by_tool.file_id) == (None, "now_1:0")


def test_only_the_first_piece_of_a_plan_names_it() -> None:
    chunks = decode(
        cohere.CODEC.decoder(), event("tool-plan-delta", tool_plan="a"), event("tool-plan-delta", tool_plan="b"), end()
    )
    assert [delta.reasoning_id for chunk in chunks[:2] for delta in chunk.deltas] == [PLAN, ""]


@pytest.mark.parametrize(
    "bad",
    [
        b'data: {"type":"content-delta"}\n\n',
        b'data: {"type":"content-delta","delta":{}}\n\n',
        b"event: content-delta\ndata: nonsense\n\n",
        b"data: nonsense\n\n",
        b'data: {"type":"message-end"}\n\n',
        b'data: {"type":"message-end","delta":{}}\n\n',
        event("tool-call-start", tool_calls={"function": {"name": "now"}}),
        event("tool-call-start", tool_calls=[]),
    ],
)
def test_a_broken_event_of_a_known_kind_is_a_fault(bad: bytes) -> None:
    with pytest.raises(UpstreamInvalid, match="event 1"):
        cohere.CODEC.decoder().feed(bad)


@pytest.mark.parametrize(
    "event",
    [
        b'event: debug\ndata: {"type":"debug","delta":5}\n\n',
        b"event: ping\ndata: nonsense\n\n",
        event("tool-call-delta", tool_calls={"function": {"arguments": "{"}}),  # of a call that never began
        event("citation-start", citations={"type": "THINKING_CONTENT", "sources": [{"id": "doc_0"}]}),
        event("content-end"),
        b": alive\n\n",
    ],
)
def test_what_has_no_meaning_is_read_over(event: bytes) -> None:
    assert decode(cohere.CODEC.decoder(), event, end())[0].deltas[0].finish_reason == "stop"


def test_an_error_in_the_stream_is_a_fault_with_the_vendors_words() -> None:
    with pytest.raises(UpstreamFault, match="no more"):
        cohere.CODEC.decoder().feed(end("ERROR", error="no more"))
    with pytest.raises(UpstreamFault, match="too bad"):
        cohere.CODEC.decoder().feed(b'data: {"message":"too bad"}\n\n')


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "upstream_rejected_request"),
        (401, "upstream_auth"),
        (402, "upstream_quota_exhausted"),
        (404, "upstream_not_found"),
        (429, "upstream_rate_limited"),
        (503, "upstream_overloaded"),
    ],
)
def test_the_status_tells_the_class_of_an_error(status: int, code: str) -> None:
    assert cohere.CODEC.read_error(status, {}, b'{"message":"no"}', TARGET).code == code


@given(TEXTS, st.lists(st.text(max_size=9), min_size=1, max_size=3), MARKS)
def test_no_cut_changes_the_chunks(texts: list[str], arguments: list[str], marks: list[int]) -> None:
    data = b"".join(event("content-delta", content={"text": text}) for text in texts)
    for at, argument in enumerate(arguments):
        function = {"name": "now", "arguments": ""}
        data += event("tool-call-start", at + 4, tool_calls={"id": f"c{at}", "function": function})
        data += event("tool-call-delta", at + 4, tool_calls={"function": {"arguments": argument}})
        data += event("tool-call-end", at + 4)
    data += end("TOOL_CALL")
    cuts_change_nothing(cohere.CODEC.decoder, data, marks)
    chunks = decode(cohere.CODEC.decoder(), data)
    assert text_of(chunks) == "".join(texts)
    assert arguments_of(chunks) == {at: argument or "{}" for at, argument in enumerate(arguments)}


# ---- embeddings and reranking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "told"),
    [
        ("", "search_document"),
        ("query", "search_query"),
        ("document", "search_document"),
        ("clustering", "clustering"),
        ("classification", "classification"),
        ("unheard", "search_document"),
    ],
)
def test_what_is_embedded_for_is_always_said(purpose: str, told: str) -> None:
    body, wire = send(cohere_embeddings.CODEC, embedding("a", purpose=purpose, knobs={"user": "ann"}), TARGET)
    assert body["input_type"] == told
    assert wire.dropped == ("user",)


def test_more_texts_than_the_api_takes_are_refused() -> None:
    assert "96" in str(refused(cohere_embeddings.CODEC, embedding(*["a"] * 97), TARGET))


@pytest.mark.parametrize(
    ("meta", "usage"),
    [
        (None, None),
        ({"billed_units": {}}, None),
        ({"billed_units": {"input_tokens": 4.0}}, Usage(input_tokens=4)),
        ({"billed_units": {"search_units": 2}}, Usage(searches=2)),
    ],
)
def test_what_an_embedding_and_a_ranking_cost_stands_in_their_meta(meta: Json | None, usage: Usage | None) -> None:
    vectors = cohere_embeddings.CODEC.read_response(json.dumps({"embeddings": {"float": [[1]]}, "meta": meta}).encode())
    ranking = cohere_rerank.CODEC.read_response(
        json.dumps({"results": [{"index": 0, "relevance_score": 0.5}], "meta": meta}).encode()
    )
    assert vectors.usage == ranking.usage == usage


def test_on_the_lane_of_a_ranking_the_first_apis_fields_are_left_out() -> None:
    asked = reranking(
        "q", "a", dialect="rerank",
        body={"model": "auto", "query": "q", "documents": [{"text": "a"}], "rank_fields": ["text"], "x": 1,
              "return_documents": True},
    )  # fmt: skip
    body, wire = send(cohere_rerank.CODEC, asked, TARGET)
    assert body == {"model": THINKS, "query": "q", "documents": ["a"], "x": 1}
    assert wire.dropped == ("rank_fields",)
    assert wire.is_lane


def test_a_ranking_for_another_dialect_is_written_anew() -> None:
    asked = reranking("q", "a", "b", top_n=1, knobs={"max_tokens_per_doc": 9, "instruct": "x"})
    body, wire = send(cohere_rerank.CODEC, asked, TARGET)
    assert body == {"model": THINKS, "query": "q", "documents": ["a", "b"], "top_n": 1, "max_tokens_per_doc": 9}
    assert wire.dropped == ("instruct",)
