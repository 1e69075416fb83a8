"""Knows the process that reads documents: started, asked one thing at a time, ended when it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import os
import sys
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from yuzui.core.documents import DocumentKind, DocumentRules, DocumentText
from yuzui.core.errors import ConfigError
from yuzui.io.document_protocol import LENGTH_BYTES, MOST_ANSWER_BYTES, ReaderReport, ReadOrder, frame

log = logging.getLogger("yuzui")

START_TIMEOUT_S: Final = 60.0  # models for pictures take seconds to load
STOP_TIMEOUT_S: Final = 2.0
RESTART_PAUSE_S: Final = 1.0  # after a process that did not even start
REMEMBERED_DOCUMENTS: Final = 32
REMEMBERED_CHARS: Final = 8_000_000
_PASSED_ON: Final = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMP")


def check_installed(rules: DocumentRules) -> None:
    """Raise `ConfigError` when documents are to be read and nothing can read them."""
    if not rules.enabled:
        return
    if importlib.util.find_spec("pypdfium2") is None:
        raise ConfigError("[sensitivity.documents] needs pypdfium2: run pip install 'yuzui[documents]'")
    if rules.trust_ocr and importlib.util.find_spec("rapidocr") is None:
        raise ConfigError("sensitivity.documents.trust_ocr needs rapidocr: run pip install 'yuzui[ocr]'")


class DocumentReader:
    """Implements `ports.Documents`. A conversation brings its documents with every turn: what was read complete is
    remembered, under a keyed hash of the file, in this process only."""

    def __init__(self, *, secret: bytes, command: Sequence[str] = ()) -> None:
        """`command` in place of the worker's own, for tests."""
        self._secret = secret
        self._command = tuple(command) or (sys.executable, "-m", "yuzui.io.document_worker")
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()
        self._turn = asyncio.Lock()
        self._known: OrderedDict[bytes, DocumentText] = OrderedDict()
        self._known_chars = 0
        self.has_ocr = False
        self.problem = "not started"

    def start(self) -> None:
        """Begin; a second time changes nothing. Nobody waits: until it is ready, documents are not read."""
        if self._keeper is None:
            self.problem = "starting"
            self._keeper = asyncio.create_task(self._keep_running(), name="document-reader")

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
            self._keeper = None
        self._ready.clear()

    async def ready(self, timeout_s: float) -> bool:
        """Whether it is ready within that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._ready.wait()
        return self._ready.is_set()

    async def read(self, documents: Sequence[tuple[DocumentKind, bytes]], rules: DocumentRules) -> list[DocumentText]:
        """See `ports.Documents`."""
        read: list[DocumentText] = []
        deadline = asyncio.get_running_loop().time() + rules.deadline_ms / 1000
        for kind, data in documents:
            order = ReadOrder(kind=kind, data=data, max_pages=rules.max_pages, max_pixels=rules.max_pixels,
                              max_chars=rules.max_chars)  # fmt: skip  # as it is declared
            read.append(await self._read(order, deadline))
        return read

    async def _read(self, order: ReadOrder, deadline: float) -> DocumentText:
        key = blake2b(order.data, key=self._secret, digest_size=32).digest()
        known = self._known.get(key)
        if known is not None and len(known.text) <= order.max_chars:
            self._known.move_to_end(key)
            return known
        if not self._ready.is_set():
            return DocumentText(reason="not_ready")
        try:
            async with asyncio.timeout_at(deadline):
                async with self._turn:
                    text = await self._ask(order)
        except TimeoutError:
            return DocumentText(reason="deadline")
        if text.is_complete:
            self._remember(key, text)
        return text

    async def _ask(self, order: ReadOrder) -> DocumentText:
        """One order, one answer. Whatever interrupts it ends the process: its next answer would be to this order."""
        process = self._process
        if process is None or not self._ready.is_set():
            return DocumentText(reason="not_ready")
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # both are pipes, see _run
        is_answered = False
        try:
            stdin.write(frame(order))
            await stdin.drain()
            text = msgspec.msgpack.decode(await _next_frame(stdout), type=DocumentText)
            is_answered = True
            return text
        except (OSError, asyncio.IncompleteReadError, msgspec.DecodeError, ValueError):
            return DocumentText(reason="reader_died")
        finally:
            if not is_answered:
                self._ready.clear()
                self._ended.set()
                _kill(process)

    def _remember(self, key: bytes, text: DocumentText) -> None:
        if len(text.text) > REMEMBERED_CHARS // 4:
            return
        self._known[key] = text
        self._known_chars += len(text.text)
        while len(self._known) > REMEMBERED_DOCUMENTS or self._known_chars > REMEMBERED_CHARS:
            _, old = self._known.popitem(last=False)
            self._known_chars -= len(old.text)

    # ---- the process -------------------------------------------------------------------------------------------------

    async def _keep_running(self) -> None:
        while True:
            await self._run()
            self._ready.clear()
            await asyncio.sleep(RESTART_PAUSE_S)

    async def _run(self) -> None:
        """One process from its start to its end."""
        self._ended.clear()
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # a library's complaints may quote the document
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},  # no key, no proxy
            )
        except OSError as error:
            self.problem = f"cannot be started: {error.strerror}"
            log.error("document_reader_failed", extra={"fields": {"reason": self.problem}})
            return
        self._process = process
        try:
            await self._introduce(process)
            if self._ready.is_set():
                gone, given_up = (asyncio.create_task(one) for one in (process.wait(), self._ended.wait()))
                try:
                    await asyncio.wait([gone, given_up], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    gone.cancel()
                    given_up.cancel()
        finally:
            self._process = None
            self._ready.clear()
            _kill(process)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()

    async def _introduce(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # a pipe, see _run
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                report = msgspec.msgpack.decode(await _next_frame(process.stdout), type=ReaderReport)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, msgspec.DecodeError, ValueError) as error:
            report = ReaderReport(error=f"said nothing ({type(error).__name__})")
        self.problem, self.has_ocr = report.error, report.has_ocr
        if report.error:
            log.error("document_reader_failed", extra={"fields": {"reason": report.error}})
        else:
            self._ready.set()
            log.info("document_reader_ready", extra={"fields": {"ocr": report.has_ocr}})


async def _next_frame(stream: asyncio.StreamReader) -> bytes:
    size = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
    if size > MOST_ANSWER_BYTES:
        raise ValueError("an answer is never that long")
    return await stream.readexactly(size)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):  # gone in this very moment
            process.kill()
