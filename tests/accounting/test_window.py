"""Names of budget periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.accounting.window import seconds_to_reset, window_of
from yuzui.core.caller import BudgetPeriod

PERIODS: tuple[BudgetPeriod, ...] = ("day", "week", "month", "total")
NS = 1_000_000_000


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS


@pytest.mark.parametrize(
    ("period", "at", "offset_h", "window"),
    [
        ("month", "2026-11-22T12:00:00+00:00", 0, "2026-11"),
        ("day", "2026-11-22T12:00:00+00:00", 0, "2026-11-22"),
        ("week", "2026-11-22T12:00:00+00:00", 0, "2026-W47"),
        ("total", "2026-11-22T12:00:00+00:00", 0, "total"),
        ("day", "2026-11-22T17:00:00+00:00", 8, "2026-11-23"),
        ("month", "2026-11-30T16:00:00+00:00", 8, "2026-12"),
        ("day", "2026-11-22T02:00:00+00:00", -5, "2026-11-21"),
        ("week", "2027-01-03T23:59:59+00:00", 0, "2026-W53"),
        ("week", "2024-12-30T00:00:00+00:00", 0, "2025-W01"),
    ],
)
def test_a_window_is_named_after_its_time(period: BudgetPeriod, at: str, offset_h: int, window: str) -> None:
    assert window_of(period, ns(at), offset_h * 3600) == window


def test_the_last_nanosecond_of_a_month_is_in_that_month() -> None:
    first = ns("2026-12-01T00:00:00+00:00")
    assert (window_of("month", first - 1), window_of("month", first)) == ("2026-11", "2026-12")


@pytest.mark.parametrize(
    ("period", "at", "seconds"),
    [
        ("day", "2026-11-22T23:00:00+00:00", 3600.0),
        ("week", "2026-11-22T23:00:00+00:00", 3600.0),
        ("month", "2026-12-31T23:00:00+00:00", 3600.0),
        ("month", "2026-01-31T00:00:00+00:00", 86400.0),
        ("total", "2026-11-22T23:00:00+00:00", None),
    ],
)
def test_the_reset_is_when_the_next_window_begins(period: BudgetPeriod, at: str, seconds: float | None) -> None:
    assert seconds_to_reset(period, ns(at)) == seconds


@given(
    st.sampled_from(PERIODS[:3]),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(-12, 14),
)
def test_windows_change_exactly_at_the_reset_and_never_come_back(
    period: BudgetPeriod, at: datetime, offset_h: int
) -> None:
    at_ns = int(at.replace(tzinfo=UTC, microsecond=0).timestamp()) * NS
    offset_s = offset_h * 3600
    left = seconds_to_reset(period, at_ns, offset_s)
    assert left is not None and 0 < left <= timedelta(days=31).total_seconds()
    now = window_of(period, at_ns, offset_s)
    assert window_of(period, at_ns + (int(left) - 1) * NS, offset_s) == now
    assert window_of(period, at_ns + int(left) * NS, offset_s) > now
