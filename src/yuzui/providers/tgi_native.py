"""Hugging Face's Text Generation Inference: its chat API, with its own ends, its own errors, and its unused fields.

Why not `/generate`: it takes a finished prompt, and the chat template stands in the server; what it tells more
(tokens, their probabilities, the seed) no dialect of ours can hand on, and legacy completions travel on the lane to
`/v1/completions`. What the plain row (`tgi`) loses, and this file keeps: `stop_sequence` and `eos_token` for ends,
`error_type`, status 424 for a generation that failed and may be tried elsewhere, and a report of the fields that the
server takes and ignores (its schema calls them unused), instead of silence.

Sources (2026-11-26): https://huggingface.co/docs/text-generation-inference/messages_api,
https://github.com/huggingface/text-generation-inference (`docs/openapi.json`, `router/src/lib.rs`), and the types of
`huggingface_hub` 2.4.0 (`inference/_generated/types`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core.chat import ChatResponse
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Quirks, Target
from yuzui.providers._contract import Decoder, WireRequest
from yuzui.providers._reading import BAD
from yuzui.providers.catalogue import ProviderRow
from yuzui.providers.native_errors import Statuses, fault_in_answer, fault_of_status
from yuzui.providers.openai import OpenAICodec
from yuzui.providers.openai_errors import WireError, find_error
from yuzui.providers.openai_like import Ends, LikeDecoder, mend
from yuzui.providers.openai_reply import read_response

ROW = ProviderRow(
    title="Text Generation Inference, with its own errors and ends",
    codec="tgi_native",
    base_url="http://127.0.0.1:3000/v1",
    premises="own",
    lacks=frozenset({"audio", "files", "n", "web_search"}),
    quirks=Quirks(
        max_tokens_field="max_tokens",
        developer_role=False,
        takes=frozenset({"guideline", "tool_prompt"}),
        drops=frozenset(
            {"logit_bias", "metadata", "moderation", "parallel_tool_calls", "prediction", "prompt_cache_key"}
            | {"prompt_cache_options", "prompt_cache_retention", "reasoning_effort", "safety_identifier"}
            | {"service_tier", "store", "user", "verbosity"}
            | {
                "top_k",
                "typical_p",
                "repetition_penalty",
                "watermark",
                "truncate",
                "adapter_id",
                "best_of",
            }  # /generate's
        ),
    ),
    source="https://huggingface.co/docs/text-generation-inference/messages_api",
    checked="2026-11-26",
)

STATUSES: Final[Statuses] = {
    "validation": 422,
    "template_error": 422,
    "tool_error": 422,
    "overloaded": 429,
    "generation": 500,  # comes as 424
    "incomplete_generation": 500,
    "healthcheck": 503,
    "unhealthy": 503,
}
"""`error_type` → the HTTP status that says the same."""
ENDS: Final[Ends] = {"stop_sequence": "stop", "eos_token": "stop"}


class TgiCodec(OpenAICodec):
    """`POST {base_url}/chat/completions`."""

    file = "tgi_native"

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return mend(read_response(body, is_lane=wire is None or wire.is_lane), ENDS)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return LikeDecoder(_translate, is_lane=wire is None or wire.is_lane, ends=ENDS)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        told = 500 if status == 424 else status  # a generation that failed: nobody's request was wrong
        return fault_of_status(told, headers, _error(body) or WireError(), STATUSES, api_key=target.api_key)


def _translate(event: str, data: bytes) -> bytes | None:
    if event == "error" or b'"error_type"' in data:
        error = _error(data)
        if error is not None:
            raise fault_in_answer(error, STATUSES, "inside its stream")
    return data


def _error(body: bytes) -> WireError | None:
    try:
        found = _read(body)
    except BAD:
        return find_error(body)
    if found.error is None and found.error_type is None:
        return find_error(body)
    return WireError(message=found.error, code=found.error_type)


class _Error(msgspec.Struct):
    error: str | None = None
    error_type: str | None = None


_read = msgspec.json.Decoder(_Error).decode

CODEC: Final = TgiCodec()
