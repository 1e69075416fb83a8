"""Answers and errors of watsonx.ai, put into the words of chat completions where they differ.

Usage as OpenAI counts it: `prompt_tokens`, `completion_tokens`; nothing is said of caches or thoughts. In a stream it
comes on an event of its own, the last one: there is no `[DONE]`. Table: docs/reference/usage/watsonx.md.
Sources (2026-11-26): see `watsonx`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from yuzui.core.chat import ChatResponse
from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers._contract import Decoder
from yuzui.providers._reading import BAD
from yuzui.providers.native_errors import Statuses, fault_in_answer, fault_of_status
from yuzui.providers.openai_errors import WireError, find_error
from yuzui.providers.openai_like import Ends, Json, LikeDecoder, change, mend
from yuzui.providers.openai_reply import read_response

STATUSES: Final[Statuses] = {
    "authentication_token_expired": 401,
    "authentication_token_not_valid": 401,
    "authorization_rejected": 403,
    "user_authorization_failed": 403,
    "no_associated_service_instance_error": 403,
    "token_quota_reached": 402,  # comes as 403
    "consumption_limit_reached": 429,
    "rate_limit_reached_requests": 429,
    "rate_limit_reached_tokens": 429,
    "model_not_supported": 404,  # comes as 404, in a stream as an event
    "model_no_support_for_function": 400,
    "invalid_input_argument": 400,
    "invalid_request_entity": 400,
    "json_type_error": 400,
    "json_validation_error": 400,
}
"""Error code → the HTTP status that says the same."""
ENDS: Final[Ends] = {"time_limit": "length", "cancelled": None}
"""`error` means the same here as in OpenAI's words."""


def read_answer(body: bytes, model: str) -> ChatResponse:
    """Raise `UpstreamInvalid` when `body` is not a complete answer."""
    error = _find(body)
    if error is not None:
        raise fault_in_answer(error, STATUSES, "inside a 200 answer")
    found = mend(read_response(change(body, _name_model), is_lane=False), ENDS)
    return replace(found, model=found.model or model, raw=b"", raw_dialect=None)


def make_decoder() -> Decoder:
    """A decoder of one stream."""
    return LikeDecoder(_translate, is_lane=False, ends=ENDS, sends_done=False)


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer: `{"errors": [{"code", "message"}], "trace", "status_code"}`."""
    error = _find(body) or find_error(body) or WireError()
    return fault_of_status(status, headers, error, STATUSES, api_key=target.api_key)


def _translate(event: str, data: bytes) -> bytes | None:
    if event == "error":
        raise fault_in_answer(_find(data) or find_error(data) or WireError(), STATUSES, "as an event of its stream")
    if event not in ("", "message"):
        return None
    if b'"errors"' in data:
        error = _find(data)
        if error is not None:
            raise fault_in_answer(error, STATUSES, "inside its stream")
    return data if b'"model"' in data else change(data, _name_model)


def _name_model(body: Json) -> None:
    if "model_id" in body:
        body.setdefault("model", body["model_id"])


def _find(body: bytes) -> WireError | None:
    try:
        found = _read_errors(body).errors
    except BAD:
        return None
    return WireError(message=found[0].message, code=found[0].code) if found else None


# ---- wire structs ---------------------------------------------------------------------------------------------------


class _Error(msgspec.Struct):
    code: str | None = None
    message: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


_read_errors = msgspec.json.Decoder(_Errors).decode
