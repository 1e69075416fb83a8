"""Golden wire cases: the four crossings of the gateway, in travel order, as text files.

A case is `tests/wire/<codec>/<name>.wire`; it is found by listing the folder, so a new case needs no code here.

    # A comment: what this case is for.
    provider = "vllm"              preamble, TOML, see `Preamble`
    >> client                      the client's request: method and path, headers, empty line, body
    >> upstream                    what must be sent: `POST <base_url><path>`, all headers, empty line, body
    << upstream                    what was answered: status, headers, empty line, body
    << client                      what the client must get

* The body of a section is everything between its empty line and the next section's first line. A server-sent event
  therefore ends with an empty line in the file, and a stream that simply lacks its terminator is a cut stream.
* JSON bodies are compared as values; a stream is compared byte by byte, fed whole, one byte at a time, and in thirds.
* A fault before the first byte for the client is an ordinary error answer; after it, it is an event in the stream.
  A decoder that finds a fault behind good chunks in the same bytes returns the chunks and raises on the next call.
* A body of type application/vnd.amazon.eventstream is written as lines, see `encode_lines` in eventstream_kit.py.
* `{version}` in a header stands for our own version. The request id is `req-1`, the trailer `{"request_id": "req-1"}`,
  the target's key `the-key`; header names are compared without case.
* Without `<< upstream` and `<< client` only the way up is checked; with `>> client` and `<< client` alone, a refusal.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventstream_kit import encode_lines
from yuzui import __version__
from yuzui.core import eventstream
from yuzui.core.chat import AnswerFacts, ChatRequest, RequestLine
from yuzui.core.errors import ClientFault, UpstreamFault, YuzuiError
from yuzui.core.target import Premises, Quirks, Target
from yuzui.dialects._contract import ClientDialect
from yuzui.providers._contract import Codec, WireRequest
from yuzui.providers.catalogue import load_rows

WIRE = Path(__file__).parent / "wire"
CASES = sorted(WIRE.glob("*/*.wire"))
SECTIONS = (">> client", ">> upstream", "<< upstream", "<< client")
REQUEST_ID = "req-1"
TRAILER = {"request_id": REQUEST_ID}


class Preamble(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The target of a case."""

    model: str
    provider: str = ""
    """A row of openai_compatible.toml whose quirks and base_url apply; empty: plain quirks."""
    base_url: str = "https://upstream.test/v1"
    dialect: str = "openai_chat"
    """What the client speaks: a file in dialects/."""
    premises: Premises = "vendor"
    output_cap: int | None = None
    parameters: dict[str, str] = {}
    max_output_tokens: int = 0
    quirks: dict[str, Any] = {}  # Any: laid over the row's quirks, then converted to Quirks


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """One section: its first line, its headers, its bytes."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        return int(self.start.split()[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    preamble: Preamble
    sections: dict[str, Crossing]

    def codec(self, folder: str) -> Codec:
        codec: Codec = importlib.import_module(f"yuzui.providers.{folder}").CODEC
        return codec

    def dialect(self) -> ClientDialect:
        dialect: ClientDialect = importlib.import_module(f"yuzui.dialects.{self.preamble.dialect}").DIALECT
        return dialect

    def target(self, codec: str) -> Target:
        base_url, quirks = self.preamble.base_url, Quirks()
        if self.preamble.provider:
            row = load_rows()[self.preamble.provider]
            base_url, quirks = row.base_url or base_url, row.quirks
        if self.preamble.quirks:
            quirks = msgspec.convert(msgspec.to_builtins(quirks) | self.preamble.quirks, Quirks)
        return Target(
            name="the-target",
            provider=self.preamble.provider or codec,
            codec=codec,
            model=self.preamble.model,
            base_url=base_url,
            premises=self.preamble.premises,
            clearance=0,
            jurisdiction="CN",
            api_key="the-key",
            quirks=quirks,
            parameters=self.preamble.parameters,
            max_output_tokens=self.preamble.max_output_tokens,
        )


def read_case(text: str) -> Case:
    """Raise `ValueError` for a file that is not a wire case."""
    preamble: list[str] = []
    found: dict[str, list[str]] = {}
    into = preamble
    for line in text.splitlines(keepends=True):
        title = line.rstrip("\n")
        if title in SECTIONS:
            if title in found:
                raise ValueError(f"section {title!r} stands twice")
            into = found.setdefault(title, [])
        else:
            into.append(line)
    if ">> client" not in found or not ({">> upstream", "<< client"} & found.keys()):
        raise ValueError("a case needs `>> client` and what follows from it")
    return Case(
        preamble=msgspec.toml.decode("".join(preamble), type=Preamble),
        sections={title: _read_crossing("".join(lines)) for title, lines in found.items()},
    )


def _read_crossing(text: str) -> Crossing:
    head, _, body = text.partition("\n\n")
    start, *lines = head.strip("\n").split("\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value.replace("{version}", __version__)
    is_binary = headers.get("content-type") == eventstream.CONTENT_TYPE
    return Crossing(start=start, headers=headers, body=encode_lines(body) if is_binary else body.encode())


def facts_of(codec: Codec, dialect: ClientDialect, provider: str = "") -> AnswerFacts:
    return AnswerFacts(
        request_id=REQUEST_ID, is_lane=codec.dialect == dialect.name, origin=provider, at_s=1_800_000_000
    )


def answer_whole(
    codec: Codec, dialect: ClientDialect, request: ChatRequest, body: bytes, wire: WireRequest, provider: str
) -> bytes:
    """What the client gets for a whole 2xx answer; raise an `UpstreamFault`."""
    response = codec.read_response(body, wire)
    answer = dialect.write_response(response, request, facts_of(codec, dialect, provider))
    if wire.is_lane and not request.keeps:
        assert answer == body, "the same-dialect lane hands the upstream's bytes on unchanged"
    return answer


def answer_stream(
    codec: Codec, dialect: ClientDialect, request: ChatRequest, pieces: list[bytes], wire: WireRequest, provider: str
) -> tuple[int, bytes]:
    """Status and bytes that the client gets for a streamed 2xx answer that arrives in `pieces`."""
    decoder = codec.decoder(wire)
    writer = dialect.stream_writer(request, facts_of(codec, dialect, provider))
    sent = b""
    try:
        for piece in pieces:
            for chunk in decoder.feed(piece):
                sent += writer.write(chunk)
        decoder.close()
        assert decoder.is_complete
    except UpstreamFault as fault:
        if not sent:
            return fault.status, dialect.write_error(fault, REQUEST_ID)
        return 200, sent + writer.fail(fault, REQUEST_ID)
    return 200, sent + writer.finish(TRAILER)


def _check_sent(case: Case, codec: Codec, request: ChatRequest, target: Target) -> WireRequest:
    want = case.sections[">> upstream"]
    wire = codec.write_request(request, target, output_cap=case.preamble.output_cap)
    assert f"POST {target.base_url}{wire.path}" == want.start
    assert {name.lower(): value for name, value in wire.headers.items()} == want.headers
    assert json.loads(wire.body) == json.loads(want.body)
    assert wire.is_stream == request.stream
    return wire


def _read_request(dialect: ClientDialect, crossing: Crossing) -> ChatRequest:
    path, _, query = crossing.start.partition(" ")[2].partition("?")
    heard = {name: value for name, value in crossing.headers.items() if name in dialect.hears}
    body = dialect.read_body(crossing.body, crossing.headers.get("content-type", "application/json"))
    return dialect.read_request(body, RequestLine(path=path, query=query, headers=heard))


def _cuts(body: bytes) -> list[list[bytes]]:
    third = max(1, len(body) // 3)
    return [
        [body],
        [body[i : i + 1] for i in range(len(body))],
        [body[i : i + third] for i in range(0, len(body), third)],
    ]


def _check_error(error: YuzuiError, dialect: ClientDialect, want: Crossing) -> None:
    assert error.status == want.status
    assert json.loads(dialect.write_error(error, REQUEST_ID)) == json.loads(want.body)


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_wire_case_comes_out_as_written(path: Path) -> None:
    case = read_case(path.read_text("utf-8"))
    codec, dialect, target = case.codec(path.parent.name), case.dialect(), case.target(path.parent.name)
    want = case.sections.get("<< client")
    try:
        request = _read_request(dialect, case.sections[">> client"])
        if ">> upstream" not in case.sections:
            codec.write_request(request, target, output_cap=case.preamble.output_cap)
    except ClientFault as fault:
        assert want is not None and ">> upstream" not in case.sections, f"refused: {fault}"
        _check_error(fault, dialect, want)
        return
    wire = _check_sent(case, codec, request, target)
    provider = target.provider
    if want is None:
        return
    got = case.sections["<< upstream"]
    assert want.headers.get("x-yuzui-dropped", "") == ", ".join(wire.dropped)
    if got.status >= 300:
        _check_error(codec.read_error(got.status, got.headers, got.body, target), dialect, want)
    elif request.stream:
        for pieces in _cuts(got.body):
            status, sent = answer_stream(codec, dialect, request, pieces, wire, provider)
            assert status == want.status
            if status == 200:
                assert sent.decode() == want.body.decode()
            else:
                assert json.loads(sent) == json.loads(want.body)
    else:
        try:
            answer = answer_whole(codec, dialect, request, got.body.strip(), wire, provider)
        except UpstreamFault as fault:
            _check_error(fault, dialect, want)
        else:
            assert want.status == 200
            assert json.loads(answer) == json.loads(want.body)


def test_there_are_cases_for_each_codec_that_has_a_folder() -> None:
    assert {path.parent.name for path in CASES} >= {"openai"}


@pytest.mark.parametrize(
    "text", ["", "model = 'm'\n>> client\nPOST /\n\n{}", "model = 'm'\nnonsense = 1\n>> client\n>> upstream\n"]
)
def test_a_file_that_is_no_case_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):
        read_case(text)
