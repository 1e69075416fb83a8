from __future__ import annotations

import subprocess
import sys

import pytest

from pdf_kit import pdf, text
from yuzui.core.documents import DocumentText
from yuzui.io import document_worker
from yuzui.io.document_protocol import ReadOrder
from yuzui.io.document_worker import read


def order(kind: str, data: bytes) -> ReadOrder:
    return ReadOrder(kind=kind, data=data, max_pages=9, max_pixels=9, max_chars=999)  # type: ignore[arg-type]  # a table


def test_a_picture_without_a_recogniser_is_not_read() -> None:
    assert read(order("image", b"x"), None) == DocumentText(reason="no_ocr")


@pytest.mark.parametrize(
    ("error", "reason"), [(MemoryError(), "memory"), (RuntimeError("the document's words"), "broken_RuntimeError")]
)
def test_whatever_a_library_raises_is_told_without_its_words(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    def broken(*_: object) -> DocumentText:
        raise error

    monkeypatch.setattr(document_worker, "read_pdf", broken)
    assert read(order("pdf", pdf([text("x")])), None) == DocumentText(reason=reason)


@pytest.mark.skipif(sys.platform == "win32", reason="resources are bounded on POSIX only")
def test_the_process_can_write_no_file_and_take_no_endless_memory(tmp_path: object) -> None:
    program = (
        "import sys; from yuzui.io.document_worker import bound_resources; bound_resources()\n"
        "try: bytearray(5 * 1024**3)\n"
        "except MemoryError: print('bounded', flush=True)\n"
        f"open({str(tmp_path)!r} + '/x', 'wb', buffering=0).write(b'x'); print('written')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout == "bounded\n"
    assert done.returncode != 0
