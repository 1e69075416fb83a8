"""The official `openai` client over embeddings."""

from __future__ import annotations

import asyncio

import openai
import pytest

from clients.gateway import Gateway
from clients.scripted_upstream import vector


@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_vectors_arrive_as_the_model_gave_them(gateway: Gateway, encoding: str | None) -> None:
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
        options = {} if encoding is None else {"encoding_format": encoding}
        answer = client.embeddings.create(model="embedder", input=["one", "two"], **options)  # type: ignore[arg-type]  # str
    if encoding != "base64":  # what was asked for by name is not decoded by the client
        assert [one.embedding for one in answer.data] == [vector("one"), vector("two")]
    assert [one.index for one in answer.data] == [0, 1]
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == 12


def test_dimensions_and_the_async_client(gateway: Gateway) -> None:
    async def story() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
            answer = await client.embeddings.create(model="embedder", input="one", dimensions=4)
            assert answer.data[0].embedding == vector("one", 4)

    asyncio.run(story())
