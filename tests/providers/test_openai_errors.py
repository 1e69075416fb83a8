"""Error answers: whose fault, what may be tried again, and that no secret is repeated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.errors import UpstreamBusy, UpstreamFault, UpstreamRedirect, UpstreamRefused
from yuzui.providers.openai_errors import find_error, read_error, redact, retry_after_s

KEY = "sk-" + "A" * 40


def fault_of(status: int, body: object = None, **headers: str) -> UpstreamFault:
    data = json.dumps({"error": {"message": "why"}} if body is None else body).encode()
    return read_error(status, {name.replace("_", "-"): value for name, value in headers.items()}, data, api_key=KEY)


@pytest.mark.parametrize(
    ("status", "kind", "shown", "code", "retryable", "counts"),
    [
        (400, UpstreamRefused, 400, "upstream_rejected_request", False, False),
        (413, UpstreamRefused, 400, "upstream_rejected_request", False, False),
        (422, UpstreamRefused, 400, "upstream_rejected_request", False, False),
        (401, UpstreamRefused, 502, "upstream_auth", False, True),
        (403, UpstreamRefused, 502, "upstream_auth", False, True),
        (402, UpstreamRefused, 502, "upstream_quota_exhausted", False, True),
        (404, UpstreamRefused, 502, "upstream_not_found", False, True),
        (418, UpstreamRefused, 502, "upstream_refused", False, True),
        (408, UpstreamRefused, 502, "upstream_refused", True, True),
        (409, UpstreamRefused, 502, "upstream_refused", True, True),
        (500, UpstreamRefused, 502, "upstream_refused", True, True),
        (502, UpstreamRefused, 502, "upstream_refused", True, True),
        (429, UpstreamBusy, 429, "upstream_rate_limited", True, True),
        (503, UpstreamBusy, 503, "upstream_overloaded", True, True),
        (529, UpstreamBusy, 503, "upstream_overloaded", True, True),
        (307, UpstreamRedirect, 502, "upstream_redirect", False, True),
        (999, UpstreamRefused, 502, "upstream_protocol", False, True),
        (204, UpstreamRefused, 502, "upstream_protocol", False, True),
    ],
)
def test_a_status_becomes_a_fault(
    status: int, kind: type[UpstreamFault], shown: int, code: str, retryable: bool, counts: bool
) -> None:
    fault = fault_of(status)
    assert type(fault) is kind
    assert (fault.status, fault.code, fault.retryable, fault.counts_for_breaker) == (shown, code, retryable, counts)
    if isinstance(fault, UpstreamRefused):
        assert fault.upstream_status == status


def test_no_credit_left_is_not_a_rate_limit() -> None:
    fault = fault_of(429, {"error": {"message": "pay", "code": "insufficient_quota"}})
    assert (fault.code, fault.retryable) == ("upstream_quota_exhausted", False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sun, 22 Nov 2026 21:00:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, 3600.0),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"a"}}', "a"),
        (b'{"error":"a"}', "a"),
        (b'{"object":"error","message":"a","code":400}', "a"),
        (b'{"code":"1301","msg":"a"}', "a"),
        (b'{"error_code":336003,"error_msg":"a"}', "a"),
        (b"<html>busy</html>", None),
        (b"", None),
        (b'{"ok":true}', None),
    ],
)
def test_the_error_is_found_in_every_shape(body: bytes, message: str | None) -> None:
    found = find_error(body)
    assert (found.message if found else None) == message


@pytest.mark.parametrize(
    "text",
    [
        f"bad key {KEY}.",
        "bad key sk-" + "B" * 20,
        "Incorrect API key provided: sk-AB****9xyz",
        "header Authorization: Bearer " + "C" * 30,
        "key gsk_" + "D" * 30,
    ],
)
def test_no_part_of_a_key_is_shown(text: str) -> None:
    shown = redact(text, KEY)
    assert "[key]" in shown
    assert not any(secret in shown for secret in ("AAAA", "BBBB", "****", "CCCC", "DDDD"))


@given(st.text(alphabet="xyz \n\t\x00鱼"), st.text(alphabet="abcd1-", min_size=8, max_size=40))
def test_what_is_shown_is_short_clean_and_without_the_key(text: str, key: str) -> None:
    shown = redact(text + key + text, key)
    assert len(shown) <= 300
    assert not any(ord(character) < 32 for character in shown)
    assert key not in shown
