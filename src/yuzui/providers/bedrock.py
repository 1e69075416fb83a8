"""AWS Bedrock's Converse and ConverseStream, translated from and to core.chat.

One wire for the models of many vendors; what differs between them is in `_bedrock_models`. Parts beside this file:
`_bedrock_request` (and `_turns`, `_models`), `_bedrock_answer`, `_bedrock_stream`, `_bedrock_faults`. Requests carry a
Bedrock API key as bearer token (`api_key`), or are signed on their way out (`auth` of kind `aws_sigv4`). Source:
botocore==1.44.8, bedrock-runtime service model 2023-09-30 (read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from typing_extensions import override

from yuzui import __version__
from yuzui.core import eventstream, strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm, term_of
from yuzui.core.target import Target
from yuzui.providers._bedrock_answer import read_answer
from yuzui.providers._bedrock_faults import read_fault
from yuzui.providers._bedrock_request import SAYABLE, Writer
from yuzui.providers._bedrock_stream import StreamDecoder
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers.catalogue import ProviderRow

ROW = ProviderRow(
    title="AWS Bedrock",
    codec="bedrock",
    base_url="",  # https://bedrock-runtime.REGION.amazonaws.com, or a private endpoint
    key_env="AWS_BEARER_TOKEN_BEDROCK",
    auth=("aws_sigv4",),
    jurisdiction="US",
    premises="vendor",
    price_provider="aws",
    lacks=frozenset({"logprobs", "n", "web_search"}),  # Nova searches, but a row speaks for all models
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
    checked="2026-11-26",
)


class BedrockCodec(Codec):
    """Stateless; one instance serves all targets. No client speaks this dialect, so there is no lane."""

    dialect: Dialect = "bedrock_converse"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        writer = Writer(request, target, output_cap)
        writer.write()
        return WireRequest(
            path=path_of(target, target.quirks.path or "/model/{model}/converse")
            + ("-stream" if request.stream else ""),
            headers=headers_of(target, eventstream.CONTENT_TYPE if request.stream else "application/json"),
            body=strict_json.write(writer.body),
            is_stream=request.stream,
            dropped=writer.drop.names,
            answer_tool=writer.answer_tool,
            model=target.model,
        )

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        return request.price_terms & SAYABLE

    @override
    def own_terms(self, target: Target) -> frozenset[PriceTerm]:
        latency = target.parameters.get("latency")
        return frozenset((term_of("latency", latency),)) if latency else frozenset()

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body, wire.answer_tool if wire is not None else "", wire.model if wire is not None else "")

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        if wire is None:
            return StreamDecoder(answer_tool="", model="")
        return StreamDecoder(answer_tool=wire.answer_tool, model=wire.model)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def path_of(target: Target, path: str) -> str:
    """ARNs are model ids too: their colons and slashes are escaped, as the signature expects."""
    return path.replace("{model}", quote(target.model, safe="-._~"))


def headers_of(target: Target, accept: str) -> dict[str, str]:
    headers = {
        "content-type": "application/json",
        "accept": accept,
        "user-agent": f"yuzui/{__version__}",
        **target.quirks.headers,
    }
    if target.api_key:
        headers["authorization"] = f"Bearer {target.api_key}"
    return headers


CODEC: Final = BedrockCodec()
