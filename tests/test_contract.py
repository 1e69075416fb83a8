"""Every codec and every dialect that is found keeps its contract."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import get_args

import pytest

import yuzui.dialects
from yuzui.core.chat import ChatRequest, Dialect, Meaning, Message, TextPart
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


def target_of(name: str) -> Target:
    row = load_rows().get(name)
    return Target(
        name="t", provider=name, codec=name, model="m-1", base_url="https://x.test", premises="vendor", clearance=0,
        jurisdiction="", api_key=SECRET, quirks=row.quirks if row else Quirks(),
    )  # fmt: skip


def foreign_request(*, stream: bool = False) -> ChatRequest:
    meaning = Meaning(messages=(Message(role="user", parts=(TextPart(text="hi"),)),), knobs={"no_such_knob": 1})
    return ChatRequest(
        dialect="scripted", model="auto", body={}, stream=stream, max_output_tokens=5, read_meaning=lambda body: meaning
    )


def public(protocol: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(protocol) if not name.startswith("_")}


def test_there_are_codecs_and_dialects() -> None:
    assert CODECS.keys() >= {"openai", "anthropic", "scripted"}
    assert DIALECTS.keys() >= {"openai_chat"}


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_has_the_shape_of_its_contract(name: str) -> None:
    codec = CODECS[name]
    assert codec.dialect in get_args(Dialect)
    for method in public(Codec):
        wanted = inspect.signature(getattr(Codec, method))
        assert list(inspect.signature(getattr(type(codec), method)).parameters) == list(wanted.parameters)
    assert public(Decoder) <= set(dir(codec.decoder()))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("stream", [False, True])
def test_a_codec_writes_what_came_in_another_dialect(name: str, stream: bool) -> None:
    wire = CODECS[name].write_request(foreign_request(stream=stream), target_of(name), output_cap=None)
    assert wire.path.startswith("/")
    assert wire.is_stream is stream
    assert b'"m-1"' in wire.body
    assert SECRET in "".join(wire.headers.values())
    assert SECRET not in repr(wire)
    assert SECRET.encode() not in wire.body
    assert "no_such_knob" in wire.dropped


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"null", b"\xff", b'{"id":1}'])
def test_a_codec_never_takes_garbage_for_an_answer(name: str, body: bytes) -> None:
    with pytest.raises(UpstreamInvalid):
        CODECS[name].read_response(body)


@pytest.mark.parametrize("name", CODECS)
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
    fault = CODECS[name].read_error(status, {"Retry-After": "3"}, body, target_of(name))
    assert isinstance(fault, UpstreamFault)
    assert 400 <= fault.status <= 599
    assert SECRET not in fault.message
    assert "\x07" not in fault.message


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_has_the_shape_of_its_contract(name: str) -> None:
    dialect = DIALECTS[name]
    assert dialect.name == name
    assert dialect.name in get_args(Dialect)
    for method in public(ClientDialect):
        wanted = inspect.signature(getattr(ClientDialect, method))
        assert list(inspect.signature(getattr(type(dialect), method)).parameters) == list(wanted.parameters)
    for is_lane in (False, True):
        writer = dialect.stream_writer(foreign_request(stream=True), request_id="r", is_lane=is_lane)
        assert public(StreamWriter) <= set(dir(writer))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialects_error_names_code_and_request(name: str) -> None:
    body = DIALECTS[name].write_error(NoPermittedTarget("nothing may see this"), "req-7")
    assert b"nothing may see this" in body
    assert b"req-7" in body
