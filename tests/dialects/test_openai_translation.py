"""Translations: the same form at another path."""

from __future__ import annotations

import httpx2
import openai
import pytest

from yuzui.core.answers import Blob
from yuzui.core.chat import AnswerFacts
from yuzui.dialects.openai_translation import DIALECT


def test_what_the_official_client_sends_is_read_and_answered() -> None:
    answers: list[bytes] = []

    def gateway(request: httpx2.Request) -> httpx2.Response:
        body = DIALECT.read_body(request.read(), request.headers["content-type"])
        asked = DIALECT.read_request(body)
        assert (request.url.path, asked.dialect, asked.operation) == (
            "/v1/audio/translations", "openai_translation", "transcription")  # fmt: skip
        blob = Blob(usage=None, raw=b'{"text":"Good day."}', raw_dialect="openai_transcription")
        answers.append(DIALECT.write_response(blob, asked, AnswerFacts(request_id="req-1")))
        return httpx2.Response(200, content=answers[-1], headers={"content-type": DIALECT.answer_type(asked)})

    client = openai.OpenAI(
        api_key="none", base_url="http://gateway.test/v1", max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(gateway)),
    )  # fmt: skip
    with pytest.warns(DeprecationWarning):  # its makers retire the path in favour of transcriptions
        found = client.audio.translations.create(model="whisper-1", file=("a.mp3", b"x"), prompt="p")
    assert found.text == "Good day."
    assert answers
