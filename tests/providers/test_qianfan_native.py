"""Baidu Qianfan: what it wants in other words than OpenAI's, and what it adds to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from native_kit import MARKS, TEXTS, Json, cuts_change_nothing, decode, refused, request, send, target, text_of
from yuzui.core.chat import ChatRequest, Citation, StreamChunk, TextPart, WebSearch
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.usage import Usage
from yuzui.providers import qianfan_native as qianfan
from yuzui.providers._contract import WireRequest
from yuzui.providers._qianfan_native_request import THINKING_BUDGETS
from yuzui.providers.catalogue import find_codecs, load_rows

NAME, ROW, CODEC = "qianfan_native", qianfan.ROW, qianfan.CODEC
TARGET = target(ROW, NAME, "ernie-5")
HUB = WireRequest(path="/", headers={}, body=b"{}", is_stream=True, is_lane=False)
LANE = WireRequest(path="/", headers={}, body=b"{}", is_stream=True, is_lane=True)
PAGES = [{"index": 1, "url": "https://a.test", "title": "A"}, {"title": "no address"}, {"url": "https://b.test"}]
CITED = (Citation(url="https://a.test", title="A"), Citation(url="https://b.test"))
COUNTS = {"prompt_tokens": 3, "completion_tokens": 2}
DONE = b"data: [DONE]\n\n"


def on_lane(**body: Any) -> ChatRequest:  # Any: JSON values
    def read(_: object) -> Any:  # Any: never comes to it
        raise AssertionError("the lane asks for no meaning here")

    return ChatRequest(
        dialect="openai_chat",
        model="auto",
        body={"model": "auto", "messages": [{"role": "user", "content": "hi"}], **body},
        read_meaning=read,
    )


def sent(request: ChatRequest) -> tuple[Json, tuple[str, ...]]:
    body, wire = send(CODEC, request, TARGET)
    return {name: body[name] for name in body if name not in ("model", "messages")}, wire.dropped


def whole(finish: str = "normal", content: str = "a", choice: Json | None = None, **more: Any) -> bytes:  # Any: JSON
    only = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish, **(choice or {})}
    return json.dumps({"id": "c", "choices": [only], "usage": COUNTS, **more}).encode()


def event(content: str = "", finish: str | None = None, choice: Json | None = None, **more: Any) -> bytes:  # Any: JSON
    only = {"index": 0, "delta": {"content": content}, "finish_reason": finish, "flag": 0, **(choice or {})}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [only], **more}).encode() + b"\n\n"


def stream(*events: bytes, wire: WireRequest = HUB) -> list[StreamChunk]:
    counts = b"data: " + json.dumps({"choices": [], "usage": COUNTS}).encode() + b"\n\n"
    return decode(CODEC.decoder(wire), *events, counts, DONE)


def test_the_catalogue_finds_the_codec_and_its_row() -> None:
    assert load_rows()[NAME] == ROW
    assert find_codecs()[NAME] is CODEC


# ---- requests -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ({}, {}),
        ({"reasoning_effort": "none"}, {"enable_thinking": False}),
        ({"reasoning_effort": "default"}, {}),
        ({"reasoning_effort": "low"}, {"enable_thinking": True, "thinking_budget": THINKING_BUDGETS["low"]}),
        ({"reasoning_effort": "high"}, {"enable_thinking": True}),
    ],
)
def test_effort_is_a_switch_and_a_budget_on_the_lane_and_off_it(meant: Json, written: Json) -> None:
    assert sent(request(**meant)) == (written, ())
    assert sent(on_lane(**meant)) == (written, ())


@pytest.mark.parametrize(
    ("budget", "written"),
    [
        (0, {"enable_thinking": False}),
        (-1, {"enable_thinking": True}),
        (77, {"enable_thinking": True, "thinking_budget": 77}),
    ],
)
def test_a_budget_is_said_as_it_is(budget: int, written: Json) -> None:
    assert sent(request(thinking_budget=budget)) == (written, ())


def test_the_clients_own_words_go_before_openais_on_the_lane() -> None:
    own = {"enable_thinking": False, "web_search": {"enable": False}}
    assert sent(on_lane(reasoning_effort="high", web_search_options={}, **own))[0] == own
    assert sent(on_lane(penalty_score=1.2, unheard=1)) == ({"penalty_score": 1.2, "unheard": 1}, ())


def test_a_search_is_switched_on_with_its_pages() -> None:
    switched = {"web_search": {"enable": True, "enable_trace": True}}
    assert sent(on_lane(web_search_options={"search_context_size": "low"})) == (
        switched, ("web_search_options.search_context_size",),
    )  # fmt: skip
    assert sent(request(web_search=WebSearch())) == (switched, ())


def test_a_search_that_leaves_sites_out_is_refused() -> None:
    asked = request(web_search=WebSearch(blocked_domains=("a.test",)))
    assert refused(CODEC, asked, TARGET).param == "web_search_options"


def test_knobs_of_the_vendors_own_pass_from_every_dialect() -> None:
    body, dropped = sent(request(knobs={"penalty_score": 1.2, "web_search": {"enable": True}, "logit_bias": {}}))
    assert body == {"penalty_score": 1.2, "web_search": {"enable": True}}
    assert dropped == ("logit_bias",)


def test_an_app_is_named_in_a_header() -> None:
    assert "appid" not in send(CODEC, request(), TARGET)[1].headers
    assert send(CODEC, request(), target(ROW, NAME, parameters={"app_id": "app-1"}))[1].headers["appid"] == "app-1"


# ---- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "finish"),
    [("normal", "stop"), ("stop", "stop"), ("length", "length"), ("content_filter", "content_filter"), ("x", "length")],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str) -> None:
    (choice,) = CODEC.read_response(whole(word), HUB).choices
    assert choice.finish_reason == finish
    assert stream(event("a"), event(finish=word))[1].deltas[0].finish_reason == finish


def test_pages_that_a_search_found_are_citations_of_the_text_and_one_search() -> None:
    found = CODEC.read_response(whole(search_results=PAGES), HUB)
    assert found.choices[0].parts == (TextPart(text="a", citations=CITED),)
    assert found.usage == Usage(input_tokens=3, output_tokens=2, server_tools=(("web_search", 1),))
    chunks = stream(event(search_results=PAGES), event("a"), event(finish="stop"))
    assert [delta.citations for chunk in chunks for delta in chunk.deltas] == [(), (), CITED]
    assert chunks[-1].usage == found.usage


def test_on_the_lane_only_the_search_is_counted() -> None:
    body = whole(search_results=PAGES)
    found = CODEC.read_response(body, LANE)
    assert found.raw == body
    assert found.usage is not None
    assert found.usage.server_tools == (("web_search", 1),)
    chunks = stream(event("a", search_results=PAGES), event(finish="stop"), wire=LANE)
    assert not any(delta.citations for chunk in chunks for delta in chunk.deltas)
    assert chunks[0].raw.startswith(b"{")


@pytest.mark.parametrize("pages", [None, [], "nonsense", [5]])
def test_pages_that_are_none_cost_no_answer(pages: object) -> None:
    found = CODEC.read_response(whole(search_results=pages), HUB)
    assert found.choices[0].parts == (TextPart(text="a"),)
    assert found.usage == Usage(input_tokens=3, output_tokens=2)
    assert text_of(stream(event("a", search_results=pages), event(finish="stop"))) == "a"


@pytest.mark.parametrize(
    ("verdict", "refusal"),
    [
        ({"flag": 0, "ban_round": 0}, ""),
        ({"flag": 1}, ""),
        ({"flag": 2}, "The vendor's safety check stopped this conversation (flag 2)."),
        ({"flag": 4, "ban_round": 3}, "The vendor's safety check stopped this conversation (flag 4, round 3)."),
        (
            {"flag": 2, "need_clear_history": True},
            "The vendor's safety check stopped this conversation (flag 2). Begin a new one without it.",
        ),
    ],
)
def test_a_verdict_of_the_safety_check_is_a_refusal(verdict: Json, refusal: str) -> None:
    (choice,) = CODEC.read_response(whole(choice=verdict), HUB).choices
    (delta,) = stream(event("a"), event(finish="normal", choice=verdict))[1].deltas
    for told in (choice, delta):
        assert told.refusal == refusal
        assert told.finish_reason == ("content_filter" if refusal else "stop")


def test_a_verdict_in_the_middle_ends_the_answer() -> None:
    deltas = [delta for chunk in stream(event("a", choice={"flag": 3}), event(finish="stop")) for delta in chunk.deltas]
    assert deltas[0].finish_reason == "content_filter"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"error": {"code": "rpm_rate_limit_exceeded", "message": "no"}}, "upstream_rate_limited"),
        ({"error": {"code": "account_overdue", "message": "no"}}, "upstream_quota_exhausted"),
        ({"error": {"code": "invalid_iam_token", "message": "no"}}, "upstream_auth"),
        ({"error": {"code": "invalid_model", "message": "no"}}, "upstream_not_found"),
        ({"error_code": 18, "error_msg": "no"}, "upstream_rate_limited"),
        ({"error_code": 17, "error_msg": "no"}, "upstream_quota_exhausted"),
        ({"error_code": 110, "error_msg": "no"}, "upstream_auth"),
        ({"error_code": 336003, "error_msg": "no"}, "upstream_rejected_request"),
        ({"error_code": 336100, "error_msg": "no"}, "upstream_overloaded"),
    ],
)
def test_a_code_tells_the_class_of_an_error_wherever_it_stands(error: Json, code: str) -> None:
    body = json.dumps(error).encode()
    assert CODEC.read_error(400, {}, body, TARGET).code == code
    for wire in (HUB, LANE):
        for data in (b"data: " + body + b"\n\n", b"event: error\ndata: " + body + b"\n\n"):
            with pytest.raises(UpstreamFault) as caught:
                CODEC.decoder(wire).feed(data)
            assert caught.value.code == code


def test_an_error_in_a_200_answer_is_a_fault() -> None:
    with pytest.raises(UpstreamFault) as caught:
        CODEC.read_response(b'{"error_code":18,"error_msg":"slow"}', HUB)
    assert caught.value.code == "upstream_rate_limited"
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(b"{}", HUB)


def test_words_that_look_like_an_error_are_text() -> None:
    said = '"error": {"code": 18}, "error_code": 18'
    assert text_of(stream(event(said), event(finish="stop"))) == said


def test_a_stream_without_its_terminator_was_cut() -> None:
    decoder = CODEC.decoder(HUB)
    decoder.feed(event("a") + event(finish="stop"))
    with pytest.raises(UpstreamInterrupted):
        decoder.close()


@given(TEXTS, MARKS)
def test_no_cut_changes_the_chunks(texts: list[str], marks: list[int]) -> None:
    data = event(search_results=PAGES) + b"".join(event(text) for text in texts) + event(finish="normal") + DONE
    cuts_change_nothing(lambda: CODEC.decoder(HUB), data, marks)
    assert text_of(decode(CODEC.decoder(HUB), data)) == "".join(texts)
