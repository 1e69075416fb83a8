"""Budgets of keys under a draft: a plain sum per key and period, in the order of the records.

A gateway reserves the most that a request can cost; a record says what it did cost, which is never more. So what is
refused here would have been refused there, and there perhaps more: the count is a lower bound.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from yuzui.accounting.window import window_of
from yuzui.core.caller import Budget, BudgetPeriod

_DAY_CHARS: Final = 10  # of a record's time


class Spending:
    """What was spent of each key's periods: as recorded, and under the draft. Nano-units of the book currency."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], tuple[int, int]] = {}

    def admits(self, key_id: str, budget: Budget, at: str, before_nano: int, after_nano: int) -> bool:
        """Whether the draft's cost still fits. If the record's own does not, the cap was another one then, and no
        draft is to blame."""
        was, will = self._spent.get((key_id, _window(budget.period, at[:_DAY_CHARS])), (0, 0))
        return will + after_nano <= budget.cap_nano or was + before_nano > budget.cap_nano or not after_nano

    def spend(self, key_id: str, budget: Budget, at: str, before_nano: int, after_nano: int) -> None:
        place = key_id, _window(budget.period, at[:_DAY_CHARS])
        was, will = self._spent.get(place, (0, 0))
        self._spent[place] = was + before_nano, will + after_nano


@lru_cache(maxsize=4096)
def _window(period: BudgetPeriod, day: str) -> str:
    """`day`: 2026-11-26, UTC."""
    return window_of(period, int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000_000)
