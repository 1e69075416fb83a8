"""Knows the names of budget periods: derived from time, so that no job has to reset anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_never

from yuzui.core.caller import BudgetPeriod

NANO_PER_S = 1_000_000_000


def window_of(period: BudgetPeriod, at_ns: int, tz_offset_s: int = 0) -> str:
    """The period of `at_ns`: 2026-11, 2026-11-22, 2026-W47 or total. Clocks stand `tz_offset_s` ahead of UTC."""
    if period == "total":
        return "total"
    at = _local(at_ns, tz_offset_s)
    if period == "month":
        return f"{at.year:04d}-{at.month:02d}"
    if period == "day":
        return f"{at.year:04d}-{at.month:02d}-{at.day:02d}"
    if period == "week":
        year, week, _ = at.isocalendar()
        return f"{year:04d}-W{week:02d}"
    assert_never(period)


def _local(at_ns: int, tz_offset_s: int) -> datetime:
    """Whole seconds: a float of nanoseconds would round the last instant of a month into the next one."""
    return datetime.fromtimestamp(at_ns // NANO_PER_S, UTC) + timedelta(seconds=tz_offset_s)
