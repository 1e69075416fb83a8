"""Google's Gemini API, translated from and to core.chat.

Source: https://ai.google.dev/api/generate-content (2026-11-26), types as in `google-genai` 3.6.1. The parts are beside
this file: `_gemini_request` (and `_turns`, `_models`), `_gemini_answer`, `_gemini_faults`, `_gemini_place`. Vertex AI
speaks the same under other addresses: `vertex`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._gemini_answer import read_answer
from yuzui.providers._gemini_faults import read_fault
from yuzui.providers._gemini_place import Place, gemini_place, write_headers
from yuzui.providers._gemini_request import SAYABLE, patch_body, write_body
from yuzui.providers._gemini_stream import StreamDecoder
from yuzui.providers.catalogue import ProviderRow

ROW = ProviderRow(
    title="Google Gemini",
    codec="gemini",
    base_url="https://generativelanguage.googleapis.com/v1beta",
    key_env="GEMINI_API_KEY",
    jurisdiction="US",
    premises="vendor",
    models=("gemini-3.8-flash", "gemini-4-argon"),
    price_provider="google",
    offers=frozenset({"server_tools"}),
    source="https://ai.google.dev/api/generate-content",
    checked="2026-11-26",
)


class GeminiCodec(Codec):
    """Stateless; one instance serves all targets of one service."""

    dialect: Dialect = "gemini"

    def __init__(self, place: Place) -> None:
        self._place = place

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        is_lane = request.dialect == self.dialect
        body, dropped = (patch_body if is_lane else write_body)(request, target, output_cap)
        # Always events: the array in pieces that a client may want carries the same.
        method = "streamGenerateContent?alt=sse" if request.stream else "generateContent"
        return WireRequest(
            path=f"{self._place(target)}:{method}",
            headers=write_headers(target, is_stream=request.stream),
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=dropped,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        return request.price_terms if request.dialect == self.dialect else request.price_terms & SAYABLE

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body, is_lane=wire is not None and wire.is_lane)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(is_lane=wire is not None and wire.is_lane)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


CODEC: Final = GeminiCodec(gemini_place)
