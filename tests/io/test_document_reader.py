"""The process for documents: asked, timed, ended, started again; whatever it does, a document is read or not read."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable

import pytest

from pdf_kit import pdf, text
from yuzui.core.documents import DocumentRules, DocumentText
from yuzui.core.errors import ConfigError
from yuzui.io import document_reader
from yuzui.io.document_reader import DocumentReader, check_installed

RULES = DocumentRules(enabled=True, deadline_ms=20_000)
GOOD = pdf([text("mail bob@example.com")])

FAKE = """
import sys, time
import msgspec
from yuzui.core.documents import DocumentText
from yuzui.io.document_protocol import ReaderReport, ReadOrder, frame
out = sys.stdout.buffer
out.write(frame(ReaderReport(has_ocr=True))); out.flush()
while head := sys.stdin.buffer.read(4):
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(int.from_bytes(head, "big")), type=ReadOrder)
    word = order.data.decode()
    if word == "sleep": time.sleep(60)
    if word == "die": sys.exit(1)
    if word == "garbage": out.write(b"\\x00\\x00\\x00\\x01?"); out.flush(); continue
    if word == "endless": out.write(b"\\xff\\xff\\xff\\xff"); out.flush(); continue
    out.write(frame(DocumentText(text=word, is_complete=word != "partly"))); out.flush()
"""


def run(story: Callable[[DocumentReader], Awaitable[None]], *command: str) -> None:
    async def whole() -> None:
        reader = DocumentReader(secret=b"k" * 32, command=command)
        reader.start()
        try:
            assert await reader.ready(30), reader.problem
            await story(reader)
        finally:
            await reader.stop()

    asyncio.run(whole())


def fake(story: Callable[[DocumentReader], Awaitable[None]]) -> None:
    run(story, sys.executable, "-c", FAKE)


async def read(reader: DocumentReader, word: str, deadline_ms: int = 20_000) -> DocumentText:
    rules = DocumentRules(enabled=True, deadline_ms=deadline_ms)
    return (await reader.read([("pdf", word.encode())], rules))[0]


def test_the_real_process_reads_a_real_pdf() -> None:
    async def story(reader: DocumentReader) -> None:
        found = await reader.read([("pdf", GOOD), ("pdf", b"%PDF-broken")], RULES)
        assert found[0].is_complete and "bob@example.com" in found[0].text
        assert found[1].reason == "damaged"

    run(story)


def test_the_process_knows_no_key_and_may_write_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "hidden")
    program = FAKE.replace("word = order.data.decode()", 'import os; word = ",".join(sorted(os.environ))')

    async def story(reader: DocumentReader) -> None:
        names = (await read(reader, "x")).text.split(",")
        assert "OPENAI_API_KEY" not in names and "HTTPS_PROXY" not in names

    run(story, sys.executable, "-c", program)


def test_one_that_takes_too_long_is_not_read_and_the_next_one_is() -> None:
    async def story(reader: DocumentReader) -> None:
        assert (await read(reader, "sleep", 300)).reason == "deadline"
        assert (await read(reader, "a")).reason == "not_ready", "the process was ended; until there is a new one"
        assert await reader.ready(30)
        assert await read(reader, "b") == DocumentText(text="b", is_complete=True)

    fake(story)


@pytest.mark.parametrize("word", ["die", "garbage", "endless"])
def test_a_process_that_breaks_reads_nothing_and_is_started_again(word: str) -> None:
    async def story(reader: DocumentReader) -> None:
        assert (await read(reader, word)).reason == "reader_died"
        assert await reader.ready(30)
        assert (await read(reader, "again")).text == "again"

    fake(story)


def test_a_request_that_is_cancelled_does_not_leave_its_answer_to_the_next() -> None:
    async def story(reader: DocumentReader) -> None:
        task = asyncio.create_task(read(reader, "sleep"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await reader.ready(30)
        assert (await read(reader, "mine")).text == "mine"

    fake(story)


def test_many_at_once_get_their_own_answers() -> None:
    async def story(reader: DocumentReader) -> None:
        words = [f"word{n}" for n in range(50)]
        assert [found.text for found in await asyncio.gather(*(read(reader, word) for word in words))] == words

    fake(story)


def test_waiting_for_others_counts() -> None:
    async def story(reader: DocumentReader) -> None:
        first = asyncio.create_task(read(reader, "sleep", 1_500))
        await asyncio.sleep(0.1)
        assert (await read(reader, "a", 300)).reason == "deadline"
        assert (await first).reason == "deadline"

    fake(story)


def test_what_was_read_completely_is_remembered_and_nothing_else() -> None:
    async def story(reader: DocumentReader) -> None:
        for word in ("whole", "partly"):
            await read(reader, word)
        await read(reader, "die")
        assert (await read(reader, "whole")).text == "whole", "without a process"
        assert (await read(reader, "partly")).reason == "not_ready"

    fake(story)


def test_memory_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_reader, "REMEMBERED_DOCUMENTS", 2)

    async def story(reader: DocumentReader) -> None:
        for word in ("one", "two", "three"):
            await read(reader, word)
        await read(reader, "die")
        assert (await read(reader, "one")).reason == "not_ready"
        assert (await read(reader, "three")).text == "three"

    fake(story)


def test_a_process_that_cannot_work_says_why() -> None:
    program = "import sys; from yuzui.io.document_protocol import *; sys.stdout.buffer.write(frame(ReaderReport(error='nothing here')))"

    async def story() -> None:
        reader = DocumentReader(secret=b"k", command=(sys.executable, "-c", program))
        assert (await read(reader, "x")).reason == "not_ready"
        reader.start()
        assert not await reader.ready(3)
        assert reader.problem == "nothing here"
        await reader.stop()

    asyncio.run(story())


def test_a_configuration_that_nothing_can_fulfil_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    check_installed(DocumentRules())
    with pytest.raises(ConfigError, match=r"yuzui\[documents\]"):
        check_installed(RULES)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name != "rapidocr" or None)
    check_installed(RULES)
    with pytest.raises(ConfigError, match=r"yuzui\[ocr\]"):
        check_installed(DocumentRules(enabled=True, trust_ocr=True))
