"""Errors of vendors with codes of their own, by the HTTP status that says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from yuzui.core.errors import UpstreamFault
from yuzui.providers.openai_errors import WireError, read_error, read_stream_error

Statuses = Mapping[str, int]
"""A vendor's code of an error → the HTTP status that says the same; `Throttling` stands for `Throttling.RateQuota`."""

_WORDS: Final = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    402: "insufficient_quota",
    403: "permission_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_exceeded",
    503: "overloaded_error",
}
"""How `openai_errors` calls the classes that it knows in the middle of an answer."""
_NOT_FOUND: Final = 404


def fault_of_status(
    status: int, headers: Mapping[str, str], error: WireError, statuses: Statuses, *, api_key: str
) -> UpstreamFault:
    """The fault for a non-2xx answer; the vendor's code corrects a status that says less."""
    body = msgspec.json.encode({"error": {"message": error.message, "type": error.type, "code": error.code}})
    return read_error(_status(error, statuses) or status, headers, body, api_key=api_key)


def fault_in_answer(error: WireError, statuses: Statuses, where: str) -> UpstreamFault:
    """The fault for an error inside a 200 answer; its class decides whether another target may help."""
    status = _status(error, statuses)
    if status == _NOT_FOUND:
        return fault_of_status(status, {}, error, statuses, api_key="")  # another target may know the model
    code = _WORDS.get(status, error.code)
    return read_stream_error(WireError(message=error.message, type=error.type, code=code), where)


def _status(error: WireError, statuses: Statuses) -> int:
    code = str(error.code or error.type or "")
    return statuses.get(code) or statuses.get(code.partition(".")[0], 0)
