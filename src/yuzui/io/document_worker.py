"""The process that reads documents: files that strangers made, in libraries that are not ours, outside the gateway.

Started as `python -m yuzui.io.document_worker`. Says on stdout what it can do, then answers each order from stdin,
until stdin ends, which happens by itself when the gateway dies. Knows no secret, opens no connection, writes no file.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import BinaryIO

import msgspec

from yuzui.core.documents import DocumentText
from yuzui.io.document_image import Recogniser
from yuzui.io.document_pdf import read_pdf
from yuzui.io.document_protocol import LENGTH_BYTES, ReaderReport, ReadOrder, frame

MOST_MEMORY_BYTES = 3 * 1024**3  # addresses; with models and a large picture it takes 1.4 GB of them


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C in a terminal reaches the whole group: the gateway decides
    answers = _private_stdout()
    bound_resources()
    orders = sys.stdin.buffer
    try:
        importlib.import_module("pypdfium2")
    except ImportError as error:
        _say(answers, ReaderReport(error=f"{error}; run pip install 'yuzui[documents]'"))
        return
    recogniser = _load_recogniser()
    _say(answers, ReaderReport(has_ocr=recogniser is not None))
    while head := orders.read(LENGTH_BYTES):
        order = msgspec.msgpack.decode(orders.read(int.from_bytes(head, "big")), type=ReadOrder)
        _say(answers, read(order, recogniser))


def read(order: ReadOrder, recogniser: Recogniser | None) -> DocumentText:
    """Read one document; whatever its library raises, the document is not read."""
    try:
        if order.kind == "pdf":
            return read_pdf(order, recogniser.read_picture if recogniser is not None else None)
        if recogniser is None:
            return DocumentText(reason="no_ocr")
        return recogniser.read_file(order)
    except MemoryError:
        return DocumentText(reason="memory")
    except Exception as error:  # the edge: a file made to break a library must not end the process
        return DocumentText(reason=f"broken_{type(error).__name__}")


def _load_recogniser() -> Recogniser | None:
    try:
        return Recogniser()
    except ImportError:
        return None


def bound_resources() -> None:
    """What a document can make a library do at worst: nothing is written, memory has an end, others go first."""
    if sys.platform == "win32":
        return  # there the deadline alone bounds it
    import resource

    os.nice(5)
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip  # a table
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _private_stdout() -> BinaryIO:
    """The real stdout; what libraries print goes to stderr and cannot be taken for an answer."""
    real = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(real, "wb")


def _say(answers: BinaryIO, message: msgspec.Struct) -> None:
    answers.write(frame(message))
    answers.flush()


if __name__ == "__main__":
    main()
