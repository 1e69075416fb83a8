"""What no bytes may do to a codec or a dialect: raise anything but the declared errors, or mean two things when cut.

Used by the hypothesis tests of `test_fuzz.py` and by the coverage-guided fuzzer (`make fuzz`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

import yuzui.dialects
from eventstream_kit import encode_lines
from yuzui.core import eventstream
from yuzui.core.answers import EmbeddingRequest, RerankRequest
from yuzui.core.chat import AnswerFacts, ChatRequest, ChatResponse, Meaning, Message, RequestLine, StreamChunk, TextPart
from yuzui.core.errors import ClientFault, UpstreamFault
from yuzui.core.target import Quirks, Target
from yuzui.dialects._contract import ClientDialect
from yuzui.providers._contract import Codec, WireRequest
from yuzui.providers.catalogue import find_codecs, load_rows

WIRE = Path(__file__).parent / "wire"
CODECS: dict[str, Codec] = dict(find_codecs())
DIALECTS: dict[str, ClientDialect] = {
    found.name: module.DIALECT
    for found in pkgutil.iter_modules(yuzui.dialects.__path__)
    if hasattr(module := importlib.import_module(f"yuzui.dialects.{found.name}"), "DIALECT")
}
STREAMED = frozenset(("chat", "completions", "transcription", "speech", "images"))
"""Operations whose answers come as streams."""
FACTS = AnswerFacts(request_id="req-1", origin="somebody", at_s=1)
CONTENT_TYPES = ("application/json", "multipart/form-data; boundary=b")
PATHS = ("/v1beta/models/m:generateContent", "/v1beta/models/m:streamGenerateContent")


def meaning_of(_: object) -> Meaning:
    return Meaning(messages=(Message(role="user", parts=(TextPart(text="hi"),)),))


def target_of(codec: str) -> Target:
    family = codec.removesuffix(f"_{CODECS[codec].operation}")
    row = load_rows().get(family)
    return Target(
        name="t", provider=family, codec=family, model="m-1", base_url="https://x.test", premises="vendor",
        clearance=0, jurisdiction="", quirks=row.quirks if row else Quirks(),
        parameters={"project_id": "p", "region": "r", "location": "l"},
    )  # fmt: skip


def wire_of(codec: str, *, is_lane: bool) -> WireRequest:
    """What a small request to `codec` looks like on the wire."""
    common: dict[str, Any] = {  # Any: keyword arguments of a request
        "dialect": "nobody's", "operation": CODECS[codec].operation, "model": "m", "body": {}, "stream": True,
        "read_meaning": meaning_of,
    }  # fmt: skip
    request: ChatRequest
    match CODECS[codec].operation:
        case "embeddings":
            request = EmbeddingRequest(inputs=("hi",), **{**common, "stream": False})
        case "rerank":
            request = RerankRequest(query="q", documents=("a", "b"), **{**common, "stream": False})
        case "chat" | "count_tokens":
            request = ChatRequest(**common)
        case _:  # a lane only: there is no foreign request
            return WireRequest(path="/", headers={}, body=b"{}", is_stream=True, is_lane=True)
    wire = CODECS[codec].write_request(request, target_of(codec), output_cap=None)
    return replace(wire, is_lane=is_lane)


def cut(data: bytes, marks: Sequence[int]) -> list[bytes]:
    """`data` in pieces, at positions made of `marks`."""
    places = sorted({mark % (len(data) + 1) for mark in marks})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


def decode(codec: Codec, wire: WireRequest, pieces: Sequence[bytes]) -> tuple[list[StreamChunk], str]:
    """The chunks, and the class and words of the fault that ended them; "" when the stream was whole."""
    decoder = codec.decoder(wire)
    chunks: list[StreamChunk] = []
    try:
        for piece in pieces:
            chunks += decoder.feed(piece)
            if decoder.is_complete:
                break  # as the pipeline does
        if not decoder.is_complete:
            decoder.feed(b"")
        decoder.close()
    except UpstreamFault as fault:
        return chunks, f"{type(fault).__name__}: {fault.message}"
    return chunks, ""


def check_stream(name: str, data: bytes, marks: Sequence[int], *, is_lane: bool = False) -> None:
    """Any cut of the bytes gives the same chunks and the same end, and every dialect can write them."""
    codec, wire = CODECS[name], wire_of(name, is_lane=is_lane)
    whole, end = decode(codec, wire, [data])
    pieces, pieces_end = decode(codec, wire, cut(data, marks))
    assert joined(whole) == joined(pieces), "a cut changed what was said"
    assert end.partition(":")[0] == pieces_end.partition(":")[0], f"a cut changed the end: {end!r}, {pieces_end!r}"
    for dialect in DIALECTS.values():
        if dialect.operation == codec.operation and (codec.operation == "chat" or dialect.name == codec.dialect):
            write_all(dialect, whole, is_whole=not end)


def joined(chunks: Sequence[StreamChunk]) -> list[object]:
    """What the chunks say, however text is cut into them: some decoders hand on pieces as they come."""
    said: list[object] = []
    for chunk in chunks:
        if chunk.raw and not chunk.deltas:
            if said and isinstance(said[-1], bytes):
                said[-1] += chunk.raw
            else:
                said.append(chunk.raw)
        for delta in chunk.deltas:
            said.append(delta)
        if chunk.usage is not None:
            said.append(chunk.usage)
    return said


def write_all(dialect: ClientDialect, chunks: Sequence[StreamChunk], *, is_whole: bool) -> bytes:
    request = ChatRequest(
        dialect=dialect.name, model="m", body={"model": "m", "messages": []}, stream=True, read_meaning=meaning_of,
        line=RequestLine(path=PATHS[1], query="alt=sse"),
    )  # fmt: skip
    writer = dialect.stream_writer(request, FACTS)
    out = b""
    with suppress(UpstreamFault):  # a flood behind the end of an answer, or the like
        for chunk in chunks:
            out += writer.write(chunk)
        if is_whole:
            writer.kept()
            out += writer.finish({"request_id": "req-1"})
        else:
            out += writer.fail(UpstreamFault("it broke"), "req-1")
    return out


def check_answer(name: str, data: bytes) -> None:
    """A body is an answer or a declared fault, and every dialect of its operation can write it."""
    codec = CODECS[name]
    wire = wire_of(name, is_lane=False)
    try:
        answer = codec.read_response(data, wire)
    except UpstreamFault:
        return
    if not isinstance(answer, ChatResponse):
        return
    bare = structs.replace(answer, raw=b"", raw_dialect=None)
    for dialect in DIALECTS.values():
        if dialect.operation == "chat":
            request = ChatRequest(
                dialect=dialect.name, model="m", body={"model": "m", "messages": []}, read_meaning=meaning_of,
                line=RequestLine(path=PATHS[0]),
            )  # fmt: skip
            with suppress(UpstreamFault):
                dialect.write_response(bare, request, FACTS)


def check_error(name: str, data: bytes, status: int) -> None:
    fault = CODECS[name].read_error(status, {"Retry-After": "1"}, data, target_of(name))
    assert isinstance(fault, UpstreamFault)


def check_request(name: str, data: bytes, kind: int = 0) -> None:
    """A client's bytes are a request or a declared fault, and every codec can write it or says what it cannot."""
    dialect = DIALECTS[name]
    try:
        body = dialect.read_body(data, CONTENT_TYPES[kind % len(CONTENT_TYPES)])
        line = RequestLine(path=PATHS[kind % len(PATHS)], query="alt=sse" if kind % 3 else "")
        request = dialect.read_request(body, line)
        if request.operation == "chat":
            _ = request.meaning
    except ClientFault:
        return
    for codec, speaker in CODECS.items():
        if speaker.operation == request.operation and (speaker.operation == "chat" or speaker.dialect == dialect.name):
            with suppress(ClientFault):
                speaker.write_request(request, target_of(codec), output_cap=None)


def seeds(section: str) -> dict[str, list[bytes]]:
    """Bodies of a section of all wire cases: by codec (`<< upstream`), or by the dialect of the client (`>> client`)."""
    found: dict[str, list[bytes]] = {}
    for path in sorted(WIRE.glob("*/*.wire")):
        text = path.read_text("utf-8")
        if f"{section}\n" not in text:
            continue
        body = text.partition(f"{section}\n")[2].partition("\n\n")[2]
        for title in (">> client", ">> upstream", "<< upstream", "<< client"):
            body = body.partition(f"\n{title}\n")[0] + ("\n" if f"\n{title}\n" in body else "")
        name = path.parent.name if section == "<< upstream" else dialect_of(text)
        is_binary = section == "<< upstream" and eventstream.CONTENT_TYPE in text
        found.setdefault(name, []).append(encode_lines(body) if is_binary else body.encode())
    return found


def dialect_of(case: str) -> str:
    for line in case.splitlines():
        if line.startswith("dialect = "):
            return line.partition('"')[2].partition('"')[0]
    return "openai_chat"


CHECKS: dict[str, Callable[[bytes], None]] = {}
"""Name → a check of any bytes, for the fuzzer: the first byte or two choose what the rest is."""


def _checks_of_codec(name: str) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        kind, marks, rest = data[:1] or b"\x00", data[1:4], data[4:]
        match kind[0] % 4:
            case 0:
                check_answer(name, rest)
            case 1:
                check_error(name, rest, 400 + kind[0])
            case _ if CODECS[name].operation in STREAMED:
                check_stream(name, rest, [mark * (len(rest) // 256 + 1) for mark in marks], is_lane=kind[0] % 8 > 5)
            case _:
                check_answer(name, rest)

    return check


def _checks_of_dialect(name: str) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        check_request(name, data[1:], (data[:1] or b"\x00")[0])

    return check


for _name in CODECS:
    CHECKS[f"codec:{_name}"] = _checks_of_codec(_name)
for _name in DIALECTS:
    CHECKS[f"dialect:{_name}"] = _checks_of_dialect(_name)
