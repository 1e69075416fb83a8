"""What a purchase costs per month: by straight line, by declining balance, or as an annuity. Exact."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal, assert_never

Method = Literal["straight_line", "declining_balance", "annuity"]
MONTHS_PER_YEAR = 12
_STEPS = (
    10**12
)  # an annuity's power is cut to a trillionth: a Fraction to the 60th power would have thousands of digits


def monthly_cost(
    price: int, residual: int, lifetime_months: int, *, method: Method, interest_per_year: Fraction, age_months: int = 0
) -> Fraction:
    """Depreciation and interest per month, in the unit of `price`, over the twelve months after `age_months`.

    `residual`: what it sells for after its life. Interest is on what is tied up: on the mean of price and residual by
    straight line, on the book value by declining balance; an annuity has it inside.
    """
    if lifetime_months < 1 or not 0 <= residual <= price or not 0 <= age_months < lifetime_months:
        raise ValueError("a life of at least a month, a residual value up to the price, an age below the life")
    match method:
        case "straight_line":
            tied_up = Fraction(price + residual, 2)
            return Fraction(price - residual, lifetime_months) + tied_up * interest_per_year / MONTHS_PER_YEAR
        case "declining_balance":
            months = range(age_months, min(age_months + MONTHS_PER_YEAR, lifetime_months))
            values = book_values(price, residual, lifetime_months)
            lost = values[months.start] - values[months.stop]
            tied_up = sum((values[month] for month in months), Fraction(0)) / len(months)
            return lost / len(months) + tied_up * interest_per_year / MONTHS_PER_YEAR
        case "annuity":
            return annuity(price, residual, lifetime_months, interest_per_year / MONTHS_PER_YEAR)
        case _:
            assert_never(method)


def book_values(price: int, residual: int, lifetime_months: int) -> list[Fraction]:
    """Value at the beginning of each month, and at the end: twice the straight rate of what is left, per year, and the
    straight line over the remaining life as soon as that is more. Never below `residual`."""
    values = [Fraction(price)]
    for month in range(lifetime_months):
        value = values[-1]
        declining = value * 2 / lifetime_months
        straight = (value - residual) / (lifetime_months - month)
        values.append(max(Fraction(residual), _cut(value - max(declining, straight))))
    values[-1] = Fraction(residual)
    return values


def annuity(price: int, residual: int, months: int, interest_per_month: Fraction) -> Fraction:
    """The equal payment at each month's end that pays `price` back down to `residual`."""
    if not interest_per_month:
        return Fraction(price - residual, months)
    discount = Fraction(1)
    for _ in range(months):
        discount = _cut(discount / (1 + interest_per_month))
    return (price - residual * discount) * interest_per_month / (1 - discount)


def _cut(value: Fraction) -> Fraction:
    return Fraction(round(value * _STEPS), _STEPS)
