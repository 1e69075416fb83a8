"""A GGUF file made by hand, and a file server on loopback that misbehaves on order."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typing_extensions import override


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def make_gguf(*, context: int = 2048, padding: int = 4096) -> bytes:
    """One tensor, three fields; `padding` bytes of weights."""
    fields = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("llama.context_length") + struct.pack("<II", 4, context),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b"),
    ]
    tensor = text("w") + struct.pack("<IQIQ", 1, 32, 0, 0)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(fields)) + b"".join(fields) + tensor
    return head + bytes(-len(head) % 32) + bytes(i * 7 % 251 for i in range(padding))


@dataclass
class Shelf:
    """What the loopback server gives out, how it misbehaves, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    extra_headers: dict[str, dict[str, str]] = field(default_factory=dict)
    cut_after: dict[str, list[int]] = field(default_factory=dict)
    """Path → after how many bytes to cut each of the next answers."""
    etag: str = '"v1"'
    knows_ranges: bool = True
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path, Range."""
    authorizations: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    shelf: Shelf
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        shelf, path = self.shelf, self.path.partition("?")[0]
        wanted = self.headers.get("Range", "")
        shelf.asked.append((self.command, path, wanted))
        shelf.authorizations.append(self.headers.get("Authorization", ""))
        data = shelf.files.get(path)
        if data is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        begin = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted and shelf.knows_ranges else 0
        if self.headers.get("If-Range", shelf.etag) != shelf.etag:
            begin = 0
        if begin >= len(data) > 0:
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.send_header("ETag", shelf.etag)
        self.send_header("Content-Type", shelf.types.get(path, "application/octet-stream"))
        for name, value in shelf.extra_headers.get(path, {}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            cuts = shelf.cut_after.get(path, [])
            body = data[begin:]
            if cuts:
                self.wfile.write(body[: cuts.pop(0)])
                self.close_connection = True
            else:
                self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass  # the test reads `asked`


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    handler = type("Handler", (_Handler,), {"shelf": shelf})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield shelf
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def gguf() -> bytes:
    return make_gguf()


@pytest.fixture
def gguf_with() -> Callable[..., bytes]:
    return make_gguf
