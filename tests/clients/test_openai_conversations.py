"""The official `openai` client's Conversations, continued by every wire that a target may speak."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.conversations import Message

from clients.gateway import NAMES, Gateway
from clients.scripted_model import PLAIN


@pytest.fixture(scope="module")
def client(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0, timeout=20) as client:
        yield client


def said(text: str) -> Any:  # Any: the client's TypedDict
    return {"type": "message", "role": "user", "content": text}


def text_of(item: object) -> str:
    assert isinstance(item, Message)
    part = item.content[0]
    assert part.type in ("input_text", "output_text")
    return str(part.text)


def test_all_that_the_client_can_do_with_a_conversation(client: openai.OpenAI) -> None:
    made = client.conversations.create(items=[said("one")], metadata={"topic": "demo"})
    assert made.object == "conversation" and made.metadata == {"topic": "demo"}
    assert client.conversations.retrieve(made.id) == made
    assert client.conversations.update(made.id, metadata={"topic": "天气"}).metadata == {"topic": "天气"}
    added = client.conversations.items.create(made.id, items=[said("two"), said("three")])
    assert [text_of(item) for item in added.data] == ["two", "three"]
    two = added.data[0].id
    assert two and text_of(client.conversations.items.retrieve(two, conversation_id=made.id)) == "two"
    assert client.conversations.items.delete(two, conversation_id=made.id).id == made.id
    assert [text_of(item) for item in client.conversations.items.list(made.id, order="asc", limit=1)] == [
        "one",
        "three",
    ]
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError) as caught:
        client.conversations.retrieve(made.id)
    assert caught.value.code == "conversation_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        client.conversations.create(items=[said("x")] * 21)
    assert refused.value.param == "items"


@pytest.mark.parametrize("model", NAMES)
def test_answers_join_their_conversation(client: openai.OpenAI, model: str) -> None:
    conversation = client.conversations.create().id
    answer = client.responses.create(model=model, input="script:plain", conversation=conversation)
    assert answer.output_text == PLAIN and answer.conversation is not None and answer.conversation.id == conversation
    with client.responses.stream(model=model, input="script:plain", conversation=conversation) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert final.conversation is not None and final.conversation.id == conversation
    items = list(client.conversations.items.list(conversation, order="asc"))
    messages = [item for item in items if isinstance(item, Message)]
    assert [item.role for item in messages] == ["user", "assistant"] * 2
    assert [text_of(item) for item in messages[1::2]] == [PLAIN, PLAIN]


def test_the_async_client(gateway: Gateway) -> None:
    async def story() -> None:
        async with openai.AsyncOpenAI(base_url=f"{gateway.address}/v1", api_key=gateway.key, max_retries=0) as client:
            conversation = await client.conversations.create(items=[said("one")])
            listed = [text_of(item) async for item in client.conversations.items.list(conversation.id)]
            assert listed == ["one"]
            assert (await client.conversations.delete(conversation.id)).deleted

    asyncio.run(story())
