"""The vendor's classes of error, whether they come as a status or inside a stream, as faults of ours.

Source: https://platform.claude.com/docs/en/api/errors and https://platform.claude.com/docs/en/api/rate-limits (read
2026-11-22). A spend limit comes as 429 without `retry-after` and does not pass by waiting, so it is a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamRefused, UpstreamTimeout
from yuzui.core.target import Target

MAX_MESSAGE_CHARS = 300
MAX_RETRY_AFTER_S = 24 * 3600.0
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
    error_code: str = ""


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
    words = _clean(error.message, target.api_key)
    said = f"target {target.name!r} answered {status}" + (f": {words}" if words else "")
    fault = _fault(status, error, said)
    if status in (429, 503, 529):
        fault.retry_after_s = _retry_after_s(headers)
    return fault


def stream_fault(error: WireError) -> UpstreamFault:
    """The fault for an `error` event. Only the class is told on: the vendor's words cannot be redacted here."""
    kind = error.type if error.type in _STATUSES else "an error of an unknown class"
    fault = _fault(_STATUSES.get(error.type, 500), error, f"the target ended its stream with {kind}")
    fault.may_have_run = True  # it was writing already
    return fault


def _fault(status: int, error: WireError, said: str) -> UpstreamFault:
    code = error.details.error_code if error.details else ""
    if status == 402 or code in _SPEND_LIMITS:
        return _refused(status, said, code="upstream_quota_exceeded", status_for_client=502)
    if status in (401, 403):
        return _refused(status, said, code="upstream_auth", status_for_client=502)
    if status == 429:
        return UpstreamBusy(said)
    if status in (503, 529):
        return UpstreamBusy(said, code="upstream_overloaded", status=503)
    if status in (408, 504):
        return UpstreamTimeout(said)
    if status >= 500:
        return UpstreamFault(said)
    if status in (400, 413, 422):
        # The request is at fault, not the target: its breaker does not count it.
        code = "upstream_request_too_large" if status == 413 else "upstream_rejected_request"
        fault = _refused(status, said, code=code, status_for_client=status)
        fault.counts_for_breaker = False
        return fault
    if status == 404:
        return _refused(status, said, code="upstream_not_found", status_for_client=502)
    return _refused(status, said, code=None, status_for_client=502)


def _refused(status: int, said: str, *, code: str | None, status_for_client: int) -> UpstreamRefused:
    return UpstreamRefused(said, upstream_status=status, code=code, status=status_for_client)


def _clean(text: str, secret: str) -> str:
    if secret:
        text = text.replace(secret, "[key]")  # before shortening: a cut key would not be found
    text = "".join(char if char.isprintable() else " " for char in text)
    if len(text) > MAX_MESSAGE_CHARS:
        text = text[: MAX_MESSAGE_CHARS - 1] + "…"
    return text.strip()


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds; None when it is missing or a date, for which we would need a clock."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                seconds = float(value)
            except ValueError:
                return None
            return min(seconds, MAX_RETRY_AFTER_S) if math.isfinite(seconds) and seconds >= 0 else None
    return None
