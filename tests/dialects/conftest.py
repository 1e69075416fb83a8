"""The official client, answered from memory."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import openai
import pytest


@pytest.fixture
def client_that_gets() -> Callable[[int, bytes, str], openai.OpenAI]:
    """Status, body and content type → the official client that gets this answer to anything."""

    def make(status: int, body: bytes, content_type: str) -> openai.OpenAI:
        def answer(request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(status, content=body, headers={"content-type": content_type})

        transport = httpx2.MockTransport(answer)
        return openai.OpenAI(
            api_key="none",
            base_url="http://gateway.test/v1",
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )

    return make
