"""DashScope's errors, whether they come as a status, as an event or in a 200 answer, as faults of ours.

An error is `{"code", "message", "request_id"}`; before a stream it may come as an event under its own status.
Sources (2026-11-26): https://help.aliyun.com/en/model-studio/error-code, `dashscope` 2.0.2 (`common/utils.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yuzui.core.errors import UpstreamFault
from yuzui.core.target import Target
from yuzui.providers.native_errors import Statuses, fault_in_answer, fault_of_status
from yuzui.providers.openai_errors import WireError, find_error

STATUSES: Final[Statuses] = {
    "InvalidParameter": 400,
    "InvalidURL": 400,
    "BadRequest": 400,
    "DataInspectionFailed": 400,
    "data_inspection_failed": 400,
    "InvalidApiKey": 401,
    "invalid_api_key": 401,
    "Arrearage": 402,  # comes as 400
    "AllocationQuota": 402,
    "AllocationQuota.FreeTierOnly": 402,  # comes as 403
    "AccessDenied": 403,
    "Model.AccessDenied": 403,
    "Workspace.AccessDenied": 403,
    "Model": 404,
    "Model.NotExist": 404,
    "ModelNotFound": 404,
    "model_not_found": 404,
    "NotFound": 404,
    "WorkSpaceNotFound": 404,
    "RequestTooLarge": 413,
    "Throttling": 429,
    "LimitRequests": 429,
    "limit_requests": 429,
    "ModelUnavailable": 503,
    "ModelServingError": 503,
    "ServiceUnavailable": 503,
}
"""Error code → the HTTP status that says the same."""
_WRONG_SERVICE: Final = "url error"
_ADVICE: Final = (
    "; its model is bound to the API's other service: set `parameters.interface` to the other of text and multimodal"
)


def read_fault(status: int, headers: Mapping[str, str], body: bytes, target: Target) -> UpstreamFault:
    """The fault for a non-2xx answer, whose body is JSON or one event."""
    error = find_error(_payload(body)) or WireError()
    fault = fault_of_status(status, headers, error, STATUSES, api_key=target.api_key)
    return _advise(fault, error)


def stream_fault(error: WireError, where: str) -> UpstreamFault:
    """The fault for an error inside a 200 answer."""
    return _advise(fault_in_answer(error, STATUSES, where), error)


def _payload(body: bytes) -> bytes:
    for line in body.split(b"\n"):
        if line.startswith(b"data:"):
            return line[5:].strip()
    return body


def _advise(fault: UpstreamFault, error: WireError) -> UpstreamFault:
    if _WRONG_SERVICE in (error.message or ""):
        fault.message += _ADVICE
        fault.args = (fault.message,)
    return fault
