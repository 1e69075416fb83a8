"""What an OpenAI-compatible server's error means: whose fault, whether another try can help, and what may be shown.

Sources: https://developers.openai.com/api/docs/guides/error-codes, https://api-docs.deepseek.com/quick_start/error_codes
(402: no balance), https://docs.vllm.ai (`{"object": "error", "message": …}` of older servers); read 2026-11-22.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

import msgspec

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamRedirect, UpstreamRefused

MAX_MESSAGE_CHARS = 300
MAX_RETRY_AFTER_S = 3600.0

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SECRETS: Final = re.compile(
    r"(?i:bearer|api[-_ ]?key[=:]?)\s+\S+"  # a header that is quoted back
    r"|\b(?:sk|pk|rk|yz|gsk|hf|xai|key|bce-v3)[-_/][\w\-./*]{6,}"  # a key by its prefix
    r"|\b(?:org|proj)[-_][A-Za-z0-9]{8,}"  # whose account it is
    r"|\S*\*{3,}\S*"  # a key that the vendor masked itself: its ends still say which
)
_QUOTA: Final = frozenset(
    ("insufficient_quota", "billing_hard_limit_reached", "insufficient_balance", "quota_exceeded", "account_overdue")
)
_BUSY: Final = frozenset(
    (
        "rate_limit_exceeded",
        "rate_limit_error",
        "rate_limit_reached_error",
        "too_many_requests",
        "429",
        "tokens",
        "requests",
    )
)
_OVERLOADED: Final = frozenset(("overloaded_error", "server_overloaded", "engine_overloaded_error", "503", "529"))
_AUTH: Final = frozenset(("invalid_api_key", "authentication_error", "permission_error", "401", "403"))
_REJECTED: Final = frozenset(
    (
        "invalid_request_error",
        "context_length_exceeded",
        "content_filter",
        "badrequesterror",
        "bad_request",
        "400",
        "422",
    )
)


class WireError(msgspec.Struct):
    """`error` of a body or a stream event. Vendors disagree on the types, so nothing is required."""

    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Body(msgspec.Struct):
    error: WireError | str | None = None
    message: str | None = None
    msg: str | None = None
    error_msg: str | None = None  # Qianfan's older shape
    code: str | int | None = None
    type: str | None = None


_body_decoder = msgspec.json.Decoder(_Body)


def read_error(status: int, headers: Mapping[str, str], body: bytes, *, api_key: str) -> UpstreamFault:
    """The fault for a non-2xx answer. The message is the vendor's, shortened, without control characters or keys."""
    error = find_error(body) or WireError()
    wait_s = retry_after_s(headers)
    words = {str(error.code).lower(), str(error.type).lower()}
    said = _said(error.message, api_key)
    if words & _QUOTA or status == 402:
        return _out_of_quota(said, status)
    if status == 429:
        return UpstreamBusy(f"the target asks us to slow down (HTTP 429){said}", retry_after_s=wait_s)
    if status in (503, 529):
        return _overloaded(f"the target is overloaded (HTTP {status}){said}", wait_s)
    if status in (401, 403):
        return _auth(status)
    if status in (400, 413, 422):
        return _rejected(f"the target rejected the request (HTTP {status}){said}", status)
    if status in (404, 405, 410):  # the operator's base_url or model name, not the client's request
        return final(
            UpstreamRefused(
                f"the target does not know its model or path (HTTP {status}){said}",
                upstream_status=status,
                code="upstream_not_found",
            )
        )
    if 300 <= status < 400:
        return final(
            UpstreamRedirect(f"the target answered with a redirect (HTTP {status}); redirects are not followed")
        )
    if status == 501:  # llama.cpp's word for what it was not started for
        return final(UpstreamRefused(f"the target does not offer this (HTTP 501){said}", upstream_status=status))
    if status in (408, 409) or 500 <= status < 600:
        return UpstreamRefused(f"the target failed (HTTP {status}){said}", upstream_status=status, retry_after_s=wait_s)
    if 400 <= status < 500:
        return final(UpstreamRefused(f"the target refused the request (HTTP {status}){said}", upstream_status=status))
    return final(
        UpstreamRefused(
            f"the target answered with HTTP {status}, which is no answer to a request",
            upstream_status=status,
            code="upstream_protocol",
        )
    )


def find_error(body: bytes) -> WireError | None:
    """The error object of a body in any of the shapes in use; None when there is none to read."""
    try:
        found = _body_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # an error page of a proxy in between: the status must do
    if isinstance(found.error, WireError):
        return found.error
    message = found.error or found.message or found.msg or found.error_msg
    return WireError(message=message, type=found.type, code=found.code) if message or found.code else None


def read_stream_error(error: WireError, where: str) -> UpstreamFault:
    """The fault for an error inside a 200 answer; its class decides whether a fallback may help."""
    words = {str(error.code).lower(), str(error.type).lower()}
    said = _said(error.message, "")
    if words & _QUOTA:
        return _out_of_quota(said, 429)
    if words & _BUSY:
        return UpstreamBusy(f"the target asks us to slow down ({where}){said}")
    if words & _OVERLOADED:
        return _overloaded(f"the target is overloaded ({where}){said}", None)
    if words & _AUTH:
        return _auth(401)
    if words & _REJECTED:
        return _rejected(f"the target rejected the request ({where}){said}", 400)
    return UpstreamInterrupted(f"the target reported an error ({where}){said}", code="upstream_error")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds from `retry-after-ms` or `retry-after`; None for a date (we have no clock here) and for nonsense."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            # By name, never by walking: what the line gives us answers only what it is asked for, in any case.
            seconds = float(headers.get(name) or headers.get(name.title()) or "nan") / unit
        except ValueError:
            continue  # a date
        if math.isfinite(seconds) and seconds >= 0:
            return min(seconds, MAX_RETRY_AFTER_S)
    return None


def redact(text: str, api_key: str) -> str:
    """`text` as it may be shown: no key, no control characters, at most `MAX_MESSAGE_CHARS`."""
    if api_key:
        text = text.replace(api_key, "[key]")
    text = _CONTROL.sub(" ", _SECRETS.sub("[key]", text)).strip()
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"


def _said(message: str | None, api_key: str) -> str:
    return f": {redact(message, api_key)}" if message else ""


def final(fault: UpstreamFault) -> UpstreamFault:
    """The same request at the same target would fail again."""
    fault.retryable = False
    return fault


def _out_of_quota(said: str, status: int) -> UpstreamFault:
    message = f"our account at the target has no credit left{said}"
    return final(UpstreamRefused(message, upstream_status=status, code="upstream_quota_exhausted"))


def _auth(status: int) -> UpstreamFault:
    # The vendor's text is left out: it quotes parts of the key.
    message = f"the target refused our key (HTTP {status}); check the target's api_key"
    return final(UpstreamRefused(message, upstream_status=status, code="upstream_auth"))


def _rejected(message: str, status: int) -> UpstreamFault:
    fault = UpstreamRefused(message, upstream_status=status, status=400, code="upstream_rejected_request")
    fault.counts_for_breaker = False  # the target is healthy; the request is what it does not like
    return final(fault)


def _overloaded(message: str, wait_s: float | None) -> UpstreamFault:
    return UpstreamBusy(message, status=503, code="upstream_overloaded", retry_after_s=wait_s)
