"""Text Generation Inference: its own ends, its own errors, and the fields that it would ignore."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from native_kit import MARKS, TEXTS, Json, cuts_change_nothing, decode, request, send, target, text_of
from yuzui.core.errors import UpstreamFault, UpstreamInterrupted
from yuzui.providers import tgi_native
from yuzui.providers._contract import WireRequest
from yuzui.providers.catalogue import find_codecs, load_rows

CODEC = tgi_native.CODEC
TARGET = target(tgi_native.ROW, "tgi_native", "tgi")
HUB = WireRequest(path="/", headers={}, body=b"{}", is_stream=True, is_lane=False)


def event(content: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "", "model": "m", "choices": [choice]}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def test_the_catalogue_finds_the_codec_and_its_row() -> None:
    assert load_rows()["tgi_native"] == tgi_native.ROW
    assert find_codecs()["tgi_native"] is CODEC
    assert tgi_native.ROW.premises == "own"


@pytest.mark.parametrize(
    ("word", "finish"),
    [("stop", "stop"), ("eos_token", "stop"), ("stop_sequence", "stop"), ("length", "length"), ("tired", "length")],
)
def test_an_end_is_told_in_the_hubs_words(word: str, finish: str) -> None:
    body = {"id": "", "choices": [{"message": {"content": "a"}, "finish_reason": word}]}
    (choice,) = CODEC.read_response(json.dumps(body).encode(), HUB).choices
    assert choice.finish_reason == finish
    assert decode(CODEC.decoder(HUB), event("a"), event("", word), DONE)[-1].deltas[0].finish_reason == finish


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (422, {"error": "bad", "error_type": "validation"}, "upstream_rejected_request"),
        (422, {"error": "bad", "error_type": "template_error"}, "upstream_rejected_request"),
        (424, {"error": "bad", "error_type": "generation"}, "upstream_refused"),
        (424, {}, "upstream_refused"),
        (500, {"error": "bad", "error_type": "incomplete_generation"}, "upstream_refused"),
        (429, {"error": "bad", "error_type": "overloaded"}, "upstream_rate_limited"),
        (503, {"error": "bad", "error_type": "unhealthy"}, "upstream_overloaded"),
        (400, {"error": {"message": "bad"}}, "upstream_rejected_request"),  # a proxy in front speaks OpenAI's words
    ],
)
def test_the_type_tells_the_class_of_an_error(status: int, body: Json, code: str) -> None:
    assert CODEC.read_error(status, {}, json.dumps(body).encode(), TARGET).code == code


def test_a_generation_that_failed_may_be_tried_elsewhere() -> None:
    body = b'{"error":"Request failed during generation","error_type":"generation"}'
    assert CODEC.read_error(424, {}, body, TARGET).retryable
    assert not CODEC.read_error(422, {}, b'{"error":"bad","error_type":"validation"}', TARGET).retryable


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'data: {"error":"bad","error_type":"generation"}\n\n', "upstream_error"),
        (b'event: error\ndata: {"error":"bad","error_type":"overloaded"}\n\n', "upstream_rate_limited"),
        (b'event: error\ndata: {"error":{"message":"bad"}}\n\n', "upstream_error"),
        (b'data: {"error":"bad","error_type":"validation"}\n\n', "upstream_rejected_request"),
    ],
)
def test_an_error_in_a_stream_has_its_class_too(data: bytes, code: str) -> None:
    with pytest.raises(UpstreamFault) as caught:
        CODEC.decoder(HUB).feed(data)
    assert caught.value.code == code


def test_an_event_that_says_error_and_nothing_else_is_no_chunk() -> None:
    with pytest.raises(UpstreamFault):
        CODEC.decoder(HUB).feed(b"event: error\ndata: nonsense\n\n")


def test_words_of_the_client_that_look_like_an_error_are_text() -> None:
    assert text_of(decode(CODEC.decoder(HUB), event('{"error_type": "generation"}'), event("", "stop"), DONE)) != ""


def test_a_stream_without_its_terminator_was_cut() -> None:
    decoder = CODEC.decoder(HUB)
    decoder.feed(event("a") + event("", "stop"))
    with pytest.raises(UpstreamInterrupted):
        decoder.close()


def test_what_the_server_would_ignore_is_reported() -> None:
    knobs: Json = {"logit_bias": {}, "top_k": 3, "best_of": 2, "guideline": "g", "tool_prompt": "t", "seed": 5}
    body, wire = send(CODEC, request(knobs=knobs, user="ann", reasoning_effort="low", temperature=0.5), TARGET)
    assert {name: body[name] for name in ("guideline", "tool_prompt", "seed", "temperature")} == {
        "guideline": "g", "tool_prompt": "t", "seed": 5, "temperature": 0.5,
    }  # fmt: skip
    assert sorted(wire.dropped) == ["best_of", "logit_bias", "reasoning_effort", "top_k", "user"]


@given(TEXTS, MARKS)
def test_no_cut_changes_the_chunks(texts: list[str], marks: list[int]) -> None:
    data = b"".join(event(text) for text in texts) + event("", "eos_token") + DONE
    cuts_change_nothing(lambda: CODEC.decoder(HUB), data, marks)
    assert text_of(decode(CODEC.decoder(HUB), data)) == "".join(texts)
