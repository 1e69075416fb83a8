"""Documents are read before the scan, or not at all; nothing that goes wrong makes one count as read."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from yuzui.config import read
from yuzui.core.documents import DocumentKind, DocumentRules, DocumentText
from yuzui.privacy.scan import Scanner, ScanResult
from yuzui.reading import INLINE_BYTES, scan_with_documents

ON = DocumentRules(enabled=True)
PDF = b"%PDF-1.7"
SCANNER = Scanner(read("", {}, source=None).sensitivity)


def body(*files: tuple[str, bytes]) -> dict[str, Any]:
    parts = [
        {"type": "file", "file": {"file_data": f"data:{kind};base64,{b64encode(data).decode()}"}}
        for kind, data in files
    ]
    return {"messages": [{"role": "user", "content": parts}]}


class Fake:
    def __init__(self, text: DocumentText) -> None:
        self.text = text
        self.asked: list[tuple[DocumentKind, bytes]] = []

    async def read(self, documents: Sequence[tuple[DocumentKind, bytes]], rules: DocumentRules) -> list[DocumentText]:
        self.asked += documents
        return [self.text] * len(documents)


def scan(
    request: Mapping[str, Any], rules: DocumentRules, reader: Fake | None, size: int = 100
) -> tuple[ScanResult, int]:
    sizes = []

    async def inner(seen: Mapping[str, Any], size_bytes: int) -> ScanResult:
        sizes.append(size_bytes)
        return SCANNER.scan(seen)

    return asyncio.run(scan_with_documents(inner, request, size, rules, reader)), sizes[0]


@pytest.mark.parametrize("size", [100, INLINE_BYTES + 1])
def test_a_document_is_scanned_as_the_text_that_its_reader_gives(size: int) -> None:
    reader = Fake(DocumentText(text="mail bob@example.com", is_complete=True))
    result, scanned_bytes = scan(body(("application/pdf", PDF)), ON, reader, size)
    assert (result.unscannable, [one.kind for one in result.findings]) == ((), ["email"])
    assert reader.asked == [("pdf", PDF)]
    assert scanned_bytes == size + len("mail bob@example.com")


@pytest.mark.parametrize("reader", [None, Fake(DocumentText(reason="deadline"))])
def test_without_a_reader_or_in_too_little_time_it_is_not_read(reader: Fake | None) -> None:
    result, _ = scan(body(("application/pdf", PDF)), ON, reader)
    assert result.unscannable == ("file",)


def test_text_needs_no_reader_and_keeps_its_order() -> None:
    reader = Fake(DocumentText(text="in the pdf: al@example.com", is_complete=True))
    request = body(("text/plain", b"bob@example.com"), ("application/pdf", PDF), ("text/plain", b"\xff"))
    result, _ = scan(request, ON, reader)
    assert [one.path for one in result.findings] == [
        "$.messages[0].content[0].file.file_data", "$.messages[0].content[1].file.file_data"
    ]  # fmt: skip
    assert result.unscannable == ("file",)


def test_switched_off_nothing_is_read() -> None:
    reader = Fake(DocumentText(text="x", is_complete=True))
    result, scanned_bytes = scan(body(("application/pdf", PDF)), DocumentRules(), reader)
    assert (result.unscannable, reader.asked, scanned_bytes) == (("file",), [], 100)
