"""Ollama's own API: tables and properties for what wire cases would only repeat."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_kit import (
    CALL,
    FREE,
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
    result,
    said,
    send,
    target,
    text_of,
    the_choice,
    thoughts_of,
)
from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolCallPart,
    ToolChoice,
)
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers import ollama_native as ollama
from yuzui.providers import ollama_native_embeddings
from yuzui.providers.catalogue import find_codecs, load_rows
from yuzui.providers.native_request import INVALID_ARGUMENTS

NAME, ROW, CODEC = "ollama_native", ollama.ROW, ollama.CODEC
TARGET = target(ROW, NAME, "qwen3:8b")


def sent(*messages: Any, **meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    body, wire = send(CODEC, request(*messages, **meant), TARGET)
    assert body.pop("model") == "qwen3:8b"
    return body, wire.dropped


def line(content: str = "", *, done: str | None = None, **more: Any) -> bytes:  # Any: JSON values
    message = {"role": "assistant", "content": content}
    message |= {name: more.pop(name) for name in ("thinking", "tool_calls") if name in more}
    end = {"done": True, "done_reason": done} if done is not None else {"done": False}
    return json.dumps({"model": "m", "created_at": "now", "message": message, **end, **more}).encode() + b"\n"


def call(name: str, arguments: object, **more: str) -> Json:
    return {**more, "function": {"name": name, "arguments": arguments}}


def test_the_catalogue_finds_the_codecs_and_their_row() -> None:
    assert load_rows()[NAME] == ROW
    assert find_codecs()[NAME] is CODEC
    assert find_codecs()[f"{NAME}_embeddings"] is ollama_native_embeddings.CODEC
    assert ROW.premises == "own"


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "think", "dropped"),
    [
        ({}, None, ()),
        ({"reasoning_effort": "none"}, False, ()),
        ({"reasoning_effort": "minimal"}, "low", ()),
        ({"reasoning_effort": "xhigh"}, "high", ()),
        ({"reasoning_effort": "max"}, "max", ()),
        ({"reasoning_effort": "unheard"}, True, ()),
        ({"thinking_budget": 0}, False, ()),
        ({"thinking_budget": -1}, True, ()),
        ({"thinking_budget": 99}, True, ("thinking.budget_tokens",)),
        ({"reasoning_effort": "low", "knobs": {"think": "high"}}, "high", ()),
    ],
)
def test_thinking_is_a_switch_or_a_level(meant: Json, think: object, dropped: tuple[str, ...]) -> None:
    body, told = sent(**meant)
    assert body.get("think") == think
    assert told == dropped


@pytest.mark.parametrize(
    ("meant", "options", "dropped"),
    [
        ({}, None, ()),
        ({"temperature": 0.0, "top_p": 0.5}, {"temperature": 0.0, "top_p": 0.5}, ()),
        ({"stop": ("a", "b"), "max_output_tokens": 9}, {"stop": ["a", "b"], "num_predict": 9}, ()),
        ({"knobs": {"seed": 1, "top_k": 2, "repetition_penalty": 3}}, {"seed": 1, "top_k": 2, "repeat_penalty": 3}, ()),
        (
            {"knobs": {"options": {"num_ctx": 1, "seed": 5}, "seed": 6}},
            {"num_ctx": 1, "seed": 6},  # a field of its own goes before the options
            (),
        ),
        ({"knobs": {"options": "broken", "stream_options": {}}}, None, ()),
        ({"knobs": {"logit_bias": {}}, "user": "ann"}, None, ("logit_bias", "user")),
    ],
)
def test_knobs_are_options(meant: Json, options: Json | None, dropped: tuple[str, ...]) -> None:
    body, told = sent(**meant)
    assert body.get("options") == options
    assert told == dropped


def test_the_budgets_bound_is_an_option_too() -> None:
    assert send(CODEC, request(), TARGET, output_cap=7)[0]["options"] == {"num_predict": 7}


@pytest.mark.parametrize(
    ("knobs", "parameters", "keep"),
    [({}, {}, None), ({}, {"keep_alive": "5m"}, "5m"), ({"keep_alive": 0}, {"keep_alive": "5m"}, 0)],
)
def test_the_clients_word_on_how_long_a_model_stays_goes_first(
    knobs: Json, parameters: dict[str, str], keep: object
) -> None:
    to = target(ROW, NAME, parameters=parameters)
    assert send(CODEC, request(knobs=knobs), to)[0].get("keep_alive") == keep


@pytest.mark.parametrize("choice", [None, ToolChoice(mode="auto")])
def test_tools_are_offered(choice: ToolChoice | None) -> None:
    body, dropped = sent(tools=(WEATHER, FREE), tool_choice=choice, parallel_tool_calls=False)
    assert [tool["function"]["name"] for tool in body["tools"]] == ["get_weather", "run"]
    assert dropped == ("parallel_tool_calls",)


def test_no_tool_is_offered_when_none_may_be_called() -> None:
    assert "tools" not in sent(tools=(NOW,), tool_choice=ToolChoice(mode="none"))[0]


@pytest.mark.parametrize(
    ("meant", "field"),
    [
        ({"tools": (NOW,), "tool_choice": ToolChoice(mode="required")}, "tool_choice"),
        ({"tools": (NOW,), "tool_choice": ToolChoice(mode="named", name="now")}, "tool_choice"),
        ({"n": 2}, "n"),
        ({"features": frozenset({"logprobs"})}, "logprobs"),
        ({"features": frozenset({"web_search"})}, "web_search_options"),
        ({"features": frozenset({"server_tools"})}, "tools"),
        ({"features": frozenset({"audio"})}, "audio"),
    ],
)
def test_what_the_api_lacks_is_refused_by_its_field(meant: Json, field: str) -> None:
    assert refused(CODEC, request(**meant), TARGET).param == field


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(url="https://x.test/a.png"),
        ImagePart(file_id="file_1"),
        DocumentPart(data="aGk=", media_type="application/pdf"),
        AudioPart(data="aGk=", media_type="audio/wav"),
    ],
)
def test_a_part_without_a_place_is_refused(part: Any) -> None:  # Any: one of the parts above
    assert refused(CODEC, request(said("user", part)), TARGET).param == "messages"


@pytest.mark.parametrize(
    ("wanted", "form"),
    [
        (ResponseFormat(kind="text"), None),
        (ResponseFormat(kind="json_object"), "json"),
        (ResponseFormat(kind="json_schema"), {"type": "object"}),
        (ResponseFormat(kind="json_schema", schema={"type": "array"}), {"type": "array"}),
    ],
)
def test_a_format_is_a_word_or_the_schema_itself(wanted: ResponseFormat, form: object) -> None:
    assert sent(response_format=wanted)[0].get("format") == form


def test_a_turn_holds_one_text_and_its_pictures_beside_it() -> None:
    picture = ImagePart(data="aGk=", media_type="image/png", detail="high")
    body, dropped = sent(said("user", TextPart(text="a"), picture, TextPart(text="b"), picture, name="ann"))
    assert body["messages"] == [{"role": "user", "content": "ab", "images": ["aGk=", "aGk="]}]
    assert sorted(dropped) == ["messages.image_url.detail", "messages.name"]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (ToolCallPart(id="c", name="now", arguments='{"a":[1]}'), {"a": [1]}),
        (ToolCallPart(id="c", name="now", arguments=""), {}),
        (ToolCallPart(id="c", name="now", arguments="  "), {}),
        (ToolCallPart(id="c", name="now", arguments="[1]"), {INVALID_ARGUMENTS: "[1]"}),
        (ToolCallPart(id="c", name="now", arguments='{"a":'), {INVALID_ARGUMENTS: '{"a":'}),
        (ToolCallPart(id="c", name="now", arguments="[" * 5000), {INVALID_ARGUMENTS: "[" * 5000}),
        (ToolCallPart(id="c", name="run", arguments="ls", is_custom=True), {"input": "ls"}),
    ],
)
def test_arguments_are_an_object_whatever_the_model_once_wrote(call: ToolCallPart, arguments: Json) -> None:
    (turn,) = sent(said("assistant", call))[0]["messages"]
    assert turn["tool_calls"] == [{"id": "c", "function": {"name": call.name, "arguments": arguments}}]


def test_a_result_names_its_tool_as_far_as_it_is_known() -> None:
    turns = sent(said("assistant", CALL), result(TextPart(text="a")), result(call="c9"))[0]["messages"]
    assert turns[1] == {"role": "tool", "content": "a", "tool_call_id": "c1", "tool_name": "now"}
    assert turns[2] == {"role": "tool", "content": "", "tool_call_id": "c9"}
    assert sent(said("assistant", CALL), result(is_error=True))[1] == ("tool_result.is_error",)


def test_thoughts_return_to_this_server_only() -> None:
    mine, other = ReasoningPart(text="hm", origin=NAME), ReasoningPart(text="no", origin="deepseek")
    body, dropped = sent(said("assistant", mine, other, TextPart(text="a")))
    assert body["messages"] == [{"role": "assistant", "content": "a", "thinking": "hm"}]
    assert dropped == ("reasoning",)


def test_a_stream_is_asked_for_as_lines() -> None:
    wire = send(CODEC, request(stream=True), TARGET)[1]
    assert wire.headers["accept"] == "application/x-ndjson"
    assert wire.path == "/api/chat"


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "read"),
    [
        ({}, None),
        ({"prompt_eval_count": 5, "eval_count": 3}, Usage(input_tokens=5, output_tokens=3)),
        (
            {"prompt_eval_count": 5, "prompt_eval_cached_count": 4, "eval_count": 3},
            Usage(input_tokens=5, cached_input_tokens=4, output_tokens=3),
        ),
        ({"eval_count": 3}, Usage(output_tokens=3, is_estimated=True, note="missing")),
        ({"prompt_eval_count": -5, "eval_count": 3}, None),
        ({"prompt_eval_count": 5, "eval_count": 10**15}, None),
    ],
)
def test_counts_are_read_exactly(counts: Json, read: Usage | None) -> None:
    assert CODEC.read_response(line("a", done="stop", **counts)).usage == read
    assert decode(CODEC.decoder(), line("a", done="stop", **counts))[-1].usage == read


@pytest.mark.parametrize(
    ("word", "finish", "native"),
    [("stop", "stop", ""), ("", "stop", ""), ("length", "length", ""), ("tired", "length", "tired")],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str, native: str) -> None:
    choice = the_choice(CODEC.read_response(line("a", done=word)))
    (delta,) = decode(CODEC.decoder(), line("a", done=word))[0].deltas
    for told in (choice, delta):
        assert (told.finish_reason, told.native_finish) == (finish, native)


def test_an_answer_that_calls_tools_ends_with_calls() -> None:
    calls = [call("now", {}), call("now", {"a": 1})]
    choice = the_choice(CODEC.read_response(line(done="stop", tool_calls=calls)))
    assert choice.finish_reason == "tool_calls"
    chunks = decode(CODEC.decoder(), line(tool_calls=calls[:1]), line(tool_calls=calls[1:]), line(done="stop"))
    assert chunks[-1].deltas[0].finish_reason == "tool_calls"
    assert arguments_of(chunks) == {0: "{}", 1: '{"a": 1}'}
    ids = [told.id for chunk in chunks for delta in chunk.deltas for told in delta.tool_calls]
    assert ids == [part.id for part in choice.parts if isinstance(part, ToolCallPart)]  # the same answer, the same ids
    assert len(set(ids)) == 2
    cut_short = the_choice(CODEC.read_response(line(done="length", tool_calls=calls)))
    assert cut_short.finish_reason == "length"


@pytest.mark.parametrize("word", ["load", "unload", "cancelled", "error"])
def test_what_is_no_answer_is_a_fault(word: str) -> None:
    with pytest.raises(UpstreamInterrupted, match=word):
        CODEC.read_response(line(done=word))
    with pytest.raises(UpstreamInterrupted, match=word):
        CODEC.decoder().feed(line(done=word))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        line("a"),
        b'{"done":true}',
        line(done="stop", tool_calls=[{"function": {}}]),
        line(done="stop", tool_calls=[call("now", "text")]),
        line(done="stop", tool_calls=[call("now", [1])]),
    ],
)
def test_half_an_answer_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


@pytest.mark.parametrize("arguments", [b"null", b"{}", b" {} "])
def test_a_call_without_arguments_has_an_object_of_them(arguments: bytes) -> None:
    body = b'{"message":{"tool_calls":[{"function":{"name":"now","arguments":%b}}]},"done":true}' % arguments
    (part,) = the_choice(CODEC.read_response(body)).parts
    assert isinstance(part, ToolCallPart)
    assert part.arguments == "{}"


def test_arguments_that_are_no_text_are_refused() -> None:
    body = b'{"message":{"tool_calls":[{"function":{"name":"now","arguments":{"a":"\xff"}}}]},"done":true}'
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"error":"it broke"}\n', "upstream_error"),
        (b'{"error":{"message":"it broke"}}\n', "upstream_error"),
        (b'{"error":"it broke","status":503}\n', "upstream_overloaded"),
        (b'{"message":5}\n', "upstream_invalid_response"),
        (b'{"done":true}\n', "upstream_invalid_response"),
        (b'{"model":\n', "upstream_invalid_response"),
    ],
)
def test_an_error_in_a_stream_waits_behind_good_lines(data: bytes, code: str) -> None:
    with pytest.raises(UpstreamFault) as caught:
        CODEC.decoder().feed(data)
    assert caught.value.code == code
    decoder = CODEC.decoder()
    assert text_of(decoder.feed(line("a") + data + line("b"))) == "a"
    for ask in (lambda: decoder.feed(b""), decoder.close):
        with pytest.raises(UpstreamFault) as caught:
            ask()
        assert caught.value.code == code


def test_nothing_counts_behind_the_last_line() -> None:
    decoder = CODEC.decoder()
    assert text_of(decoder.feed(line("a", done="stop") + line("b"))) == "a"
    assert text_of(decoder.feed(line("c"))) == ""
    decoder.close()


def test_a_stream_without_its_last_line_was_cut() -> None:
    decoder = CODEC.decoder()
    decoder.feed(line("a") + line("b", done="stop")[:-1])
    with pytest.raises(UpstreamInterrupted, match="after line 1"):
        decoder.close()


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (404, b'{"error":"model not found"}', "upstream_not_found"),
        (400, b'{"error":"does not support tools"}', "upstream_rejected_request"),
        (500, b'{"error":"out of memory"}', "upstream_refused"),
        (503, b"busy", "upstream_overloaded"),
    ],
)
def test_the_status_tells_the_class_of_an_error(status: int, body: bytes, code: str) -> None:
    assert CODEC.read_error(status, {}, body, TARGET).code == code


@given(TEXTS, TEXTS, st.lists(st.dictionaries(st.text(max_size=3), st.text(max_size=3)), max_size=3), MARKS)
def test_no_cut_changes_the_chunks(
    thoughts: list[str], texts: list[str], calls: list[dict[str, str]], marks: list[int]
) -> None:
    data = b"".join(line(thinking=thought) for thought in thoughts) + b"".join(line(text) for text in texts)
    data += b"".join(line(tool_calls=[call("now", arguments)]) for arguments in calls)
    data += line(done="stop", prompt_eval_count=1, eval_count=2)
    cuts_change_nothing(CODEC.decoder, data, marks)
    chunks = decode(CODEC.decoder(), data)
    assert text_of(chunks) == "".join(texts)
    assert thoughts_of(chunks) == "".join(thoughts)
    assert {at: json.loads(told) for at, told in arguments_of(chunks).items()} == dict(enumerate(calls))


# ---- embeddings -----------------------------------------------------------------------------------------------------


def test_texts_are_embedded() -> None:
    asked = embedding("a", "b", dimensions=5, purpose="query", knobs={"truncate": False, "user": "ann"})
    to = target(ROW, NAME, "e", parameters={"keep_alive": "5m"})
    body, wire = send(ollama_native_embeddings.CODEC, asked, to)
    assert body == {"model": "e", "input": ["a", "b"], "dimensions": 5, "keep_alive": "5m", "truncate": False}
    assert wire.dropped == ("input_type", "user")
    found = ollama_native_embeddings.CODEC.read_response(b'{"embeddings":[[1],[2]],"prompt_eval_count":3}', wire)
    assert [list(vector) for vector in found.vectors] == [[1.0], [2.0]]
    assert found.usage == Usage(input_tokens=3)
    assert ollama_native_embeddings.CODEC.read_response(b'{"embeddings":[[1],[2]]}', wire).usage is None
