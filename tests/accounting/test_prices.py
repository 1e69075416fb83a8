"""Prices as an operator writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuzui.accounting.prices import FREE, parse_price, price_warnings
from yuzui.core.errors import ConfigError
from yuzui.core.money import Price, per_million

PATH = "targets[0].price"


def test_a_price_per_million_becomes_pico_units_per_token() -> None:
    price = parse_price({"currency": "USD", "input": 0.28, "cached_input": 0.028, "output": 0.42}, PATH)
    assert (price.input_pico, price.cached_input_pico, price.output_pico) == (280_000, 28_000, 420_000)
    assert price.cache_write_pico == price.input_pico
    assert price.version.startswith("config:")


def test_cached_input_left_out_costs_what_input_costs() -> None:
    assert parse_price({"currency": "CNY", "input": 2, "output": 8}, PATH).cached_input_pico == 2_000_000


def test_free_is_said_and_never_assumed() -> None:
    assert parse_price("free", PATH) is FREE and FREE.is_free
    with pytest.raises(ConfigError):
        parse_price({"currency": "USD"}, PATH)


def test_the_version_changes_with_any_amount_and_with_nothing_else() -> None:
    base = {"currency": "USD", "input": 1, "output": 2}
    versions = {
        parse_price({**base, **change}, PATH).version
        for change in (
            {},
            {"input": 1.1},
            {"output": 3},
            {"cached_input": 0.5},
            {"cache_write": 2},
            {"currency": "EUR"},
        )
    }
    assert len(versions) == 6
    assert parse_price(base, PATH).version == parse_price({**base, "input": 1.0, "cached_input": "1"}, PATH).version


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Free", 'write "free"'),
        (None, 'write "free"'),
        (3, 'write "free"'),
        ({"input": 1, "output": 1}, "price.currency"),
        ({"currency": "usd", "input": 1, "output": 1}, "price.currency"),
        ({"currency": "USD", "output": 1}, "price.input"),
        ({"currency": "USD", "input": 1}, "price.output"),
        ({"currency": "USD", "input": -1, "output": 1}, "price.input"),
        ({"currency": "USD", "input": True, "output": 1}, "price.input"),
        ({"currency": "USD", "input": "much", "output": 1}, "price.input"),
        ({"currency": "USD", "input": float("nan"), "output": 1}, "price.input"),
        ({"currency": "USD", "input": float("inf"), "output": 1}, "price.input"),
        ({"currency": "USD", "input": 0.00000028, "output": 1}, "price.input"),
        ({"currency": "USD", "input": 1, "output": 1, "reasoning": 1}, "price.reasoning: unknown key"),
    ],
)
def test_a_wrong_price_is_refused_and_the_message_names_the_place(value: object, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_price(value, PATH)
    assert words in refused.value.message and refused.value.message.startswith(PATH)


def a_price(input_pico: int) -> Price:
    return Price(currency="USD", input_pico=input_pico, output_pico=10**6, cached_input_pico=10**5,
                 cache_write_pico=10**6, version="v")  # fmt: skip


@pytest.mark.parametrize(("per_token", "is_odd"), [("0.000003", True), ("0.0004", True), ("0.02", False), ("3", False)])
def test_a_price_per_token_is_noticed(per_token: str, is_odd: bool) -> None:
    price = parse_price({"currency": "USD", "input": per_token, "output": 1}, PATH)
    assert bool(price_warnings(price, PATH)) == is_odd


def test_the_warning_suggests_the_price_that_was_meant() -> None:
    assert "did you mean 3?" in price_warnings(a_price(3), PATH)[0]
    assert "price.input = 0.000003 looks like" in price_warnings(a_price(3), PATH)[0]


def test_an_absurdly_high_price_is_noticed_and_a_free_one_is_not() -> None:
    assert "more than any model costs" in price_warnings(a_price(3 * 10**12), PATH)[0]
    assert price_warnings(FREE, PATH) == []


@given(st.integers(0, 10**12))
def test_every_amount_that_is_shown_can_be_written(pico: int) -> None:
    value = {"currency": "USD", "input": per_million(pico), "output": 0}
    assert parse_price(value, PATH).input_pico == pico
