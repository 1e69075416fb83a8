"""Every codec and every dialect that is found keeps its contract."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any, get_args

import pytest

import yuzui.dialects
from yuzui.core.answers import EmbeddingRequest, RerankRequest
from yuzui.core.chat import AnswerFacts, ChatRequest, Meaning, Message, Operation, TextPart
from yuzui.core.errors import NoPermittedTarget, UpstreamFault, UpstreamInterrupted, UpstreamInvalid
from yuzui.core.target import Quirks, Target
from yuzui.dialects._contract import ClientDialect, StreamWriter
from yuzui.providers._contract import Codec, Decoder
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
