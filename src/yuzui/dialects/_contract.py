"""What a client dialect must offer: `DIALECT`, shaped like `ClientDialect`. Bytes ↔ core.chat, no sockets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from yuzui.core.answers import Answer
from yuzui.core.chat import NO_LINE, AnswerFacts, ChatRequest, Dialect, Operation, RequestLine, StreamChunk
from yuzui.core.errors import YuzuiError
from yuzui.core.strict_json import read_object
from yuzui.dialects._field_names import CHAT


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
        """Bytes that every client ignores; empty where the dialect has none."""
        ...

    def kept(self) -> bytes:
        """The whole answer as the dialect's non-streamed body, for `ChatRequest.keeps`; called before `finish`."""
        return b""


class ClientDialect(Protocol):
    """The methods with a body are what most dialects do; the others differ in each."""

    name: Dialect
    operation: Operation = "chat"
    names: Mapping[str, str] = CHAT
    """How its clients spell what chat completions call otherwise: see `_field_names`."""
    hears: frozenset[str] = frozenset()
    """Names of the client's headers, in lower case, that the dialect needs to see."""

    def read_body(self, body: bytes, content_type: str) -> dict[str, Any]:  # Any: JSON values, and bytes of files
        """Raise `InvalidRequest` for a body that could be read in two ways."""
        return read_object(body)

    def read_request(self, body: Mapping[str, Any], line: RequestLine = NO_LINE) -> ChatRequest:  # Any: JSON
        """Raise `InvalidRequest` naming the field (`messages[0].content`) and what to change."""
        ...

    def follow(self, request: ChatRequest, earlier: bytes) -> ChatRequest:
        """`request` with what `earlier` (made by `to_keep` or `to_join`) holds in front: see `ChatRequest.follows`."""
        return request

    def kept_id(self, facts: AnswerFacts) -> str:
        """The name under which an answer is kept, and by which the client asks for it."""
        return facts.request_id

    def kept_names(self, kept: bytes) -> tuple[str, ...]:
        """Other names by which a client may refer to what `to_keep` made: those of its items that are not ours."""
        return ()

    def to_keep(self, request: ChatRequest, answer: bytes) -> bytes:
        """What to keep of a request and its whole answer, so that it can be shown and followed later."""
        return answer

    def to_join(self, request: ChatRequest, answer: bytes) -> bytes:
        """`ChatRequest.joined` with what was asked and answered; called for requests that join something only."""
        return request.joined

    def write_response(self, response: Answer, request: ChatRequest, facts: AnswerFacts) -> bytes:
        """The body of a whole answer."""
        ...

    def answer_type(self, request: ChatRequest) -> str:
        """The content type of a 200 answer."""
        return "text/event-stream; charset=utf-8" if request.stream else "application/json"

    def stream_writer(self, request: ChatRequest, facts: AnswerFacts) -> StreamWriter:
        """With `facts.is_lane` the upstream speaks this dialect, and `chunk.raw` may be sent as it is."""
        ...

    def write_error(self, error: YuzuiError, request_id: str) -> bytes:
        """The error body that the official clients parse into their typed exceptions."""
        ...
