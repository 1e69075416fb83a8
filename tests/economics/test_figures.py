from __future__ import annotations

import math
from fractions import Fraction

import pytest

from yuzui.economics.figures import amount, change, number, percent, seconds, short


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "0"),
        (1_234_567_890_000, "1,234.57"),
        (-2_500_000_000, "-2.50"),
        (4_321_000, "0.004321"),
        (-43, "-0.000000043"),
        (Fraction(1, 10**9), "0"),
        (999_999_999, "1"),
    ],
)
def test_amounts_have_two_decimals_and_small_ones_four_digits(nano: int | Fraction, shown: str) -> None:
    assert amount(nano) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (12_345.6, "12,346"), (12.345, "12.35"), (0.00123456, "0.001235"), (math.inf, "∞"), (400, "400")],
)
def test_numbers_have_four_digits_that_count(value: float, shown: str) -> None:
    assert number(value) == shown


def test_shares_times_and_axes() -> None:
    assert percent(0.256) == "25.6 %"
    assert (change(Fraction(-1, 2)), change(0.2)) == ("-50 %", "+20 %")
    assert (seconds(0.25), seconds(12.34), seconds(math.inf)) == ("250 ms", "12.3 s", "∞")
    assert [short(value) for value in (0, 0.05, 1500, -2.5e6, 3e9)] == ["0", "0.05", "1.5k", "-2.5M", "3G"]
