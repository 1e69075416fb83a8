"""OpenAI's Responses API, as OpenAI, Azure and others serve it, translated from and to core.chat.

Nothing is stored at the vendor (`store: false`): the gateway keeps what a client wants kept. Parts beside this file:
`_openai_responses_lane` (a client of the same dialect), `_openai_responses_request`, `_items` and `_models` (any
other), `_reply` and `_stream`. Source: https://developers.openai.com/api/reference/resources/responses (openai==3.57.0,
types/responses/, read 2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm, of_fields
from yuzui.core.target import Target, path_of
from yuzui.providers import openai_errors
from yuzui.providers._contract import Codec, Decoder, WireRequest, lane_terms
from yuzui.providers._openai_responses_lane import patch
from yuzui.providers._openai_responses_models import traits_of
from yuzui.providers._openai_responses_reply import read_answer
from yuzui.providers._openai_responses_request import ENCRYPTED, wants_encrypted, write_meaning
from yuzui.providers._openai_responses_stream import StreamDecoder
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.native_request import Dropped
from yuzui.providers.openai import write_headers

DIALECT: Final[Dialect] = "openai_responses"

ROW = ProviderRow(
    title="OpenAI (Responses API)",
    codec="openai_responses",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    jurisdiction="US",
    premises="vendor",
    models=(),  # without a configuration the row `openai` offers them already, and speaks this wire to its clients
    price_provider="openai",
    # As a batch, half: https://developers.openai.com/api/docs/guides/flex-processing (2026-11-26)
    price_factors={"service_tier": {"flex": 0.5}},
    lacks=frozenset({"audio", "n"}),
    offers=frozenset({"server_tools"}),
    source="https://developers.openai.com/api/reference/resources/responses",
    checked="2026-11-26",
)


class OpenAIResponsesCodec(Codec):
    """`POST {base_url}/responses`. Stateless; one instance serves all targets."""

    dialect: Dialect = DIALECT

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        drop = Dropped()
        is_lane = request.dialect == DIALECT
        body = patch(request, target, drop) if is_lane else write_meaning(request, target, drop)
        body["model"] = target.model
        body["store"] = False
        limit = request.max_output_tokens if request.max_output_tokens is not None else output_cap
        if limit is not None and (not is_lane or request.max_output_tokens is None):
            body["max_output_tokens"] = limit
        if wants_encrypted(body, traits_of(target.model, target.parameters)):
            body["include"] = _with_encrypted(body.get("include"))
        return WireRequest(
            path=_path(target),
            headers=write_headers(target, is_stream=request.stream),
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=drop.names,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        if request.dialect == DIALECT:
            return lane_terms(request, target)
        return of_fields(request.price_terms, ("service_tier",))

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder(keeps_raw=wire is not None and wire.is_lane)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return openai_errors.read_error(status, headers, body, api_key=target.api_key)


def _with_encrypted(include: Any) -> list[Any]:  # Any: checked JSON
    wanted = list(include) if isinstance(include, list) else []
    return wanted if ENCRYPTED in wanted else [*wanted, ENCRYPTED]


def _path(target: Target) -> str:
    path = path_of(target, "openai_responses", "/responses")
    return f"{path}?{urlencode(target.quirks.query)}" if target.quirks.query else path


CODEC: Final = OpenAIResponsesCodec()
