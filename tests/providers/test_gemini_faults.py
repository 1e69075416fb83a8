"""What Google's errors mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamInterrupted, UpstreamRefused, UpstreamTimeout
from yuzui.core.target import Target
from yuzui.providers._gemini_faults import WireError, find_error, read_fault, stream_fault

TARGET = Target(
    name="t", provider="gemini", codec="gemini", model="m", base_url="https://x.test", premises="vendor", clearance=0,
    jurisdiction="US", api_key="the-secret",
)  # fmt: skip


def fault(
    status: int, word: str = "", message: str = "", headers: dict[str, str] | None = None, *details: dict[str, Any]
) -> UpstreamFault:
    body = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    return read_fault(status, headers or {}, json.dumps(body).encode(), TARGET)


@pytest.mark.parametrize(
    ("status", "word", "kind", "code", "told", "retryable"),
    [
        (400, "INVALID_ARGUMENT", UpstreamRefused, "upstream_rejected_request", 400, False),
        (400, "FAILED_PRECONDITION", UpstreamRefused, "upstream_refused", 502, False),
        (401, "UNAUTHENTICATED", UpstreamRefused, "upstream_auth", 502, False),
        (402, "", UpstreamRefused, "upstream_quota_exhausted", 502, False),
        (403, "PERMISSION_DENIED", UpstreamRefused, "upstream_auth", 502, False),
        (404, "NOT_FOUND", UpstreamRefused, "upstream_not_found", 502, False),
        (408, "", UpstreamTimeout, "upstream_timeout", 504, True),
        (409, "ABORTED", UpstreamRefused, "upstream_refused", 502, True),
        (413, "", UpstreamRefused, "upstream_rejected_request", 413, False),
        (418, "", UpstreamRefused, "upstream_refused", 502, False),
        (429, "RESOURCE_EXHAUSTED", UpstreamBusy, "upstream_rate_limited", 429, True),
        (499, "CANCELLED", UpstreamRefused, "upstream_refused", 502, True),
        (500, "INTERNAL", UpstreamRefused, "upstream_refused", 502, True),
        (503, "UNAVAILABLE", UpstreamBusy, "upstream_overloaded", 503, True),
        (504, "DEADLINE_EXCEEDED", UpstreamTimeout, "upstream_timeout", 504, True),
    ],
)
def test_a_status_is_a_fault(status: int, word: str, kind: type, code: str, told: int, retryable: bool) -> None:
    found = fault(status, word, "words of the vendor")
    assert type(found) is kind
    assert (found.code, found.status, found.retryable) == (code, told, retryable)
    assert ("words of the vendor" in found.message) is (code != "upstream_auth")


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("API_KEY_INVALID", "upstream_auth"),
        ("BILLING_DISABLED", "upstream_quota_exhausted"),
        ("OTHER", "upstream_rejected_request"),
    ],
)
def test_the_reason_tells_a_wrong_key_from_a_wrong_request(reason: str, code: str) -> None:
    assert fault(400, "INVALID_ARGUMENT", "m", None, {"reason": reason}).code == code


@pytest.mark.parametrize(
    ("headers", "details", "wait_s"),
    [
        ({}, [], None),
        ({"retry-after": "4"}, [], 4.0),
        ({"retry-after": "4"}, [{"retryDelay": "13.5s"}], 13.5),
        ({}, [{"retryDelay": "soon"}], None),
        ({}, [{"retryDelay": "999999s"}], 3600.0),
    ],
)
def test_when_to_come_back(headers: dict[str, str], details: list[dict[str, Any]], wait_s: float | None) -> None:
    assert fault(429, "RESOURCE_EXHAUSTED", "m", headers, *details).retry_after_s == wait_s


@pytest.mark.parametrize("secret", ["the-secret", "AIzaSyA-1234567890_abc", "ya29.a0AfB_by-xyz123456"])
def test_no_key_is_shown(secret: str) -> None:
    assert secret not in fault(500, "INTERNAL", f"key {secret} is bad").message


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"error":5}', b"\xff", b"null"])
def test_without_an_error_to_read_the_status_decides(body: bytes) -> None:
    assert find_error(body) is None
    assert read_fault(503, {}, body, TARGET).code == "upstream_overloaded"


def test_a_list_of_one_is_read() -> None:
    found = find_error(b'[{"error":{"message":"m"}}]')
    assert found is not None and found.message == "m"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (WireError(status="RESOURCE_EXHAUSTED"), UpstreamBusy, "upstream_rate_limited"),
        (WireError(status="UNAVAILABLE"), UpstreamBusy, "upstream_overloaded"),
        (WireError(status="INTERNAL"), UpstreamInterrupted, "upstream_error"),
        (WireError(status="CANCELLED"), UpstreamInterrupted, "upstream_error"),
        (WireError(code=429), UpstreamBusy, "upstream_rate_limited"),
        (WireError(code=7), UpstreamInterrupted, "upstream_error"),
        (WireError(code="x"), UpstreamInterrupted, "upstream_error"),
        (WireError(), UpstreamInterrupted, "upstream_error"),
        (WireError(status="INVALID_ARGUMENT"), UpstreamRefused, "upstream_rejected_request"),
    ],
)
def test_an_error_inside_a_stream_tells_only_its_class(error: WireError, kind: type, code: str) -> None:
    found = stream_fault(WireError(code=error.code, status=error.status, message="quotes the-secret"))
    assert type(found) is kind
    assert (found.code, found.may_have_run) == (code, True)
    assert "quotes" not in found.message
