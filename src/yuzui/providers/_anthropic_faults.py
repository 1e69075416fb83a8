"""The vendor's classes of error, whether they come as a status or inside a stream, as faults of ours.

Source: https://platform.claude.com/docs/en/api/errors and https://platform.claude.com/docs/en/api/rate-limits (read
2026-11-22). A spend limit comes as 429 without `retry-after` and does not pass by waiting, so it is a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from yuzui.core.errors import UpstreamFault, UpstreamInterrupted
from yuzui.core.target import Target
from yuzui.providers._reading import BAD
from yuzui.providers.native_errors import fault_of_class, key_refused, out_of_credit
from yuzui.providers.openai_errors import redact, retry_after_s

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Class of error → the status under which it comes outside of a stream."""
_SPEND_LIMITS = frozenset({"enforced_spend_limit_reached", "contract_spend_limit_reached"})


class _Details(msgspec.Struct, frozen=True):
    error_code: str | None = None


class WireError(msgspec.Struct, frozen=True):
    """`error` of an error body and of an `error` event."""

    type: str = ""
    message: str = ""
    details: _Details | None = None


class _ErrorBody(msgspec.Struct, frozen=True):
    error: WireError


_read_body = msgspec.json.Decoder(_ErrorBody).decode


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer; the vendor's words are shortened and freed of the target's key."""
    try:
        error = _read_body(body).error
    except BAD:
        error = WireError()  # a proxy's page, not the vendor's answer: the status alone decides
    words = redact(error.message, target.api_key)
    fault = _fault(status, error, f"HTTP {status}", f": {words}" if words else "")
    if status in (429, 503, 529):
        fault.retry_after_s = retry_after_s(headers)
    return fault


def stream_fault(error: WireError) -> UpstreamFault:
    """The fault for an error in a 200 answer. Only the class is told on: no key is at hand to redact the words by."""
    status = _STATUSES.get(error.type, 500)
    kind = error.type if error.type in _STATUSES else "an error of an unknown class"
    if status == 500:
        return UpstreamInterrupted(f"the target ended its answer with {kind}", code="upstream_error")
    fault = _fault(status, error, f"{kind} inside its answer", "")
    fault.may_have_run = True  # it was writing already
    return fault


def _fault(status: int, error: WireError, where: str, words: str) -> UpstreamFault:
    code = (error.details.error_code or "") if error.details else ""
    if status == 402 or code in _SPEND_LIMITS:
        return out_of_credit(where, words, status)
    if status in (401, 403):
        return key_refused(f"refused our key ({where}); check the target's api_key", status)
    return fault_of_class(status, where, words, answered=status)
