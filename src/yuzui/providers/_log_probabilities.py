"""Chat completions asked for the log-probabilities of an answer's tokens, which nobody sees who did not ask for them.

Source: https://developers.openai.com/api/reference/resources/chat (`logprobs`, `choices[].logprobs.content[].logprob`),
which vLLM, SGLang and llama.cpp keep to (2026-11).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Answer
from yuzui.core.chat import ChatRequest, StreamChunk
from yuzui.core.log_probabilities import log_probabilities_of
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest, WrappedCodec, WrappedDecoder
from yuzui.providers._reading import BAD

_DIALECT: Final = "openai_chat"
_NAME: Final = b'"logprobs"'
_decode = msgspec.json.Decoder(dict[str, Any]).decode  # Any: JSON values
_encode = msgspec.json.Encoder().encode


def tells_odds(codec: Codec, target: Target) -> bool:
    """Whether `target` can be asked for log-probabilities by `codec`."""
    return codec.dialect == _DIALECT and "logprobs" in target.features and "logprobs" not in target.quirks.drops


class OddsCodec(WrappedCodec):
    """A codec of chat completions that asks for them, for one answer. `odds`: those of its first choice, so far."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(codec, codec.dialect)
        self.odds: list[float] = []
        self._is_shown = False

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        wire = super().write_request(request, target, output_cap=output_cap)
        body = strict_json.read_object(wire.body)
        self._is_shown = body.get("logprobs") is True
        if self._is_shown:
            return wire
        return replace(wire, body=strict_json.write({**body, "logprobs": True}))

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        return self._codec.read_response(self.take(body), wire)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return _OddsDecoder(self._codec.decoder(wire), self)

    def take(self, raw: bytes) -> bytes:
        """`raw`, a whole answer or an event, as its client is to see it; the odds in it are noted."""
        if _NAME not in raw:
            return raw
        try:
            found = _decode(raw)
        except BAD:
            return raw  # its reader complains
        for choice in _listed(found.get("choices")):
            if not isinstance(choice, dict):
                continue
            if (choice.get("index") or 0) == 0:
                self.odds += log_probabilities_of(choice)
            if choice.get("logprobs") is not None and not self._is_shown:
                choice["logprobs"] = None  # as the server says it to who does not ask
        return raw if self._is_shown else _encode(found)


def _listed(value: object) -> list[Any]:  # Any: JSON values
    """Of a server that says something else there nobody knows odds; what that makes of its answer its reader says."""
    return value if isinstance(value, list) else []


class _OddsDecoder(WrappedDecoder):
    def __init__(self, decoder: Decoder, codec: OddsCodec) -> None:
        super().__init__(decoder)
        self._odds_codec = codec

    @override
    def feed(self, data: bytes) -> list[StreamChunk]:
        return [self._clean(chunk) for chunk in self._decoder.feed(data)]

    def _clean(self, chunk: StreamChunk) -> StreamChunk:
        raw = self._odds_codec.take(chunk.raw)
        return chunk if raw is chunk.raw else msgspec.structs.replace(chunk, raw=raw)
