"""What a client dialect must offer: `DIALECT`, shaped like `ClientDialect`. Bytes ↔ core.chat, no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from yuzui.core.chat import ChatRequest, ChatResponse, Dialect, StreamChunk
from yuzui.core.errors import YuzuiError


class StreamWriter(Protocol):
    """Writes one answer stream. Holds back every chunk that ends a choice until `finish`, so that a cut stream can
    never look complete."""

    def write(self, chunk: StreamChunk) -> bytes:
        """Bytes to send now; may be empty."""
        ...

    def finish(self, trailer: Mapping[str, Any]) -> bytes:  # Any: JSON values
        """The held chunks, the last with `trailer` under the key `yuzui`, and the dialect's terminator."""
        ...

    def fail(self, error: YuzuiError, request_id: str) -> bytes:
        """The dialect's own error event; nothing follows it, no terminator of success."""
        ...

    def heartbeat(self) -> bytes:
        """Bytes that every client ignores."""
        ...


class ClientDialect(Protocol):
    name: Dialect

    def read_request(self, body: Mapping[str, Any]) -> ChatRequest:  # Any: checked JSON
        """Raise `InvalidRequest` naming the field (`messages[0].content`) and what to change."""
        ...

    def write_response(self, response: ChatResponse, request: ChatRequest) -> bytes: ...

    def stream_writer(self, request: ChatRequest, *, request_id: str, is_lane: bool) -> StreamWriter:
        """`is_lane`: the upstream speaks this dialect, so `chunk.raw` may be sent as it is."""
        ...

    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """The error body that the official clients parse into their typed exceptions."""
        ...
