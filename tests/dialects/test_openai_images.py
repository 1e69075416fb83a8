"""Pictures asked for, and received by the official client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from yuzui.core.answers import Blob
from yuzui.core.chat import AnswerFacts, ChatRequest, Delta, StreamChunk
from yuzui.core.errors import InvalidRequest, UnsupportedFeature, UpstreamInterrupted
from yuzui.dialects.openai_images import DIALECT

ClientThatGets = Callable[[int, bytes, str], openai.OpenAI]
FACTS = AnswerFacts(request_id="req-1", is_lane=True)


def read(**more: Any) -> ChatRequest:  # Any: JSON values
    return DIALECT.read_request({"prompt": "A river", **more})


def test_a_request_is_read() -> None:
    request = read(n=3, stream=True, partial_images=2, model="gpt-image-2", background="opaque")
    assert (request.model, request.n, request.stream, request.operation) == ("gpt-image-2", 3, True, "images")
    assert (read().model, read(n=None).n) == ("auto", 1)
    with pytest.raises(UnsupportedFeature):
        request.meaning  # noqa: B018  # asking for it is the test


@pytest.mark.parametrize(
    ("more", "param"),
    [({"prompt": ""}, "prompt"), ({"n": 0}, "n"), ({"n": "2"}, "n"), ({"partial_images": 1}, "partial_images"),
     ({"user": "a\nb"}, "user"), ({"model": "a\tb"}, "model"), ({"Prompt": "b"}, "Prompt")],
)  # fmt: skip
def test_a_wrong_field_is_named(more: dict[str, Any], param: str) -> None:  # Any: JSON values
    with pytest.raises(InvalidRequest) as caught:
        read(**more)
    assert caught.value.param == param


def test_the_official_client_receives_them(client_that_gets: ClientThatGets) -> None:
    raw = b'{"created":1,"data":[{"b64_json":"QUFB"}],"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}'
    body = DIALECT.write_response(Blob(usage=None, raw=raw, raw_dialect="openai_images"), read(), FACTS)
    found = client_that_gets(200, body, DIALECT.answer_type(read())).images.generate(model="m", prompt="p")
    assert found.data is not None
    assert found.usage is not None
    assert (found.data[0].b64_json, found.usage.output_tokens) == ("QUFB", 2)


def test_the_official_client_receives_drafts_and_the_picture(client_that_gets: ClientThatGets) -> None:
    writer = DIALECT.stream_writer(read(stream=True), FACTS)
    name = "image_generation"
    draft = StreamChunk(
        event=f"{name}.partial_image",
        raw=b'{"type":"image_generation.partial_image","b64_json":"aa"}',
        has_content=True,
    )
    done = StreamChunk(
        event=f"{name}.completed", raw=b'{"type":"image_generation.completed","b64_json":"bb"}', has_content=True,
        deltas=(Delta(finish_reason="stop"),),
    )  # fmt: skip
    sent = writer.write(draft)
    assert writer.write(done) == b""
    body = sent + writer.finish({"request_id": "req-1"})
    client = client_that_gets(200, body, DIALECT.answer_type(read(stream=True)))
    events = list(client.images.generate(model="m", prompt="p", stream=True, partial_images=1))
    assert [(event.type, event.b64_json) for event in events] == [
        (f"{name}.partial_image", "aa"),
        (f"{name}.completed", "bb"),
    ]
    client = client_that_gets(200, sent + writer.fail(UpstreamInterrupted("gone"), "req-1"), "text/event-stream")
    with pytest.raises(openai.APIError, match="gone"):
        list(client.images.generate(model="m", prompt="p", stream=True))
