"""Faults of what works in processes beside the gateway: the models for names, and the reader of documents."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import yuzui.io.names
import yuzui.privacy.documents
import yuzui.reading
import yuzui.scanning
from egress_kit import Room
from faults.baits import CARD, Bait
from faults.dialect_kit import Asked, gemini_path
from faults.injecting import (
    ERRORS,
    Behaviour,
    Fault,
    Inject,
    Strikes,
    breaking,
    in_world,
    patched,
    raises,
    returns,
    unchanged,
)
from faults.positions import Position
from ner_kit import BROKEN, fake_process
from pdf_kit import pdf, text
from yuzui.core.documents import DocumentText
from yuzui.io.document_reader import DocumentReader
from yuzui.io.names import NameSearch
from yuzui.io.ner_process import NamesUnavailable, NerProcess
from yuzui.privacy.ner.cache import SpanCache

Json = dict[str, Any]  # Any: JSON


@contextmanager
def with_port(room: Room, **ports: Any) -> Generator[None, None, None]:  # Any: ports
    """The world with other ports."""
    gateway = room.service.gateway
    kept = gateway.world
    gateway.world = replace(kept, **ports)
    try:
        yield
    finally:
        gateway.world = kept


# ---- names -----------------------------------------------------------------------------------------------------------

NAMED = Bait("Please Compare two Sorting algorithms for Zaphod.", "Zaphod")
"""Capitals, so that the models are asked. The one name in it counts as internal here."""


class Worker:
    """Finds nothing, or behaves as it is told."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave = behave

    def ask(self, texts: Sequence[str]) -> asyncio.Future[Any]:  # Any: what a broken one answers
        return self._behave(_nothing, texts)  # type: ignore[no-any-return]  # as above


def _nothing(texts: Sequence[str]) -> asyncio.Future[Any]:  # Any: spans
    answer = asyncio.get_running_loop().create_future()
    answer.set_result([[] for _ in texts])
    return answer


def names_that(behave: Behaviour = unchanged) -> NameSearch:
    return NameSearch(Worker(behave), cache=SpanCache(os.urandom(32), max_bytes=1 << 20))


def _worker(behave: Behaviour) -> Inject:
    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        def counted(real: Any, *given: Any) -> Any:  # Any: as it is asked
            strikes.count += 1
            return behave(real, *given)

        with with_port(room, names=names_that(counted)):
            yield

    return inject


def _fails_with(error: BaseException) -> Behaviour:
    def behave(_real: Any, _texts: Any) -> asyncio.Future[Any]:  # Any: as it is asked
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.set_exception(error)
        return answer

    return behave


def _answers(make: Callable[[Sequence[str]], Any]) -> Behaviour:  # Any: what a broken one answers
    def behave(_real: Any, texts: Sequence[str]) -> asyncio.Future[Any]:  # Any: as above
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer.set_result(make(texts))
        return answer

    return behave


def name_faults() -> list[Fault]:
    """At the port, without a process."""
    injects: dict[str, Inject] = {
        **{f"asking raises {error.__name__}": _worker(raises(error)) for error in (*ERRORS, OSError)},
        **{
            f"the answer is {type(error).__name__}": _worker(_fails_with(error))
            for error in (NamesUnavailable("worker_ended"), ValueError("x"), MemoryError(), ConnectionResetError())
        },
        "no answer": _worker(lambda *_: asyncio.get_running_loop().create_future()),
        "no future": _worker(returns(None)),
        "too few texts": _worker(_answers(lambda texts: [[] for _ in texts][1:])),
        "too many texts": _worker(_answers(lambda texts: [[] for _ in [*texts, ""]])),
        "no list": _worker(_answers(lambda texts: None)),
        "texts without lists": _worker(_answers(lambda texts: [None for _ in texts])),
        "spans that are texts": _worker(_answers(lambda texts: [["x"] for _ in texts])),
    }
    for owner, name in (
        (yuzui.scanning, "read_leaves"), *((yuzui.io.names, name) for name in ("may_hold_name", "read", "known_names")),
    ):  # fmt: skip
        for error in ERRORS:
            injects[f"{name} raises {error.__name__}"] = breaking(owner, name, raises(error))
    for name in ("get", "key_of"):
        injects[f"the cache's {name} raises"] = breaking(SpanCache, name, raises(MemoryError))
    for error in ERRORS:
        injects[f"the search raises {error.__name__}"] = in_world("names", "begin", raises(error))
        injects[f"join raises {error.__name__}"] = breaking(yuzui.scanning, "join", raises(error))
    injects["the search returns nothing at all"] = in_world("names", "begin", returns(None))
    injects["the search comes to nothing at all"] = in_world("names", "begin", _nothing_at_all)
    return [Fault("names", name, inject, NAMED, "names") for name, inject in injects.items()]


async def _nothing_at_all(*_: Any) -> None:  # Any: as it is asked
    return None


@asynccontextmanager
async def _names_process(mode: str, room: Room) -> AsyncGenerator[None, None]:
    process = fake_process(mode)
    process.start()
    await process.wait_ready(3 if mode in BROKEN else 0.05)
    try:
        with with_port(room, names=NameSearch(process, cache=SpanCache(os.urandom(32), max_bytes=1 << 20))):
            yield
    finally:
        await process.stop()


def _asked(owner: type, name: str) -> Inject:
    """Nothing more is broken; that it was asked is counted."""
    return lambda _room, strikes: patched(owner, name, unchanged, strikes)


def name_process_faults() -> list[Fault]:
    """A real process that misbehaves."""
    return [
        Fault("names' process", mode, _asked(NerProcess, "ask"), NAMED, "names", standing=partial(_names_process, mode))
        for mode in (*BROKEN, "never ready", "not installed", "dies at birth")
    ]


# ---- documents -------------------------------------------------------------------------------------------------------

FILE = b64encode(pdf([text("my card is 4111111111111111")])).decode()
FILED = Bait(FILE, CARD.mark)
PLAIN = Bait(b64encode(b"my card is 4111111111111111, thank you").decode(), CARD.mark)


def document_positions(kind: str = "application/pdf") -> tuple[Position, ...]:
    """Where a document can stand in a request of each dialect; the text is the document in base64."""
    name = "a.pdf" if kind.endswith("pdf") else "a.txt"

    def chat(content: Json, *before: Json) -> Callable[[str], Json]:
        return lambda v: json.loads(
            json.dumps({"messages": [*before, {"role": "user", "content": [content]}]}).replace("DATA", v)
        )

    def at(path: str, put: Callable[[str], Json], **more: object) -> Callable[[str, str, bool], Asked]:
        return lambda v, model, stream: Asked(
            path=path, body=json.dumps({"model": model, "stream": stream, **more, **put(v)}).encode()
        )

    hi: Json = {"role": "user", "content": "Hi"}
    file = {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,DATA"}}
    block = {"type": "document", "source": {"type": "base64", "media_type": kind, "data": "DATA"}}
    item = {"type": "input_file", "filename": name, "file_data": f"data:{kind};base64,DATA"}
    used = [hi, {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {}}]}]

    def result(v: str) -> Json:
        found = {**block, "source": {**block["source"], "data": v}}  # type: ignore[dict-item]  # a test's JSON
        return {"messages": [*used, {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t1", "content": [found]}]}]}  # fmt: skip

    def gemini(v: str, model: str, stream: bool) -> Asked:
        part = {"inlineData": {"mimeType": kind, "data": v}}
        path = gemini_path(model, "streamGenerateContent", "?alt=sse") if stream else gemini_path(model)
        return Asked(
            path=path, body=json.dumps({"contents": [{"role": "user", "parts": [{"text": "Hi"}, part]}]}).encode()
        )

    path = "/v1/messages"
    found = (
        Position("chat", "document", "vendor/both", at("/v1/chat/completions", chat(file))),
        Position("chat", "document of a later turn", "vendor/both", at("/v1/chat/completions", chat(file, hi))),
        Position("messages", "document", "vendor/claude", at(path, chat(block), max_tokens=9)),
        Position("messages", "document of a later turn", "vendor/claude", at(path, chat(block, hi), max_tokens=9)),
        Position("messages", "document in a result", "vendor/claude", at(path, result, max_tokens=9)),
        Position("responses", "document", "vendor/responses", at("/v1/responses", lambda v: {"input": [
            {"role": "user", "content": [json.loads(json.dumps(item).replace("DATA", v))]}]})),
        Position("gemini", "document", "vendor/gemini", gemini),
    )  # fmt: skip
    return tuple(
        replace(one, has_choice=False) for one in found
    )  # own model and vendors differ in which files they take


class Reader:
    """Reads every document completely, or behaves as it is told."""

    def __init__(self, behave: Behaviour = unchanged) -> None:
        self._behave = behave

    async def read(self, documents: Sequence[Any], rules: Any) -> Any:  # Any: as the port is asked
        return self._behave(_read_well, documents)


def _read_well(documents: Sequence[Any]) -> list[DocumentText]:  # Any: as above
    return [DocumentText(text="my card is 4111111111111111", is_complete=True) for _ in documents]


def _reader(behave: Behaviour) -> Inject:
    @contextmanager
    def inject(room: Room, strikes: Strikes) -> Generator[None, None, None]:
        def counted(real: Any, *given: Any) -> Any:  # Any: as it is asked
            strikes.count += 1
            return behave(real, *given)

        with with_port(room, documents=Reader(counted)):
            yield

    return inject


def _unread(reason: str) -> Behaviour:
    return lambda real, documents: [DocumentText(reason=reason) for _ in documents]


def document_faults() -> list[Fault]:
    injects: dict[str, Inject] = {
        **{f"the reader raises {error.__name__}": _reader(raises(error)) for error in (*ERRORS, OSError)},
        "the reader returns nothing at all": _reader(returns(None)),
        "the reader returns too few": _reader(returns([])),
        "the reader returns texts": _reader(lambda real, documents: ["x" for _ in documents]),
        "part of it": _reader(lambda real, documents: [DocumentText(text="my") for _ in documents]),
        **{
            f"the reader says {reason}": _reader(_unread(reason))
            for reason in ("not_ready", "deadline", "reader_died", "encrypted")
        },
    }  # fmt: skip
    for owner, name in (
        (yuzui.reading, "find_documents"), (yuzui.reading, "with_texts"), (yuzui.reading, "relocate"),
        (yuzui.reading, "_read"), (yuzui.privacy.documents, "_kind_of"), (yuzui.privacy.documents, "_is_read"),
    ):  # fmt: skip
        for error in ERRORS:
            injects[f"{name} raises {error.__name__}"] = breaking(owner, name, raises(error))
    return [Fault("documents", name, inject, FILED, "documents") for name, inject in injects.items()] + [
        Fault("documents", f"read_plain raises {error.__name__}", breaking(yuzui.reading, "read_plain", raises(error)), PLAIN, "documents")
        for error in ERRORS
    ]  # fmt: skip


_PROCESS = """
import os, sys, time
import msgspec
from yuzui.core.documents import DocumentText
from yuzui.io.document_protocol import ReaderReport, ReadOrder, frame
mode, out = sys.argv[1], sys.stdout.buffer
if mode == "dies at birth": sys.exit(3)
if mode == "never ready": time.sleep(3600)
if mode == "garbage at birth": out.write(b"Traceback (most recent call last)"); out.flush()
out.write(frame(ReaderReport(error="no library" if mode == "cannot work" else ""))); out.flush()
while head := sys.stdin.buffer.read(4):
    order = sys.stdin.buffer.read(int.from_bytes(head, "big"))
    good = frame(DocumentText(text="nothing to see", is_complete=True))
    if mode == "hangs": time.sleep(3600)
    if mode == "dies": os._exit(1)
    if mode == "closes its pipe": os.close(1); time.sleep(3600)
    if mode == "late": time.sleep(1)
    told = {"garbage": b"\\0\\0\\0\\1?", "endless": b"\\xff\\xff\\xff\\xff", "half a frame": good[:-3], "empty frame": b"\\0\\0\\0\\0",
            "another kind": frame(ReaderReport()), "no text": frame(DocumentText(reason="broken")),
            "part": frame(DocumentText(text="nothing"))}.get(mode, good)
    out.write(told); out.flush()
    if mode == "half a frame": os._exit(1)
"""
READER_MODES = ("dies at birth", "never ready", "garbage at birth", "cannot work", "hangs", "dies", "closes its pipe", "late",
                "garbage", "endless", "half a frame", "empty frame", "another kind", "no text", "part")  # fmt: skip


@asynccontextmanager
async def _reader_process(mode: str, room: Room) -> AsyncGenerator[None, None]:
    reader = DocumentReader(secret=b"k" * 32, command=(sys.executable, "-c", _PROCESS, mode))
    reader.start()
    await reader.ready(5 if mode not in READER_MODES[:4] else 0.3)
    try:
        with with_port(room, documents=reader):
            yield
    finally:
        await reader.stop()


def document_process_faults() -> list[Fault]:
    return [
        Fault("documents' process", mode, _asked(DocumentReader, "read"), FILED, "documents", standing=partial(_reader_process, mode))
        for mode in READER_MODES
    ]  # fmt: skip
