"""Ollama's own API, translated from and to core.chat.

What its OpenAI-compatible endpoint (row `ollama`) loses: how long a model stays loaded, the context's length and other
options, thinking per level, the count of tokens read from the cache. Here it has no forced tools, no addresses of
pictures, no choice of one call at a time; the compatible endpoint takes these fields and ignores them.

Sources (2026-11-26): https://docs.ollama.com/api/chat, https://docs.ollama.com/openapi.yaml, the vendor's client
`ollama` 0.6.3 (`_types.py`), https://github.com/ollama/ollama/pull/16916 (`prompt_eval_cached_count`). The parts are
beside this file: `_ollama_native_request`, `_ollama_native_answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._ollama_native_answer import StreamDecoder, read_answer
from yuzui.providers._ollama_native_request import write_body
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import write_headers, write_path
from yuzui.providers.openai_errors import read_error

ROW = ProviderRow(
    title="Ollama, native API",
    codec="ollama_native",
    base_url="http://127.0.0.1:11434",
    premises="own",
    lacks=frozenset({"audio", "files", "logprobs", "n", "web_search"}),
    source="https://docs.ollama.com/api/chat",
    checked="2026-11-26",
)


class OllamaCodec(Codec):
    """`POST {base_url}/api/chat`, streams as lines of JSON. Stateless; one instance serves all targets."""

    dialect: Dialect = "ollama"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        body, dropped = write_body(request, target, output_cap)
        headers = write_headers(target, is_stream=False)
        if request.stream:
            headers["accept"] = "application/x-ndjson"
        return WireRequest(
            path=write_path(target, "ollama_native", "/api/chat"),
            headers=headers,
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=dropped,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder()

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_error(status, headers, body, api_key=target.api_key)


CODEC: Final = OllamaCodec()
