"""The Anthropic Messages API, translated from and to core.chat.

Source: https://platform.claude.com/docs/en/api/messages (read 2026-11-22), API version 2023-06-01. The parts are
beside this file: `_anthropic_lane` for clients of the same dialect; `_anthropic_request` (and `_turns`, `_thinking`,
`_schema`, `_models`, `_fields`) for others; `_anthropic_answer`, `_anthropic_stream`, `_anthropic_usage`,
`_anthropic_faults`. What becomes of each field of an OpenAI request: docs/reference/translation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from typing_extensions import override

from yuzui import __version__
from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm
from yuzui.core.target import Quirks, Target, path_of
from yuzui.providers._anthropic_answer import read_answer
from yuzui.providers._anthropic_faults import read_fault
from yuzui.providers._anthropic_lane import betas, write_lane
from yuzui.providers._anthropic_request import write_body
from yuzui.providers._anthropic_stream import StreamDecoder
from yuzui.providers._contract import Codec, Decoder, WireRequest, lane_terms
from yuzui.providers.catalogue import ProviderRow

API_VERSION = "2023-06-01"  # the one that servers of other vendors speak too; 2026-10-21 only takes things away
USUAL_PATH = "/v1/messages"

ROW = ProviderRow(
    title="Anthropic",
    codec="anthropic",
    base_url="https://api.anthropic.com",
    key_env="ANTHROPIC_API_KEY",
    jurisdiction="US",
    premises="vendor",
    models=("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "claude-fable-5-2"),
    price_provider="anthropic",
    # Of all tokens and of all models that know the field, while fast mode differs from model to model:
    # https://platform.claude.com/docs/en/manage-claude/data-residency (2026-11-26)
    price_factors={"inference_geo": {"us": 1.1}},
    lacks=frozenset({"audio", "logprobs", "n"}),
    offers=frozenset({"server_tools"}),
    quirks=Quirks(path=USUAL_PATH, auth="x-api-key", headers={"anthropic-version": API_VERSION}),
    source="https://platform.claude.com/docs/en/api/messages",
    checked="2026-11-22",
)


class AnthropicCodec(Codec):
    """Stateless; one instance serves all targets."""

    dialect: Dialect = "anthropic_messages"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        is_lane = request.dialect == self.dialect
        headers = write_headers(target, request.stream)
        answer_tool = ""
        if is_lane:
            body, dropped = write_lane(request, target, output_cap)
            add_betas(headers, request)
        else:
            body, dropped, answer_tool = write_body(request, target, output_cap)
        return WireRequest(
            path=write_path(target),
            headers=headers,
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=dropped,
            is_lane=is_lane,
            answer_tool=answer_tool,
            model=target.model,
        )

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        return lane_terms(request, target) if request.dialect == self.dialect else frozenset()

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        if wire is None:
            return read_answer(body, is_lane=False, answer_tool="")
        return read_answer(body, is_lane=wire.is_lane, answer_tool=wire.answer_tool)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        if wire is None:
            return StreamDecoder()
        return StreamDecoder(is_lane=wire.is_lane, answer_tool=wire.answer_tool)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


def write_path(target: Target, ending: str = "") -> str:
    """`ending`: what stands behind the path of messages."""
    path = path_of(target, "anthropic", USUAL_PATH) + ending
    if target.base_url.endswith("/v1"):
        path = path.removeprefix("/v1")  # both spellings of a base URL are common
    return f"{path}?{urlencode(target.quirks.query)}" if target.quirks.query else path


def write_headers(target: Target, is_stream: bool) -> dict[str, str]:
    """All headers that the target gets, built from nothing but the configuration."""
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if is_stream else "application/json",
        "user-agent": f"yuzui/{__version__}",
        "anthropic-version": API_VERSION,
        **target.quirks.headers,
    }
    if target.api_key:
        if target.quirks.auth == "bearer":
            headers["authorization"] = f"Bearer {target.api_key}"
        elif target.quirks.auth != "none":
            headers[target.quirks.auth] = target.api_key
    return headers


def add_betas(headers: dict[str, str], request: ChatRequest) -> None:
    """What the client asked for in `anthropic-beta`, behind what the operator did: fields of the body may need it."""
    asked = betas(request.line.headers)
    if asked:
        known = headers.get("anthropic-beta")
        headers["anthropic-beta"] = f"{known},{asked}" if known else asked


CODEC: Final = AnthropicCodec()
