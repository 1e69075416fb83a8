"""Every codec and every dialect that is found keeps its contract."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import msgspec
import pytest

import yuzui.dialects
from eventstream_kit import event
from yuzui.core.answers import EmbeddingRequest, RerankRequest
from yuzui.core.chat import AnswerFacts, ChatRequest, ChatResponse, Meaning, Message, Operation, RequestLine, TextPart
from yuzui.core.errors import (
    InvalidRequest,
    NoPermittedTarget,
    UnsupportedFeature,
    UpstreamFault,
    UpstreamInterrupted,
    UpstreamInvalid,
)
from yuzui.core.price_terms import STANDARD, read_terms
from yuzui.core.target import Quirks, Target
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.exchange import Delivered
from yuzui.lanes import sent_terms
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers.catalogue import find_codecs, load_rows

SECRET = "k" * 24
CODECS = dict(find_codecs())
DIALECTS: dict[str, ClientDialect] = {
    found.name: module.DIALECT
    for found in pkgutil.iter_modules(yuzui.dialects.__path__)
    if hasattr(module := importlib.import_module(f"yuzui.dialects.{found.name}"), "DIALECT")
}


def family_of(name: str) -> str:
    """The codec whose row a target of `name` would have: `cohere_rerank` belongs to `cohere`."""
    return name.removesuffix(f"_{CODECS[name].operation}")


def target_of(name: str) -> Target:
    row = load_rows().get(family_of(name))  # an operation's codec has none of its own
    return Target(
        name="t", provider=name, codec=name, model="m-1", base_url="https://x.test", premises="vendor", clearance=0,
        jurisdiction="", api_key=SECRET, quirks=row.quirks if row else Quirks(),
        parameters={"project_id": "p-1", "region": "r-1", "location": "l-1"},
    )  # fmt: skip


KNOBS = {"no_such_knob": 1}
LANES: frozenset[Operation] = frozenset({"moderations", "transcription", "speech", "images", "completions"})
"""Operations that travel on the same-dialect lane only: there is nothing to translate."""


def foreign_request(operation: Operation = "chat", *, stream: bool = False) -> ChatRequest:
    meaning = Meaning(messages=(Message(role="user", parts=(TextPart(text="hi"),)),), knobs=KNOBS)
    common: dict[str, Any] = {  # Any: keyword arguments of a ChatRequest
        "dialect": "nobody's", "operation": operation, "model": "auto", "body": {}, "stream": stream,
        "max_output_tokens": 5, "read_meaning": lambda body: meaning,
    }  # fmt: skip
    if operation == "embeddings":
        return EmbeddingRequest(inputs=("hi",), knobs=KNOBS, **common)
    if operation == "rerank":
        return RerankRequest(query="hi", documents=("a", "b"), knobs=KNOBS, **common)
    return ChatRequest(**common)


class ByName(dict[str, str]):
    """Headers as the pipeline hands them on: they answer when asked by name, and cannot be walked."""

    def __iter__(self) -> Iterator[str]:  # type: ignore[explicit-override]  # the point of it
        raise AssertionError("ask for a header by its name")

    items = keys = values = __iter__  # type: ignore[assignment]  # as above


def public(protocol: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(protocol, _is_method) if not name.startswith("_")}


def _is_method(member: object) -> bool:
    return callable(member) or isinstance(member, property)


def test_there_are_codecs_and_dialects() -> None:
    assert CODECS.keys() >= {"openai", "anthropic", "scripted"}
    assert DIALECTS.keys() >= {"openai_chat"}


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_has_the_shape_of_its_contract(name: str) -> None:
    codec = CODECS[name]
    assert codec.dialect
    assert codec.operation in get_args(Operation)
    if codec.operation != "chat":
        assert name.endswith(f"_{codec.operation}"), "found by its name: <codec>_<operation>"
    for method in public(Codec):
        wanted = inspect.signature(getattr(Codec, method))
        assert list(inspect.signature(getattr(type(codec), method)).parameters) == list(wanted.parameters)
    assert public(Decoder) <= set(dir(codec.decoder()))


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.operation not in LANES])
@pytest.mark.parametrize("stream", [False, True])
def test_a_codec_writes_what_came_in_another_dialect(name: str, stream: bool) -> None:
    operation = CODECS[name].operation
    stream = stream and operation == "chat"
    wire = CODECS[name].write_request(foreign_request(operation, stream=stream), target_of(name), output_cap=None)
    assert wire.path.startswith("/")
    assert wire.is_stream is stream
    assert not wire.is_lane
    assert b'"m-1"' in wire.body or "m-1" in wire.path  # in the body, or in the path
    assert SECRET in "".join(wire.headers.values())
    assert SECRET not in repr(wire)
    assert SECRET.encode() not in wire.body
    assert operation == "count_tokens" or "no_such_knob" in wire.dropped


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.operation not in LANES])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"null", b"\xff", b'{"id":1}'])
def test_a_codec_never_takes_garbage_for_an_answer(name: str, body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODECS[name].read_response(body)


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.operation == "chat"])
def test_a_stream_without_its_end_is_interrupted(name: str) -> None:
    decoder = CODECS[name].decoder()
    assert decoder.feed(b": comment\n\n") == []
    assert not decoder.is_complete
    with pytest.raises(UpstreamInterrupted):
        decoder.close()


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529, 999])
def test_an_error_answer_is_a_fault_that_tells_no_secret(name: str, status: int) -> None:
    body = b'{"error":{"message":"bad ' + SECRET.encode() + b'\\u0007 key","type":"x"}}'
    fault = CODECS[name].read_error(status, ByName({"retry-after": "3"}), body, target_of(name))
    assert isinstance(fault, UpstreamFault)
    assert 400 <= fault.status <= 599
    assert SECRET not in fault.message
    assert "\x07" not in fault.message


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_has_the_shape_of_its_contract(name: str) -> None:
    dialect = DIALECTS[name]
    assert dialect.name == name
    assert dialect.operation in get_args(Operation)
    for method in public(ClientDialect):
        wanted = inspect.signature(getattr(ClientDialect, method))
        assert list(inspect.signature(getattr(type(dialect), method)).parameters) == list(wanted.parameters)
    for is_lane in (False, True) if dialect.operation == "chat" else ():
        writer = dialect.stream_writer(foreign_request(stream=True), AnswerFacts(request_id="r", is_lane=is_lane))
        assert public(StreamWriter) <= set(dir(writer))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialects_error_names_code_and_request(name: str) -> None:
    body = DIALECTS[name].write_error(NoPermittedTarget("nothing may see this"), "req-7")
    assert b"nothing may see this" in body
    assert b"req-7" in body


# ---- what changes the price -----------------------------------------------------------------------------------------

ASKED: tuple[dict[str, Any], ...] = (  # Any: JSON values
    {"service_tier": "priority"},
    {"service_tier": "flex"},
    {"service_tier": "scale"},
    {"serviceTier": "priority"},
    {"serviceTier": {"type": "priority"}},
    {"speed": "fast"},
    {"inference_geo": "us"},
    {"performanceConfig": {"latency": "optimized"}},
    {"extra_body": {"service_tier": "priority"}},
)
CHATS: dict[str, dict[str, Any]] = {  # Any: JSON values
    "openai_chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
    "openai_responses": {"model": "m", "input": "hi", "max_output_tokens": 16},
    "anthropic_messages": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5},
    "gemini": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], "generationConfig": {"maxOutputTokens": 5}},
}


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("dialect", CHATS)
@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.operation == "chat"])
@pytest.mark.parametrize("drops", [(), ("service_tier", "serviceTier", "speed")], ids=["all", "drops"])
def test_no_price_term_is_sent_that_the_codec_does_not_tell_of(
    name: str, dialect: str, asked: dict[str, Any], drops: tuple[str, ...]
) -> None:
    codec, target = CODECS[name], target_of(name)
    target = replace(target, quirks=replace(target.quirks, drops=target.quirks.drops | set(drops)))
    line = RequestLine(path="/v1beta/models/m:generateContent") if dialect == "gemini" else RequestLine()
    try:
        request = DIALECTS[dialect].read_request({**CHATS[dialect], **asked}, line)
        wire = codec.write_request(request, target, output_cap=None)
    except (InvalidRequest, UnsupportedFeature):
        return
    sent = read_terms(msgspec.json.decode(wire.body)) - STANDARD
    told = codec.sent_terms(request, target)
    assert sent <= told
    assert not codec.own_terms(target)
    if codec.dialect == dialect and target.quirks.drops.isdisjoint(asked):
        assert sent == told == request.price_terms, "the lane sends all of it"
    if not sent and "extra_body" not in asked and "serviceTier" not in asked:
        assert not told - STANDARD, "what is not sent costs nothing"


@pytest.mark.parametrize("name", [name for name, codec in CODECS.items() if codec.operation in LANES])
def test_an_operation_that_hands_on_what_it_gets_tells_of_all_of_it(name: str) -> None:
    codec = CODECS[name]
    request = msgspec.structs.replace(foreign_request(codec.operation), body={"service_tier": "priority"})
    assert codec.sent_terms(request, target_of(name)) == {"service_tier=priority"}


def sse(*events: dict[str, Any]) -> bytes:  # Any: JSON values
    return b"".join([b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events])


def chat_chunk(finish: str | None, **more: object) -> dict[str, Any]:  # Any: JSON values
    return {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": finish}], **more}


RESPONSE: dict[str, Any] = {  # Any: JSON values
    "id": "r", "status": "completed", "service_tier": "priority", "usage": {"input_tokens": 1, "output_tokens": 1},
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
}  # fmt: skip
FAST = {"input_tokens": 1, "output_tokens": 1, "service_tier": "standard", "speed": "fast", "inference_geo": "us"}
SPOKEN: dict[str, Any] = {  # Any: JSON values
    "candidates": [{"index": 0, "content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}],
}
OPTIMIZED = {
    "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    "serviceTier": {"type": "priority"},
    "performanceConfig": {"latency": "optimized"},
}


@pytest.mark.parametrize(
    ("name", "body", "stream", "told"),
    [
        (
            "openai",
            {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "service_tier": "priority"},
            sse(chat_chunk(None, service_tier="default"), chat_chunk("stop", service_tier="priority")),
            {"service_tier=priority"},
        ),
        (
            "openai",
            {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}], "service_tier": {"odd": 1}},
            sse(chat_chunk("stop", service_tier=7)),
            set(),
        ),
        (
            "openai_responses",
            RESPONSE,
            sse(
                {"type": "response.created", "response": {"id": "r", "service_tier": "auto"}},
                {"type": "response.output_text.delta", "delta": "hi"},
                {"type": "response.completed", "response": RESPONSE},
            ),
            {"service_tier=priority"},
        ),
        (
            "anthropic",
            {"type": "message", "content": [], "stop_reason": "end_turn", "usage": FAST},
            sse(
                {"type": "message_start", "message": {"id": "m", "usage": FAST | {"speed": "standard"}}},
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"speed": "fast"}},
                {"type": "message_stop"},
            ),
            {"service_tier=standard", "speed=fast", "inference_geo=us"},
        ),
        (
            "vertex",
            {**SPOKEN, "usageMetadata": {"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"}},
            sse({**SPOKEN, "usageMetadata": {"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"}}),
            {"service_tier=priority"},
        ),
        (
            "gemini",
            {**SPOKEN, "usageMetadata": {"promptTokenCount": 1, "serviceTier": "flex"}},
            sse({**SPOKEN, "usageMetadata": {"promptTokenCount": 1, "serviceTier": "flex"}}),
            {"service_tier=flex"},
        ),
        (
            "bedrock",
            {"output": {"message": {"content": [{"text": "hi"}]}}, "stopReason": "end_turn", **OPTIMIZED},
            b"".join(
                event(kind, msgspec.json.encode(payload))
                for kind, payload in (
                    ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "hi"}}),
                    ("messageStop", {"stopReason": "end_turn"}),
                    ("metadata", OPTIMIZED),
                )
            ),
            {"service_tier=priority", "latency=optimized"},
        ),
    ],
)
def test_an_answer_tells_at_which_terms_it_was_made(
    name: str, body: dict[str, Any], stream: bytes, told: set[str]
) -> None:
    answer = CODECS[name].read_response(msgspec.json.encode(body))
    assert isinstance(answer, ChatResponse) and set(answer.price_terms) == told
    for is_lane in (True, False):
        wire = WireRequest(path="", headers={}, body=b"", is_stream=True, is_lane=is_lane)
        counted = Delivered()
        for chunk in CODECS[name].decoder(wire).feed(stream):
            counted.count(chunk)
        assert set(counted.told_terms) == told


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai_embeddings", {"model": "m", "input": "hi"}),
        ("rerank", {"model": "m", "query": "q", "documents": ["a"]}),
    ],
)
@pytest.mark.parametrize(
    "name", [name for name, codec in CODECS.items() if codec.operation in ("embeddings", "rerank")]
)
def test_other_operations_tell_of_it_where_they_hand_on_what_they_get(
    name: str, dialect: str, body: dict[str, Any]
) -> None:
    request = DIALECTS[dialect].read_request({**body, "service_tier": "priority"})
    if request.operation != CODECS[name].operation:
        return
    try:
        wire = CODECS[name].write_request(request, target_of(name), output_cap=None)
    except UnsupportedFeature:
        return
    told = CODECS[name].sent_terms(request, target_of(name))
    assert read_terms(msgspec.json.decode(wire.body)) <= told
    assert bool(told) == (CODECS[name].dialect == dialect)


def test_what_an_operator_chose_for_a_target_is_asked_by_every_request() -> None:
    target = replace(target_of("bedrock"), parameters={"region": "r-1", "latency": "optimized"})
    wire = CODECS["bedrock"].write_request(foreign_request(), target, output_cap=None)
    sent = read_terms(msgspec.json.decode(wire.body))
    assert sent == CODECS["bedrock"].own_terms(target) == {"latency=optimized"}
    assert sent_terms(CODECS, foreign_request(), target) == sent
