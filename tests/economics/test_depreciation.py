from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.economics.depreciation import Method, annuity, book_values, monthly_cost

NONE = Fraction(0)


def test_a_straight_line_is_the_loss_over_the_life() -> None:
    cost = monthly_cost(10_000, 1_000, 36, method="straight_line", interest_per_year=NONE)
    assert cost == 250


def test_interest_on_a_straight_line_is_on_what_is_tied_up_in_the_mean() -> None:
    cost = monthly_cost(10_000, 2_000, 40, method="straight_line", interest_per_year=Fraction(6, 100))
    assert cost == 200 + 6_000 * Fraction(6, 100) / 12


def test_an_annuity_is_that_of_the_loan_tables() -> None:
    """100,000 at 6 % over 30 years is 599.55 a month, over one year 8,606.64."""
    assert float(annuity(100_000, 0, 360, Fraction(6, 1200))) == pytest.approx(599.55, abs=0.005)
    assert float(annuity(100_000, 0, 12, Fraction(6, 1200))) == pytest.approx(8606.64, abs=0.005)


def test_an_annuity_without_interest_is_a_straight_line() -> None:
    assert annuity(1200, 0, 12, NONE) == 100


def test_a_declining_balance_loses_twice_the_straight_rate_first_and_ends_at_the_residual() -> None:
    values = book_values(10_000, 1_000, 60)
    assert values[0] - values[1] == pytest.approx(10_000 * 2 / 60)
    assert values[-1] == 1_000
    assert all(before >= after for before, after in itertools.pairwise(values))


def test_a_declining_balance_costs_less_each_year() -> None:
    years = [
        monthly_cost(9_000, 0, 48, method="declining_balance", interest_per_year=Fraction(5, 100), age_months=age)
        for age in (0, 12, 24, 36)
    ]
    assert years[0] > years[1] > years[2] >= years[3] > 0


@given(
    st.integers(0, 10**15), st.integers(0, 100), st.integers(1, 120), st.sampled_from(("straight_line", "declining_balance")),
)  # fmt: skip
def test_without_interest_what_is_written_off_is_what_was_lost(
    price: int, percent: int, months: int, method: Method
) -> None:
    residual = price * percent // 100
    total = Fraction(0)
    for age in range(0, months, 12):
        length = min(12, months - age)
        cost = monthly_cost(price, residual, months, method=method, interest_per_year=NONE, age_months=age)
        total += cost * length
    assert total == price - residual


@given(st.integers(1, 10**12), st.integers(1, 240), st.integers(1, 4000))
def test_an_annuity_pays_the_price_and_its_interest(price: int, months: int, basis_points: int) -> None:
    rate = Fraction(basis_points, 120_000)
    payment = float(annuity(price, 0, months, rate))
    left = float(price)
    for _ in range(months):
        left = left * (1 + float(rate)) - payment
    # What rounding leaves is a share of all that was ever owed, interest on interest included.
    assert abs(left) <= 1e-6 * price * (1 + float(rate)) ** months + 1e-6


@pytest.mark.parametrize(
    ("price", "residual", "months", "age"), [(1, 2, 12, 0), (1, 0, 0, 0), (1, 0, 12, 12), (1, -1, 12, 0)]
)
def test_what_cannot_be_written_off_is_refused(price: int, residual: int, months: int, age: int) -> None:
    with pytest.raises(ValueError, match="life"):
        monthly_cost(price, residual, months, method="annuity", interest_per_year=NONE, age_months=age)
