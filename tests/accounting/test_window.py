"""Names of budget periods."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.accounting.window import window_of
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


@given(
    st.sampled_from(PERIODS),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
    st.integers(0, 10**8),
    st.integers(-12, 14),
)
def test_windows_never_come_back(period: BudgetPeriod, at: datetime, later_s: int, offset_h: int) -> None:
    at_ns = int(at.replace(tzinfo=UTC, microsecond=0).timestamp()) * NS
    offset_s = offset_h * 3600
    assert window_of(period, at_ns, offset_s) <= window_of(period, at_ns + later_s * NS, offset_s)
