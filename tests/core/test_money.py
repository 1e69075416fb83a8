"""Money is exact: integers all the way, rounded up once, no token priced twice."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.core.money import NANO, Price, convert_nano, cost_nano, per_million_to_pico
from yuzui.core.usage import Usage

AMOUNTS = st.integers(0, 10**9)


def price(inp: int, out: int = 0, cached: int = 0, write: int = 0) -> Price:
    return Price(
        currency="USD", input_pico=inp, output_pico=out, cached_input_pico=cached, cache_write_pico=write, version="t"
    )


@pytest.mark.parametrize(
    ("amount", "pico"),
    [(1, 1_000_000), (0.15, 150_000), ("0.15", 150_000), (Decimal("0.000001"), 1), (0, 0), (600, 600_000_000)],
)
def test_a_price_per_million_becomes_an_exact_integer(amount: Decimal | float | str, pico: int) -> None:
    assert per_million_to_pico(amount) == pico


@pytest.mark.parametrize("amount", [-1, "-0.1", "0.0000001", 0.00000025])
def test_a_price_that_has_no_exact_integer_is_refused(amount: float | str) -> None:
    with pytest.raises(ValueError):
        per_million_to_pico(amount)


def test_ten_million_requests_of_one_token_have_no_drift() -> None:
    each = price(per_million_to_pico("0.15"))
    # 150,000 pico = 150 nano exactly: ten million single tokens cost what ten million tokens cost at once, 1.50 USD.
    single = cost_nano(each, Usage(input_tokens=1))
    assert single == 150
    assert single * 10_000_000 == cost_nano(each, Usage(input_tokens=10_000_000)) == 1_500_000_000 == 1.5 * NANO


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, *[st.integers(0, 10**6)] * 4)
def test_each_token_is_priced_once_and_the_sum_rounded_up_once(
    inp: int, out: int, cached: int, write: int, fresh: int, read: int, written: int, said: int
) -> None:
    usage = Usage(
        input_tokens=fresh + read + written, cached_input_tokens=read, cache_write_tokens=written,
        output_tokens=said, reasoning_tokens=said // 2,
    )  # fmt: skip
    exact = Fraction(fresh * inp + read * cached + written * write + said * out, 1000)
    cost = cost_nano(price(inp, out, cached, write), usage)
    assert exact <= cost < exact + 1


@given(st.integers(0, 10**18), st.decimals("0.000001", "100000", places=6))
def test_a_conversion_never_loses_a_nano(amount: int, rate: Decimal) -> None:
    exact = Fraction(amount) * Fraction(rate)
    assert exact <= convert_nano(amount, rate) < exact + 1


def test_the_same_currency_is_not_changed_by_conversion() -> None:
    assert convert_nano(123_456_789, Decimal(1)) == 123_456_789


@pytest.mark.parametrize(
    ("field", "is_free"), [("input", False), ("output", False), ("cached", False), ("write", False), ("", True)]
)
def test_only_a_price_of_nothing_is_free(field: str, is_free: bool) -> None:
    picos = {name: int(name == field) for name in ("input", "output", "cached", "write")}
    assert price(picos["input"], picos["output"], picos["cached"], picos["write"]).is_free is is_free


@given(st.fractions(0, 1000, max_denominator=10**6), AMOUNTS, AMOUNTS)
def test_a_factor_multiplies_tokens_exactly_and_is_rounded_up_once(factor: Fraction, tokens: int, pico: int) -> None:
    each = Price(
        currency="USD", input_pico=pico, output_pico=0, cached_input_pico=0, cache_write_pico=0, version="t",
        request_pico=7_000, image_pico=9_000,
    )  # fmt: skip
    usage = Usage(input_tokens=tokens, images=2)
    exact = (tokens * pico * factor + 7_000 + 18_000) / 1_000
    assert exact <= cost_nano(each, usage, factor) < exact + 1
    assert cost_nano(each, usage, Fraction(1)) == cost_nano(each, usage)
