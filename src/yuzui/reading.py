"""How a request's documents are read before it is scanned: as text where that is possible, in time or not at all."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from yuzui.core.documents import DocumentRules, DocumentText
from yuzui.ports import Documents
from yuzui.privacy.documents import Document, find_documents, read_plain, relocate, with_texts
from yuzui.privacy.scan import ScanResult

log = logging.getLogger("yuzui")

INLINE_BYTES = 256 * 1024  # larger bodies are searched in a thread: decoding base64 takes its time

Scan = Callable[[Mapping[str, Any], int], Awaitable[ScanResult]]
"""(body, its size) → findings."""


async def scan_with_documents(
    scan: Scan, body: Mapping[str, Any], size_bytes: int, rules: DocumentRules, reader: Documents | None
) -> ScanResult:  # Any: checked JSON
    """Findings in `body` and in what its documents say. What is not read completely stays a part that nobody reads."""
    if not rules.enabled:
        return await scan(body, size_bytes)
    if size_bytes <= INLINE_BYTES:
        documents = find_documents(body, rules)
    else:
        documents = await asyncio.to_thread(find_documents, body, rules)
    if not documents:
        return await scan(body, size_bytes)
    texts = await _read(documents, rules, reader)
    unread = Counter(text.reason for text in texts if text.reason)
    if unread:
        log.info("documents_unread", extra={"fields": {"reasons": dict(unread)}})
    read = with_texts(body, documents, texts, rules)
    return relocate(await scan(read.body, size_bytes + read.size_chars), read)


async def _read(documents: list[Document], rules: DocumentRules, reader: Documents | None) -> list[DocumentText]:
    """In their order. Text needs no reader, and waits for none."""
    others = [(document.kind, document.data) for document in documents if document.kind != "text"]
    if not others:
        read: list[DocumentText] = []
    elif reader is None:
        read = [DocumentText(reason="no_reader")] * len(others)
    else:
        read = await reader.read(others, rules)
    waiting = iter(read)
    return [read_plain(document.data, rules) if document.kind == "text" else next(waiting) for document in documents]
