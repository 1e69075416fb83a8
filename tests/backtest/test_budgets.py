from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from yuzui.backtest.budgets import Spending
from yuzui.core.caller import Budget

AT = "2026-11-26T10:00:00.000Z"


def spent(spending: Spending, budget: Budget, at: str, before: int, after: int) -> bool:
    is_admitted = spending.admits("k", budget, at, before, after)
    spending.spend("k", budget, at, before, after if is_admitted else 0)
    return is_admitted


def test_what_no_longer_fits_is_refused_and_leaves_room_for_what_does() -> None:
    spending, budget = Spending(), Budget(cap_nano=10, period="day")
    assert [spent(spending, budget, AT, 1, cost) for cost in (6, 5, 4, 1, 0)] == [True, False, True, False, True]


def test_each_period_and_each_key_begins_anew() -> None:
    spending, budget = Spending(), Budget(cap_nano=5, period="week")
    assert spent(spending, budget, AT, 1, 5)
    assert not spent(spending, budget, "2026-11-29T23:59:59.000Z", 1, 5)  # Sunday
    assert spent(spending, budget, "2026-11-30T00:00:00.000Z", 1, 5)  # Monday
    assert spending.admits("another", budget, AT, 1, 5)


def test_where_the_record_itself_is_over_the_cap_the_draft_is_not_to_blame() -> None:
    spending, budget = Spending(), Budget(cap_nano=5, period="total")
    assert spent(spending, budget, AT, 6, 6)
    assert spent(spending, budget, AT, 1, 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30), st.integers(0, 40))
def test_the_sum_of_what_is_admitted_never_exceeds_a_cap_that_held(costs: list[tuple[int, int]], cap: int) -> None:
    spending, budget = Spending(), Budget(cap_nano=cap, period="month")
    total = before = 0
    for was, will in costs:
        before += was
        if spent(spending, budget, AT, was, will) and before <= cap:
            total += will
            assert total <= cap


@given(st.lists(st.integers(0, 9), max_size=30), st.integers(0, 40))
def test_what_costs_the_same_is_admitted_as_it_was(costs: list[int], cap: int) -> None:
    spending, budget = Spending(), Budget(cap_nano=cap, period="day")
    assert all(spent(spending, budget, AT, cost, cost) for cost in costs)
