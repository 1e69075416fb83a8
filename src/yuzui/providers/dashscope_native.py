"""Alibaba Cloud Model Studio's own API (DashScope), translated from and to core.chat.

The OpenAI-compatible endpoint (row `dashscope`) has neither the pages that a search found nor the counts of plugins.
Each model is bound to one of two services, for text or for everything else, and refuses the other with "url error": the
name tells which, unless `parameters.interface` is `text` or `multimodal`.

Sources (2026-11-26): https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope,
https://docs.qwencloud.com/api-reference/chat/dashscope, the vendor's client `dashscope` 2.0.2
(`v2/protocols/native.py`, `acli/providers/tongyi.py`), and recordings in https://github.com/cnblogs/dashscope-sdk
(test/…/RawHttpData). The parts: `_dashscope_native_request`, `_dashscope_native_answer`, `_dashscope_native_faults`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Quirks, Target
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._dashscope_native_answer import StreamDecoder, read_answer
from yuzui.providers._dashscope_native_faults import read_fault
from yuzui.providers._dashscope_native_request import is_multimodal, write_body
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import write_headers, write_path

ROW = ProviderRow(
    title="Alibaba Cloud Model Studio (Qwen), native API",
    codec="dashscope_native",
    base_url="https://dashscope.aliyuncs.com/api/v1",
    key_env="DASHSCOPE_API_KEY",
    jurisdiction="CN",
    premises="vendor",
    models=("qwen-plus", "qwen3.7-plus", "qwen3.8-max"),
    lacks=frozenset({"files", "logprobs"}),
    # Thoughts go back to the model while tools are answered; see `_dashscope_native_request`.
    quirks=Quirks(reasoning_fields=("reasoning_content",)),
    source="https://www.alibabacloud.com/help/en/model-studio/qwen-api-via-dashscope",
    checked="2026-11-26",
)

TEXT_PATH: Final = "/services/aigc/text-generation/generation"
MULTIMODAL_PATH: Final = "/services/aigc/multimodal-generation/generation"


class DashScopeCodec(Codec):
    """`POST {base_url}/services/aigc/…`. Stateless; one instance serves all targets."""

    dialect: Dialect = "dashscope"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        multimodal = is_multimodal(request, target)
        body, dropped = write_body(request, target, output_cap, multimodal=multimodal)
        return WireRequest(
            path=write_path(target, "dashscope_native", MULTIMODAL_PATH if multimodal else TEXT_PATH),
            headers=native_headers(target, is_stream=request.stream),
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
        # Of several answers nobody knows how many are still to come: there the end of the bytes is the end.
        return StreamDecoder(wire.model if wire else "", is_single=wire is None or b'"n":' not in wire.body)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def native_headers(target: Target, *, is_stream: bool) -> dict[str, str]:
    """Of every service of this API; `parameters.workspace` names a workspace other than the key's own."""
    headers = write_headers(target, is_stream=is_stream)
    if is_stream:
        headers["x-dashscope-sse"] = "enable"
    workspace = target.parameters.get("workspace")
    if workspace:
        headers["x-dashscope-workspace"] = workspace
    return headers


CODEC: Final = DashScopeCodec()
