"""Counting of tokens at Anthropic: a message's request without what says how to answer it.

Source: https://platform.claude.com/docs/en/api/messages-count-tokens, `anthropic` 2.14.0,
types/message_count_tokens_params.py (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from typing_extensions import override

from yuzui.core import strict_json
from yuzui.core.answers import Count
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamFault, UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._anthropic_faults import WireError, read_fault, stream_fault
from yuzui.providers._anthropic_lane import write_lane
from yuzui.providers._anthropic_request import write_body
from yuzui.providers._anthropic_stream import StreamDecoder
from yuzui.providers._contract import Codec, Decoder, WireRequest
from yuzui.providers._reading import BAD
from yuzui.providers.anthropic import add_betas, write_headers, write_path

_COUNTED: Final = frozenset({"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config"})
"""Fields that this endpoint takes, of those that we write ourselves."""


class AnthropicCountTokensCodec(Codec):
    """`POST {base_url}/v1/messages/count_tokens`. Stateless."""

    dialect: Dialect = "anthropic_count_tokens"
    operation: Operation = "count_tokens"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        is_lane = request.dialect == self.dialect
        headers = write_headers(target, False)
        if is_lane:
            body, dropped = write_lane(request, target, output_cap)
            add_betas(headers, request)
        else:
            # What cannot be said in a message is not counted either; what is dropped does not change the number.
            whole, _, _ = write_body(request, target, output_cap)
            body, dropped = {name: value for name, value in whole.items() if name in _COUNTED}, ()
        return WireRequest(
            path=write_path(target, "/count_tokens"),
            headers=headers,
            body=strict_json.write(body),
            is_stream=False,
            dropped=dropped,
            is_lane=is_lane,
            model=target.model,
        )

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Count:
        try:
            found = _read(body)
        except BAD as error:
            raise UpstreamInvalid(f"the target's answer is not what its protocol promises: {error}") from error
        if found.error is not None:
            raise stream_fault(found.error)
        if found.input_tokens is None or found.input_tokens < 0:
            raise UpstreamInvalid("the target's answer holds no count: `input_tokens` is missing")
        is_lane = wire is not None and wire.is_lane
        return Count(
            input_tokens=found.input_tokens,
            raw=body if is_lane else b"",
            raw_dialect=self.dialect if is_lane else None,
        )

    @override
    def decoder(self, wire: WireRequest | None = None) -> Decoder:
        return StreamDecoder()  # never asked for: a count is whole

    @override
    def read_error(self, status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
        return read_fault(status, headers, body, target)


class _Count(msgspec.Struct, frozen=True):
    input_tokens: int | None = None
    error: WireError | None = None


_read: Final = msgspec.json.Decoder(_Count).decode

CODEC: Final = AnthropicCountTokensCodec()
