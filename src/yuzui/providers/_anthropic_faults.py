"""The vendor's classes of error, whether they come as a status or inside a stream, as faults of ours.

Source: https://platform.claude.com/docs/en/api/errors and https://platform.claude.com/docs/en/api/rate-limits (read
2026-11-22). A spend limit comes as 429 without `retry-after` and does not pass by waiting, so it is a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamRefused, UpstreamTimeout
from yuzui.core.target import Target
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
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
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
        message = f"our account at the target has no credit left ({where}){words}"
        return _final(UpstreamRefused(message, upstream_status=status, code="upstream_quota_exhausted"))
    if status in (401, 403):
        # The vendor's words are left out: they may quote parts of the key.
        message = f"the target refused our key ({where}); check the target's api_key"
        return _final(UpstreamRefused(message, upstream_status=status, code="upstream_auth"))
    if status == 429:
        return UpstreamBusy(f"the target asks us to slow down ({where}){words}")
    if status in (503, 529):
        return UpstreamBusy(f"the target is overloaded ({where}){words}", code="upstream_overloaded", status=503)
    if status in (408, 504):
        return UpstreamTimeout(f"the target ran out of time ({where}){words}")
    if status in (400, 413, 422):
        message = f"the target rejected the request ({where}){words}"
        told = 413 if status == 413 else 400
        fault = UpstreamRefused(message, upstream_status=status, code="upstream_rejected_request", status=told)
        fault.counts_for_breaker = False  # the target is healthy; the request is what it does not like
        return _final(fault)
    if status == 404:
        message = f"the target does not know its model or path ({where}){words}"
        return _final(UpstreamRefused(message, upstream_status=status, code="upstream_not_found"))
    if status == 409 or status >= 500:
        return UpstreamRefused(f"the target failed ({where}){words}", upstream_status=status)
    return _final(UpstreamRefused(f"the target refused the request ({where}){words}", upstream_status=status))


def _final(fault: UpstreamFault) -> UpstreamFault:
    """The same request at the same target would fail again."""
    fault.retryable = False
    return fault
