"""One client's TCP line: bounds on what uvicorn leaves unbounded. Size of a head, time for it, idle lines in a crowd.

Everything happens in the protocol's own callbacks and in one timer per line; a request costs four short calls.
"""

from __future__ import annotations

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TOO_LARGE = b'{"error":{"message":"the request\'s head is too large; send fewer or shorter headers",' \
            b'"type":"invalid_request_error","param":null,"code":"head_too_large"}}'  # fmt: skip

TOO_SLOW = b'{"error":{"message":"the request\'s head did not arrive in time; send it at once",' \
           b'"type":"invalid_request_error","param":null,"code":"head_too_slow"}}'  # fmt: skip

FULL = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 2\r\ncontent-length: 0\r\n\r\n"


class GuardedLine(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol for lines that strangers can open. Times are seconds."""

    MOST_HEAD_BYTES = 64 * 1024
    HEAD_TIMEOUT_S = 15.0
    """From the first byte of a head to its last."""
    SILENT_TIMEOUT_S = 75.0
    """Without a request, and for a reader that takes nothing of its finished answer."""
    CROWDED_TIMEOUT_S = 2.0
    """The same, and for heads, while three quarters of all lines are taken: idle ones make room."""
    LOOK_EVERY_S = 5.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # Any: uvicorn's own arguments, passed through
        super().__init__(*args, **kwargs)
        self._is_in_head = False
        self._head_bytes = 0
        self._fed_bytes = 0
        self._since = 0.0
        self._unread_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            # Answered without waiting for a request: the descriptors beyond the limit belong to books and targets.
            transport.write(FULL)
            transport.close()
            return
        self._since = self.loop.time()
        self._timer = self.loop.call_later(self.LOOK_EVERY_S, self._look)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._fed_bytes = len(data)
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.MOST_HEAD_BYTES and not self.transport.is_closing():
                self._refuse_head()

    @override
    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._head_bytes = -self._fed_bytes  # what came with the end of another request is not counted
        self._since = self.loop.time()
        super().on_message_begin()

    @override
    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()
        # Fields after a chunked body must not become headers: a proxy in front has not seen them (RFC 9110, 6.5.1).
        self.headers = []

    @override
    def on_response_complete(self) -> None:
        self._since = self.loop.time()
        super().on_response_complete()

    @override
    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: no upgrade is ever taken up, and the request goes on as it is."""

    def _refuse_head(self, status: bytes = b"431 Request Header Fields Too Large", body: bytes = TOO_LARGE) -> None:
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )
        self.transport.close()

    def _look(self) -> None:
        """Close the line if it holds a place for nothing; look again later otherwise."""
        if self._has_overstayed(self.loop.time() - self._since):
            is_answering = self.cycle is not None and not self.cycle.response_complete
            if self._is_in_head and not is_answering and not self.transport.get_write_buffer_size():
                self._refuse_head(b"408 Request Timeout", TOO_SLOW)
            else:
                self.transport.abort()  # what it did not read is not waited for
        else:
            self._timer = self.loop.call_later(self.LOOK_EVERY_S, self._look)

    def _has_overstayed(self, silent_s: float) -> bool:
        cycle = self.cycle
        if not self._is_in_head and cycle is not None and not cycle.response_complete:
            return False  # a request is being read or answered: the server's own limits apply
        unread_bytes = self.transport.get_write_buffer_size()
        if unread_bytes != self._unread_bytes:
            self._unread_bytes = unread_bytes
            self._since = self.loop.time()  # it reads
            return False
        limit_s = self.HEAD_TIMEOUT_S if self._is_in_head else self.SILENT_TIMEOUT_S
        most = self.limit_concurrency
        if most is not None and len(self.connections) * 4 > most * 3:
            limit_s = self.CROWDED_TIMEOUT_S
        return silent_s > limit_s
