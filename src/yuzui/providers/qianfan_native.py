"""Baidu Qianfan, version 2: chat completions, and what the vendor adds to them.

What the plain row (`qianfan`) loses for clients of other dialects: the pages that a search found, verdicts of the
safety check (`flag`, `ban_round`, `need_clear_history`), calls of the search; and for all: `web_search` and thinking,
which the API wants in other words than OpenAI's, its codes of errors, the header that names an app.
`parameters`: `app_id`. Auth: an API key, or `auth` with `kind = "baidu_iam"`.

Sources (2026-11-26): https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb, https://cloud.baidu.com/doc/WENXINWORKSHOP/s/
Fm2vrveyu, and the vendor's client `qianfan` 0.4.12.3 (`resources/typing_client.py`, `consts.py`). The parts:
`_qianfan_native_request`, `_qianfan_native_answer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from typing_extensions import override

from yuzui.core.chat import ChatRequest, ChatResponse
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Quirks, Target
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._qianfan_native_answer import make_decoder, read_answer, read_fault
from yuzui.providers._qianfan_native_request import KNOBS, add_own
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.openai import OpenAICodec

ROW = ProviderRow(
    title="Baidu Qianfan (ERNIE), with what it adds to chat completions",
    codec="qianfan_native",
    base_url="https://qianfan.baidubce.com/v2",
    key_env="QIANFAN_API_KEY",
    auth=("baidu_iam",),
    jurisdiction="CN",
    premises="vendor",
    models=("ernie-4.0-turbo-8k", "ernie-3.5-8k"),
    lacks=frozenset({"audio", "files", "logprobs", "n"}),
    quirks=Quirks(
        max_tokens_field="max_tokens",
        developer_role=False,
        takes=KNOBS,
        drops=frozenset(
            {"logit_bias", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options", "safety_identifier"}
            | {"prompt_cache_retention", "service_tier", "store", "verbosity"}
        ),
    ),
    source="https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb",
    checked="2026-11-26",
)


class QianfanCodec(OpenAICodec):
    """`POST {base_url}/chat/completions`."""

    file = "qianfan_native"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        wire = add_own(super().write_request(request, target, output_cap=output_cap), request)
        app_id = target.parameters.get("app_id")
        return replace(wire, headers={**wire.headers, "appid": app_id}) if app_id else wire

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return read_answer(body, is_lane=wire is None or wire.is_lane)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return make_decoder(is_lane=wire is None or wire.is_lane)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


CODEC: Final = QianfanCodec()
