"""Bedrock's exceptions, whether they come as a status or inside a stream, as faults of ours.

Source: botocore==1.44.8, bedrock-runtime service model (exceptions and their statuses) and
https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html (read 2026-11-26). The class
stands in the header `x-amzn-errortype`, in `__type` of the body, or in the name of a stream's exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted
from yuzui.core.target import Target
from yuzui.providers._reading import BAD
from yuzui.providers.native_errors import fault_of_class, key_refused
from yuzui.providers.openai_errors import redact, retry_after_s

_STATUSES: Final = {
    "validationexception": 400,
    "accessdeniedexception": 403,
    "unrecognizedclientexception": 403,
    "invalidsignatureexception": 403,
    "incompletesignatureexception": 403,
    "missingauthenticationtokenexception": 403,
    "expiredtokenexception": 403,
    "resourcenotfoundexception": 404,
    "modeltimeoutexception": 408,
    "throttlingexception": 429,
    "servicequotaexceededexception": 429,
    "modelnotreadyexception": 503,
    "modelerrorexception": 500,
    "modelstreamerrorexception": 500,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}
"""Class → the status that says best whose fault it is, which is not always the one under which it comes."""


class _Body(msgspec.Struct, frozen=True):
    message: str | None = None
    Message: str | None = None  # how services in front of Bedrock spell it
    type_: str | None = msgspec.field(default=None, name="__type")


_read_body = msgspec.json.Decoder(_Body).decode


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer; the vendor's words are shortened and freed of the target's key."""
    found = _read(body)
    named = headers.get("x-amzn-errortype") or found.type_
    means = _STATUSES.get(_plain(named or "").lower(), status)
    words = redact(found.message or found.Message or "", target.api_key)
    fault = _fault(means, f"HTTP {status}", f": {words}" if words else "", status)
    if isinstance(fault, UpstreamBusy):
        fault.retry_after_s = retry_after_s(headers)
    return fault


def stream_fault(named: str, payload: bytes) -> UpstreamFault:
    """The fault for an exception inside a stream."""
    kind = _plain(named)
    status = _STATUSES.get(kind.lower(), 500)
    if kind.lower() not in _STATUSES:
        kind = "an exception of an unknown class"
    words = redact(_read(payload).message or "", "")
    said = f": {words}" if words else ""
    if status == 500:
        return UpstreamInterrupted(f"the target ended its answer with {kind}{said}", code="upstream_error")
    fault = _fault(status, f"{kind} inside its answer", said, status)
    fault.may_have_run = True  # it was writing already
    return fault


def _read(body: bytes) -> _Body:
    try:
        return _read_body(body)
    except BAD:
        return _Body()  # a proxy's page, not the vendor's answer: the status alone decides


def _plain(named: str) -> str:
    """`com.amazon.coral#ThrottlingException:http://…` → `ThrottlingException`."""
    return named.partition(":")[0].rpartition("#")[2].strip()


def _fault(status: int, where: str, said: str, answered: int) -> UpstreamFault:
    """`status` says whose fault it is, `answered` is what came."""
    if status in (401, 403):
        advice = "check the target's api_key or auth, and that its account may use the model"
        return key_refused(f"refused us ({where}); {advice}", answered)
    return fault_of_class(status, where, said, answered=answered, overloaded=(503,), failed=(409, 424))
