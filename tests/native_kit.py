"""Requests, targets and streams for the tests of codecs whose vendors have a wire of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st

from yuzui.core.answers import EmbeddingRequest, RerankRequest
from yuzui.core.chat import (
    ChatRequest,
    ChatResponse,
    Choice,
    Meaning,
    Message,
    Part,
    Role,
    StreamChunk,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from yuzui.core.errors import UnsupportedFeature
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers.catalogue import ProviderRow

Json = dict[str, Any]  # Any: JSON values

HI = Message(role="user", parts=(TextPart(text="hi"),))
WEATHER = ToolSpec(name="get_weather", parameters={"type": "object"})
NOW = ToolSpec(name="now")
FREE = ToolSpec(name="run", is_custom=True)
CALL = ToolCallPart(id="c1", name="now", arguments="{}")


def said(role: Role, *parts: Part, name: str = "") -> Message:
    return Message(role=role, parts=parts, name=name)


def result(*parts: Any, call: str = "c1", is_error: bool = False) -> Message:  # Any: parts of a result
    return said("tool", ToolResultPart(call_id=call, parts=parts, is_error=is_error))


def target(row: ProviderRow, name: str, model: str = "m", **changes: Any) -> Target:  # Any: fields of Target
    fields: dict[str, Any] = {  # Any: see above
        "name": "the-target",
        "provider": name,
        "codec": name,
        "model": model,
        "base_url": row.base_url,
        "premises": row.premises,
        "clearance": 0,
        "jurisdiction": row.jurisdiction,
        "api_key": "secret-of-the-operator",
        "quirks": row.quirks,
        "parameters": dict(row.parameters),
    }
    return Target(**(fields | changes))


def request(*messages: Message, **meant: Any) -> ChatRequest:  # Any: fields of ChatRequest and of Meaning
    own = {name: meant.pop(name) for name in ("stream", "n", "max_output_tokens", "features") if name in meant}
    meaning = Meaning(messages=messages or (HI,), **meant)
    return ChatRequest(dialect="somebody's", model="auto", body={}, read_meaning=lambda _: meaning, **own)


def embedding(*inputs: str, **changes: Any) -> EmbeddingRequest:  # Any: fields of EmbeddingRequest
    return EmbeddingRequest(
        dialect="somebody's", operation="embeddings", model="auto", body={}, inputs=inputs, read_meaning=meaningless,
        **changes,
    )  # fmt: skip


def reranking(query: str, *documents: str, **changes: Any) -> RerankRequest:  # Any: fields of RerankRequest
    fields: dict[str, Any] = {"dialect": "somebody's", "body": {}}  # Any: as above
    return RerankRequest(
        operation="rerank", model="auto", query=query, documents=documents, read_meaning=meaningless,
        **(fields | changes),
    )  # fmt: skip


def meaningless(_: object) -> Meaning:
    raise AssertionError("nobody asks what texts mean")


def send(codec: Codec, request: ChatRequest, to: Target, output_cap: int | None = None) -> tuple[Json, WireRequest]:
    """What is sent for `request`, as JSON and as it is."""
    wire = codec.write_request(request, to, output_cap=output_cap)
    body: Json = json.loads(wire.body)
    return body, wire


def refused(codec: Codec, request: ChatRequest, to: Target) -> UnsupportedFeature:
    """How `codec` refuses `request`, which must name what to change."""
    with pytest.raises(UnsupportedFeature) as caught:
        codec.write_request(request, to, output_cap=None)
    assert caught.value.param
    return caught.value


def the_choice(response: ChatResponse) -> Choice:
    (choice,) = response.choices
    return choice


def decode(decoder: Decoder, *pieces: bytes) -> list[StreamChunk]:
    """The chunks of a whole stream; it must come to its end."""
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    decoder.close()
    assert decoder.is_complete
    return chunks


def text_of(chunks: Sequence[StreamChunk]) -> str:
    return "".join(delta.text for chunk in chunks for delta in chunk.deltas)


def thoughts_of(chunks: Sequence[StreamChunk]) -> str:
    return "".join(delta.reasoning for chunk in chunks for delta in chunk.deltas)


def arguments_of(chunks: Sequence[StreamChunk]) -> dict[int, str]:
    found: dict[int, str] = {}
    for call in (call for chunk in chunks for delta in chunk.deltas for call in delta.tool_calls):
        found[call.position] = found.get(call.position, "") + call.arguments
    return found


def cut(data: bytes, marks: Sequence[int]) -> list[bytes]:
    """`data` in pieces, at positions made of `marks`."""
    places = sorted({mark % (len(data) + 1) for mark in marks})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def cuts_change_nothing(make: Callable[[], Decoder], data: bytes, marks: Sequence[int]) -> None:
    """However the bytes of a whole stream are cut, its chunks are the same; without its last line it is no stream."""
    whole = decode(make(), data)
    assert decode(make(), *cut(data, marks)) == whole
    assert decode(make(), *[data[at : at + 1] for at in range(len(data))]) == whole


TEXTS = st.lists(st.text(max_size=20), min_size=1, max_size=5)
MARKS = st.lists(st.integers(0, 10**6), max_size=8)
