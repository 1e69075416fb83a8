"""Recordings as the official client sends them, and their texts as it reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import openai
import pytest

from yuzui.core.answers import Blob
from yuzui.core.chat import AnswerFacts, ChatRequest, Delta, StreamChunk
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInterrupted
from yuzui.dialects._contract import ClientDialect
from yuzui.dialects.openai_transcription import DIALECT

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req-1", is_lane=True)
FILE = {"type": "input_audio", "name": "file", "filename": "a.mp3", "media_type": "audio/mpeg", "data": b"ID3"}
BODY: dict[str, Any] = {"model": "auto", "input": [FILE]}  # Any: texts and parts


class Wiretap:
    """The official client, whose requests are kept and answered with `{}`."""

    def __init__(self) -> None:
        self.sent: list[httpx2.Request] = []
        transport = httpx2.MockTransport(self._answer)
        self.client = openai.OpenAI(
            api_key="none", base_url="http://gateway.test/v1", max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )  # fmt: skip

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.sent.append(request)
        return httpx2.Response(200, json={"text": ""})

    def read(self, dialect: ClientDialect) -> ChatRequest:
        request = self.sent[-1]
        return dialect.read_request(dialect.read_body(request.content, request.headers["content-type"]))


def test_what_the_official_client_sends_is_read() -> None:
    tap = Wiretap()
    tap.client.audio.transcriptions.create(
        model="gpt-4o-transcribe", file=("grün.mp3", b"\x00ID3\r\n", "audio/mpeg"), language="de", prompt="Ada",
        temperature=0.2, include=["logprobs"], stream=True, timestamp_granularities=["word", "segment"],
        chunking_strategy={"type": "server_vad", "threshold": 0.5}, response_format="json",
        known_speaker_names=["agent"], known_speaker_references=["data:audio/wav;base64,QUFB"], keywords=["Yuzui"],
    )  # fmt: skip
    request = tap.read(DIALECT)
    assert (request.model, request.stream, request.operation) == ("gpt-4o-transcribe", True, "transcription")
    body = dict(request.body)
    assert body.pop("input") == [
        {"type": "input_audio", "name": "known_speaker_references[]", "data": "data:audio/wav;base64,QUFB"},
        {
            "type": "input_audio",
            "name": "file",
            "filename": "grün.mp3",
            "media_type": "audio/mpeg",
            "data": b"\x00ID3\r\n",
        },
    ]
    assert body == {
        "model": "gpt-4o-transcribe", "language": "de", "prompt": "Ada", "temperature": "0.2", "include[]": ["logprobs"],
        "stream": "true", "timestamp_granularities[]": ["word", "segment"], "chunking_strategy[type]": "server_vad",
        "chunking_strategy[threshold]": "0.5", "response_format": "json", "known_speaker_names[]": ["agent"],
        "keywords[]": ["Yuzui"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"input": None}, "file"),
        ({"input": [FILE | {"data": b""}]}, "file"),
        ({"model": ""}, "model"),
        ({"response_format": "mp3"}, "response_format"),
        ({"stream": "maybe"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"Model": "x"}, "Model"),
    ],
)
def test_a_wrong_field_is_named(more: dict[str, Any], param: str) -> None:  # Any: texts and parts
    with pytest.raises(InvalidRequest) as caught:
        DIALECT.read_request(BODY | more)
    assert caught.value.param == param


def test_json_is_no_form() -> None:
    with pytest.raises(InvalidRequest, match="multipart"):
        DIALECT.read_body(b"{}", "application/json")


@pytest.mark.parametrize(
    ("more", "content_type"),
    [({}, "application/json"), ({"response_format": "vtt"}, "text/plain; charset=utf-8"),
     ({"response_format": "text", "stream": "true"}, "text/event-stream; charset=utf-8")],
)  # fmt: skip
def test_the_answers_type_follows_what_was_asked(more: dict[str, str], content_type: str) -> None:
    assert DIALECT.answer_type(DIALECT.read_request(BODY | more)) == content_type


def test_nothing_else_can_say_it() -> None:
    with pytest.raises(UnsupportedFeature):
        DIALECT.read_request(BODY).meaning  # noqa: B018  # asking for it is the test


def test_the_official_client_reads_json_and_text(client_that_gets: ClientThatGets) -> None:
    raw = b'{"text":"Hello.","usage":{"type":"duration","seconds":2}}'
    body = DIALECT.write_response(Blob(usage=None, raw=raw, raw_dialect=None), DIALECT.read_request(BODY), FACTS)
    assert body is raw
    client = client_that_gets(200, body, "application/json")
    assert client.audio.transcriptions.create(model="m", file=("a.mp3", b"x")).text == "Hello."
    client = client_that_gets(200, b"Hello.\n", "text/plain; charset=utf-8")
    assert client.audio.transcriptions.create(model="m", file=("a.mp3", b"x"), response_format="text") == "Hello.\n"


def test_the_official_client_reads_the_stream(client_that_gets: ClientThatGets) -> None:
    writer = DIALECT.stream_writer(DIALECT.read_request(BODY | {"stream": "true"}), FACTS)
    sent = writer.write(StreamChunk(raw=b'{"type":"transcript.text.delta","delta":"Hel"}', deltas=(Delta(text="Hel"),)))
    done = StreamChunk(raw=b'{"type":"transcript.text.done","text":"Hello."}', deltas=(Delta(finish_reason="stop"),))
    assert writer.write(done) == b""
    body = sent + writer.finish({"request_id": "req-1"})
    client = client_that_gets(200, body, "text/event-stream")
    events = list(client.audio.transcriptions.create(model="m", file=("a.mp3", b"x"), stream=True))
    assert [event.type for event in events] == ["transcript.text.delta", "transcript.text.done"]
    assert events[1].model_extra == {"yuzui": {"request_id": "req-1"}}
    client = client_that_gets(200, sent + writer.fail(UpstreamInterrupted("gone"), "req-1"), "text/event-stream")
    with pytest.raises(openai.APIError, match="gone"):
        list(client.audio.transcriptions.create(model="m", file=("a.mp3", b"x"), stream=True))
