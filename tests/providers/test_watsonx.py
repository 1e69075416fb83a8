"""IBM watsonx.ai: tables and properties for what wire cases would only repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from native_kit import (
    CALL,
    HI,
    MARKS,
    NOW,
    TEXTS,
    Json,
    cuts_change_nothing,
    decode,
    embedding,
    refused,
    request,
    reranking,
    said,
    send,
    target,
    text_of,
    the_choice,
    thoughts_of,
)
from yuzui.core.chat import AudioPart, DocumentPart, ReasoningPart, TextPart, ToolChoice
from yuzui.core.errors import UnsupportedFeature, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers import watsonx, watsonx_embeddings, watsonx_rerank
from yuzui.providers._watsonx_request import DEFAULT_VERSION
from yuzui.providers.catalogue import find_codecs, load_rows

ROW, CODEC = watsonx.ROW, watsonx.CODEC
MODEL = "ibm/granite-4-h-small"
TARGET = target(ROW, "watsonx", MODEL, parameters={"project_id": "p"})
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def sent(*messages: Any, **meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    body, wire = send(CODEC, request(*messages, **meant), TARGET)
    assert (body.pop("model_id"), body.pop("project_id")) == (MODEL, "p")
    return body, wire.dropped


def fields(**meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    body, dropped = sent(**meant)
    del body["messages"]
    return body, dropped


def whole(finish: str = "stop", content: str | None = "a", **more: Any) -> bytes:  # Any: JSON values
    message = {"role": "assistant", "content": content, **more.pop("message", {})}
    body = {"id": "c", "model_id": MODEL, "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    return json.dumps({**body, "usage": COUNTS, **more}).encode()


def event(delta: Json | None = None, finish: str | None = None, **more: Any) -> bytes:  # Any: JSON values
    body = {"id": "c", "model_id": MODEL, "choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish}]}
    return b"id: 1\nevent: message\ndata: " + json.dumps({**body, **more}).encode() + b"\n\n"


LAST = b"event: message\ndata: " + json.dumps({"id": "c", "choices": [], "usage": COUNTS}).encode() + b"\n\n"


def test_the_catalogue_finds_the_codecs_and_their_row() -> None:
    assert load_rows()["watsonx"] == ROW
    for name, module in (
        ("watsonx", watsonx), ("watsonx_embeddings", watsonx_embeddings), ("watsonx_rerank", watsonx_rerank),
    ):  # fmt: skip
        assert find_codecs()[name] is module.CODEC


# ---- where a request goes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "path", "place"),
    [
        ({"project_id": "p"}, f"/ml/v1/text/chat?version={DEFAULT_VERSION}", {"model_id": MODEL, "project_id": "p"}),
        ({"space_id": "s"}, f"/ml/v1/text/chat?version={DEFAULT_VERSION}", {"model_id": MODEL, "space_id": "s"}),
        (
            {"project_id": "p", "space_id": "s", "version": "2026-01-01"},
            "/ml/v1/text/chat?version=2026-01-01",
            {"model_id": MODEL, "project_id": "p"},
        ),
        ({"deployment_id": "a/b c"}, f"/ml/v1/deployments/a%2Fb%20c/text/chat?version={DEFAULT_VERSION}", {}),
    ],
)
def test_a_request_says_who_pays(parameters: dict[str, str], path: str, place: Json) -> None:
    body, wire = send(CODEC, request(), target(ROW, "watsonx", MODEL, parameters=parameters))
    assert wire.path == path
    assert {name: body[name] for name in body if name.endswith("_id")} == place
    assert wire.model == MODEL


@pytest.mark.parametrize(
    ("codec", "asked"),
    [
        (CODEC, request()),
        (watsonx_embeddings.CODEC, embedding("a")),
        (watsonx_rerank.CODEC, reranking("q", "a")),
    ],
)
def test_an_operator_who_does_not_say_it_is_told(codec: Any, asked: Any) -> None:  # Any: a codec and its request
    with pytest.raises(UnsupportedFeature, match="project_id, space_id or deployment_id"):
        codec.write_request(asked, target(ROW, "watsonx", MODEL), output_cap=None)


def test_a_stream_has_a_path_of_its_own() -> None:
    wire = send(CODEC, request(stream=True), TARGET)[1]
    assert wire.path.startswith("/ml/v1/text/chat_stream?")
    assert wire.headers["accept"] == "text/event-stream"


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "written", "dropped"),
    [
        ({}, {}, ()),
        ({"stream": True}, {}, ()),
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}, ()),
        ({"temperature": 0.5, "top_p": 0.1, "stop": ("a",)}, {"temperature": 0.5, "top_p": 0.1, "stop": ["a"]}, ()),
        ({"n": 2, "knobs": {"seed": 1}}, {"n": 2, "seed": 1}, ()),
        ({"knobs": {"time_limit": 5, "guided_choice": ["a"]}}, {"time_limit": 5, "guided_choice": ["a"]}, ()),
        ({"knobs": {"store": True, "top_k": 3}, "user": "ann"}, {}, ("store", "top_k", "user")),
        ({"tools": (NOW,), "parallel_tool_calls": True}, None, ("parallel_tool_calls",)),
    ],
)
def test_only_fields_that_the_api_has_are_sent(meant: Json, written: Json | None, dropped: tuple[str, ...]) -> None:
    body, told = fields(**meant)
    assert sorted(told) == sorted(dropped)
    assert written is None or body == written


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice(mode="auto"), {"tool_choice_option": "auto"}),
        (ToolChoice(mode="none"), {"tool_choice_option": "none"}),
        (ToolChoice(mode="required"), {"tool_choice_option": "required"}),
        (ToolChoice(mode="named", name="now"), {"tool_choice": {"type": "function", "function": {"name": "now"}}}),
    ],
)
def test_a_choice_of_tools_is_a_word_or_a_tool_in_fields_of_their_own(choice: ToolChoice, written: Json) -> None:
    body, _ = fields(tools=(NOW,), tool_choice=choice)
    assert {name: body[name] for name in body if name.startswith("tool_choice")} == written


@pytest.mark.parametrize(
    ("meant", "written", "dropped"),
    [
        ({"reasoning_effort": "none"}, {"chat_template_kwargs": {"thinking": False}}, ()),
        ({"thinking_budget": 0}, {"chat_template_kwargs": {"thinking": False}}, ()),
        (
            {"reasoning_effort": "xhigh"},
            {"chat_template_kwargs": {"thinking": True}, "reasoning_effort": "high"},
            (),
        ),
        ({"thinking_budget": 5}, {"chat_template_kwargs": {"thinking": True}}, ("thinking.budget_tokens",)),
        (
            {"reasoning_effort": "low", "knobs": {"chat_template_kwargs": {"x": 1}}},
            {"chat_template_kwargs": {"x": 1}, "reasoning_effort": "low"},  # the client's own word goes first
            (),
        ),
    ],
)
def test_thinking_is_a_switch_and_a_level(meant: Json, written: Json, dropped: tuple[str, ...]) -> None:
    assert fields(**meant) == (written, dropped)


def test_turns_are_openais_with_two_differences() -> None:
    thought = ReasoningPart(text="hm", origin="watsonx")
    body, dropped = sent(said("developer", TextPart(text="rules")), HI, said("assistant", thought, CALL))
    rules, _, calls = body["messages"]
    assert rules == {"role": "system", "content": "rules"}
    assert "content" not in calls  # never null
    assert calls["tool_calls"][0]["function"] == {"name": "now", "arguments": "{}"}
    assert dropped == ("reasoning",)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (request(features=frozenset({"logprobs"})), "logprobs"),
        (request(features=frozenset({"web_search"})), "web_search_options"),
        (request(features=frozenset({"server_tools"})), "tools"),
        (request(said("user", DocumentPart(data="aGk=", media_type="application/pdf"))), "messages"),
    ],
)
def test_what_the_api_lacks_is_refused_by_its_field(asked: Any, field: str) -> None:  # Any: a request
    assert refused(CODEC, asked, TARGET).param == field


def test_sound_passes() -> None:
    body, _ = sent(said("user", AudioPart(data="aGk=", media_type="audio/wav")))
    assert body["messages"][0]["content"][0]["type"] == "input_audio"


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "finish"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("time_limit", "length"),
        ("tired", "length"),
    ],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str) -> None:
    assert the_choice(CODEC.read_response(whole(word))).finish_reason == finish
    assert decode(CODEC.decoder(), event(), event(finish=word), LAST)[1].deltas[0].finish_reason == finish


@pytest.mark.parametrize("word", ["cancelled", "error"])
def test_an_answer_that_was_cut_short_is_a_fault(word: str) -> None:
    with pytest.raises(UpstreamInterrupted, match=word):
        CODEC.read_response(whole(word))
    with pytest.raises(UpstreamInterrupted, match=word):
        CODEC.decoder().feed(event(finish=word))


@pytest.mark.parametrize("more", [{}, {"model": MODEL}, {"model": "another"}])
def test_the_model_is_told_under_either_name(more: Json) -> None:
    assert CODEC.read_response(whole(**more)).model == more.get("model", MODEL)
    chunks = decode(CODEC.decoder(), event({"content": "a"}, **more), event(finish="stop"), LAST)
    assert chunks[0].model == more.get("model", MODEL)


def test_an_answer_is_read_as_chat_completions_are() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}}
    found = CODEC.read_response(whole(content=None, message={"reasoning_content": "hm", "tool_calls": [call]}))
    assert the_choice(found).parts == (ReasoningPart(text="hm"), CALL)
    assert found.usage == Usage(input_tokens=3, output_tokens=2)
    assert found.raw_dialect is None  # nobody's lane
    assert the_choice(CODEC.read_response(whole(content="", message={"refusal": "no"}))).refusal == "no"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"choices":[]}', b'{"choices":[{"finish_reason":"stop"}]}'])
def test_half_an_answer_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("rate_limit_reached_requests", "upstream_rate_limited"),
        ("consumption_limit_reached", "upstream_rate_limited"),
        ("token_quota_reached", "upstream_quota_exhausted"),
        ("authentication_token_expired", "upstream_auth"),
        ("model_not_supported", "upstream_not_found"),
        ("invalid_input_argument", "upstream_rejected_request"),
        ("downstream_issue", "upstream_error"),
    ],
)
def test_a_code_tells_the_class_of_an_error_wherever_it_stands(code: str, told: str) -> None:
    error = {"errors": [{"code": code, "message": "no"}, {"code": "second"}], "trace": "t", "status_code": 500}
    body = json.dumps(error).encode()
    for data in (b"event: error\ndata: " + body + b"\n\n", b"event: message\ndata: " + body + b"\n\n"):
        with pytest.raises(UpstreamFault) as caught:
            CODEC.decoder().feed(data)
        assert caught.value.code == told
    with pytest.raises(UpstreamFault) as caught:
        CODEC.read_response(body)
    assert caught.value.code == told
    expected = "upstream_refused" if told == "upstream_error" else told
    for codec in (CODEC, watsonx_embeddings.CODEC, watsonx_rerank.CODEC):
        assert codec.read_error(500, {}, body, TARGET).code == expected


@pytest.mark.parametrize("data", [b"event: status\ndata: nonsense\n\n", b"id: 5\nretry: 10\n\n", b": alive\n\n"])
def test_what_has_no_meaning_is_read_over(data: bytes) -> None:
    assert text_of(decode(CODEC.decoder(), data, event({"content": "a"}), event(finish="stop"), LAST)) == "a"


def test_a_stream_that_stops_before_its_end_was_cut() -> None:
    decoder = CODEC.decoder()
    decoder.feed(event({"content": "a"}))
    with pytest.raises(UpstreamInterrupted, match="after event 1"):
        decoder.close()


@given(TEXTS, TEXTS, MARKS)
def test_no_cut_changes_the_chunks(thoughts: list[str], texts: list[str], marks: list[int]) -> None:
    data = b"".join(event({"reasoning_content": thought}) for thought in thoughts)
    data += b"".join(event({"content": text}) for text in texts) + event(finish="time_limit") + LAST
    cuts_change_nothing(CODEC.decoder, data, marks)
    chunks = decode(CODEC.decoder(), data)
    assert text_of(chunks) == "".join(texts)
    assert thoughts_of(chunks) == "".join(thoughts)


# ---- embeddings and reranking ---------------------------------------------------------------------------------------


def test_texts_are_embedded() -> None:
    asked = embedding("a", "b", purpose="query", knobs={"truncate_input_tokens": 5, "user": "ann"})
    body, wire = send(watsonx_embeddings.CODEC, asked, TARGET)
    assert body == {
        "model_id": MODEL, "project_id": "p", "inputs": ["a", "b"], "parameters": {"truncate_input_tokens": 5},
    }  # fmt: skip
    assert wire.dropped == ("input_type", "user")
    answer = b'{"results":[{"embedding":[1]},{"embedding":[2]}],"input_token_count":4}'
    found = watsonx_embeddings.CODEC.read_response(answer, wire)
    assert [list(vector) for vector in found.vectors] == [[1.0], [2.0]]
    assert (found.model, found.usage) == (MODEL, Usage(input_tokens=4))


@pytest.mark.parametrize(("count", "usage"), [("", None), (',"input_token_count":-1', None)])
def test_what_was_not_counted_is_estimated(count: str, usage: Usage | None) -> None:
    vectors = watsonx_embeddings.CODEC.read_response(f'{{"results":[{{"embedding":[1]}}]{count}}}'.encode())
    ranking = watsonx_rerank.CODEC.read_response(f'{{"results":[]{count}}}'.encode())
    assert vectors.usage == ranking.usage == usage


def test_documents_are_ranked() -> None:
    asked = reranking("q", *["a"] * 101, top_n=3, knobs={"truncate_input_tokens": 5, "instruct": "x"})
    body, wire = send(watsonx_rerank.CODEC, asked, TARGET)
    assert body["inputs"] == [{"text": "a"}] * 101
    assert body["parameters"] == {"return_options": {"top_n": 3}, "truncate_input_tokens": 5}
    assert wire.dropped == ("instruct",)
    found = watsonx_rerank.CODEC.read_response(b'{"results":[{"index":4,"score":-1.5}],"input_token_count":9}', wire)
    assert [(one.index, one.score) for one in found.results] == [(4, -1.5)]
    assert found.usage == Usage(input_tokens=9, searches=2)
