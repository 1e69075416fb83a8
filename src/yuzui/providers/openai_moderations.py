"""Moderations as OpenAI-compatible servers give them, for clients of the same dialect.

Source: openai==3.54.0, types/moderation_create_response.py; 2026-11-26. OpenAI counts and charges nothing for them;
others (Mistral) tell tokens in `usage`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct
from typing_extensions import override

from yuzui.core.answers import Blob
from yuzui.core.chat import ChatRequest, Dialect, Operation
from yuzui.core.errors import UpstreamInvalid
from yuzui.core.target import Target
from yuzui.providers._contract import WireRequest
from yuzui.providers._openai_lane import (
    OperationCodec,
    decode,
    fault_in,
    json_request,
    patch,
    path_of,
    read_usage,
    require_lane,
)


class OpenAIModerationsCodec(OperationCodec):
    """`POST {base_url}/moderations`."""

    dialect: Dialect = "openai_moderations"
    operation: Operation = "moderations"

    @override
    def write_request(self, request: ChatRequest, target: Target, *, output_cap: int | None) -> WireRequest:
        require_lane(request, self.dialect)
        return json_request(patch(request, target), target, path_of(target, "openai_moderations", "/moderations"))

    @override
    def read_response(self, body: bytes, wire: WireRequest | None = None) -> Blob:
        found = decode(body, _answer, "a moderation")
        if found.error is not None or not found.results:
            raise fault_in(body) or UpstreamInvalid("the target's answer has no `results`")
        return Blob(usage=read_usage(found.usage), raw=body, raw_dialect=self.dialect)


class _Answer(Struct):
    results: list[dict[str, Raw]] | None = None
    usage: Raw = Raw()
    error: Any = None  # Any: only whether it is there; `fault_in` reads it


_answer = msgspec.json.Decoder(_Answer)

CODEC: Final = OpenAIModerationsCodec()
