"""How OpenAI-compatible servers want a request spelled; differences between vendors are `Quirks`, never code.

Source: https://developers.openai.com/api/reference/resources/chat (openai-python 3.54, 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from typing_extensions import override

from yuzui import __version__
from yuzui.core import strict_json
from yuzui.core.chat import ChatRequest, ChatResponse, Dialect
from yuzui.core.errors import UpstreamFault
from yuzui.core.price_terms import PriceTerm, of_fields
from yuzui.core.target import Quirks, Target, path_of
from yuzui.providers import openai_errors, openai_reply
from yuzui.providers._contract import Codec, Decoder, WireRequest, lane_terms
from yuzui.providers._openai_chat_lane import without_foreign_thoughts
from yuzui.providers.openai_request import KNOBS, Dropped, body_of_meaning

USER_AGENT: Final = f"yuzui/{__version__}"
_MAX_TOKENS: Final = ("max_completion_tokens", "max_tokens")


class OpenAICodec(Codec):
    """`POST {base_url}/chat/completions`."""

    dialect: Dialect = "openai_chat"
    file = "openai"
    """The codec's own name: whose path `quirks` may change."""

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        quirks = target.quirks
        drop = Dropped()
        is_lane = request.dialect == self.dialect and request.operation == self.operation
        if is_lane:
            body = dict(request.body)  # the checked JSON itself: a vendor's own fields survive
            body["messages"] = without_foreign_thoughts(body["messages"], target.provider, drop)
        else:
            body = body_of_meaning(request, target, drop)
        body["model"] = target.model
        _set_stream(body, request, quirks)
        _set_max_tokens(body, request, quirks, output_cap)
        if not quirks.developer_role:
            body["messages"] = [_as_system(message) for message in body["messages"]]
        for name in sorted(quirks.drops & body.keys()):
            if body.pop(name) is not None:
                drop(name)
        for name, new_name in quirks.renames.items():
            if name in body:
                body[new_name] = body.pop(name)
        return WireRequest(
            path=write_path(target, self.file, "/chat/completions"),
            headers=write_headers(target, is_stream=request.stream),
            body=strict_json.write(body),
            is_stream=request.stream,
            dropped=drop.names,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def sent_terms(self, request: ChatRequest, target: Target) -> frozenset[PriceTerm]:
        if request.dialect == self.dialect and request.operation == self.operation:
            return lane_terms(request, target)
        return of_fields(request.price_terms, (KNOBS | target.quirks.takes) - target.quirks.drops)

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> ChatResponse:
        return openai_reply.read_response(body, is_lane=wire is None or wire.is_lane)

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return openai_reply.OpenAIDecoder(is_lane=wire is None or wire.is_lane)

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return openai_errors.read_error(status, headers, body, api_key=target.api_key)


def write_path(target: Target, codec: str, usual: str) -> str:
    """`codec`: the file in providers/ that asks; a target that names it as its own may have another path for it."""
    path = path_of(target, codec, usual)
    return f"{path}?{urlencode(target.quirks.query)}" if target.quirks.query else path


def write_headers(target: Target, *, is_stream: bool) -> dict[str, str]:
    """All headers that the target gets, built from nothing but the configuration."""
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if is_stream else "application/json",
        "user-agent": USER_AGENT,
    }
    auth = target.quirks.auth
    if target.api_key and auth != "none":
        if auth == "bearer":
            headers["authorization"] = f"Bearer {target.api_key}"
        else:
            headers[auth] = target.api_key
    headers.update(target.quirks.headers)
    return headers


def _set_stream(body: dict[str, Any], request: ChatRequest, quirks: Quirks) -> None:  # Any: checked JSON
    if not request.stream:
        return
    if quirks.knows_stream_options:
        # Without the usage at the end, the stream could only be booked by estimate.
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    else:
        body.pop("stream_options", None)


def _set_max_tokens(body: dict[str, Any], request: ChatRequest, quirks: Quirks, cap: int | None) -> None:  # Any: JSON
    limit = request.max_output_tokens
    field = quirks.max_tokens_field
    if limit is None:
        if cap is not None:
            body["max_tokens" if field == "as_sent" else field] = cap
    elif field != "as_sent":
        for name in _MAX_TOKENS:
            body.pop(name, None)
        body[field] = limit


def _as_system(message: dict[str, Any]) -> dict[str, Any]:  # Any: checked JSON
    return {**message, "role": "system"} if message["role"] == "developer" else message


CODEC: Final = OpenAICodec()
