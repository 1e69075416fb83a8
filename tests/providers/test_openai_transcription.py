"""Recordings on the lane: a form written anew, texts in each format, counts, and streams of three kinds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.chat import ChatRequest, Meaning, StreamChunk
from yuzui.core.errors import UnsupportedFeature, UpstreamFault, UpstreamInterrupted, UpstreamInvalid, UpstreamRefused
from yuzui.core.money import Price
from yuzui.core.target import Quirks, Target
from yuzui.core.usage import Usage
from yuzui.dialects.openai_transcription import DIALECT
from yuzui.dialects.openai_translation import DIALECT as TRANSLATION
from yuzui.providers._contract import WireRequest
from yuzui.providers.openai_transcription import CODEC

FILE = {
    "type": "input_audio",
    "name": "file",
    "filename": "a.mp3",
    "media_type": "audio/mpeg",
    "data": b"\x00" * 16_000,
}
GUESS = Usage(audio_ms=2000, is_estimated=True, note="missing")


def price(second_pico: int) -> Price:
    return Price(currency="USD", input_pico=0, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="v",
                 second_pico=second_pico)  # fmt: skip


def target(quirks: Quirks = Quirks(), cost: Price | None = None, **parameters: str) -> Target:  # noqa: B008  # frozen
    return Target(
        name="t", provider="p", codec="openai", model="whisper-1", base_url="https://x.test/v1", premises="vendor",
        clearance=0, jurisdiction="", api_key="the-key", quirks=quirks, price=cost, parameters=parameters,
    )  # fmt: skip


def request_of(**more: Any) -> ChatRequest:  # Any: texts, parts
    return DIALECT.read_request({"model": "auto", "input": [FILE], **more})


def wire(**more: Any) -> WireRequest:  # Any: texts, parts
    return CODEC.write_request(request_of(**more), target(), output_cap=None)


def sent(found: WireRequest) -> dict[str, Any]:  # Any: texts, parts
    return DIALECT.read_body(found.body, found.headers["content-type"])


def test_the_form_is_written_anew() -> None:
    found = wire(prompt="Ada", **{"x[]": ["1", "2"]})
    assert (found.path, found.is_lane, found.is_stream) == ("/audio/transcriptions", True, False)
    assert found.headers["content-type"].startswith("multipart/form-data; boundary=yuzui-")
    assert found.headers["authorization"] == "Bearer the-key"
    assert sent(found) == {"model": "whisper-1", "prompt": "Ada", "x[]": ["1", "2"], "input": [FILE]}
    assert "the-key" not in repr(found)


def test_a_translation_goes_to_its_own_path() -> None:
    request = TRANSLATION.read_request({"model": "auto", "input": [FILE]})
    quirks = Quirks(paths={"openai_translation": "/x/{model}"}, drops=frozenset({"prompt"}))
    assert CODEC.write_request(request, target(), output_cap=None).path == "/audio/translations"
    assert CODEC.write_request(request, target(quirks), output_cap=None).path == "/x/whisper-1"
    found = CODEC.write_request(request_of(prompt="p"), target(quirks), output_cap=None)
    assert (found.dropped, "prompt" in sent(found)) == (("prompt",), False)


def test_nothing_is_translated() -> None:
    chat = ChatRequest(dialect="openai_chat", model="m", body={}, read_meaning=lambda _: Meaning(messages=()))
    with pytest.raises(UnsupportedFeature):
        CODEC.write_request(chat, target(), output_cap=None)


@pytest.mark.parametrize(
    ("body", "usage"),
    [
        (b'{"text":"Hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":4,"audio_tokens":10},'
         b'"output_tokens":2,"total_tokens":16}}', Usage(input_tokens=14, input_audio_tokens=10, output_tokens=2)),
        (b'{"text":"Hi","usage":{"type":"duration","seconds":9}}', Usage(audio_ms=9000)),
        (b'{"text":"Hi","duration":8.47,"language":"english","segments":[]}', Usage(audio_ms=8470)),
        (b'{"text":"Hi","duration":"8.5"}', Usage(audio_ms=8500)),  # vLLM
        (b'{"text":"Hi","duration":"long"}', GUESS),
        (b'{"text":"Hi"}', GUESS),
    ],
)  # fmt: skip
def test_json_tells_tokens_or_seconds(body: bytes, usage: Usage) -> None:
    found = CODEC.read_response(body, wire())
    assert (found.usage, found.texts, found.raw) == (usage, ("Hi",), body)


def test_plain_text_that_costs_money_is_asked_for_as_json() -> None:
    found = CODEC.write_request(request_of(response_format="text"), target(cost=price(100)), output_cap=None)
    assert (sent(found)["response_format"], found.headers["accept"]) == ("json", "application/json")
    answer = CODEC.read_response('{"text":"Grün.","usage":{"type":"duration","seconds":3}}'.encode(), found)
    assert (answer.raw, answer.usage, answer.texts) == ("Grün.\n".encode(), Usage(audio_ms=3000), ("Grün.",))


def test_plain_text_for_nothing_goes_on_as_it_is() -> None:
    found = CODEC.write_request(request_of(response_format="text"), target(cost=price(0)), output_cap=None)
    assert (sent(found)["response_format"], found.headers["accept"]) == ("text", "*/*")
    answer = CODEC.read_response(b"Hello.\n", found)
    assert (answer.raw, answer.usage, answer.texts) == (b"Hello.\n", GUESS, ("Hello.\n",))
    with pytest.raises(UpstreamRefused):
        CODEC.read_response(b'{"error":{"message":"x","type":"invalid_request_error"}}', found)
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(b"\xff", found)


@pytest.mark.parametrize(
    ("kind", "text", "ms"),
    [
        ("srt", "1\n00:00:00,000 --> 00:00:02,500\nHello.\n\n2\n00:00:02,500 --> 01:02:03,456\nBye.\n", 3_723_456),
        ("vtt", "WEBVTT\n\n00:00.000 --> 00:04.120\nHello.\n", 4120),
    ],
)
def test_subtitles_tell_about_how_long_it_was(kind: str, text: str, ms: int) -> None:
    found = CODEC.read_response(text.encode(), wire(response_format=kind))
    assert found.usage == Usage(audio_ms=ms, is_estimated=True, note="missing")
    assert CODEC.read_response(b"", wire(response_format=kind)).usage == GUESS
    endless = b"00:00:00,000 --> " + b"9" * 5000 + b":00:01,000"
    assert CODEC.read_response(endless, wire(response_format=kind)).usage == GUESS


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"text":1}', b"\xff", b"Hello."])
def test_what_is_no_transcription_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODEC.read_response(body, wire())


DELTA = b'data: {"type":"transcript.text.delta","delta":"I see","logprobs":[]}\n\n'
DONE = (
    b'data: {"type":"transcript.text.done","text":"I see","usage":{"type":"tokens","input_tokens":14,'
    b'"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}}\n\n'
)


def test_a_stream_that_tells_nothing_is_guessed_and_one_that_tells_is_not() -> None:
    asked = wire(stream="true")
    assert asked.units is None  # nothing that the pipeline would add to what a server tells
    silent = CODEC.decoder(asked).feed(b'data: {"type":"transcript.text.done","text":"I"}\n\n')
    assert silent[-1].usage == GUESS
    whole = CODEC.decoder(asked).feed(b'{"text":"I"}')
    assert whole[-1].usage == GUESS
    decoder = CODEC.decoder(asked)
    last = decoder.feed(b'data: {"choices":[{"delta":{"content":"I"},"finish_reason":"stop"}]}\n\n')
    told = decoder.feed(b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n')
    assert (last[-1].usage, told[-1].usage) == (GUESS, Usage(input_tokens=9, output_tokens=3))


def feed(*pieces: bytes) -> list[StreamChunk]:
    """Chunks, with the end of the bytes; the same for any cut."""
    whole = b"".join(pieces)
    results = []
    for size in (len(whole), 1, 7):
        decoder = CODEC.decoder()
        chunks = [chunk for at in range(0, len(whole), size) for chunk in decoder.feed(whole[at : at + size])]
        decoder.feed(b"")
        decoder.close()
        assert decoder.is_complete
        results.append(chunks)
    assert results[0] == results[1] == results[2]
    return results[0]


def test_openais_events_are_read() -> None:
    """Source: https://developers.openai.com/api/reference (transcript.text.delta, transcript.text.done), 2026-11-26."""
    segment = b'event: transcript.text.segment\ndata: {"type":"transcript.text.segment","id":"s","text":"I see"}\n\n'
    for tail in (b"", b"data: [DONE]\n\n"):
        chunks = feed(DELTA, segment, b'data: {"type":"some.new.event"}\n\n', DONE, tail)
        assert [chunk.event for chunk in chunks] == ["", "transcript.text.segment", "", ""]
        assert [chunk.has_content for chunk in chunks] == [False, True, False, False]
        assert [delta.text for chunk in chunks for delta in chunk.deltas] == ["I see", ""]
        assert chunks[-1].deltas[0].finish_reason == "stop"
        assert chunks[-1].usage == Usage(input_tokens=14, input_audio_tokens=14, output_tokens=45)


def test_a_text_that_comes_at_once_is_told_once() -> None:
    assert feed(DONE)[0].deltas[0].text == "I see"


def test_vllms_chunks_are_read() -> None:
    """Source: vllm, entrypoints/openai/speech_to_text/protocol.py, 2026-11-26."""
    first = b'data: {"id":"trsc-1","object":"transcription.chunk","created":1,"model":"m","choices":[{"delta":{"content":"I"}}]}\n\n'
    last = b'data: {"object":"transcription.chunk","choices":[{"delta":{"content":""},"finish_reason":"stop"}]}\n\n'
    usage = b'data: {"object":"transcription.chunk","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}\n\n'
    chunks = feed(first, last, usage, b"data: [DONE]\n\n")
    assert [delta.text for chunk in chunks for delta in chunk.deltas] == ["I", ""]
    assert chunks[-1].usage == Usage(input_tokens=9, output_tokens=3)
    with pytest.raises(UpstreamInterrupted):
        feed(first, b"data: [DONE]\n\n")
    asked = CODEC.write_request(
        request_of(stream="true"), target(stream_usage_field="stream_include_usage"), output_cap=None
    )
    assert sent(asked)["stream_include_usage"] == "true"


def test_a_model_that_cannot_stream_answers_whole() -> None:
    """Source: openai==3.54.0, transcription_create_params.py (`stream` is ignored for whisper-1), 2026-11-26."""
    chunks = feed(b'{"text":"I {see}","usage":{"type":"duration","seconds":2},"x":{"y":1}}\n')
    assert json.loads(chunks[0].raw) == {
        "type": "transcript.text.done", "text": "I {see}", "usage": {"type": "duration", "seconds": 2}, "x": {"y": 1}}  # fmt: skip
    assert (chunks[0].deltas[0].text, chunks[0].usage) == ("I {see}", Usage(audio_ms=2000))


def test_what_follows_a_whole_answer_does_not_count() -> None:
    assert len(feed(b'{"text":"I"}{"text":"again"}')) == len(feed(b'{"text":"I"}\xff')) == 1
    with pytest.raises(UpstreamInvalid):
        feed(b'{"text":{"error":1}}","usage":{}}')


@pytest.mark.parametrize(
    "data",
    [b"", DELTA, DELTA + b"data: [DONE]\n\n", b'{"text":"a"', b'{"error":{"message":"x"}}', b'{"x":1}',
     b'data: {"type":"transcript.text.done"}\n\n', b"data: nonsense\n\n", DELTA + b'data: {"error":{"message":"x"}}\n\n',
     b'event: error\ndata: {"message":"x"}\n\n'],
)  # fmt: skip
def test_anything_less_is_a_fault(data: bytes) -> None:
    with pytest.raises(UpstreamFault):
        feed(data, b"\n") if data else CODEC.decoder().close()


def test_a_flood_where_a_stream_was_due_is_refused() -> None:
    decoder = CODEC.decoder()
    with pytest.raises(UpstreamInvalid):
        for _ in range(200):
            decoder.feed(b'{"a":"' + b"x" * 65_000)
    decoder = CODEC.decoder()
    with pytest.raises(UpstreamInvalid):
        decoder.feed(b'{"a":"' + b"x" * 1_000_000)
        for _ in range(200):
            decoder.feed(b"}")


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_a_fault(body: bytes) -> None:
    for data in (body, b"data: " + body + b"\n\n", b"{" + body):
        decoder = CODEC.decoder()
        with pytest.raises(UpstreamFault):
            decoder.feed(data)
            decoder.close()


@pytest.mark.parametrize("cut", range(1, 7))
def test_white_space_in_front_means_nothing_however_it_is_cut(cut: int) -> None:
    """Found by fuzzing: a piece of nothing else was dropped, in front of an event it belonged to its first line."""

    def end_of(*pieces: bytes) -> str:
        decoder = CODEC.decoder(None)
        with pytest.raises(UpstreamFault) as caught:
            for piece in (*pieces, b""):
                decoder.feed(piece)
            decoder.close()
        return caught.value.code

    data = b"\tdata\r\r"
    assert end_of(data) == end_of(data[:cut], data[cut:]) == "upstream_invalid_response"
