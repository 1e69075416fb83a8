"""What a provider file must offer: `CODEC`, an object with the shape of `Codec`. Bytes ↔ core.chat, no sockets.

Adding a vendor whose endpoint is OpenAI-compatible is one row in openai_compatible.toml. Adding a wire format is one
file here (found by listing the folder) and its cases in tests/wire/<file>/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override

from yuzui.core.answers import Answer
from yuzui.core.chat import ChatRequest, Dialect, Operation, StreamChunk
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm, read_terms
from yuzui.core.target import Target
from yuzui.core.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """What goes over the line: `POST {base_url}{path}` with `headers` and `body`."""

    path: str
    headers: Mapping[str, str]
    """Complete, allow-listed by construction: nothing of the client's headers is copied here. Holds the secret."""
    body: bytes
    is_stream: bool
    dropped: tuple[str, ...] = ()
    """Tuning knobs that this target cannot take: reported to the client in `x-yuzui-dropped`."""
    is_lane: bool = False
    """The client speaks this codec's dialect: its own JSON went out, patched."""
    answer_tool: str = ""
    """A tool that the model must call, whose arguments are the JSON answer: how some vendors hold to a schema."""
    model: str = ""
    """The target's model, for answers that do not name one."""
    units: Usage | None = None
    """What the request itself tells of its consumption (characters read aloud, pictures asked for)."""

    @override
    def __repr__(self) -> str:  # headers hold the vendor key
        return f"WireRequest({self.path!r}, {len(self.body)} bytes)"


class Decoder(Protocol):
    """One stream. Any cut of the bytes gives the same chunks."""

    def feed(self, data: bytes) -> list[StreamChunk]:
        """Chunks completed by `data`. Raise `UpstreamInvalid` for a broken known frame, `UpstreamFault` (with the
        vendor's class of error) for an error frame; skip unknown kinds of frame. Chunks that stood before the bad
        frame in the same `data` are returned first: the fault then waits for the next `feed` or `close`."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the protocol's own terminator arrived (`[DONE]`, `message_stop`)."""
        ...

    def close(self) -> None:
        """The bytes are over: raise `UpstreamInterrupted` unless `is_complete`."""
        ...


class Codec(Protocol):
    """For chat, `CODEC` of the file that a target's row names (`cohere`); for another operation, of the file with that
    name behind it (`cohere_rerank`)."""

    dialect: Dialect
    """Requests and answers of this dialect take the same-dialect lane."""
    operation: Operation = "chat"

    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        """`output_cap`: sent when the client set no bound (hard budget). Raise `UnsupportedFeature` naming it."""
        ...

    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        """The price terms that `write_request` may say to `target`: on the lane all that the client said. Never fewer,
        for what is sent and not told here is not reserved."""
        return request.price_terms if request.dialect == self.dialect else frozenset()

    def own_terms(self, target: Target) -> frozenset[PriceTerm]:
        """Price terms that every request to `target` asks for, because its operator said so."""
        return frozenset()

    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        """The answer to `wire`. Raise `UpstreamInvalid` when the body is not a complete, well-formed one."""
        ...

    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        """For the stream that answers `wire`."""
        ...

    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        """The fault for a non-2xx answer. The vendor's text is redacted: `target.api_key` is removed by value."""
        ...


class WrappedCodec(Codec):
    """Another codec but for what a subclass overrides. `dialect`: another one than its own keeps off its lane."""

    def __init__(self, codec: Codec, dialect: Dialect) -> None:
        self._codec = codec
        self.dialect = dialect
        self.operation = codec.operation

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        return self._codec.write_request(request, target, output_cap=output_cap)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return self._codec.read_error(status, headers, body, target)


class WrappedDecoder(Decoder):
    """Another decoder but for `feed`."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    @property
    @override
    def is_complete(self) -> bool:
        return self._decoder.is_complete

    @override
    def close(self) -> None:
        self._decoder.close()


def lane_terms(request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
    """What of the client's own JSON changes the price, for lanes that leave out what `target.quirks.drops` names."""
    drops = target.quirks.drops
    if not request.price_terms or drops.isdisjoint(request.body):
        return request.price_terms
    return read_terms({name: value for name, value in request.body.items() if name not in drops})
