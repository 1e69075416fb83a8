"""Vendors' own codes of errors, by the status that says the same."""

from __future__ import annotations

import pytest

from yuzui.providers.native_errors import fault_in_answer, fault_of_status
from yuzui.providers.openai_errors import WireError

STATUSES = {"TooFast": 429, "NoMoney": 402, "NoKey": 401, "NoModel": 404, "Down": 503, "Wrong": 400}


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, "NoMoney", "upstream_quota_exhausted"),
        (400, "TooFast", "upstream_rate_limited"),
        (500, "TooFast.PerMinute", "upstream_rate_limited"),
        (403, "NoKey", "upstream_auth"),
        (400, "NoModel", "upstream_not_found"),
        (500, "Down", "upstream_overloaded"),
        (429, "Unheard", "upstream_rate_limited"),
        (400, None, "upstream_rejected_request"),
        (500, None, "upstream_refused"),
    ],
)
def test_a_code_corrects_a_status_that_says_less(status: int, code: str | None, told: str) -> None:
    assert fault_of_status(status, {}, WireError(message="no", code=code), STATUSES, api_key="the-key").code == told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("TooFast", "upstream_rate_limited"),
        ("NoMoney", "upstream_quota_exhausted"),
        ("NoKey", "upstream_auth"),
        ("NoModel", "upstream_not_found"),
        ("Down", "upstream_overloaded"),
        ("Wrong", "upstream_rejected_request"),
        ("Unheard", "upstream_error"),
    ],
)
def test_a_code_inside_an_answer_has_its_class_too(code: str, told: str) -> None:
    assert fault_in_answer(WireError(message="no", code=code), STATUSES, "event 3").code == told


def test_a_type_stands_in_for_a_code_and_a_number_is_a_code() -> None:
    quota = fault_of_status(500, {}, WireError(type="NoMoney"), STATUSES, api_key="")
    busy = fault_of_status(500, {}, WireError(code=18), {"18": 429}, api_key="")
    assert (quota.code, busy.code) == ("upstream_quota_exhausted", "upstream_rate_limited")


def test_the_operators_key_is_never_repeated() -> None:
    fault = fault_of_status(400, {}, WireError(message="bad token the-secret-key"), STATUSES, api_key="the-secret-key")
    assert "the-secret-key" not in str(fault)


def test_how_long_to_wait_is_kept() -> None:
    fault = fault_of_status(500, {"retry-after": "7"}, WireError(code="TooFast"), STATUSES, api_key="")
    assert fault.retry_after_s == 7
