"""Counting tokens with Google's Gemini API: `:countTokens`. It costs nothing.

Source: https://ai.google.dev/api/tokens (2026-11-26). A request with an instruction or tools is counted as a whole in
`generateContentRequest`; Vertex AI, which knows no such field, has their fields in the body itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Answer, Count
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._gemini_faults import read_fault
from yuzui.providers._gemini_place import Place, gemini_place, write_headers
from yuzui.providers._gemini_request import write_body
from yuzui.providers._gemini_stream import StreamDecoder
from yuzui.providers._gemini_turns import Json
from yuzui.providers._reading import BAD

_OF_VERTEX: Final = frozenset({"contents", "systemInstruction", "system_instruction", "tools", "generationConfig"})
"""What Vertex AI counts; what else a request may say has no tokens."""
_WHOLE: Final = ("generateContentRequest", "generate_content_request")


class _Answer(msgspec.Struct):
    totalTokens: int


_read_answer = msgspec.json.Decoder(_Answer).decode


class GeminiTokenCounter(Codec):
    dialect: Dialect = "gemini_count_tokens"
    operation: Operation = "count_tokens"

    def __init__(self, place: Place, *, is_vertex: bool) -> None:
        self._place = place
        self._is_vertex = is_vertex

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        is_lane = request.dialect == self.dialect
        dropped: tuple[str, ...] = ()
        if is_lane:
            body = self._patched(request, target)
        else:
            body, dropped = write_body(request, target, None)
            body = _for_vertex(body) if self._is_vertex else _whole(body, target)
        return WireRequest(
            path=f"{self._place(target)}:countTokens",
            headers=write_headers(target),
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Answer:
        try:
            found = _read_answer(body)
        except BAD as error:
            raise UpstreamInvalid("the target's answer is no count of tokens") from error
        if wire is not None and wire.is_lane:
            return Count(input_tokens=found.totalTokens, raw=body, raw_dialect=self.dialect)
        return Count(input_tokens=found.totalTokens)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(is_lane=False)  # never asked for: a count is not streamed

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)

    def _patched(self, request: ChatRequest, target: Target) -> Json:
        """The client's own body, in the shape that this service reads."""
        body = dict(request.body)
        for name in _WHOLE:
            inner = body.get(name)
            if isinstance(inner, Mapping):
                if self._is_vertex:
                    return _for_vertex(dict(inner))
                body[name] = {**inner, "model": f"models/{target.model}"}
                return body
        if not self._is_vertex and body.keys() - {"contents", "model"}:
            return _whole(body, target)
        body.pop("model", None)  # the path says it
        return body


def _whole(body: Json, target: Target) -> Json:
    return {"generateContentRequest": {**body, "model": f"models/{target.model}"}}


def _for_vertex(body: Json) -> Json:
    return {name: value for name, value in body.items() if name in _OF_VERTEX}


CODEC: Final = GeminiTokenCounter(gemini_place, is_vertex=False)
