"""Cohere's chat API, version 2, translated from and to core.chat.

Sources (2026-11-26): https://docs.cohere.com/v2/reference/chat, https://docs.cohere.com/v2/docs/streaming,
https://docs.cohere.com/docs/reasoning, and the types of the vendor's client `cohere` 7.3.1. Its OpenAI-compatible
endpoint has neither citations nor documents, tool plans, thinking budgets or billed units. The parts are beside this
file: `_cohere_request`, `_cohere_answer`; embeddings and reranking: `cohere_embeddings`, `cohere_rerank`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers._cohere_answer import StreamDecoder, read_answer, read_fault
from yuzui.providers._cohere_request import write_body
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import write_headers, write_path

ROW = ProviderRow(
    title="Cohere",
    codec="cohere",
    base_url="https://api.cohere.com",
    key_env="CO_API_KEY",
    jurisdiction="CA",
    premises="vendor",
    models=("command-a-03-2025", "command-r7b-12-2024"),  # newer ones have no price in the library yet
    price_provider="cohere",
    lacks=frozenset({"audio", "logprobs", "n", "web_search"}),
    source="https://docs.cohere.com/v2/reference/chat",
    checked="2026-11-26",
)


class CohereCodec(Codec):
    """`POST {base_url}/v2/chat`. Stateless; one instance serves all targets."""

    dialect: Dialect = "cohere_chat"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        body, dropped = write_body(request, target, output_cap)
        return WireRequest(
            path=write_path(target, "cohere", "/v2/chat"),
            headers=write_headers(target, is_stream=request.stream),
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=dropped,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body, wire.model if wire else "")

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(wire.model if wire else "")

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


CODEC: Final = CohereCodec()
