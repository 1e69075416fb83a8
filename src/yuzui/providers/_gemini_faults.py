"""Google's errors, whether they come as a status or inside a stream, as faults of ours.

Sources (2026-11-26): https://ai.google.dev/gemini-api/docs/troubleshooting, https://cloud.google.com/apis/design/errors
(`RetryInfo`, `ErrorInfo`), https://docs.cloud.google.com/gemini-enterprise-agent-platform/models/api-errors.
A wrong key comes as 400 with the reason API_KEY_INVALID, and a stream's error may come as a list of one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from yuzui.core.errors import UpstreamFault, UpstreamInterrupted, UpstreamRefused
from yuzui.core.target import Target
from yuzui.providers._reading import BAD
from yuzui.providers.native_errors import fault_of_class, key_refused, out_of_credit
from yuzui.providers.openai_errors import MAX_RETRY_AFTER_S, final, redact, retry_after_s

_STATUSES: Final[Mapping[str, int]] = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "DATA_LOSS": 500,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""Word of the error → the status under which it comes outside of a stream."""
_OF_THE_KEY: Final = frozenset({"API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED"})
_OF_THE_ACCOUNT: Final = frozenset({"BILLING_DISABLED", "CONSUMER_SUSPENDED", "CONSUMER_INVALID"})
_KEYS: Final = re.compile(r"\bAIza[\w-]{8,}|\bya29\.[\w.-]{8,}")
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)s")


class _Detail(msgspec.Struct, frozen=True):
    reason: str | None = None
    retryDelay: str | None = None


class WireError(msgspec.Struct, frozen=True):
    """`error` of a body and of a chunk. Relays fill it as they like, so nothing is required."""

    code: int | str | None = None
    message: str | None = None
    status: str | None = None
    details: list[_Detail] | None = None

    @property
    def reasons(self) -> frozenset[str]:
        return frozenset(detail.reason for detail in self.details or () if detail.reason)

    @property
    def wait_s(self) -> float | None:
        for detail in self.details or ():
            found = _DURATION.fullmatch(detail.retryDelay or "")
            if found:
                return min(float(found[1]), MAX_RETRY_AFTER_S)
        return None


class _Body(msgspec.Struct, frozen=True):
    error: WireError


_Bodies = list[_Body] | _Body
_body_decoder: msgspec.json.Decoder[_Bodies] = msgspec.json.Decoder(_Bodies)


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer; the vendor's words are shortened and freed of keys."""
    error = find_error(body) or WireError()  # a proxy's page has none: the status alone decides
    words = redact(_KEYS.sub("[key]", error.message or ""), target.api_key)
    fault = _fault(status, error, f"HTTP {status}", f": {words}" if words else "")
    if status in (429, 500, 503):
        wait_s = error.wait_s
        fault.retry_after_s = retry_after_s(headers) if wait_s is None else wait_s
    return fault


def find_error(body: bytes) -> WireError | None:
    """The error of a body or chunk; None when there is none to read."""
    try:
        found = _body_decoder.decode(body)
    except BAD:
        return None
    if isinstance(found, list):
        return found[0].error if found else None
    return found.error


def stream_fault(error: WireError) -> UpstreamFault:
    """The fault for an error in a 200 answer. Only the class is told on: no key is at hand to redact the words by."""
    word = (error.status or "").upper()
    status = _STATUSES.get(word) or (error.code if isinstance(error.code, int) else 500)
    kind = word if word in _STATUSES else "an error of an unknown class"
    if status in (499, 500, 501) or not 400 <= status <= 599:
        return UpstreamInterrupted(f"the target ended its answer with {kind}", code="upstream_error")
    fault = _fault(status, error, f"{kind} inside its answer", "")
    fault.may_have_run = True  # it was writing already
    if status in (429, 503):
        fault.retry_after_s = error.wait_s
    return fault


def _fault(status: int, error: WireError, where: str, words: str) -> UpstreamFault:
    reasons = error.reasons
    if status == 402 or reasons & _OF_THE_ACCOUNT:
        return out_of_credit(where, words, status)
    if status in (401, 403) or reasons & _OF_THE_KEY:
        return key_refused(f"refused our key ({where}); check the target's api_key or auth", status)
    if error.status == "FAILED_PRECONDITION":  # our country, our plan: not the client's doing
        return final(UpstreamRefused(f"the target does not serve us ({where}){words}", upstream_status=status))
    return fault_of_class(status, where, words, answered=status, not_found=(404, 405, 410), failed=(409, 499))
