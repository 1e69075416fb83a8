"""DashScope's own API: tables and properties for what wire cases would only repeat."""

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
    thoughts_of,
)
from yuzui.core.chat import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    ToolChoice,
    WebSearch,
)
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Quirks
from yuzui.core.usage import Usage
from yuzui.providers import dashscope_native as dashscope
from yuzui.providers import dashscope_native_embeddings, dashscope_native_rerank
from yuzui.providers._dashscope_native_request import THINKING_BUDGETS
from yuzui.providers.catalogue import find_codecs, load_rows

NAME, ROW, CODEC = "dashscope_native", dashscope.ROW, dashscope.CODEC
TEXT, SEES = "qwen-plus", "qwen3-vl-plus"


def sent(*messages: Any, model: str = TEXT, **meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    body, wire = send(CODEC, request(*messages, **meant), target(ROW, NAME, model))
    return body, wire.dropped


def turns(*messages: Any, model: str = TEXT) -> list[Json]:  # Any: see `request`
    found: list[Json] = sent(*messages, model=model)[0]["input"]["messages"]
    return found


def parameters(**meant: Any) -> tuple[Json, tuple[str, ...]]:  # Any: see `request`
    model = meant.pop("model", TEXT)
    body, dropped = sent(model=model, **meant)
    return {name: value for name, value in body["parameters"].items() if name != "result_format"}, dropped


def body_of(message: Json, finish: str | None = "stop", usage: Json | None = None, **output: Any) -> Json:  # Any: JSON
    choice = {"message": {"role": "assistant", **message}, "finish_reason": finish}
    return {"request_id": "r", "output": {"choices": [choice], **output}, "usage": usage}


def whole(*args: Any, **more: Any) -> bytes:  # Any: see `body_of`
    return json.dumps(body_of(*args, **more)).encode()


def event(*args: Any, **more: Any) -> bytes:  # Any: see `body_of`
    return b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:" + whole(*args, **more) + b"\n\n"


def piece(text: str = "", **message: Any) -> bytes:  # Any: JSON values
    return event({"content": text, **message}, "null")


END = event({"content": ""})


def test_the_catalogue_finds_the_codecs_and_their_row() -> None:
    assert load_rows()[NAME] == ROW
    assert find_codecs()[NAME] is CODEC
    assert find_codecs()[f"{NAME}_embeddings"] is dashscope_native_embeddings.CODEC
    assert find_codecs()[f"{NAME}_rerank"] is dashscope_native_rerank.CODEC


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "interface", "is_multimodal"),
    [
        ("qwen-plus", "", False),
        ("qwen3-32b", "", False),
        ("qwen3.5-plus", "", True),
        ("qwen3.7-plus-2026-10-01", "", True),
        ("qwen4-max", "", True),
        ("qwen-vl-max", "", True),
        ("qwen2.5-vl-72b-instruct", "", True),
        ("qwen3-omni-flash", "", True),
        ("qvq-max", "", True),
        ("qwen-vl-ocr", "", True),
        ("qwen-audio-turbo", "", True),
        ("deepseek-v4", "", False),
        ("travel-advisor", "", False),  # `vl` inside a word is none
        ("qwen3.7-plus", "text", False),
        ("qwen-plus", "multimodal", True),
    ],
)
def test_the_name_tells_the_service_unless_the_operator_does(model: str, interface: str, is_multimodal: bool) -> None:
    chosen = {"interface": interface} if interface else {}
    wire = send(CODEC, request(), target(ROW, NAME, model, parameters=chosen))[1]
    assert wire.path == (dashscope.MULTIMODAL_PATH if is_multimodal else dashscope.TEXT_PATH)


def test_a_picture_goes_to_the_service_that_sees() -> None:
    asked = request(said("user", ImagePart(url="https://x.test/a.png")), features=frozenset({"images"}))
    assert send(CODEC, asked, target(ROW, NAME, "a-model"))[1].path == dashscope.MULTIMODAL_PATH


def test_a_workspace_is_named_in_a_header_and_a_stream_asked_for_in_another() -> None:
    to = target(ROW, NAME, parameters={"workspace": "ws-1"}, quirks=Quirks(path="/chat"))
    wire = send(CODEC, request(stream=True), to)[1]
    assert wire.headers["x-dashscope-workspace"] == "ws-1"
    assert wire.headers["x-dashscope-sse"] == "enable"
    assert wire.path == "/chat"
    assert "x-dashscope-sse" not in send(CODEC, request(), to)[1].headers


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ({}, {}),
        ({"reasoning_effort": "none"}, {"enable_thinking": False}),
        ({"thinking_budget": 0}, {"enable_thinking": False}),
        ({"reasoning_effort": "low"}, {"enable_thinking": True, "thinking_budget": THINKING_BUDGETS["low"]}),
        ({"reasoning_effort": "high"}, {"enable_thinking": True}),
        ({"thinking_budget": 77, "reasoning_effort": "low"}, {"enable_thinking": True, "thinking_budget": 77}),
        ({"thinking_budget": -1}, {"enable_thinking": True}),
        ({"model": "deepseek-v4", "reasoning_effort": "max"}, {"enable_thinking": True, "reasoning_effort": "max"}),
        ({"model": "deepseek-v4", "thinking_budget": 5}, {"enable_thinking": True, "thinking_budget": 5}),
    ],
)
def test_thinking_is_a_switch_and_a_budget(meant: Json, written: Json) -> None:
    assert parameters(**meant) == (written, ())


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (None, None),
        (ToolChoice(mode="auto"), "auto"),
        (ToolChoice(mode="none"), "none"),
        (ToolChoice(mode="named", name="now"), {"type": "function", "function": {"name": "now"}}),
    ],
)
def test_a_tool_is_chosen_by_word_or_name(choice: ToolChoice | None, written: object) -> None:
    assert parameters(tools=(WEATHER, NOW), tool_choice=choice)[0].get("tool_choice") == written


def test_one_tool_that_must_be_called_is_named_of_several_none_can_be() -> None:
    must = ToolChoice(mode="required")
    assert parameters(tools=(NOW,), tool_choice=must)[0]["tool_choice"]["function"] == {"name": "now"}
    fault = refused(CODEC, request(tools=(NOW, WEATHER), tool_choice=must), target(ROW, NAME))
    assert fault.param == "tool_choice"


@pytest.mark.parametrize(
    ("wanted", "written", "dropped"),
    [
        (WebSearch(), {"enable_source": True}, ()),
        (
            WebSearch(allowed_domains=("a.test",), most_uses=3, context_size="low", location={"country": "AT"}),
            {"enable_source": True, "assigned_site_list": ["a.test"]},
            ("max_uses", "search_context_size", "user_location"),
        ),
    ],
)
def test_a_search_is_switched_on_with_its_pages(wanted: WebSearch, written: Json, dropped: tuple[str, ...]) -> None:
    found, told = parameters(web_search=wanted)
    assert found == {"enable_search": True, "search_options": written}
    assert sorted(told) == sorted(f"web_search_options.{name}" for name in dropped)


@pytest.mark.parametrize(
    ("meant", "field"),
    [
        ({"features": frozenset({"logprobs"})}, "logprobs"),
        ({"features": frozenset({"server_tools"})}, "tools"),
        ({"web_search": WebSearch(blocked_domains=("a.test",))}, "web_search_options"),
    ],
)
def test_what_the_api_lacks_is_refused_by_its_field(meant: Json, field: str) -> None:
    assert refused(CODEC, request(**meant), target(ROW, NAME)).param == field


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        (ResponseFormat(kind="json_object"), {"type": "json_object"}),
        (ResponseFormat(kind="text"), {"type": "text"}),
        (
            ResponseFormat(kind="json_schema", schema={"type": "array"}, is_strict=True),
            {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "array"}, "strict": True}},
        ),
    ],
)
def test_a_format_is_openais(wanted: ResponseFormat, written: Json) -> None:
    assert parameters(response_format=wanted)[0]["response_format"] == written


@pytest.mark.parametrize(
    ("meant", "written", "dropped"),
    [
        ({"temperature": 2.0}, {"temperature": 1.99}, ()),
        ({"top_p": 0.0}, {"top_p": 0.001}, ()),
        ({"stop": ("a",)}, {"stop": ["a"]}, ()),
        ({"n": 3}, {"n": 3}, ()),
        ({"max_output_tokens": 9}, {"max_tokens": 9}, ()),
        ({"knobs": {"top_k": 3, "enable_code_interpreter": True}}, {"top_k": 3, "enable_code_interpreter": True}, ()),
        ({"knobs": {"frequency_penalty": 1}, "user": "ann"}, {}, ("frequency_penalty", "user")),
        ({"stream": True}, {"incremental_output": True}, ()),
    ],
)
def test_knobs_keep_their_names_where_the_api_has_them(meant: Json, written: Json, dropped: tuple[str, ...]) -> None:
    assert parameters(**meant) == (written, dropped)


def test_one_service_takes_strings_the_other_lists() -> None:
    messages = (
        said("developer", TextPart(text="rules")),
        said("assistant", TextPart(text="a"), CALL),
        result(TextPart(text="b")),
        said("user", TextPart(text="x"), TextPart(text="y"), name="ann"),
    )
    plain, seeing = turns(*messages), turns(*messages, model=SEES)
    assert [turn["content"] for turn in plain] == ["rules", "a", "b", "xy"]
    assert [turn["content"] for turn in seeing] == [
        [{"text": "rules"}], [{"text": "a"}], [{"text": "b"}], [{"text": "x"}, {"text": "y"}],
    ]  # fmt: skip
    assert [turn["role"] for turn in plain] == ["system", "assistant", "tool", "user"]
    assert turns(said("assistant", CALL), model=SEES)[0]["content"] == []
    assert sent(*messages)[1] == ("messages.name",)


def test_a_picture_to_a_model_that_only_reads_is_refused() -> None:
    asked = request(said("user", ImagePart(url="https://x.test/a.png")))
    to = target(ROW, NAME, parameters={"interface": "text"})
    assert refused(CODEC, asked, to).param == "messages"


def test_pieces_of_the_seeing_service() -> None:
    (turn,) = turns(
        said(
            "user",
            ImagePart(data="aGk=", media_type="image/png"),
            AudioPart(data="aGk=", media_type="audio/wav"),
            DocumentPart(text="long", title="t"),
        ),
        model=SEES,
    )
    assert turn["content"] == [
        {"image": "data:image/png;base64,aGk="}, {"audio": "data:audio/wav;base64,aGk="}, {"text": "t\n\nlong"},
    ]  # fmt: skip


def test_a_mark_for_the_cache_has_a_place_in_one_service_only() -> None:
    marked = said("user", TextPart(text="a", cache="1h"))
    body, dropped = sent(marked, model=SEES)
    assert body["input"]["messages"][0]["content"] == [{"text": "a", "cache_control": {"type": "ephemeral"}}]
    assert dropped == ("cache_control.ttl",)
    assert sent(marked)[1] == ("cache_control",)


def test_a_file_of_the_vendors_store_is_named_in_a_message_of_its_own() -> None:
    assert turns(said("user", DocumentPart(file_id="file-1"), TextPart(text="what?"))) == [
        {"role": "system", "content": "fileid://file-1"},
        {"role": "user", "content": "what?"},
    ]


def test_thoughts_return_in_a_loop_of_tools_only() -> None:
    thought = ReasoningPart(text="hm", origin=NAME)
    messages = (
        HI,
        said("assistant", thought, TextPart(text="a")),
        HI,
        said("assistant", thought, CALL),
        result(TextPart(text="b")),
    )
    assert [turn.get("reasoning_content") for turn in turns(*messages)] == [None, None, None, "hm", None]
    silent = target(ROW, NAME, quirks=Quirks())
    body, _ = send(CODEC, request(*messages), silent)
    assert not any("reasoning_content" in turn for turn in body["input"]["messages"])


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        (None, None),
        ({"output_tokens": 3}, None),
        ({"input_tokens": -1, "output_tokens": 3}, None),
        ({"input_tokens": 5, "output_tokens": 3}, Usage(input_tokens=5, output_tokens=3)),
        (
            {"input_tokens": 9, "output_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_input_tokens": 2}},
            Usage(input_tokens=9, output_tokens=3, cached_input_tokens=4, cache_write_tokens=2),
        ),
        (
            {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4, "audio_tokens": 2, "image_tokens": 3}},
            Usage(input_tokens=9, cached_input_tokens=4, input_audio_tokens=2),
        ),
        (
            {"input_tokens": 9, "audio_tokens": 2, "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 1}},
            Usage(input_tokens=9, output_tokens=7, input_audio_tokens=2, reasoning_tokens=5, output_audio_tokens=1),
        ),
        (
            {"input_tokens": 9, "plugins": {"search": {"count": 2}, "code_interpreter": {"count": 1}, "image_search": {"count": 0}, "new": {"count": 7}}},
            Usage(input_tokens=9, server_tools=(("web_search", 2), ("code_interpreter", 1))),
        ),
        ({"input_tokens": 9, "prompt_tokens_details": {"cached_tokens": -4}}, Usage(input_tokens=9)),
    ],
)  # fmt: skip
def test_counts_are_read_exactly(usage: Json | None, read: Usage | None) -> None:
    assert CODEC.read_response(whole({"content": "a"}, usage=usage)).usage == read
    assert decode(CODEC.decoder(), event({"content": "a"}, usage=usage))[-1].usage == read


@pytest.mark.parametrize(
    ("word", "finish", "native"),
    [
        ("stop", "stop", ""),
        ("length", "length", ""),
        ("tool_calls", "tool_calls", ""),
        ("content_filter", "content_filter", ""),
        ("tired", "length", "tired"),
    ],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str, native: str) -> None:
    choice = the_choice(CODEC.read_response(whole({"content": "a"}, word)))
    (delta,) = decode(CODEC.decoder(), event({"content": "a"}, word))[0].deltas
    for told in (choice, delta):
        assert (told.finish_reason, told.native_finish) == (finish, native)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"output":{}}',
        b'{"output":{"choices":[]}}',
        b'{"output":{"choices":[{"finish_reason":"stop"}]}}',
        whole({"content": "a"}, None),
        whole({"content": "a"}, "null"),
        whole({"tool_calls": [{"id": "c"}]}),
    ],
)
def test_half_an_answer_is_no_answer(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body)


def test_a_whole_answer_says_thoughts_text_and_calls() -> None:
    calls = [{"function": {"name": "now"}}, {"id": "x", "function": {"name": "now", "arguments": '{"a":1}'}}]
    message = {"content": [{"text": "a"}, {"audio": 5}, {"text": "b"}], "reasoning_content": "hm", "tool_calls": calls}
    thought, text, first, second = the_choice(CODEC.read_response(whole(message))).parts
    assert thought == ReasoningPart(text="hm")
    assert text == TextPart(text="ab")
    assert (first.id, first.arguments) == ("call_0", "{}")  # type: ignore[union-attr]  # the order is the vendor's
    assert (second.id, second.arguments) == ("x", '{"a":1}')  # type: ignore[union-attr]  # as above


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("Throttling.RateQuota", "upstream_rate_limited"),
        ("Throttling.AllocationQuota", "upstream_rate_limited"),
        ("Arrearage", "upstream_quota_exhausted"),
        ("InvalidApiKey", "upstream_auth"),
        ("Model.NotExist", "upstream_not_found"),
        ("ModelNotFound", "upstream_not_found"),
        ("DataInspectionFailed", "upstream_rejected_request"),
        ("InvalidParameter", "upstream_rejected_request"),
        ("ServiceUnavailable", "upstream_overloaded"),
        ("InternalError.Algo", "upstream_error"),
    ],
)
def test_a_code_tells_the_class_of_an_error_wherever_it_stands(code: str, told: str) -> None:
    error = {"code": code, "message": "no", "request_id": "r"}
    body = json.dumps(error).encode()
    as_event = b"event:error\n:HTTP_STATUS/400\ndata:" + body + b"\n\n"
    for data in (as_event, b"event:result\ndata:" + body + b"\n\n"):
        with pytest.raises(UpstreamFault) as caught:
            CODEC.decoder().feed(data)
        assert caught.value.code == told
    with pytest.raises(UpstreamFault) as caught:
        CODEC.read_response(body)
    assert caught.value.code == told
    for answer in (body, as_event):
        expected = "upstream_refused" if told == "upstream_error" else told
        assert CODEC.read_error(500, {}, answer, target(ROW, NAME)).code == expected


def test_a_model_at_the_wrong_service_is_told_what_to_change() -> None:
    fault = CODEC.read_error(400, {}, b'{"code":"InvalidParameter","message":"url error"}', target(ROW, NAME))
    assert "parameters.interface" in str(fault)


@pytest.mark.parametrize("data", [b"event:result\ndata:{\n\n", b'data:{"output":{"choices":5}}\n\n'])
def test_a_broken_event_is_a_fault(data: bytes) -> None:
    with pytest.raises(UpstreamInvalid, match="event 1"):
        CODEC.decoder().feed(data)


@pytest.mark.parametrize("data", [b"event:ping\ndata:{\n\n", b"event:result\ndata:{}\n\n", b": alive\n\n"])
def test_what_has_no_meaning_is_read_over(data: bytes) -> None:
    assert len(decode(CODEC.decoder(), data, END)) == 1


def test_a_stream_is_over_when_its_answer_has_ended() -> None:
    decoder = CODEC.decoder()
    decoder.feed(END)
    assert decoder.is_complete
    assert decoder.feed(piece("more")) == []
    cut = CODEC.decoder()
    cut.feed(piece("a"))
    with pytest.raises(UpstreamInterrupted):
        cut.close()


def test_of_several_answers_each_must_end() -> None:
    wire = send(CODEC, request(n=2, stream=True), target(ROW, NAME))[1]
    decoder = CODEC.decoder(wire)
    decoder.feed(END)
    assert not decoder.is_complete  # the other may not even have begun
    decoder.close()
    assert decoder.is_complete


@given(TEXTS, TEXTS, st.lists(st.text(max_size=9), min_size=1, max_size=3), MARKS)
def test_no_cut_changes_the_chunks(
    thoughts: list[str], texts: list[str], arguments: list[str], marks: list[int]
) -> None:
    data = b"".join(piece(reasoning_content=thought) for thought in thoughts) + b"".join(piece(text) for text in texts)
    for at, argument in enumerate(arguments):
        data += piece(tool_calls=[{"index": at, "id": f"c{at}", "function": {"name": "now", "arguments": ""}}])
        data += piece(tool_calls=[{"index": at, "id": "", "function": {"name": "", "arguments": argument}}])
    data += event({"content": ""}, "tool_calls", usage={"input_tokens": 1, "output_tokens": 2})
    cuts_change_nothing(CODEC.decoder, data, marks)
    chunks = decode(CODEC.decoder(), data)
    assert text_of(chunks) == "".join(texts)
    assert thoughts_of(chunks) == "".join(thoughts)
    assert arguments_of(chunks) == dict(enumerate(arguments))


# ---- embeddings and reranking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("purpose", "told"), [("", None), ("query", "query"), ("document", "document")])
def test_what_is_embedded_for_is_said_where_the_api_knows_it(purpose: str, told: str | None) -> None:
    body, _ = send(dashscope_native_embeddings.CODEC, embedding("a", purpose=purpose), target(ROW, NAME))
    assert body["parameters"].get("text_type") == told


def test_vectors_are_put_in_the_order_of_the_texts() -> None:
    items = [{"text_index": 1, "embedding": [2.0]}, {"text_index": 0, "embedding": [1.0]}]
    body = json.dumps({"output": {"embeddings": items}, "usage": {"total_tokens": 4}}).encode()
    found = dashscope_native_embeddings.CODEC.read_response(body)
    assert [list(vector) for vector in found.vectors] == [[1.0], [2.0]]
    assert found.usage == Usage(input_tokens=4)


@pytest.mark.parametrize("module", [dashscope_native_embeddings, dashscope_native_rerank])
def test_errors_of_the_other_operations_have_their_class_too(module: Any) -> None:  # Any: one of the two modules
    with pytest.raises(UpstreamFault) as caught:
        module.CODEC.read_response(b'{"code":"Throttling","message":"slow"}')
    assert caught.value.code == "upstream_rate_limited"
    assert (
        module.CODEC.read_error(400, {}, b'{"code":"Arrearage"}', target(ROW, NAME)).code == "upstream_quota_exhausted"
    )
    with pytest.raises(UpstreamInvalid):
        module.CODEC.read_response(b"{}")


def test_a_ranking_counts_what_it_read_and_the_searches_that_it_was() -> None:
    asked = reranking("q", *["a"] * 101, top_n=2, knobs={"instruct": "find", "x": 1})
    body, wire = send(dashscope_native_rerank.CODEC, asked, target(ROW, NAME))
    assert body["parameters"] == {"return_documents": False, "top_n": 2, "instruct": "find"}
    assert wire.dropped == ("x",)
    answer = b'{"output":{"results":[{"index":0,"relevance_score":0.5}]},"usage":{"total_tokens":9}}'
    assert dashscope_native_rerank.CODEC.read_response(answer, wire).usage == Usage(input_tokens=9, searches=2)
