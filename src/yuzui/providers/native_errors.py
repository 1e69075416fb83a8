"""Errors of vendors with codes of their own, by the HTTP status that says the same."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

import msgspec

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamRefused, UpstreamTimeout
from yuzui.providers.openai_errors import WireError, final, read_error, read_stream_error

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


def out_of_credit(where: str, words: str, status: int) -> UpstreamFault:
    message = f"our account at the target has no credit left ({where}){words}"
    return final(UpstreamRefused(message, upstream_status=status, code="upstream_quota_exhausted"))


def key_refused(advice: str, status: int) -> UpstreamFault:
    """Without the vendor's words: they may quote parts of the key, or name the account or project."""
    return final(UpstreamRefused(f"the target {advice}", upstream_status=status, code="upstream_auth"))


def fault_of_class(
    status: int,
    where: str,
    words: str,
    *,
    answered: int,
    overloaded: Container[int] = (503, 529),
    not_found: Container[int] = (404,),
    failed: Container[int] = (409,),
) -> UpstreamFault:
    """The fault of the class for which `status` stands; what is behind the keys and the account is the codec's to tell.

    `answered` is the status that came; `overloaded`, `not_found` and `failed` (beside 500 to 599) are how the vendor
    uses statuses that others use otherwise.
    """
    if status == 429:
        return UpstreamBusy(f"the target asks us to slow down ({where}){words}")
    if status in overloaded:
        return UpstreamBusy(f"the target is overloaded ({where}){words}", code="upstream_overloaded", status=503)
    if status in (408, 504):
        return UpstreamTimeout(f"the target ran out of time ({where}){words}")
    if status in (400, 413, 422):
        message = f"the target rejected the request ({where}){words}"
        told = 413 if status == 413 else 400
        fault = UpstreamRefused(message, upstream_status=answered, code="upstream_rejected_request", status=told)
        fault.counts_for_breaker = False  # the target is healthy; the request is what it does not like
        return final(fault)
    if status in not_found:
        message = f"the target does not know its model or path ({where}){words}"
        return final(UpstreamRefused(message, upstream_status=answered, code="upstream_not_found"))
    if status in failed or 500 <= status < 600:
        return UpstreamRefused(f"the target failed ({where}){words}", upstream_status=answered)
    return final(UpstreamRefused(f"the target refused the request ({where}){words}", upstream_status=answered))
