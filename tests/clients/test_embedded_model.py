"""The official clients against the real open model behind `yuzui serve`: whole, streamed, held to a schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types
from pydantic import BaseModel

from clients.gateway import Gateway, serving
from clients.scripted_upstream import ScriptedUpstream
from yuzui.engine.cache import default_cache

MODEL = "smollm2-135m"
TARGET = f"own/{MODEL}"
QUESTION = "Write one short sentence about water."

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        default_cache().find(MODEL) is None, reason=f"the weights are not in the cache: `yuzui models pull {MODEL}`"
    ),
]


class Count(BaseModel):
    """Small enough for a small model."""

    number: int
    is_even: bool


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with serving(tmp_path_factory.mktemp("real"), ScriptedUpstream(), "[embedded]\nenabled = true\n") as running:
        yield running


def test_messages(real: Gateway) -> None:
    asked: dict[str, Any] = {  # Any: the client's own options
        "model": "own", "max_tokens": 24, "messages": [{"role": "user", "content": QUESTION}], "temperature": 0,
    }  # fmt: skip
    # This version of the client takes sampling beside its own arguments, because the vendor's newest models do not.
    asked["extra_body"] = {"temperature": asked.pop("temperature")}
    with anthropic.Anthropic(base_url=real.address, api_key=real.key, max_retries=0, timeout=60) as client:
        whole = client.messages.create(**asked)
        assert whole.content[0].type == "text" and whole.content[0].text
        assert 0 < whole.usage.output_tokens <= 24 and whole.usage.input_tokens > 5
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_text() == whole.content[0].text
            assert stream.get_final_message().stop_reason == whole.stop_reason
        count = client.messages.parse(**{**asked, "max_tokens": 80}, output_format=Count)
        assert isinstance(count.parsed_output, Count)
        assert client.messages.count_tokens(model="own", messages=asked["messages"]).input_tokens > 5


def test_gemini(real: Gateway) -> None:
    config = types.GenerateContentConfig(max_output_tokens=24, temperature=0)
    options = types.HttpOptions(base_url=real.address, timeout=60_000)
    with genai.Client(api_key=real.key, http_options=options) as client:
        whole = client.models.generate_content(model=TARGET, contents=QUESTION, config=config)
        assert whole.text
        assert whole.usage_metadata and 0 < (whole.usage_metadata.candidates_token_count or 0) <= 24
        chunks = list(client.models.generate_content_stream(model="own", contents=QUESTION, config=config))
        assert "".join(chunk.text or "" for chunk in chunks) == whole.text
        wanted = types.GenerateContentConfig(
            max_output_tokens=80, response_mime_type="application/json", response_schema=Count
        )
        assert isinstance(client.models.generate_content(model="own", contents=QUESTION, config=wanted).parsed, Count)


def test_responses(real: Gateway) -> None:
    asked: dict[str, Any] = {  # Any: the client's own options
        "model": TARGET, "input": QUESTION, "max_output_tokens": 24, "temperature": 0,
    }  # fmt: skip
    with openai.OpenAI(base_url=f"{real.address}/v1", api_key=real.key, max_retries=0, timeout=60) as client:
        whole = client.responses.create(**asked)
        assert whole.output_text and whole.usage and 0 < whole.usage.output_tokens <= 24
        with client.responses.stream(**asked) as stream:
            assert stream.get_final_response().output_text == whole.output_text
        parsed = client.responses.parse(**{**asked, "max_output_tokens": 80}, text_format=Count)
        assert isinstance(parsed.output_parsed, Count)
        following = client.responses.create(
            model=TARGET, input="And now?", previous_response_id=whole.id, max_output_tokens=8
        )
        assert following.usage and whole.usage and following.usage.input_tokens > whole.usage.input_tokens


def test_chat_completions(real: Gateway) -> None:
    with openai.OpenAI(base_url=f"{real.address}/v1", api_key=real.key, max_retries=0, timeout=60) as client:
        answer = client.chat.completions.parse(
            model="own", messages=[{"role": "user", "content": QUESTION}], max_tokens=80, response_format=Count
        )
        assert isinstance(answer.choices[0].message.parsed, Count)
